//! Client secrets that were made elsewhere, hints, secrets as everybody may know them, hashes of events.

use client_registry::client::ClientState;
use client_registry::event::{EventHash, check_trail};
use client_registry::secret::Hint;
use client_registry::value::{Availability, Field, FriendlyName, Label, OperatorId, Problem, RedirectUrl};
use client_registry::{
    AddIn, AddInId, ClientDetails, ClientSecret, Lifetime, Policy, Registry, Secret, SellerId,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{MARKER, SameBytes, check_refusal, instant, register, repeats};

fn problem(text: &str) -> Problem {
    let error = ClientSecret::parse(text).unwrap_err();
    check_refusal(&error, Field::ClientSecret);
    error.problem()
}

#[test]
fn a_client_secret_has_24_to_512_characters() {
    for n in [24, 25, 43, 511, 512] {
        let text = "x".repeat(n);
        assert_eq!(ClientSecret::parse(&text).unwrap().expose(), text);
    }
    for n in [1, 22, 23] {
        assert_eq!(problem(&"x".repeat(n)), Problem::TooShort { min: 24 });
    }
    assert_eq!(problem(&"x".repeat(513)), Problem::TooLong { max: 512 });
}

#[test]
fn a_client_secret_is_printable_ascii() {
    for b in 0..=255u8 {
        let c = char::from(b);
        for at in [0, 11, 23] {
            let mut text = "x".repeat(23);
            text.insert(at, c);
            if matches!(b, b' '..=b'~') {
                assert_eq!(ClientSecret::parse(&text).unwrap().expose(), text);
            } else {
                assert_eq!(problem(&text), Problem::Character { at }, "{c:?}");
            }
        }
    }
}

/// A generated client secret that was copied badly says what is wrong with it, and what it is not.
#[test]
fn a_generated_client_secret_with_a_slip_is_refused() {
    for prefix in ["crs", "acme"] {
        let policy = Policy::default().with_secret_prefix(prefix).unwrap();
        let made = ClientSecret::generate(&policy, &SameBytes(0x5a)).unwrap();
        let text = made.expose();
        assert_eq!(ClientSecret::parse(text).unwrap().expose(), text);
        for (pasted, says) in [
            (format!("\"{text}\""), "quotes"),
            (format!("'{text}'"), "quotes"),
            (format!("{text} "), "white space"),
            (format!("\n{text}"), "white space"),
            (format!("{text}\r\n"), "white space"),
            (format!("Bearer {text}"), "Bearer"),
            (format!("bearer {text}"), "Bearer"),
            (format!("\u{feff}{text}"), "byte order mark"),
            (format!("\u{feff}\"{text}\""), "byte order mark"),
            (format!("client_secret={text}"), "other text"),
            (format!("{text};"), "other text"),
        ] {
            let error = ClientSecret::parse(&pasted).unwrap_err();
            assert_eq!(error.field(), Field::ClientSecret);
            assert!(error.to_string().contains(says), "{error}");
            assert!(!error.to_string().contains(&text[..9]), "{error}");
        }
    }
    let made = ClientSecret::generate(&Policy::default(), &SameBytes(0x5a)).unwrap();
    let text = made.expose();
    let swapped = format!("{}{}{}", &text[..30], &text[31..=31], &text[30..=30]) + &text[32..];
    for (slip, says) in [
        (text[..40].to_owned(), "cut short"),
        (text[..52].to_owned(), "cut short"),
        (swapped, "mistyped"),
        (text.replacen("_", "__", 1), "mistyped"),
        (format!("\"{}", &text[..40]), "quotes"),
    ] {
        let error = ClientSecret::parse(&slip).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
        assert!(!error.to_string().contains(&slip[5..20]), "{error}");
    }
}

/// What was made elsewhere is taken as it is, also where a generated one would not be.
#[test]
fn a_client_secret_that_was_made_elsewhere_has_no_slip() {
    for text in [
        "\"a client secret of long ago\"",
        " with a space in front of it ",
        "Bearer of bad news, 24 letters",
        "client_secret=0123456789abcdef",
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
        "CRS_0123456789abcdefghijklmnopqrstuvwxyz",
        "crs-0123456789abcdefghijklmnopqrstuvwxyz",
        "other_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklm",
    ] {
        assert_eq!(ClientSecret::parse(text).unwrap().expose(), text);
    }
}

#[test]
fn a_client_secret_is_not_shown() {
    let secret = ClientSecret::parse(&MARKER.repeat(3)).unwrap();
    assert!(!repeats(&format!("{secret:?} {secret:#?}")));
    let made = ClientSecret::generate(&Policy::default(), &SameBytes(7)).unwrap();
    let body = made.expose().strip_prefix("crs_").unwrap();
    assert!(body.len() == 49 && !format!("{made:?}").contains(&body[..4]));
}

#[test]
fn a_hint_is_four_letters_or_digits() {
    for bad in
        ["", "a", "abc", "abcde", "ab_d", "ab-d", "ab d", "abc\n", "abc\0", "éab", "🙂", "аbc", "ａｂｃｄ"]
    {
        let error = serde_json::from_value::<Hint>(json!(bad)).map(|hint| panic!("{hint}")).unwrap_err();
        assert!(bad.is_empty() || !error.to_string().contains(bad) || bad == "a", "{error}");
    }
    let long = serde_json::from_value::<Hint>(json!(MARKER.repeat(9))).unwrap_err();
    assert!(!repeats(&format!("{long} {long:?}")), "{long}");
    for bad in [json!(1234), json!(["a", "b", "c", "d"]), Value::Null] {
        assert!(serde_json::from_value::<Hint>(bad).is_err());
    }
}

/// A registered client, for the values that only a client has.
fn first_secret() -> Secret {
    let now = instant("2026-01-01T00:00:00Z");
    let change = register("https://a/", Lifetime::OneYear, &Policy::default(), now).unwrap();
    match change.next() {
        ClientState::Active(client) => client.secrets().next().unwrap().clone(),
        ClientState::Deleted(_) => panic!("it was just registered"),
    }
}

/// What orders secrets within a client is nobody else's business.
#[test]
fn a_secret_shows_no_internals_in_json() {
    let json = serde_json::to_value(first_secret()).unwrap();
    let members: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "added_at",
        "disabled_since",
        "hint",
        "id",
        "issued_until",
        "label",
        "origin",
        "purpose",
        "replaced_by",
        "validity",
    ];
    assert_eq!(members, expected);
}

