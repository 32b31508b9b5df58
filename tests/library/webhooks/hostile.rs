//! Headers that an attacker makes: limits, spellings, and one changed byte.

use client_registry::webhooks::{WebhookError, WebhookHeaders};
use client_registry::*;
use proptest::prelude::*;

use super::{BODY, ID, KEY, SECONDS, SIGNATURE, headers_of, known, ring_at, signature};

fn code(id: &str, seconds: &str, signatures: &str) -> &'static str {
    headers_of(id, seconds, signatures).unwrap_err().code()
}

const MALFORMED: &str = "webhook_header_malformed";

#[test]
fn headers_are_found_in_any_case_and_each_once() {
    let all =
        [("Webhook-ID", ID), ("WEBHOOK-TIMESTAMP", SECONDS), ("webhook-signature", SIGNATURE), ("host", "x")];
    assert_eq!(WebhookHeaders::parse(all).unwrap(), known());
    let owned: Vec<(String, Vec<u8>)> = all.map(|(name, value)| (name.to_owned(), value.into())).to_vec();
    assert_eq!(WebhookHeaders::parse(owned).unwrap(), known());
    for missing in 0..3 {
        let rest = all.into_iter().enumerate().filter(|(at, _)| *at != missing).map(|(_, pair)| pair);
        let header = all[missing].0.to_lowercase();
        let error = WebhookHeaders::parse(rest).unwrap_err();
        assert_eq!(error.to_string(), format!("the header {header} is missing"));
        let twice = all.into_iter().chain([all[missing]]);
        let error = WebhookHeaders::parse(twice).unwrap_err();
        assert_eq!(error.to_string(), format!("the header {header} stands more than once"));
    }
}

#[test]
fn headers_have_limits() {
    for id in ["", "a.b", "a b", "\u{e9}", "a\0", &"a".repeat(257)] {
        assert_eq!(code(id, SECONDS, SIGNATURE), MALFORMED, "{id}");
    }
    for seconds in [
        "",
        "+1614265330",
        "-1",
        "01614265330",
        "1614265330.0",
        "1614265330 ",
        "0x1",
        "\u{661}",
        "1e9",
        "1614265330000",
    ] {
        assert_eq!(code(ID, seconds, SIGNATURE), MALFORMED, "{seconds}");
    }
    for list in [&"v".repeat(4097), &"x ".repeat(64), "v1,\u{e9}", "v1,\n", "v1,\t"] {
        assert_eq!(code(ID, SECONDS, list), MALFORMED, "{list}");
    }
    assert!(headers_of(&"a".repeat(256), "0", &"v".repeat(4096)).is_ok());
    assert!(headers_of(ID, "999999999999", &"x ".repeat(63)).is_ok());
    assert_eq!(WebhookHeaders::parse([("webhook-id", [0xff, 0xfe])]).unwrap_err().code(), MALFORMED);
}

/// All that a ring does with 64 wrong signatures: refuse them.
#[test]
fn many_wrong_signatures_are_refused() {
    let wrong = format!("v1,{}=", "A".repeat(43));
    let list = vec![&*wrong; 64].join(" ");
    let headers = headers_of(ID, SECONDS, &list).unwrap();
    assert_eq!(ring_at(0).0.verify_webhook(&headers, BODY).unwrap_err().code(), "signature_mismatch");
    let last = format!("{} {SIGNATURE}", vec![&*wrong; 63].join(" "));
    assert!(ring_at(0).0.verify_webhook(&headers_of(ID, SECONDS, &last).unwrap(), BODY).is_ok());
}

/// Base64 has one spelling here: stray bits, no padding, another alphabet are none.
#[test]
fn a_signature_in_another_spelling_is_none() {
    use data_encoding::BASE64;
    let bare = &SIGNATURE[3..];
    let mac = BASE64.decode(bare.as_bytes()).unwrap();
    for other in [
        BASE64.encode(&mac[..2]) + &BASE64.encode(&mac[2..]), // two texts in a row
        bare.trim_end_matches('=').to_owned(),
        bare.replace("OE=", "OF="),
        bare.replace('+', "-"),
        format!("{bare}="),
        format!(",{bare}"),
    ] {
        let headers = headers_of(ID, SECONDS, &format!("v1,{other}")).unwrap();
        assert_eq!(ring_at(0).0.verify_webhook(&headers, BODY), Err(WebhookError::NoSignature), "{other}");
    }
}

#[test]
fn errors_hold_nothing_of_a_header() {
    for (id, seconds, list) in
        [("crs leaked", SECONDS, SIGNATURE), (ID, "leaked", SIGNATURE), (ID, SECONDS, "leaked\n")]
    {
        let error = headers_of(id, seconds, list).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthenticated);
        assert!(!format!("{error} {error:?}").contains("leaked"), "{error}");
    }
}

proptest! {
    /// What another implementation signs is verified, and one changed byte in anything is refused.
    #[test]
    fn one_changed_byte_is_refused(
        id in "[!-\\-/-~]{1,256}",
        body in prop::collection::vec(any::<u8>(), 1..300),
        place in 0usize..4,
        at: prop::sample::Index,
        bit in 0u32..7,
    ) {
        let key = data_encoding::BASE64.decode(&KEY.as_bytes()[6..]).unwrap();
        let signature = signature(&key, &id, SECONDS, &body);
        let ring = ring_at(0).0;
        let mut parts = [id.into_bytes(), SECONDS.into(), signature.into_bytes(), body];
        let verify = |parts: &[Vec<u8>; 4]| {
            let names = [WebhookHeaders::ID, WebhookHeaders::TIMESTAMP, WebhookHeaders::SIGNATURE];
            let headers = WebhookHeaders::parse(names.into_iter().zip(parts))?;
            ring.verify_webhook(&headers, &parts[3])
        };
        prop_assert!(verify(&parts).is_ok());
        let at = at.index(parts[place].len());
        parts[place][at] ^= 1 << bit;
        prop_assert!(verify(&parts).is_err());
    }

    /// Characters cannot be shifted between ID, timestamp and body.
    #[test]
    fn what_is_signed_is_divided_in_one_way(by in 1usize..40) {
        let body = format!("{SECONDS}.rest");
        let key = data_encoding::BASE64.decode(&KEY.as_bytes()[6..]).unwrap();
        let signature = signature(&key, ID, SECONDS, body.as_bytes());
        let signed = format!("{ID}.{SECONDS}.{body}");
        let (id, rest) = signed.split_at(by.min(signed.len() - 1));
        prop_assume!(id != ID);
        for (seconds, body) in rest.match_indices('.').map(|(dot, _)| rest.split_at(dot)) {
            let seconds = seconds.trim_start_matches('.');
            if let Ok(headers) = headers_of(id, seconds, &signature) {
                prop_assert!(ring_at(0).0.verify_webhook(&headers, body.trim_start_matches('.').as_bytes()).is_err());
            }
        }
    }

    #[test]
    fn no_headers_panic(
        id in prop::collection::vec(any::<u8>(), 0..300),
        seconds in "[0-9+.-]{0,14}|\\PC{0,5}",
        list in "((v1|v1a|v2)?,?[A-Za-z0-9+/=]{0,50} ?){0,70}",
    ) {
        let headers = WebhookHeaders::parse([
            ("webhook-id", &*id), ("webhook-timestamp", seconds.as_bytes()), ("webhook-signature", list.as_bytes()),
        ]);
        if let Ok(headers) = headers {
            prop_assert!(ring_at(0).0.verify_webhook(&headers, BODY).is_err());
            prop_assert_eq!(WebhookHeaders::parse(headers.pairs()).unwrap(), headers);
        }
    }
}
