//! Signing and verifying at the registry (rule 6): a signature is HMAC-SHA-256 with the client secret itself as key, by
//! another implementation; `verify` tries the secret that is named and no other; each denial has its reason.

use crate::support::{Platform, START, Seeded, denied, hmac, instant, key, secret_id};
use client_registry::client::ImportedSecret;
use client_registry::secret::KeyEncoding;
use client_registry::value::Validity;
use client_registry::{
    AccessError, ClientId, ClientSecret, Days, ErrorKind, Lifetime, NewSecret, Policy, Purpose, Reason,
    SecretId, SignError, Signature,
};
use data_encoding::BASE64;
use pollster::block_on;
use proptest::prelude::*;
use zeroize::Zeroizing;

/// A secret as the add-in knows it.
struct Known {
    id: SecretId,
    text: Zeroizing<String>,
    encoding: KeyEncoding,
}

impl Known {
    fn sign(&self, message: &[u8]) -> [u8; 32] {
        hmac(&key(&self.text, self.encoding), message)
    }
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Generated,
    Utf8(usize),
    Base64(usize),
    PasswordOnly,
}

fn a_kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        Just(Kind::Generated),
        // Around the block size of SHA-256, beyond which HMAC hashes its key.
        prop_oneof![24usize..=66, 500usize..=512].prop_map(Kind::Utf8),
        prop_oneof![24usize..=66, 380usize..=384].prop_map(Kind::Base64),
        Just(Kind::PasswordOnly),
    ]
}

