//! Tokens that an attacker makes, with and without the key: all are refused, none is followed, none panics.

use client_registry::jwt::{JwtError, MAX_LEN};
use client_registry::*;
use data_encoding::BASE64URL_NOPAD;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{CLAIMS, Context, HEADER, TEXT, context, ring_of, token_of, verified};

fn claims() -> String {
    format!("{{{CLAIMS}")
}

#[test]
fn what_every_test_here_begins_with_passes() {
    assert_eq!(verified(HEADER, &claims()), Ok(context()));
}

/// RFC 8725 sections 2.1 and 3.1: the header is signed well, and still no algorithm is taken from it.
#[test]
fn no_algorithm_is_taken_from_the_token() {
    for alg in [
        json!("none"),
        json!("None"),
        json!("HS512"),
        json!("RS256"),
        json!("hs256"),
        json!("HS256 "),
        json!(""),
        json!(null),
        json!(["HS256"]),
        json!({"HS256": 1}),
    ] {
        let header = json!({"alg": alg, "typ": jwt::TYPE}).to_string();
        assert_eq!(verified(&header, &claims()), Err(JwtError::Algorithm), "{header}");
        // Without a signature, too.
        let token = token_of(&header, &claims());
        let bare = &token[..=token.rfind('.').unwrap()];
        assert!(matches!(ring_of(TEXT).verify_jwt::<Value>(bare), Err(JwtError::Malformed { .. })));
    }
    assert_eq!(verified(r#"{"typ":"client-registry+jwt"}"#, &claims()), Err(JwtError::Algorithm));
}

/// A refused header leaves no trace of a key that matched.
#[test]
fn a_header_is_refused_before_any_key_is_used() {
    let ring = ring_of(TEXT);
    for header in [
        r#"{"alg":"none","typ":"client-registry+jwt"}"#,
        r#"{"alg":"HS256","typ":"JWT"}"#,
        r#"{"alg":"HS256","typ":"client-registry+jwt","crit":["exp"],"exp":1}"#,
        r#"{"alg":"HS256","alg":"HS256","typ":"client-registry+jwt"}"#,
    ] {
        ring.verify_jwt::<Value>(&token_of(header, &claims())).unwrap_err();
        assert_eq!(ring.state().primary.last_verified, None, "{header}");
    }
    ring.verify_jwt::<Value>(&token_of(HEADER, &claims())).unwrap();
    assert!(ring.state().primary.last_verified.is_some());
}

#[test]
fn a_token_of_another_type_or_with_critical_members_is_refused() {
    for typ in
        [json!("JWT"), json!("Client-Registry+JWT"), json!("application/client-registry+jwt"), json!(null)]
    {
        let header = json!({"alg": "HS256", "typ": typ}).to_string();
        assert_eq!(verified(&header, &claims()), Err(JwtError::Type), "{header}");
    }
    assert_eq!(verified(r#"{"alg":"HS256"}"#, &claims()), Err(JwtError::Type));
    for crit in [json!([]), json!(["exp"]), json!(null)] {
        let header = json!({"alg": "HS256", "typ": jwt::TYPE, "crit": crit}).to_string();
        assert_eq!(verified(&header, &claims()), Err(JwtError::Critical), "{header}");
    }
}

/// `kid` is no way to another key, whatever it says; the rest of the header is not read.
#[test]
fn what_else_is_in_a_header_decides_nothing() {
    for (kid, known) in
        [(json!("7"), Some(7)), (json!("../../etc/passwd"), None), (json!(7), None), (json!({}), None)]
    {
        let header = json!({
            "alg": "HS256", "typ": jwt::TYPE, "kid": kid, "jku": "https://attacker.example", "jwk": {"k": "AA"}, "b64": false,
        });
        let verified =
            ring_of(TEXT).verify_jwt::<Context>(&token_of(&header.to_string(), &claims())).unwrap();
        assert_eq!(verified.secret_id().map(SecretId::number), known, "{header}");
    }
}

#[test]
fn the_audience_is_the_client_id_or_a_list_with_it() {
    let with = |aud: Value| {
        verified(HEADER, &json!({"exp": 1_772_355_660, "aud": aud, "iss": "", "user": ""}).to_string())
    };
    assert!(with(json!("calendar-app")).is_ok());
    assert!(with(json!(["another-app", "calendar-app"])).is_ok());
    for aud in [
        json!("another-app"),
        json!("Calendar-App"),
        json!("calendar-app "),
        json!([]),
        json!(["another-app"]),
        json!([["calendar-app"]]),
        json!([1, "calendar-app"]),
        json!({"calendar-app": 1}),
        json!(null),
    ] {
        assert_eq!(with(aud.clone()), Err(JwtError::Audience), "{aud}");
    }
    assert_eq!(verified(HEADER, r#"{"exp":1772355660}"#), Err(JwtError::Audience));
}

#[test]
fn a_member_that_stands_twice_is_refused_wherever_it_is() {
    for twice in
        [r#"{"exp":1,"#, r#"{"user":"bob","#, r#"{"a":{"b":1,"b":1},"#, r#"{"a":[{"b":[{"c":1,"c":2}]}],"#]
    {
        let answer = verified(HEADER, &format!("{twice}{CLAIMS}"));
        assert!(matches!(answer, Err(JwtError::Malformed { .. })), "{twice}: {answer:?}");
    }
    // The same name in another object is another member, and an escape is no other name.
    assert!(verified(HEADER, &format!(r#"{{"a":{{"user":1}},"b":{{"user":1}},{CLAIMS}"#)).is_ok());
    let escaped = verified(HEADER, &format!(r#"{{"\u0061ud":"another-app",{CLAIMS}"#));
    assert!(matches!(escaped, Err(JwtError::Malformed { .. })), "{escaped:?}");
    let header = r#"{"alg":"none","alg":"HS256","typ":"client-registry+jwt"}"#;
    assert!(matches!(verified(header, &claims()), Err(JwtError::Malformed { .. })));
}

#[test]
fn what_is_no_object_is_refused() {
    let deep = format!(r#"{{"a":{}{},{CLAIMS}"#, "[".repeat(200), "]".repeat(200));
    let behind = format!("{} {{}}", claims());
    for claims in ["", "[]", "null", "\"text\"", "{", &deep, &behind, "\u{feff}{}"] {
        let answer = verified(HEADER, claims);
        assert!(matches!(answer, Err(JwtError::Malformed { .. })), "{claims}: {answer:?}");
    }
    for header in ["", "[]", "null", "{"] {
        assert!(matches!(verified(header, &claims()), Err(JwtError::Malformed { .. })), "{header}");
    }
}

/// The encoding is strict: one text for each token.
#[test]
fn a_token_in_another_spelling_is_refused() {
    let token = token_of(HEADER, &claims());
    let refused = |token: &str| {
        let answer = ring_of(TEXT).verify_jwt::<Value>(token);
        assert!(
            matches!(answer, Err(JwtError::Malformed { .. } | JwtError::Signature(_))),
            "{token}: {answer:?}"
        );
    };
    let last = token.chars().last().unwrap();
    // The last of 43 characters has two bits that no byte has.
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let stray = alphabet.find(last).unwrap() ^ 1;
    refused(&format!("{}{}", &token[..token.len() - 1], &alphabet[stray..=stray]));
    for text in [
        format!("{token}="),
        format!("{token} "),
        format!(" {token}"),
        format!("{token}."),
        format!(".{token}"),
        format!("{token}.{token}"),
        token.replace('.', ".."),
        token.replacen('.', "=.", 1),
        token.replace('.', ""),
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        "...".to_owned(),
    ] {
        refused(&text);
    }
}

/// Claims that are signed well and written badly.
#[test]
fn claims_in_another_base64_are_refused() {
    let signed = format!(
        "{}.{}=",
        BASE64URL_NOPAD.encode(HEADER.as_bytes()),
        BASE64URL_NOPAD.encode(claims().as_bytes())
    );
    let mac = crate::support::hmac(TEXT.as_bytes(), signed.as_bytes());
    let token = format!("{signed}.{}", BASE64URL_NOPAD.encode(&mac));
    assert!(matches!(ring_of(TEXT).verify_jwt::<Value>(&token), Err(JwtError::Malformed { .. })));
}

#[test]
fn what_is_too_long_is_not_decoded() {
    let ring = ring_of(TEXT);
    let long = format!("{}.", "a".repeat(MAX_LEN));
    assert_eq!(ring.verify_jwt::<Value>(&long), Err(JwtError::TooLong));
    assert_eq!(ring.verify_jwt::<Value>(&"a.".repeat(MAX_LEN)), Err(JwtError::TooLong));
    // A header is read before the signature is verified.
    let header = json!({"alg": "HS256", "typ": jwt::TYPE, "x": "y".repeat(800)}).to_string();
    assert_eq!(verified(&header, &claims()), Err(JwtError::TooLong));
    let padded = format!(r#"{{"x":"{}",{CLAIMS}"#, "y".repeat(48_000));
    assert_eq!(verified(HEADER, &padded), Ok(context()));
}

/// An error of `serde` quotes what it found: this one does not.
#[test]
fn errors_hold_nothing_of_the_token() {
    let claims =
        r#"{"exp":1772355660,"aud":"calendar-app","iss":"https://platform.example","user":["crs_leaked"]}"#;
    let error = verified(HEADER, claims).unwrap_err();
    assert_eq!((error.code(), error.kind()), ("token_claims", ErrorKind::Invalid));
    assert!(error.to_string().contains("expected a string"), "{error}");
    let other = verified(HEADER, &claims.replace("[\"crs_leaked\"]", "77")).unwrap_err();
    for error in [error, other] {
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("leaked") && !shown.contains("77"), "{shown}");
    }
}

proptest! {
    /// One wrong byte anywhere, or one more or less.
    #[test]
    fn one_changed_byte_is_refused(at: prop::sample::Index, other in "[ -~]", cut: bool) {
        let mut token = token_of(HEADER, &claims());
        let at = at.index(token.len());
        match cut {
            true => { token.remove(at); }
            false => {
                prop_assume!(token[at..=at] != other);
                token.replace_range(at..=at, &other);
            }
        }
        prop_assert!(ring_of(TEXT).verify_jwt::<Value>(&token).is_err(), "{}", token);
    }

    #[test]
    fn no_text_is_taken_for_a_token(text in "\\PC{0,200}", dotted in "[A-Za-z0-9_.=-]{0,300}") {
        prop_assert!(ring_of(TEXT).verify_jwt::<Value>(&text).is_err());
        prop_assert!(ring_of(TEXT).verify_jwt::<Value>(&dotted).is_err());
    }

    /// Whatever the platform signs, no reader panics; what passes has the audience and has not expired.
    #[test]
    fn no_claims_that_are_signed_well_panic(
        header in "\\{(\"(alg|typ|kid|crit)\":(\"HS256\"|\"client-registry\\+jwt\"|1|null|\\[\\]),?){0,4}\\}",
        claims in "\\{(\"(exp|nbf|aud|a)\":(-?[0-9]{1,25}|[0-9]e[0-9]{1,3}|\"calendar-app\"|null|\\[\\]|\\{\\}),?){0,4}\\}",
    ) {
        let _ = verified(&header, &claims);
        if let Ok(verified) = ring_of(TEXT).verify_jwt::<Value>(&token_of(HEADER, &claims)) {
            prop_assert_eq!(&verified.claims()["aud"], "calendar-app");
            prop_assert!(verified.expires_at() > crate::support::later(crate::support::start(), -60_000));
        }
    }
}
