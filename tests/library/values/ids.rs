//! Client IDs, secret IDs, and the IDs of sellers, operators and add-ins.

use std::collections::HashSet;
use std::num::NonZeroU32;

use client_registry::store::{RecordId, StoreErrorKind};
use client_registry::value::{Field, KeyId, OperatorId, Problem};
use client_registry::{AddIn, AddInId, Availability, ClientId, SecretId, SellerId};
use proptest::prelude::*;

use super::{GUID, MARKER, refused, repeats};

#[test]
fn a_client_id_has_8_to_64_characters_of_its_alphabet() {
    for text in ["12345678", "a.b_c-D9", "--------", &"Z".repeat(64), GUID] {
        assert_eq!(ClientId::parse(text).unwrap().as_str(), text);
    }
    for text in ["1", "1234567", "\0"] {
        assert_eq!(refused::<ClientId>(text, Field::ClientId), Problem::TooShort { min: 8 });
    }
    for b in 0..=255u8 {
        let c = char::from(b);
        let allowed = c.is_ascii_alphanumeric() || "._-".contains(c);
        for (at, text) in [(0, format!("{c}abcdefg")), (4, format!("abcd{c}efg")), (7, format!("abcdefg{c}"))]
        {
            if allowed {
                assert_eq!(ClientId::parse(&text).unwrap().as_str(), text);
            } else {
                assert_eq!(refused::<ClientId>(&text, Field::ClientId), Problem::Character { at });
            }
        }
    }
}

/// Two client IDs are never the same GUID.
#[test]
fn a_guid_has_one_spelling() {
    let simple = GUID.replace('-', "");
    let one_capital = GUID.replacen('b', "B", 1);
    for text in [&GUID.to_uppercase(), &simple, &simple.to_uppercase(), &one_capital] {
        assert!(matches!(refused::<ClientId>(text, Field::ClientId), Problem::Form(_)), "{text}");
    }
    for text in
        [format!("{{{GUID}}}"), format!("urn:uuid:{GUID}"), format!("({GUID})"), format!("{{{simple}}}")]
    {
        assert!(
            matches!(refused::<ClientId>(&text, Field::ClientId), Problem::Character { at: 0 | 3 }),
            "{text}"
        );
    }
    // Not GUIDs at all: imported as they are.
    for text in [
        "0b54f1a6-3c5e-4b0f-9c3e-6f0d6a1f2e3",   // a digit short
        "0b54f1a6-3c5e-4b0f-9c3e-6f0d6a1f2e3b0", // one more
        "0B54F1A6-3C5E-4B0F-9C3E-6F0D6A1F2E3G",  // G is not a digit
        "0B54F1A63-C5E-4B0F-9C3E-6F0D6A1F2E3B",  // hyphens elsewhere
    ] {
        assert_eq!(ClientId::parse(text).unwrap().as_str(), text);
    }
    for text in ["00000000-0000-0000-0000-000000000000", "0b54f1a6-3c5e-1b0f-9c3e-6f0d6a1f2e3b"] {
        assert_eq!(ClientId::parse(text).unwrap().as_str(), text, "imported ones may be of any version");
    }
}

#[test]
fn a_key_id_has_1_to_32_characters_of_the_alphabet_of_client_ids() {
    for text in ["2", "a.b_c-D9", &"Z".repeat(32)] {
        assert_eq!(KeyId::parse(text).unwrap().as_str(), text);
    }
    assert_eq!(refused::<KeyId>("", Field::KeyId), Problem::Empty);
    assert_eq!(refused::<KeyId>(&"Z".repeat(33), Field::KeyId), Problem::TooLong { max: 32 });
    assert_eq!(refused::<KeyId>("2026:2027", Field::KeyId), Problem::Character { at: 4 });
}

/// A record is that of a client, also of one that an earlier version imported, or that of the registry.
#[test]
fn a_record_id_is_a_client_id_or_that_of_the_registry() {
    for text in [GUID, "12345678", &"Z".repeat(64), RecordId::REGISTRY.as_str()] {
        let id = RecordId::parse(text).unwrap();
        assert_eq!((id.as_str(), id.to_string()), (text, text.to_owned()));
        assert_eq!(id.is_reserved(), id == RecordId::REGISTRY);
    }
    for text in ["", "1234567", &"Z".repeat(65), &GUID.to_uppercase(), "~registr", "~registry2"] {
        assert_eq!(RecordId::parse(text).unwrap_err().kind(), StoreErrorKind::Corrupt, "{text}");
    }
}

