//! Client secrets that were made elsewhere, with characters that form encoding changes, from senders that encode and senders that do not.

use client_registry::client::ImportedSecret;
use client_registry::oauth::ClientVerdict;
use client_registry::secret::KeyEncoding;
use client_registry::{ClientSecret, Policy};
use pollster::block_on;
use proptest::prelude::*;

use super::{Sent, all_escaped, basic, encoded};
use crate::support::{Platform, days_later, start, validity};

fn importable(text: &str) -> ImportedSecret {
    let valid = validity(start(), days_later(start(), 30));
    ImportedSecret::new(ClientSecret::parse(text).unwrap(), valid, KeyEncoding::Utf8)
}

/// A client with this client secret, imported.
fn platform(secret: &str) -> (Platform, String) {
    let platform = Platform::seeded(1, Policy::default().with_max_secrets(8).unwrap());
    let issued = block_on(platform.register("calendar app"));
    block_on(platform.contoso.client(issued.client_id()).import_secret(importable(secret))).unwrap();
    (platform, issued.client_id().to_string())
}

/// Basic as it is and form-encoded in two ways, and a form in two encodings.
fn every_sender(id: &str, secret: &str) -> [(&'static str, Sent); 5] {
    [
        ("raw", Sent::new().basic(id, secret)),
        ("encoded", Sent::new().basic(&encoded(id), &encoded(secret))),
        ("all escaped", Sent::new().basic(&all_escaped(id), &all_escaped(secret))),
        ("form", Sent::new().form(format!("client_secret={}&client_id={}", encoded(secret), encoded(id)))),
        (
            "escaped form",
            Sent::new().form(format!("client_secret={}&client_id={}", all_escaped(secret), all_escaped(id))),
        ),
    ]
}

#[test]
fn rule_18_imported_secrets_are_recognised_however_they_are_encoded() {
    for secret in [
        "k7Qm+Zt/9xW=:a%b&c d~E!f*G(h",
        "%%%41%zz%+%2B%2b-Rk8TqWz0Ls",
        "::::Rk8TqWz0LsYh3Vn::::",
        "Rk8TqWz0LsYh3Vn%25%2525Pq7",
        "\"Rk8\\TqWz0LsYh3Vn'Pq7<x>{y}",
        "Rk8TqWz0LsYh3Vn-Pq7_x.y~zAb",
    ] {
        let secret = format!("{secret}x9");
        let (platform, id) = platform(&secret);
        for (sender, sent) in every_sender(&id, &secret) {
            let answer = sent.to(&platform.registry);
            assert!(matches!(answer, Ok(ClientVerdict::Proven(_))), "{sender} of {secret}: {answer:?}");
        }
    }
}

/// A sender that encodes twice is no sender of ours, and one that decodes what it should not is none either.
#[test]
fn only_two_readings_are_tried() {
    let secret = "k7Qm+Zt/9xW=:a%b&c d~E!f*G(h";
    let (platform, id) = platform(secret);
    for pair in [
        format!("{id}:{}", encoded(&encoded(secret))),
        format!("{id}:{}", secret.replace('+', " ")),
        format!("{}:{secret}", encoded(&encoded(&id.replace('-', "+")))),
        format!("{id}:{secret}:"),
        format!("{id}: {secret}"),
    ] {
        let answer = Sent::new().authorization(basic(pair.as_bytes())).to(&platform.registry);
        assert_eq!(answer.unwrap_err().code().as_str(), "invalid_client", "{pair}");
    }
}

/// The client ID of the body is compared with what the header's one means.
#[test]
fn an_encoded_client_id_is_the_same_client_id() {
    let (platform, id) = platform("Rk8TqWz0LsYh3Vn-Pq7_x.y~zAb");
    let secret = "Rk8TqWz0LsYh3Vn-Pq7_x.y~zAb";
    for (header, body) in [(&*all_escaped(&id), &*id), (&*id, &*all_escaped(&id))] {
        let sent = Sent::new().basic(header, &all_escaped(secret)).form(format!("client_id={body}"));
        assert!(matches!(sent.to(&platform.registry), Ok(ClientVerdict::Proven(_))), "{header} and {body}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn rule_18_any_client_secret_is_recognised_in_every_encoding(secret in "[ -~]{40,120}") {
        let parsed = ClientSecret::parse(&secret);
        prop_assume!(parsed.is_ok());
        let platform = Platform::new();
        let issued = block_on(platform.register("calendar app"));
        let client = platform.contoso.client(issued.client_id());
        prop_assume!(block_on(client.import_secret(importable(&secret))).is_ok());
        for (sender, sent) in every_sender(issued.client_id().as_str(), &secret) {
            let answer = sent.to(&platform.registry);
            prop_assert!(matches!(answer, Ok(ClientVerdict::Proven(_))), "{}: {:?}", sender, answer);
        }
    }
}