async fn add(platform: &Platform, client_id: &ClientId, kind: Kind, seed: u64) -> Known {
    let client = platform.contoso.client(client_id);
    let (text, encoding) = match kind {
        Kind::Generated | Kind::PasswordOnly => {
            let purpose = match kind {
                Kind::PasswordOnly => Purpose::PasswordOnly,
                _ => Purpose::SigningAndPassword,
            };
            let new = NewSecret::lasting(Lifetime::OneYear).for_purpose(purpose);
            let issued = client.add_secret(new).await.unwrap();
            return Known {
                id: issued.secret_id(),
                text: Zeroizing::new(issued.client_secret().expose().to_owned()),
                encoding: KeyEncoding::Utf8,
            };
        }
        Kind::Utf8(len) => {
            let alphabet: String = (' '..='~').collect();
            (Seeded::new(seed).text(&alphabet, len), KeyEncoding::Utf8)
        }
        Kind::Base64(len) => {
            let bytes = Seeded::new(seed).text("abcdefghijklmnopqrstuvwxyz0123456789~-", len);
            let text = Zeroizing::new(BASE64.encode(bytes.as_bytes()));
            (text, KeyEncoding::Base64)
        }
    };
    let validity = Validity::new(instant(START), Some(instant("2027-03-01T00:00:00Z"))).unwrap();
    let secret = ClientSecret::parse(&text).unwrap();
    let id = client.import_secret(ImportedSecret::new(secret, validity, encoding)).await.unwrap();
    Known { id, text, encoding }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn rule_06_a_signature_is_made_with_the_client_secret_as_key(
        seed: u64,
        kinds in prop::collection::vec(a_kind(), 1..7),
        promoted in any::<prop::sample::Index>(),
        message in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let policy = Policy::default().with_max_secrets(8).unwrap();
        let platform = Platform::seeded(seed, policy);
        block_on(async {
            let issued = platform.register("calendar app").await;
            let client_id = issued.client_id();
            let client = platform.contoso.client(client_id);
            let text = Zeroizing::new(issued.client_secret().expose().to_owned());
            let mut signers = vec![Known { id: issued.secret_id(), text, encoding: KeyEncoding::Utf8 }];
            let mut passwords = vec![];
            for (position, kind) in (1..).zip(kinds) {
                platform.clock.advance(std::time::Duration::from_secs(1));
                let known = add(&platform, client_id, kind, seed ^ position).await;
                match kind {
                    Kind::PasswordOnly => passwords.push(known),
                    _ => signers.push(known),
                }
            }
            // Which signs is for other tests to say; that sign and sign_all agree with it, for this one.
            let chosen = signers[promoted.index(signers.len())].id;
            client.promote(chosen).await.unwrap();
            signers.sort_by_key(|known| (known.id != chosen, known.id));

            let one = platform.registry.sign(client_id, &message).await.unwrap();
            prop_assert_eq!((one.client_id(), one.secret_id()), (client_id, chosen));
            prop_assert_eq!(one.mac(), &signers[0].sign(&message));
            let all = platform.registry.sign_all(client_id, &message).await.unwrap();
            let all: Vec<_> = all.iter().map(|one| (one.secret_id(), *one.mac())).collect();
            let expected: Vec<_> = signers.iter().map(|known| (known.id, known.sign(&message))).collect();
            prop_assert_eq!(all, expected, "the signing one first, then those that are valid longest");

            for known in &signers {
                let mac = known.sign(&message);
                for named in signers.iter().chain(&passwords) {
                    let signature = Signature::new(client_id.clone(), named.id, mac);
                    let verdict = platform.registry.verify(&signature, &message).await;
                    if named.id == known.id {
                        let verified = verdict.unwrap();
                        prop_assert_eq!((verified.client_id(), verified.secret_id()), (client_id, known.id));
                    } else {
                        let denied = denied(verdict);
                        let expected = match passwords.iter().any(|other| other.id == named.id) {
                            true => Reason::CannotSign,
                            false => Reason::Wrong,
                        };
                        prop_assert_eq!(denied.reason(), expected);
                        prop_assert_eq!(denied.secret_id(), Some(named.id));
                        prop_assert_eq!(denied.to_string(), "invalid client");
                    }
                }
                let any = platform.registry.verify_any(client_id, &mac, &message).await.unwrap();
                prop_assert_eq!(any.secret_id(), known.id);
            }
            for known in &passwords {
                let mac = known.sign(&message);
                let signature = Signature::new(client_id.clone(), known.id, mac);
                let verdict = platform.registry.verify(&signature, &message).await;
                prop_assert_eq!(denied(verdict).reason(), Reason::CannotSign);
                let verdict = platform.registry.verify_any(client_id, &mac, &message).await;
                prop_assert_eq!(denied(verdict).reason(), Reason::Wrong);
            }
            Ok(())
        })?;
    }

    #[test]
    fn rule_06_a_signature_is_for_one_client_one_message_and_every_bit_of_its_mac(
        message in prop::collection::vec(any::<u8>(), 0..200),
        bit in 0usize..256,
        at in any::<prop::sample::Index>(),
    ) {
        let platform = Platform::new();
        block_on(async {
            let issued = platform.register("calendar app").await;
            let other = platform.register("another app").await;
            let signature = platform.registry.sign(issued.client_id(), &message).await.unwrap();
            // As text and back, as it travels.
            let parsed: Signature = signature.to_string().parse().unwrap();
            platform.registry.verify(&parsed, &message).await.unwrap();

            let mut mac = *signature.mac();
            mac[bit / 8] ^= 1 << (bit % 8);
            let mut longer = message.clone();
            longer.insert(at.index(message.len() + 1), 0);
            let cases = [
                (issued.client_id(), mac, &message),
                (issued.client_id(), *signature.mac(), &longer),
                (other.client_id(), *signature.mac(), &message),
            ];
            for (client_id, mac, message) in cases {
                let forged = Signature::new(client_id.clone(), signature.secret_id(), mac);
                let verdict = platform.registry.verify(&forged, message).await;
                prop_assert_eq!(denied(verdict).reason(), Reason::Wrong);
                let verdict = platform.registry.verify_any(client_id, &mac, message).await;
                prop_assert_eq!(denied(verdict).reason(), Reason::Wrong);
            }
            Ok(())
        })?;
    }
}

#[test]
fn rule_06_a_secret_that_is_not_valid_verifies_nothing() {
    let platform = Platform::seeded(1, Policy::default().with_max_secrets(8).unwrap());
    block_on(async {
        let issued = platform.register("calendar app").await;
        let client_id = issued.client_id();
        let client = platform.contoso.client(client_id);
        let lasting = |days| NewSecret::lasting(Lifetime::Days(Days::new(days)));
        let short = client.add_secret(lasting(1)).await.unwrap();
        let starts = instant("2026-05-01T00:00:00Z");
        let future = client.add_secret(lasting(90).starting(starts)).await.unwrap();
        let disabled = client.add_secret(lasting(90)).await.unwrap();
        let deleted = client.add_secret(lasting(90)).await.unwrap();
        let compromised = client.add_secret(lasting(90)).await.unwrap();
        let plan = client.plan_disabling(disabled.secret_id()).await.unwrap();
        client.confirm(plan).await.unwrap();
        let plan = client.plan_deletion(deleted.secret_id()).await.unwrap();
        client.confirm(plan).await.unwrap();
        let _ = client.delete_in_emergency(compromised.secret_id(), None).await.unwrap();
        platform.clock.advance(Days::new(1));

        for (issued, reason) in [
            (&short, Reason::Ended),
            (&future, Reason::NotYetStarted),
            (&disabled, Reason::Disabled),
            (&deleted, Reason::Deleted),
            (&compromised, Reason::Deleted), // anybody can name it, so that is no alarm
        ] {
            let mac = hmac(issued.client_secret().expose().as_bytes(), b"message");
            let signature = Signature::new(client_id.clone(), issued.secret_id(), mac);
            let denied_by_name = denied(platform.registry.verify(&signature, b"message").await);
            assert_eq!(denied_by_name.reason(), reason);
            assert_eq!(denied_by_name.client_id(), Some(client_id));
            let verdict = platform.registry.verify_any(client_id, &mac, b"message").await;
            assert_eq!(denied(verdict).reason(), Reason::Wrong);
        }
        let never = Signature::new(client_id.clone(), secret_id(77), [0; 32]);
        let verdict = platform.registry.verify(&never, b"message").await;
        assert_eq!(denied(verdict).reason(), Reason::Wrong);

        // No other secret signs in its place either.
        let all = platform.registry.sign_all(client_id, b"message").await.unwrap();
        assert_eq!(all.iter().map(Signature::secret_id).collect::<Vec<_>>(), [issued.secret_id()]);
    });
}