#[test]
fn account_ids_are_printable_ascii_without_spaces() {
    for b in 0..=255u8 {
        let c = char::from(b);
        for (at, text) in [(0, format!("{c}x")), (1, format!("x{c}y")), (1, format!("x{c}"))] {
            if c.is_ascii_graphic() {
                assert_eq!(SellerId::parse(&text).unwrap().as_str(), text);
                assert_eq!(OperatorId::parse(&text).unwrap().as_str(), text);
                assert_eq!(AddInId::parse(&text).unwrap().as_str(), text);
                assert_eq!(AddIn::new(&text, Availability::Worldwide).unwrap().id().as_str(), text);
            } else {
                let problem = Problem::Character { at };
                assert_eq!(refused::<SellerId>(&text, Field::SellerId), problem);
                assert_eq!(refused::<OperatorId>(&text, Field::OperatorId), problem);
                assert_eq!(refused::<AddInId>(&text, Field::AddInId), problem);
                assert_eq!(AddIn::new(&text, Availability::Worldwide).unwrap_err().problem(), problem);
            }
        }
    }
    assert_ne!(SellerId::parse("contoso").unwrap(), SellerId::parse("Contoso").unwrap(), "compared exactly");
}

#[test]
fn ids_are_found_by_their_text() {
    let ids = HashSet::from([ClientId::parse(GUID).unwrap()]);
    assert!(ids.contains(GUID) && !ids.contains(&*GUID.to_uppercase()));
}

#[test]
fn a_secret_id_is_a_number_from_1_to_4294967295_in_one_spelling() {
    for number in [1, 9, 10, 4_294_967_294, u32::MAX] {
        let id: SecretId = number.to_string().parse().unwrap();
        assert_eq!((id.number(), Some(id)), (number, SecretId::new(number)));
    }
    assert_eq!(SecretId::new(0), None);
    for text in ["0", "00", "01", "0000000001"] {
        assert!(matches!(refused::<SecretId>(text, Field::SecretId), Problem::Form(_)), "{text}");
    }
    for text in ["4294967296", "9999999999"] {
        assert!(matches!(refused::<SecretId>(text, Field::SecretId), Problem::Form(_)), "{text}");
    }
    for text in
        ["+1", "-1", " 1", "1 ", "1\n", "1.0", "1e3", "0x1", "1_000", "1,000", "١", "１", "½", "one", "null"]
    {
        assert!(matches!(refused::<SecretId>(text, Field::SecretId), Problem::Character { .. }), "{text}");
    }
    for text in ["00000000001", "99999999999", "18446744073709551617"] {
        assert_eq!(refused::<SecretId>(text, Field::SecretId), Problem::TooLong { max: 10 });
    }
}

#[test]
fn a_secret_id_in_json_is_a_whole_number_that_is_not_zero() {
    let bad =
        ["0", "-1", "-0", "1.0", "1.5", "4294967296", "1e400", "true", "null", "\"1\"", "[1]", "{}", ""];
    for json in bad {
        assert!(serde_json::from_str::<SecretId>(json).is_err(), "{json}");
    }
    let error = serde_json::from_str::<SecretId>(&format!("\"{MARKER}\"")).unwrap_err();
    assert!(!repeats(&error.to_string()) && !repeats(&format!("{error:?}")), "{error}");
    assert!(error.to_string().contains(Field::SecretId.accepted()), "{error}");
}

proptest! {
    #[test]
    fn a_client_id_keeps_its_text(text in "[A-Za-z0-9._-]{8,64}") {
        prop_assume!(!matches!(text.replace('-', "").len(), 32)); // might be a GUID
        let id = ClientId::parse(&text).unwrap();
        prop_assert_eq!(id.as_str(), &text);
        prop_assert_eq!(id.to_string(), text);
    }

    #[test]
    fn account_ids_keep_their_text(text in "[!-~]{1,128}") {
        let ids = (SellerId::parse(&text).unwrap(), OperatorId::parse(&text).unwrap(), AddInId::parse(&text).unwrap());
        prop_assert_eq!((ids.0.as_str(), ids.1.as_str(), ids.2.as_str()), (&*text, &*text, &*text));
    }

    #[test]
    fn any_other_text_is_no_id(text in "\\PC{0,140}") {
        prop_assert_eq!(
            SellerId::parse(&text).is_ok(),
            (1..=128).contains(&text.len()) && text.chars().all(|c| c.is_ascii_graphic())
        );
    }

    #[test]
    fn a_secret_id_is_what_it_writes(number in any::<NonZeroU32>(), text in "[0-9+ .-]{0,12}") {
        let id = SecretId::new(number.get()).unwrap();
        prop_assert_eq!(id.to_string().parse::<SecretId>(), Ok(id));
        if let Ok(id) = text.parse::<SecretId>() {
            prop_assert_eq!(id.to_string(), text);
        }
    }
}
