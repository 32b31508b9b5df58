//! The add-in's side (rule 17): either client secret of a ring verifies what comes in, and it says which; a call out
//! tries the one that worked last, then the other, and only when the platform answered *invalid client*; the ring is
//! replaced while it is in use.

mod calls;
mod config;
mod reload;
mod state;

use std::sync::atomic::{AtomicBool, Ordering};

use client_registry::ring::{CallError, SharedSecret, Slot};
use client_registry::secret::KeyEncoding;
use client_registry::{AccessError, ClientId, ClientSecret, Days, Reason, Rotation, SecretRing, Signature};
use data_encoding::BASE64;
use pollster::block_on;
use proptest::prelude::*;
use zeroize::Zeroizing;

use crate::support::{Platform, Seeded, hmac, key, secret_id};

type Text = (Zeroizing<String>, KeyEncoding);

fn id() -> ClientId {
    ClientId::parse("calendar-app").unwrap()
}

fn text(seed: u64, encoding: KeyEncoding) -> Text {
    let plain = Seeded::new(seed).text("abcdefghijklmnopqrstuvwxyz0123456789-.~", 40);
    match encoding {
        KeyEncoding::Base64 => (Zeroizing::new(BASE64.encode(plain.as_bytes())), encoding),
        _ => (plain, encoding),
    }
}

fn ring_secret((text, encoding): &Text) -> SharedSecret {
    SharedSecret::new(ClientSecret::parse(text).unwrap(), *encoding).unwrap()
}

fn sign((text, encoding): &Text, message: &[u8]) -> [u8; 32] {
    hmac(&key(text, *encoding), message)
}

fn an_encoding() -> impl Strategy<Value = KeyEncoding> {
    prop_oneof![Just(KeyEncoding::Utf8), Just(KeyEncoding::Base64)]
}

/// What the platform answers to each of the two.
#[derive(Debug, Clone, Copy)]
struct Answers {
    primary: Answer,
    secondary: Answer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Welcome,
    InvalidClient,
    NoRoute,
}

fn answers() -> impl Strategy<Value = Answers> {
    let answer = prop_oneof![Just(Answer::Welcome), Just(Answer::InvalidClient), Just(Answer::NoRoute)];
    (answer.clone(), answer).prop_map(|(primary, secondary)| Answers { primary, secondary })
}

/// Calls once, and says which were tried and what came back.
fn call(ring: &SecretRing, answers: Answers) -> (Vec<Slot>, Result<Slot, Answer>) {
    let mut tried = vec![];
    let outcome = block_on(ring.call(|credentials| {
        let slot = credentials.slot();
        tried.push(slot);
        let answer = match slot {
            Slot::Primary => answers.primary,
            Slot::Secondary => answers.secondary,
        };
        std::future::ready(match answer {
            Answer::Welcome => Ok(slot),
            Answer::InvalidClient => Err(CallError::InvalidClient(answer)),
            Answer::NoRoute => Err(CallError::Failed(answer)),
        })
    }));
    (tried, outcome)
}

