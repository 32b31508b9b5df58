//! Standard Webhooks: what the registry signs, a ring verifies, with the vectors of the specification; keys in the form `whsec_`.

mod hostile;
mod keys;
mod replays;

use std::sync::Arc;
use std::time::Duration;

use client_registry::clock::ManualClock;
use client_registry::ring::{SharedSecret, Slot};
use client_registry::webhooks::{SignWebhookError, WebhookError, WebhookHeaders, WebhookReceiver};
use client_registry::*;
use data_encoding::BASE64;
use pollster::block_on;

use crate::support::{Platform, client_id, hmac, instant, later, secret_id, start};

/// The key, the message and the signature with which the libraries of the specification are tested.
const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const SECONDS: &str = "1614265330";
const BODY: &[u8] = br#"{"test": 2432232314}"#;
const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

fn headers_of(id: &str, seconds: &str, signatures: &str) -> Result<WebhookHeaders, WebhookError> {
    WebhookHeaders::parse([
        (WebhookHeaders::ID, id),
        (WebhookHeaders::TIMESTAMP, seconds),
        (WebhookHeaders::SIGNATURE, signatures),
    ])
}

fn known() -> WebhookHeaders {
    headers_of(ID, SECONDS, SIGNATURE).unwrap()
}

/// A ring with the known key, this many milliseconds after the known message was signed.
fn ring_at(millis: i64) -> (SecretRing, ManualClock) {
    let clock = ManualClock::new(later(signed_at(), millis).to_datetime());
    let ring = SecretRing::new(client_id("calendar-app"), SharedSecret::parse_whsec(KEY).unwrap(), None);
    (ring.with_clock(clock.clone()), clock)
}

fn signed_at() -> Timestamp {
    instant("2021-02-25T15:02:10Z")
}

/// A signature of this key by another implementation.
fn signature(key: &[u8], id: &str, seconds: &str, body: &[u8]) -> String {
    let message = [id.as_bytes(), b".", seconds.as_bytes(), b".", body].concat();
    format!("v1,{}", BASE64.encode(&hmac(key, &message)))
}

