//! A JSON Web Token: as it is, which no ring accepts, and its header and claims signed with the key of the ring, so that all that comes
//! behind the signature is reached as well.
#![no_main]

use std::sync::LazyLock;

use client_registry::jwt::JwtError;
use client_registry::{ClientId, ClientSecret, SecretRing};
use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use libfuzzer_sys::fuzz_target;
use sha2::Sha256;

const SECRET: &str = "correct horse battery staple";

static RING: LazyLock<SecretRing> = LazyLock::new(|| {
    let id = ClientId::parse("calendar-app").unwrap();
    SecretRing::new(id, ClientSecret::parse(SECRET).unwrap(), None)
});

fuzz_target!(|input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    assert!(RING.verify_jwt::<serde_json::Value>(&text).is_err(), "a forged token was accepted");

    let (header, claims) = match input.iter().position(|byte| *byte == 0) {
        Some(at) => (&input[..at], &input[at + 1..]),
        None => (&br#"{"alg":"HS256","typ":"client-registry+jwt","kid":"1"}"#[..], input),
    };
    let signed = format!("{}.{}", BASE64URL_NOPAD.encode(header), BASE64URL_NOPAD.encode(claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(signed.as_bytes());
    let token = format!("{signed}.{}", BASE64URL_NOPAD.encode(&mac.finalize().into_bytes()));
    match RING.verify_jwt::<serde_json::Value>(&token) {
        Ok(verified) => drop(format!("{verified:?}")),
        Err(JwtError::Signature(_)) => panic!("the right key was not accepted"),
        Err(error) => drop(error.to_string()),
    }
});