proptest! {
    #[test]
    fn rule_17_either_secret_verifies_and_the_ring_says_which(
        seed: u64,
        encodings in (an_encoding(), an_encoding(), an_encoding()),
        message in prop::collection::vec(any::<u8>(), 0..200),
        bit in 0usize..256,
    ) {
        let (one, two) = (text(seed, encodings.0), text(seed ^ 1, encodings.1));
        let stranger = text(seed ^ 2, encodings.2);
        let ring = SecretRing::new(id(), ring_secret(&one), Some(ring_secret(&two)));
        for (secret, slot) in [(&one, Slot::Primary), (&two, Slot::Secondary)] {
            let mac = sign(secret, &message);
            prop_assert_eq!(ring.verify_mac(&mac, &message), Ok(slot));
            // A ring does not know the platform's numbers, so any will do.
            let signature = Signature::new(id(), secret_id(7), mac);
            prop_assert_eq!(ring.verify(&signature, &message), Ok(slot));
            // The right MAC for another client ID is none.
            let other = Signature::new("another-app".parse().unwrap(), secret_id(7), mac);
            prop_assert!(ring.verify(&other, &message).is_err());

            let mut forged = mac;
            forged[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(ring.verify_mac(&forged, &message).is_err());
            let longer = [&message[..], b"\0"].concat();
            prop_assert!(ring.verify_mac(&mac, &longer).is_err());
        }
        prop_assert!(ring.verify_mac(&sign(&stranger, &message), &message).is_err());
        // One encoding is not the other.
        if let KeyEncoding::Base64 = one.1 {
            let as_text = hmac(one.0.as_bytes(), &message);
            prop_assert!(ring.verify_mac(&as_text, &message).is_err());
        }

        let alone = SecretRing::new(id(), ring_secret(&one), None);
        prop_assert_eq!(alone.verify_mac(&sign(&one, &message), &message), Ok(Slot::Primary));
        prop_assert!(alone.verify_mac(&sign(&two, &message), &message).is_err());
    }
}

/// "Adding what is primary already changes nothing": an add-in that is handed the same rotation twice keeps the old secret.
#[test]
fn rule_17_adding_a_secret_keeps_the_one_before_and_adding_it_again_changes_nothing() {
    let [one, two, three] = [1, 2, 3].map(|seed| text(seed, KeyEncoding::Utf8));
    let base64 = text(4, KeyEncoding::Base64);
    let ring = SecretRing::new(id(), ring_secret(&one), None);
    let verified = |secret: &Text| ring.verify_mac(&sign(secret, b"message"), b"message").ok();
    let (primary, secondary) = (Some(Slot::Primary), Some(Slot::Secondary));
    for _ in 0..3 {
        ring.add(ring_secret(&two));
        assert_eq!([&one, &two, &three].map(verified), [secondary, primary, None]);
    }
    // Nor is it forgotten which one worked.
    let old_one_only = Answers { primary: Answer::InvalidClient, secondary: Answer::Welcome };
    assert_eq!(call(&ring, old_one_only).0, [Slot::Primary, Slot::Secondary]);
    ring.add(ring_secret(&two));
    assert_eq!(call(&ring, old_one_only).0, [Slot::Secondary]);
    ring.add(ring_secret(&three));
    assert_eq!([&one, &two, &three].map(verified), [None, secondary, primary]);
    assert_eq!(call(&ring, old_one_only).0, [Slot::Primary, Slot::Secondary]);

    // The other key encoding of the same text takes its place alone.
    let as_text = (base64.0.clone(), KeyEncoding::Utf8);
    ring.add(ring_secret(&as_text));
    ring.add(ring_secret(&base64));
    assert_eq!([&three, &base64, &as_text].map(verified), [secondary, primary, None]);
}

/// The whole way: an add-in with a ring, and the platform that rotates its secret.
#[test]
fn rule_17_an_add_in_with_a_ring_does_not_notice_a_rotation() {
    let platform = Platform::new();
    block_on(async {
        let issued = platform.register("calendar app").await;
        let client_id = issued.client_id().clone();
        let client = platform.contoso.client(&client_id);
        let next = client.rotate(Rotation::overlap(Days::new(30))).await.unwrap();
        let ring = SecretRing::new(
            client_id.clone(),
            issued.into_client_secret(),
            Some(next.into_client_secret().into()),
        );
        let attempts = std::sync::Mutex::new(vec![]);
        let call = async || {
            let answer = ring.call(async |credentials| {
                attempts.lock().unwrap().push(credentials.slot());
                let (id, secret) = (credentials.client_id().as_str(), credentials.client_secret().expose());
                match platform.registry.authenticate(id, secret).await {
                    Ok(who) => Ok(who.secret_id()),
                    Err(AccessError::Denied(denied)) => Err(CallError::InvalidClient(denied.reason())),
                    Err(other) => panic!("{other}"),
                }
            });
            (answer.await, std::mem::take(&mut *attempts.lock().unwrap()))
        };
        let inbound = async || {
            let signature = platform.registry.sign(&client_id, b"message").await.unwrap();
            ring.verify(&signature, b"message")
        };
        assert_eq!(inbound().await, Ok(Slot::Primary));
        assert_eq!(call().await, (Ok(secret_id(1)), vec![Slot::Primary]));

        // The old one ends by itself.
        platform.clock.advance(Days::new(30));
        assert_eq!(inbound().await, Ok(Slot::Secondary));
        assert_eq!(call().await, (Ok(secret_id(2)), vec![Slot::Primary, Slot::Secondary]));
        assert_eq!(call().await, (Ok(secret_id(2)), vec![Slot::Secondary]));

        // Until the last one is gone, too: then the answer is that of the last attempt.
        let _ = client.delete_in_emergency(secret_id(2), None).await.unwrap();
        let (answer, tried) = call().await;
        assert_eq!(tried, [Slot::Secondary, Slot::Primary]);
        assert_eq!(answer, Err(Reason::Ended));
    });
}

/// While others verify and call, the old pair gives way to the next one that shares a secret with it, and back. That
/// secret is never refused, and no call ever mixes two pairs.
#[test]
fn rule_17_a_ring_is_replaced_while_several_threads_use_it() {
    let [one, two, three] = [1, 2, 3].map(|seed| text(seed, KeyEncoding::Utf8));
    let ring = SecretRing::new(id(), ring_secret(&one), Some(ring_secret(&two)));
    let mac = sign(&two, b"message");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    ring.verify_mac(&mac, b"message").unwrap();
                    let mut presented = vec![];
                    let refused = block_on(ring.call(|credentials| {
                        presented.push(credentials.client_secret().expose().to_owned());
                        std::future::ready(Err::<(), _>(CallError::InvalidClient(())))
                    }));
                    refused.unwrap_err();
                    let old = [&one, &two].map(|text| text.0.to_string());
                    let new = [&two, &three].map(|text| text.0.to_string());
                    assert!(presented == old || presented == new);
                }
            });
        }
        for round in 0..300 {
            let (primary, secondary) = if round % 2 == 0 { (&two, &three) } else { (&one, &two) };
            ring.replace(ring_secret(primary), Some(ring_secret(secondary)));
        }
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn rule_17_what_is_no_key_makes_no_ring() {
    let (plain, _) = text(1, KeyEncoding::Utf8);
    let error = SharedSecret::new(ClientSecret::parse(&plain).unwrap(), KeyEncoding::Base64).unwrap_err();
    assert!(!error.to_string().contains(&plain[..4]));
}

#[test]
fn debug_shows_the_client_id_and_no_secret() {
    for encoding in [KeyEncoding::Utf8, KeyEncoding::Base64] {
        let (one, two) = (text(1, encoding), text(2, encoding));
        let ring = SecretRing::new(id(), ring_secret(&one), Some(ring_secret(&two)));
        let mut faces = vec![format!("{ring:?}"), format!("{:?}", ring_secret(&one))];
        let _ = block_on(ring.call(|credentials| {
            faces.push(format!("{credentials:?} {:?}", credentials.client_secret()));
            std::future::ready(Err::<(), _>(CallError::InvalidClient(())))
        }));
        let expected = [
            "SecretRing { client_id: ClientId(calendar-app), has_secondary: true, .. }",
            "SharedSecret { .. }",
            "Credentials { client_id: ClientId(calendar-app), slot: Primary, .. } ClientSecret { .. }",
            "Credentials { client_id: ClientId(calendar-app), slot: Secondary, .. } ClientSecret { .. }",
        ];
        assert_eq!(faces, expected);
    }
}
