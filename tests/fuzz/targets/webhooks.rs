//! A webhook: three texts, separated by a NUL, are the headers `webhook-id`, `webhook-timestamp` and `webhook-signature`; the rest is the
//! body. Nobody who does not know the key gets a message accepted.
#![no_main]

use std::sync::LazyLock;

use client_registry::webhooks::{WebhookHeaders, WebhookReceiver};
use client_registry::{ClientId, ClientSecret, SecretRing};
use libfuzzer_sys::fuzz_target;

static RECEIVER: LazyLock<WebhookReceiver> = LazyLock::new(|| {
    let id = ClientId::parse("calendar-app").unwrap();
    let secret = ClientSecret::parse("correct horse battery staple").unwrap();
    WebhookReceiver::new(SecretRing::new(id, secret, None)).remembering(8)
});

fuzz_target!(|input: &[u8]| {
    let mut parts = input.splitn(4, |byte| *byte == 0);
    let mut next = || parts.next().unwrap_or_default();
    let headers = [("webhook-id", next()), ("webhook-timestamp", next()), ("Webhook-Signature", next())];
    let body = next();
    match WebhookHeaders::parse(headers) {
        Ok(headers) => assert!(RECEIVER.verify(&headers, body).is_err(), "a forged message was accepted"),
        Err(error) => drop(error.to_string()),
    }
    let _ = ClientSecret::parse_whsec(&String::from_utf8_lossy(body));
});