#[test]
fn rule_06_without_a_valid_secret_that_can_nothing_signs_and_the_answer_says_so() {
    let platform = Platform::new();
    block_on(async {
        let issued = platform.register("calendar app").await;
        let client_id = issued.client_id();
        let client = platform.contoso.client(client_id);
        let password = NewSecret::lasting(Lifetime::OneYear).for_purpose(Purpose::PasswordOnly);
        let password = client.add_secret(password).await.unwrap();
        let refused = client.promote(password.secret_id()).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Invalid);
        let _ = client.delete_in_emergency(issued.secret_id(), None).await.unwrap();
        for error in [
            platform.registry.sign(client_id, b"message").await.map(drop).unwrap_err(),
            platform.registry.sign_all(client_id, b"message").await.map(drop).unwrap_err(),
        ] {
            assert!(matches!(error, SignError::NoSigningSecret));
            assert_eq!(error.kind(), ErrorKind::Conflict);
        }
        platform.authenticate(client_id, password.client_secret()).await;

        // It goes on by itself once there is one again.
        let next = client.add_secret(NewSecret::lasting(Lifetime::OneYear)).await.unwrap();
        let signature = platform.registry.sign(client_id, b"message").await.unwrap();
        assert_eq!(signature.secret_id(), next.secret_id());
    });
}

#[test]
fn a_client_that_is_gone_or_never_was_signs_and_verifies_nothing() {
    let platform = Platform::new();
    block_on(async {
        let issued = platform.register("calendar app").await;
        let signature = platform.registry.sign(issued.client_id(), b"message").await.unwrap();
        let client = platform.contoso.client(issued.client_id());
        let plan = client.plan_client_deletion().await.unwrap();
        client.confirm(plan).await.unwrap();

        let nobody: ClientId = "no-such-client".parse().unwrap();
        for (client_id, reason, code, status) in [
            (issued.client_id(), Reason::ClientDeleted, "client_deleted", 410),
            (&nobody, Reason::UnknownClient, "unknown_client", 404),
        ] {
            let one = platform.registry.sign(client_id, b"message").await.unwrap_err();
            let all = platform.registry.sign_all(client_id, b"message").await.unwrap_err();
            for error in [one, all] {
                assert_eq!((error.code(), error.kind().http_status()), (code, status));
            }
            let mac = *signature.mac();
            let theirs = Signature::new(client_id.clone(), secret_id(1), mac);
            let verdict = platform.registry.verify(&theirs, b"message").await;
            assert_eq!(denied(verdict).reason(), reason);
            let verdict = platform.registry.verify_any(client_id, &mac, b"message").await;
            assert_eq!(denied(verdict).reason(), reason);
        }
    });
}

#[test]
fn a_store_that_does_not_answer_denies_no_signature() {
    let platform = Platform::new();
    block_on(async {
        let issued = platform.register("calendar app").await;
        let client_id = issued.client_id();
        let signature = platform.registry.sign(client_id, b"message").await.unwrap();
        platform.store.knobs.load_fails.on();
        let error = platform.registry.sign(client_id, b"message").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        let error = platform.registry.sign_all(client_id, b"message").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        let verdicts = [
            platform.registry.verify(&signature, b"message").await,
            platform.registry.verify_any(client_id, signature.mac(), b"message").await,
        ];
        for verdict in verdicts {
            assert!(matches!(verdict, Err(AccessError::Unavailable(_))));
        }
    });
}