#[test]
fn a_hash_is_64_lowercase_hexadecimal_digits() {
    let start = "0".repeat(64);
    assert_eq!(start.parse(), Ok(EventHash::START));
    assert_eq!(EventHash::START.to_string(), start);
    let mut bad = vec![String::new(), "0".repeat(63), "0".repeat(65), "0".repeat(62), "0".repeat(66)];
    bad.extend(
        ["A", "g", "G", " ", "\n", "\0", "é", "０", "-", "x"]
            .map(|c| format!("{}{c}", "0".repeat(64 - c.len()))),
    );
    bad.extend([format!("0x{}", "0".repeat(62)), "0".repeat(1 << 20), MARKER.repeat(7) + "x"]);
    bad.extend([format!(" {start}"), format!("{start}\n"), "AB".repeat(32)]);
    for text in bad {
        let error = text.parse::<EventHash>().map(|hash| panic!("{text} is {hash}")).unwrap_err();
        assert!(error.to_string().contains("64 lowercase hexadecimal"));
        let error = serde_json::from_value::<EventHash>(json!(text)).unwrap_err();
        assert!(!repeats(&format!("{error} {error:?}")), "{error}");
    }
}

/// Far years, escapes and other scripts included: an event that was read back is the event that was hashed.
#[test]
fn an_event_has_the_same_hash_after_json() {
    for now in [
        "2026-01-01T00:00:00Z",
        "9999-12-31T23:59:60.999Z",
        "+250000-02-29T23:59:59.999Z",
        "-0001-01-01T00:00:00.000Z",
    ] {
        let url = "https://app.contoso.com/\"quoted\"".replace('"', "'");
        let change = register(&url, Lifetime::OneYear, &Policy::default(), instant(now)).unwrap();
        let json = serde_json::to_string(change.events()).unwrap();
        let again: Vec<client_registry::Event> = serde_json::from_str(&json).unwrap();
        assert_eq!(again, change.events());
        let ClientState::Active(client) = change.next() else { panic!("it was just registered") };
        assert_eq!(check_trail(&again, EventHash::START, client.head()), Ok(()), "{now}");
    }
}

proptest! {
    #[test]
    fn hashes_and_hints_are_the_same_in_json(hash in "[0-9a-f]{64}", hint in "[A-Za-z0-9]{4}") {
        let parsed: EventHash = hash.parse().unwrap();
        prop_assert_eq!(parsed.to_string(), &*hash);
        prop_assert_eq!(serde_json::to_value(parsed).unwrap(), json!(hash));
        prop_assert_eq!(serde_json::from_value::<EventHash>(json!(hash)).unwrap(), parsed);
        let parsed: Hint = serde_json::from_value(json!(hint)).unwrap();
        prop_assert_eq!(parsed.as_str(), &*hint);
        prop_assert_eq!(serde_json::to_value(parsed).unwrap(), json!(hint));
    }

    #[test]
    fn a_client_secret_is_kept_as_it_is_or_refused(text in "([ -~]{20,30}|\\PC{20,30})") {
        match ClientSecret::parse(&text) {
            Ok(secret) => prop_assert_eq!(secret.expose(), text),
            Err(error) => {
                prop_assert!(text.len() < 24 || text.chars().any(|c| !matches!(c, ' '..='~')));
                let said = format!("{error}{error:?}");
                prop_assert!(!said.contains(&text));
            }
        }
    }
}

/// Values are logged before a command has refused them.
#[test]
fn no_public_value_shows_a_client_secret_that_was_pasted_into_it() {
    let registry = Registry::in_memory();
    let contoso = registry.as_seller("contoso").unwrap();
    let details =
        ClientDetails::new("calendar app", "app.contoso.com", "https://app.contoso.com/done").unwrap();
    let shown = format!("{details:?}");
    assert!(
        shown.contains("FriendlyName(\"calendar app\")") && shown.contains("AppDomain(\"app.contoso.com\")")
    );
    assert!(shown.contains("RedirectUrl(\"https://app.contoso.com/done\")"), "{shown}");
    let issued = contoso.register(details, Lifetime::OneYear);
    let issued = pollster::block_on(issued).unwrap();
    let secret = issued.client_secret().expose();
    let url = format!("https://app.contoso.com/done?secret={secret}");
    let pasted = [
        format!("{:?}", ClientDetails::new(secret, "app.contoso.com", &url).unwrap()),
        format!("{:?}", FriendlyName::parse(&format!("app ({secret})")).unwrap()),
        format!("{:?}", RedirectUrl::parse(&url).unwrap()),
        format!("{:#?}", Label::parse(secret).unwrap()),
        format!("{:?}", SellerId::parse(secret).unwrap()),
        format!("{:?}", OperatorId::parse(secret).unwrap()),
        format!("{:?}", AddInId::parse(secret).unwrap()),
        format!("{:?}", AddIn::new(secret, Availability::Worldwide).unwrap()),
    ];
    for shown in pasted {
        assert!(shown.contains("holds a client secret") && !shown.contains(&secret[4..12]), "{shown}");
    }
}
