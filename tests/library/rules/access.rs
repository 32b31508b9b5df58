//! Rules 5, 6 and 10: which client secret authenticates, and which signature is verified.

use std::collections::BTreeMap;

use client_registry::client::{Client, Revocation};
use client_registry::{ErrorKind, Purpose, Reason, Secret, SecretId, SecretState, Signature, Timestamp};
use proptest::prelude::*;

use crate::rules::history::history;
use crate::rules::world::{World, probes};
use crate::support::{client_id, one_secret, start};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// "Any secret valid at t authenticates its client at t; nothing else does: not an expired, future, disabled or deleted one."
    /// Each of these has its reason, and so has a compromised one (rule 10).
    #[test]
    fn rule_05_a_secret_authenticates_exactly_while_it_is_valid(steps in history(14)) {
        let World { client, desk, now, facts, texts, .. } = World::after(&steps);
        for t in probes(&client, now) {
            for (&id, text) in &texts {
                let found = client.authenticate(text, &desk.policy, t);
                prop_assert_eq!(found.is_ok(), facts.is_valid(id, t), "secret {} at {}: {:?}", id, t, found);
                match found {
                    Ok(secret) => prop_assert_eq!(secret.id(), id),
                    Err(denial) => {
                        let reason = why_denied(&client, id, t);
                        let named = (reason != Reason::Wrong).then_some(id);
                        prop_assert_eq!((denial.reason(), denial.secret_id()), (reason, named));
                        // Rule 9: "presented and refused as ended or disabled".
                        prop_assert_eq!(denial.is_use(), [Reason::Ended, Reason::Disabled].contains(&reason));
                    }
                }
            }
        }
    }

    /// "Not a prefix, an extension, a secret's ID." Such a text is wrong, or it looks like what it is.
    #[test]
    fn rule_05_a_part_of_a_secret_does_not_authenticate(steps in history(6), cut in 0usize..60, more in "[ -~]{1,3}") {
        let World { client, desk, now, texts, .. } = World::after(&steps);
        for text in texts.values() {
            let shorter = &text[..cut.min(text.len() - 1)];
            for wrong in [shorter, &format!("{text}{more}"), &format!("{more}{text}"), "1", ""] {
                let denial = client.authenticate(wrong, &desk.policy, now).unwrap_err();
                let reasons = [Reason::Wrong, Reason::Mistyped, Reason::LooksLikeSecretId];
                prop_assert!(reasons.contains(&denial.reason()), "{wrong}: {denial:?}");
                prop_assert!(denial.secret_id().is_none() && !denial.is_use());
            }
        }
    }

    /// "The one secret that signs at a given instant" signs; "on request the platform signs with every valid secret that can, the
    /// signing one first". Each signature is verified exactly while its secret is valid.
    #[test]
    fn rule_06_what_signs_is_verified_while_it_is_valid(steps in history(12)) {
        let World { client, now, facts, .. } = World::after(&steps);
        let mut made = BTreeMap::new();
        for t in probes(&client, now) {
            let signatures = client.sign_all(MESSAGE, t);
            let mut makers: Vec<_> = signatures.iter().map(Signature::secret_id).collect();
            prop_assert_eq!(makers.first().copied(), facts.signing_at(t).secret());
            let signature = client.sign(MESSAGE, t);
            prop_assert_eq!(signature.map(|one| *one.mac()), signatures.first().map(|one| *one.mac()));
            makers.sort_unstable();
            prop_assert_eq!(makers, facts.all_signers_at(t));
            made.extend(signatures.into_iter().map(|signature| (signature.secret_id(), signature)));
        }
        for (id, signature) in made {
            for t in probes(&client, now) {
                let found = client.verify(&signature, MESSAGE, t).map(Secret::id);
                prop_assert_eq!(found.ok(), facts.is_valid(id, t).then_some(id));
                prop_assert_eq!(client.verify_any(signature.mac(), MESSAGE, t).map(Secret::id).ok(), found.ok());
                prop_assert!(client.verify(&signature, b"another message", t).is_err());
            }
        }
    }

    /// A signature that the platform has not made is denied for the state of the secret that it names. Nobody presents a secret by
    /// naming it, so none of these is an alarm.
    #[test]
    fn rule_06_a_forged_signature_is_denied(steps in history(12), mac in any::<[u8; 32]>()) {
        let World { client, now, texts, .. } = World::after(&steps);
        for &id in texts.keys() {
            let forged = Signature::new(client.id().clone(), id, mac);
            let denial = client.verify(&forged, MESSAGE, now).unwrap_err();
            let reason = match (why_denied(&client, id, now), client.secret(id).map(Secret::purpose)) {
                (Reason::Compromised, _) => Reason::Deleted,
                (Reason::Wrong, Some(Purpose::PasswordOnly)) => Reason::CannotSign,
                (reason, _) => reason,
            };
            prop_assert_eq!((denial.reason(), denial.secret_id()), (reason, Some(id)));
            // Nor is it a use: a forger could keep a secret from being deleted.
            prop_assert!(!denial.is_use());
        }
        prop_assert_eq!(client.verify_any(&mac, MESSAGE, now).unwrap_err().reason(), Reason::Wrong);
    }
}

#[test]
fn rule_06_a_signature_of_another_client_is_not_verified() {
    let (client, _) = one_secret();
    let own = client.sign(MESSAGE, start()).unwrap();
    let of_another = Signature::new(client_id("agenda-app"), own.secret_id(), *own.mac());
    let denial = client.verify(&of_another, MESSAGE, start()).unwrap_err();
    assert_eq!((denial.reason(), denial.secret_id()), (Reason::UnknownClient, Some(own.secret_id())));
    assert!(client.verify(&own, MESSAGE, start()).is_ok());
}

/// The caller learns nothing from a denial, whatever its reason.
#[test]
fn rule_05_a_denial_shows_one_text() {
    let (client, desk) = one_secret();
    let texts = ["wrong", "1", "crs_mistyped", ""];
    let denials = texts.map(|text| client.authenticate(text, &desk.policy, start()).unwrap_err());
    assert!(denials.iter().any(|denial| denial.reason() != Reason::Wrong), "{denials:?}");
    for denial in denials {
        let shown = (denial.to_string(), denial.code(), denial.kind());
        assert_eq!(shown, ("invalid client".to_owned(), "denied", ErrorKind::Unauthenticated));
    }
}

/// The reason for which a secret that was issued is denied; [`Reason::Wrong`] if it is valid or forgotten.
fn why_denied(client: &Client, id: SecretId, t: Timestamp) -> Reason {
    let remembered = client.remembered().find(|(remembered, _)| *remembered == id);
    match (client.secret(id).map(|secret| secret.state_at(t)), remembered) {
        (Some(SecretState::Ended), _) => Reason::Ended,
        (Some(SecretState::Disabled), _) => Reason::Disabled,
        (Some(SecretState::NotYetStarted), _) => Reason::NotYetStarted,
        (Some(SecretState::Valid), _) | (None, None) => Reason::Wrong,
        (None, Some((_, Revocation::Deleted))) => Reason::Deleted,
        (None, Some((_, Revocation::Compromised))) => Reason::Compromised,
    }
}

const MESSAGE: &[u8] = b"a message";