#[test]
fn the_known_message_of_the_specification_is_verified() {
    let (ring, _) = ring_at(0);
    let verified = ring.verify_webhook(&known(), BODY).unwrap();
    assert_eq!((verified.slot(), verified.signed_at()), (Slot::Primary, signed_at()));
    assert!(ring.verify_webhook(&known(), br#"{"test": 2432232315}"#).is_err());
    // As it stands in the specification, with a signature of another version beside it, before or after it.
    let other =
        "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==";
    let wrong = "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=";
    for list in [
        format!("{SIGNATURE} {other}"),
        format!("{other} {SIGNATURE}"),
        format!("{wrong} {SIGNATURE} {other}"),
        format!("v2,{} {SIGNATURE}", &SIGNATURE[3..]),
        format!("v1, v1,AAAA nothing {SIGNATURE} "),
    ] {
        assert!(ring.verify_webhook(&headers_of(ID, SECONDS, &list).unwrap(), BODY).is_ok(), "{list}");
    }
    for list in [other, "", " ", "v2,x", "v1,", &SIGNATURE[3..], &format!("v1a{}", &SIGNATURE[2..])] {
        let headers = headers_of(ID, SECONDS, list).unwrap();
        assert_eq!(ring.verify_webhook(&headers, BODY), Err(WebhookError::NoSignature), "{list}");
    }
}

/// The registry signs the known message as the specification does.
#[test]
fn the_known_message_of_the_specification_is_signed() {
    use client_registry::client::{ImportedClient, ImportedSecret};

    let clock = ManualClock::new(signed_at().to_datetime());
    let registry = Registry::builder().clock(clock).in_memory();
    let (from, until) = (later(signed_at(), -1), later(signed_at(), 86_400_000));
    let key = ImportedSecret::parse_whsec(KEY, crate::support::validity(from, until)).unwrap();
    let details = crate::support::details("calendar app");
    let id = client_id("calendar-app");
    let client = ImportedClient::new(id.clone(), crate::support::contoso(), details, Availability::Worldwide);
    block_on(async {
        let operator = registry.as_operator("ann").unwrap();
        operator.import(client.with_secret(key.signing_today())).await.unwrap();
        for headers in [
            registry.sign_webhook(&id, ID, BODY).await.unwrap(),
            registry.sign_webhook_with_all(&id, ID, BODY).await.unwrap(),
        ] {
            assert_eq!(headers, known());
            let expected =
                [("webhook-id", ID), ("webhook-timestamp", SECONDS), ("webhook-signature", SIGNATURE)];
            assert_eq!(headers.pairs(), expected);
        }
    });
}

/// The body is signed in place, wherever its first block ends.
#[test]
fn bodies_of_every_length_are_signed_as_by_another_implementation() {
    let platform = Platform::new();
    let body = [b'x'; 200];
    block_on(async {
        let issued = platform.register("calendar app").await;
        let key = issued.client_secret().expose().as_bytes();
        for len in 0..body.len() {
            let id = "m".repeat(1 + len % 64);
            let headers =
                platform.registry.sign_webhook(issued.client_id(), &id, &body[..len]).await.unwrap();
            assert_eq!(headers.signatures(), signature(key, &id, "1772355600", &body[..len]), "{len} bytes");
        }
    });
}

/// Before, during and after an overlap: with one signature the signing secret signs, with all of them both do, it first.
#[test]
fn rule_06_the_signing_secret_signs_first_through_a_rotation() {
    let platform = Platform::new();
    block_on(async {
        let first = platform.register("calendar app").await;
        let id = first.client_id().clone();
        let client = platform.contoso.client(&id);
        let ring_of = |secret: SharedSecret| {
            SecretRing::new(id.clone(), secret, None).with_clock(platform.clock.clone())
        };
        let old = ring_of(first.into());
        // Who can verify: a ring that knows the old client secret alone, and one that knows the new one alone.
        let seen = async |new: &SecretRing, all: bool| {
            let headers = match all {
                true => platform.registry.sign_webhook_with_all(&id, "msg_1", b"body").await.unwrap(),
                false => platform.registry.sign_webhook(&id, "msg_1", b"body").await.unwrap(),
            };
            for ring in [&old, new] {
                assert!(ring.verify_webhook(&headers, b"bodx").is_err());
            }
            let verifies = [&old, new].map(|ring| ring.verify_webhook(&headers, b"body").is_ok());
            (headers.signatures().split(' ').count(), verifies)
        };
        let stranger = ring_of(ClientSecret::parse("0123456789 abcdefghijklm").unwrap().into());
        assert_eq!(seen(&stranger, true).await, (1, [true, false]));
        let second = client.rotate(Rotation::overlap(Days::new(30))).await.unwrap();
        let new = ring_of(second.into());
        assert_eq!(seen(&new, false).await, (1, [true, false]));
        assert_eq!(seen(&new, true).await, (2, [true, true]));
        client.promote(secret_id(2)).await.unwrap();
        assert_eq!(seen(&new, false).await, (1, [false, true]));
        assert_eq!(seen(&new, true).await, (2, [true, true]));
        let headers = platform.registry.sign_webhook_with_all(&id, "msg_1", b"body").await.unwrap();
        let one = platform.registry.sign_webhook(&id, "msg_1", b"body").await.unwrap();
        assert!(headers.signatures().starts_with(one.signatures()), "the signing secret first");
        platform.clock.advance(Days::new(30));
        assert_eq!(seen(&new, true).await, (1, [false, true]));

        client.suspend().await.unwrap();
        let refused = platform.registry.sign_webhook_with_all(&id, "msg_1", b"body").await.unwrap_err();
        assert!(matches!(refused, SignWebhookError::Sign(SignError::Suspended)));
    });
}

#[test]
fn a_message_is_verified_up_to_the_tolerance_on_both_sides() {
    let at = |millis: i64| ring_at(millis).0.verify_webhook(&known(), BODY).map(|verified| verified.slot());
    for millis in [-300_000, -1, 0, 999, 300_000] {
        assert_eq!(at(millis), Ok(Slot::Primary), "{millis}");
    }
    assert_eq!(at(300_001), Err(WebhookError::TooOld { signed_at: signed_at() }));
    assert_eq!(at(-300_001), Err(WebhookError::TooNew { signed_at: signed_at() }));
    let within = |tolerance: u64, millis: i64| {
        let receiver = WebhookReceiver::new(ring_at(millis).0).tolerating(Duration::from_secs(tolerance));
        receiver.verify(&known(), BODY).is_ok()
    };
    assert!(within(0, 0) && !within(0, 1) && !within(0, -1));
    assert!(within(3600, 3_600_000) && !within(3600, 3_600_001));
    assert!(within(u64::MAX, i64::from(i32::MAX)));
}

#[test]
fn a_message_id_that_could_shift_what_is_signed_is_refused() {
    let registry = Registry::in_memory();
    let sign = |id: &str| block_on(registry.sign_webhook(&client_id("calendar-app"), id, b"")).unwrap_err();
    for id in ["", "a.b", ".", "a b", "a\n", "\u{e9}", &"a".repeat(257)] {
        assert_eq!(sign(id).code(), "message_id_invalid", "{id}");
        let all = block_on(registry.sign_webhook_with_all(&client_id("calendar-app"), id, b""));
        assert_eq!(all.unwrap_err().code(), "message_id_invalid", "{id}");
    }
    assert_eq!(sign(&"a".repeat(256)).code(), "unknown_client");
}

/// A ring that is shared, and changed while the receiver has it.
#[test]
fn a_receiver_follows_its_ring() {
    let (ring, _) = ring_at(0);
    let ring = Arc::new(ring);
    let receiver = WebhookReceiver::new(Arc::clone(&ring));
    ring.add(ClientSecret::parse("0123456789 abcdefghijklm").unwrap());
    assert_eq!(receiver.verify(&known(), BODY).unwrap().slot(), Slot::Secondary);
    assert_eq!(receiver.ring().client_id(), client_id("calendar-app"));
    let shown = format!("{receiver:?} {:?}", known());
    assert!(!shown.contains(ID) && !shown.contains(&SIGNATURE[3..]), "{shown}");
    assert_eq!(start().as_secs(), 1_772_355_600);
}
