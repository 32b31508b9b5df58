//! Tokens that the registry signs and a ring verifies: what is in one, who signs it, and that nothing else passes.

mod hostile;
mod times;

use std::collections::BTreeMap;
use std::time::Duration;

use client_registry::jwt::{JwtError, MAX_LEN, SignJwtError};
use client_registry::ring::Slot;
use client_registry::*;
use data_encoding::BASE64URL_NOPAD;
use pollster::block_on;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::support::{Platform, client_id, hmac, secret_id};

/// What a platform says in a token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Context {
    iss: String,
    user: String,
}

fn context() -> Context {
    Context { iss: "https://platform.example".to_owned(), user: "ann".to_owned() }
}

const MINUTES: Duration = Duration::from_secs(300);
/// A client secret that was made elsewhere.
const TEXT: &str = "0123456789 abcdefghijklm";

fn ring_of(text: &str) -> SecretRing {
    let ring = SecretRing::new(client_id("calendar-app"), ClientSecret::parse(text).unwrap(), None);
    ring.with_clock(crate::support::clock())
}

/// A token by another implementation, of a header and claims as they stand here.
fn token_of(header: &str, claims: &str) -> String {
    let signed = format!(
        "{}.{}",
        BASE64URL_NOPAD.encode(header.as_bytes()),
        BASE64URL_NOPAD.encode(claims.as_bytes())
    );
    let mac = hmac(TEXT.as_bytes(), signed.as_bytes());
    format!("{signed}.{}", BASE64URL_NOPAD.encode(&mac))
}

const HEADER: &str = r#"{"alg":"HS256","typ":"client-registry+jwt","kid":"7"}"#;
/// Claims that pass at the start of the tests, but for what is put before them.
const CLAIMS: &str =
    r#""exp":1772355660,"aud":"calendar-app","iss":"https://platform.example","user":"ann"}"#;

fn verified(header: &str, claims: &str) -> Result<Context, JwtError> {
    ring_of(TEXT).verify_jwt(&token_of(header, claims)).map(jwt::VerifiedJwt::into_claims)
}

fn part(token: &str, number: usize) -> Value {
    let part = token.split('.').nth(number).unwrap();
    serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).unwrap()
}

#[test]
fn a_token_says_who_signed_it_for_whom_and_until_when() {
    let platform = Platform::new();
    block_on(async {
        let issued = platform.register("calendar app").await;
        let id = issued.client_id();
        let token = platform.registry.sign_jwt(id, &context(), MINUTES).await.unwrap();
        assert_eq!(part(&token, 0), json!({"alg": "HS256", "typ": jwt::TYPE, "kid": "1"}));
        let claims = json!({
            "iat": 1_772_355_600, "exp": 1_772_355_900, "aud": id.as_str(),
            "iss": "https://platform.example", "user": "ann",
        });
        assert_eq!(part(&token, 1), claims);
        // By another implementation of HMAC.
        let (signed, mac) = token.rsplit_once('.').unwrap();
        let by_the_book = hmac(issued.client_secret().expose().as_bytes(), signed.as_bytes());
        assert_eq!(mac, BASE64URL_NOPAD.encode(&by_the_book));

        let ring = SecretRing::new(id.clone(), issued.into_client_secret(), None);
        let ring = ring.with_clock(platform.clock.clone());
        let verified = ring.verify_jwt::<Context>(&token).unwrap();
        assert_eq!(verified.claims(), &context());
        assert_eq!((verified.slot(), verified.secret_id()), (Slot::Primary, Some(secret_id(1))));
        assert_eq!(verified.expires_at().as_secs(), 1_772_355_900);
        assert!(ring.state().primary.last_verified.is_some());
        let shown = format!("{verified:?}");
        assert!(shown.contains("Primary") && !shown.contains("ann"), "{shown}");
    });
}

