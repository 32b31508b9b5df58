//! The text form of a signature: one text for one signature.

use client_registry::value::{Field, Problem};
use client_registry::{ClientId, SecretId, Signature};
use data_encoding::{BASE64, BASE64URL, BASE64URL_NOPAD};
use proptest::prelude::*;

use super::{GUID, SIGNATURE, refused};

#[test]
fn a_signature_says_who_signed_with_which_secret() {
    let signature = Signature::parse(SIGNATURE).unwrap();
    assert_eq!(signature.client_id().as_str(), GUID);
    assert_eq!(signature.secret_id().number(), 7);
    assert_eq!(signature.mac().to_vec(), (0..32).collect::<Vec<u8>>());
    assert_eq!(signature.to_string(), SIGNATURE);
}

#[test]
fn a_text_of_another_form_is_refused() {
    let mac = BASE64URL_NOPAD.encode(&[0xfb; 32]);
    let signature = |rest: &str| format!("v1:{GUID}:7:{rest}");
    assert!(Signature::parse(&signature(&mac)).is_ok());
    for text in [
        signature(&BASE64URL.encode(&[0xfb; 32])),
        signature(&BASE64.encode(&[0xfb; 32])),
        signature(BASE64.encode(&[0xfb; 32]).trim_end_matches('=')),
        signature(&BASE64URL_NOPAD.encode(&[0xfb; 31])),
        signature(&BASE64URL_NOPAD.encode(&[0xfb; 33])),
        signature(&format!("{mac}:")),
        signature(&format!(":{mac}")),
        signature(&format!("{mac}\n")),
        signature(""),
        format!("v1:{GUID}:7"),
        format!("v1:{GUID}:{mac}"),
        format!("v1::7:{mac}"),
        format!("v1:{GUID}::{mac}"),
        format!("v2:{GUID}:7:{mac}"),
        format!("V1:{GUID}:7:{mac}"),
        format!("{GUID}:7:{mac}"),
        format!(" v1:{GUID}:7:{mac}"),
        "v1".to_owned(),
        "v1:".to_owned(),
        "v1:::".to_owned(),
    ] {
        assert!(Signature::parse(&text).is_err(), "{text}");
    }
    for (text, field) in [
        (format!("v1:{}:7:{mac}", GUID.to_uppercase()), Field::ClientId),
        (format!("v1:short:7:{mac}"), Field::ClientId),
        (format!("v1:{GUID}:0:{mac}"), Field::SecretId),
        (format!("v1:{GUID}:07:{mac}"), Field::SecretId),
        (format!("v1:{GUID}:+7:{mac}"), Field::SecretId),
        (format!("v1:{GUID}:4294967296:{mac}"), Field::SecretId),
    ] {
        refused::<Signature>(&text, field);
    }
}

/// Four texts would otherwise be one signature.
#[test]
fn stray_bits_at_the_end_are_refused() {
    let (start, last) = SIGNATURE.split_at(SIGNATURE.len() - 1);
    assert_eq!(last, "8");
    for stray in ["9", "-", "_"] {
        let problem = refused::<Signature>(&format!("{start}{stray}"), Field::Signature);
        assert!(matches!(problem, Problem::Form(_)), "{problem}");
    }
}

/// Every single character exchanged, left out or added: refused, or another signature.
#[test]
fn a_text_with_a_slip_in_it_is_not_the_same_signature() {
    let good = Signature::parse(SIGNATURE).unwrap();
    let mut other = 0;
    let mut check = |text: String| {
        let Ok(signature) = Signature::parse(&text) else {
            return;
        };
        assert_eq!(signature.to_string(), text, "written as it was read");
        let parts = |s: &Signature| (s.client_id().clone(), s.secret_id(), *s.mac());
        assert_ne!(parts(&signature), parts(&good), "{text}");
        other += 1;
    };
    for at in 0..=SIGNATURE.len() {
        let (before, after) = SIGNATURE.split_at(at);
        if at < SIGNATURE.len() {
            check(before.to_owned());
            check(format!("{before}{}", &after[1..]));
        }
        if at > 0 {
            check(after.to_owned());
        }
        for c in ('\0'..='\u{ff}').chain(['а', '\u{ff11}', '\u{200b}']) {
            check(format!("{before}{c}{after}"));
            if !after.is_empty() && !after.starts_with(c) {
                check(format!("{before}{c}{}", &after[1..]));
            }
        }
    }
    assert!(other > 2000, "{other} texts were other signatures");
}

proptest! {
    #[test]
    fn a_signature_is_the_same_as_text_and_in_json(
        client_id in "[A-Za-z0-9._]{8,64}".prop_filter("a GUID", |text| text.len() != 32),
        secret_id in 1u32..,
        mac in any::<[u8; 32]>(),
    ) {
        let client_id = ClientId::parse(&client_id).unwrap();
        let signature = Signature::new(client_id.clone(), SecretId::new(secret_id).unwrap(), mac);
        let text = signature.to_string();
        prop_assert_eq!(&text, &format!("v1:{client_id}:{secret_id}:{}", BASE64URL_NOPAD.encode(&mac)));
        let json = serde_json::to_string(&signature).unwrap();
        prop_assert_eq!(&json, &format!("\"{text}\""));
        for again in [Signature::parse(&text).unwrap(), serde_json::from_str(&json).unwrap()] {
            prop_assert_eq!(again.client_id(), &client_id);
            prop_assert_eq!(again.secret_id().number(), secret_id);
            prop_assert_eq!(again.mac(), &mac);
        }
    }

    #[test]
    fn no_two_texts_are_one_signature(text in "v1:[a-z0-9.]{7,9}:[+0-9]{1,11}:[A-Za-z0-9_=-]{42,44}") {
        if let Ok(signature) = Signature::parse(&text) {
            prop_assert_eq!(signature.to_string(), text);
        }
    }
}
