//! Keys in the form `whsec_`, which come in for a ring and a registry, and go out to a seller.

use std::fs;
use std::time::Duration;

use client_registry::client::ImportedSecret;
use client_registry::ring::{RingConfig, SecretSource, SharedSecret};
use client_registry::value::Validity;
use client_registry::webhooks::WebhookReceiver;
use client_registry::{ClientId, ClientSecret, SecretRing};
use data_encoding::BASE64;
use pollster::block_on;
use zeroize::Zeroizing;

use super::search::{guard, searching};
use super::{base64, keep, plain, platform};
use crate::support::{START, Scratch, Seeded, instant};

/// A key in the form `whsec_`, of the base64 that is guarded already.
fn whsec(base64: &str) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(6 + base64.len()));
    text.push_str("whsec_");
    text.push_str(base64);
    text
}

/// The base64 of a text, guarded.
fn encoded(text: &str) -> Zeroizing<String> {
    let mut base64 = Zeroizing::new(String::with_capacity(BASE64.encode_len(text.len())));
    BASE64.encode_append(text.as_bytes(), &mut base64);
    guard(base64.as_bytes());
    base64
}

#[test]
fn rule_17_a_ring_of_webhook_keys_leaves_nothing_behind() {
    let search = searching();
    let (texts, scratch) = (Seeded::new(23), Scratch::in_memory());
    let id = ClientId::parse("calendar-app").unwrap();
    let (key, text) = (whsec(&base64(&texts, 32)), plain(&texts, 60));
    let of_text = whsec(&encoded(&text));
    let parse = |text: &str| SharedSecret::parse_whsec(text);
    let ring = SecretRing::new(id.clone(), parse(&key).unwrap(), Some(parse(&of_text).unwrap()));
    ring.verify_mac(&crate::support::hmac(text.as_bytes(), b"message"), b"message").unwrap();
    search.nothing_found("making a ring and verifying");
    for wrong in [
        &key[6..],
        &key[..key.len() - 1],
        &*whsec(&key),
        &*whsec(&base64(&texts, 20)),
        &*whsec(&base64(&texts, 500)),
    ] {
        guard(wrong.as_bytes());
        parse(wrong).unwrap_err();
    }
    search.nothing_found("refusing what is no key");
    drop(ring);

    let path = scratch.path().join("webhook-key");
    fs::write(&path, key.as_bytes()).unwrap();
    let config = RingConfig::new(id, SecretSource::file(&path).in_whsec_form());
    let ring = SecretRing::from_config(config).unwrap();
    fs::write(&path, of_text.as_bytes()).unwrap();
    assert_eq!(ring.reload(), Ok(true));
    fs::write(&path, &of_text.as_bytes()[1..]).unwrap();
    ring.reload().unwrap_err();
    drop(ring);
    search.nothing_found("reading files");
}

#[test]
fn rule_08_webhook_keys_and_tokens_leave_nothing_of_a_client_secret_behind() {
    let search = searching();
    let platform = platform(24);
    block_on(async {
        let issued = platform.register("calendar app").await;
        let (id, text) = (issued.client_id().clone(), keep(&issued));
        let shown = encoded(&text);
        issued.client_secret().expose_whsec(|whsec| assert_eq!(whsec[6..], **shown));
        search.nothing_found("showing a key");
        let ring = SecretRing::new(id.clone(), SharedSecret::parse_whsec(&whsec(&shown)).unwrap(), None);
        let ring = ring.with_clock(platform.clock.clone());
        drop(issued);
        let body = vec![b'x'; 300];
        let headers = platform.registry.sign_webhook_with_all(&id, "msg_1", &body).await.unwrap();
        let minutes = Duration::from_secs(300);
        let token = platform
            .registry
            .sign_jwt(
                &id,
                &[("user", "ann")].into_iter().collect::<std::collections::BTreeMap<_, _>>(),
                minutes,
            )
            .await
            .unwrap();
        ring.verify_jwt::<serde_json::Value>(&token).unwrap();
        ring.verify_jwt::<serde_json::Value>(&token[1..]).unwrap_err();
        let receiver = WebhookReceiver::new(ring).remembering(8);
        receiver.verify(&headers, &body).unwrap();
        receiver.verify(&headers, &body[1..]).unwrap_err();
        drop(receiver);
        search.nothing_found("signing and verifying");

        let client = platform.contoso.client(&id);
        let validity = || Validity::new(instant(START), Some(instant("2027-01-01T00:00:00Z"))).unwrap();
        let key = whsec(&base64(&Seeded::new(25), 40));
        client.import_secret(ImportedSecret::parse_whsec(&key, validity()).unwrap()).await.unwrap();
        ImportedSecret::parse_whsec(&key[1..], validity()).unwrap_err();
        drop(ClientSecret::parse_whsec(&key).unwrap());
        search.nothing_found("importing a key");
    });
    drop(platform);
    search.nothing_found("dropping the registry");
}