/// Before, during and after an overlap, and when another secret is promoted: `kid` names the one that signs.
#[test]
fn rule_06_the_signing_secret_signs_tokens_through_a_rotation() {
    let platform = Platform::new();
    block_on(async {
        let issued = platform.register("calendar app").await;
        let id = issued.client_id().clone();
        let client = platform.contoso.client(&id);
        let ring = SecretRing::new(id.clone(), issued, None).with_clock(platform.clock.clone());
        let old = SecretRing::new(id.clone(), ClientSecret::parse(TEXT).unwrap(), None);
        let signer = async || {
            let token = platform.registry.sign_jwt(&id, &context(), MINUTES).await.unwrap();
            assert!(matches!(old.verify_jwt::<Context>(&token), Err(JwtError::Signature(_))));
            let verified = ring.verify_jwt::<Context>(&token).unwrap();
            (verified.slot(), verified.secret_id().unwrap().number())
        };
        assert_eq!(signer().await, (Slot::Primary, 1));
        ring.add(client.rotate(Rotation::overlap(Days::new(30))).await.unwrap());
        assert_eq!(signer().await, (Slot::Secondary, 1));
        client.promote(secret_id(2)).await.unwrap();
        assert_eq!(signer().await, (Slot::Primary, 2));
        client.promote(secret_id(1)).await.unwrap();
        platform.clock.advance(Days::new(30));
        assert_eq!(signer().await, (Slot::Primary, 2));

        client.suspend().await.unwrap();
        let refused = platform.registry.sign_jwt(&id, &context(), MINUTES).await.unwrap_err();
        assert!(matches!(refused, SignJwtError::Sign(SignError::Suspended)));
        assert_eq!((refused.code(), refused.kind()), ("suspended", ErrorKind::Conflict));
    });
}

#[test]
fn claims_that_no_token_can_have_are_refused_before_anything_is_looked_up() {
    let registry = Registry::in_memory();
    let id = client_id("calendar-app");
    let sign = |claims: &Value| block_on(registry.sign_jwt(&id, claims, MINUTES)).unwrap_err();
    for claims in [json!([1]), json!("text"), json!(null), json!(7)] {
        assert_eq!(sign(&claims).code(), "claims_invalid", "{claims}");
    }
    for name in ["iat", "exp", "aud"] {
        let error = sign(&json!({ name: 7 }));
        assert!(error.to_string().contains(&format!("a member {name},")), "{error}");
    }
    assert_eq!(sign(&json!({"nbf": "soon"})).code(), "claims_invalid");
    let pairs = BTreeMap::from([((1, 2), 3)]);
    let error = block_on(registry.sign_jwt(&id, &pairs, MINUTES)).unwrap_err();
    assert_eq!(error.code(), "claims_invalid");
    let error = block_on(registry.sign_jwt(&id, &json!({"a": 1}), Duration::from_millis(999))).unwrap_err();
    assert_eq!(error.code(), "lifetime_too_short");
    assert_eq!(sign(&json!({"a": "x".repeat(48_000)})).code(), "claims_too_large");
    assert_eq!(sign(&json!({"a": 1})).code(), "unknown_client");
}

/// A struct may write a member twice, which no reader can see.
#[test]
fn claims_with_a_member_twice_are_refused() {
    #[derive(Serialize)]
    struct Twice {
        one: u8,
        #[serde(rename = "one")]
        other: u8,
    }
    let sign = |claims: &dyn Fn() -> Twice| {
        block_on(Registry::in_memory().sign_jwt(&client_id("calendar-app"), &claims(), MINUTES))
    };
    assert_eq!(sign(&|| Twice { one: 1, other: 2 }).unwrap_err().code(), "claims_invalid");
}

/// The largest claims make a token that a ring reads, and so do none.
#[test]
fn the_largest_and_the_smallest_claims_pass() {
    let platform = Platform::new();
    block_on(async {
        let issued = platform.register("calendar app").await;
        let id = issued.client_id().clone();
        let ring = SecretRing::new(id.clone(), issued, None).with_clock(platform.clock.clone());
        let large = json!({"a": "x".repeat(48_000 - 8)});
        for claims in [large, json!({})] {
            let token = platform.registry.sign_jwt(&id, &claims, MINUTES).await.unwrap();
            assert!(token.len() <= MAX_LEN);
            let read = ring.verify_jwt::<Value>(&token).unwrap().into_claims();
            assert_eq!(read.get("a"), claims.get("a"));
            assert_eq!(read["aud"], json!(id.as_str()));
        }
    });
}
