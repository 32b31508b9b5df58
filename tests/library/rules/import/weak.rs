//! Values: the weak are refused and the strong come in, in the encoding that they are said to have.

use client_registry::client::{Client, CommandContext, ImportedSecret};
use client_registry::secret::KeyEncoding;
use client_registry::value::{Actor, Field};
use client_registry::{ClientSecret, Policy, Purpose, Refusal};
use proptest::prelude::*;

use super::blank;
use crate::support::{
    Desk, Seeded, contoso, days_later, into_client, lasting_days, registered, secret_id, start, validity,
};

proptest! {
    /// "One that is a shorter text repeated, or one of fewer than 8 distinct characters: refused", by every way in; so are
    /// runs and sequences.
    #[test]
    fn rule_18_weak_values_are_refused(text in weak_text()) {
        let (desk, operator) = (Desk::owner(), Desk::operator());
        let client = registered(&lasting_days(9), &Seeded::new(18), &desk, start());
        let secret = || {
            let text = ClientSecret::parse(&text).unwrap();
            ImportedSecret::new(text, validity(start(), days_later(start(), 9)), KeyEncoding::Utf8)
        };
        let refusal = client.import_secret(&secret(), &desk.at(start())).err();
        prop_assert!(is_weak(refusal));
        let refusal = Client::import(&blank().with_secret(secret()), &operator.at(start())).err();
        prop_assert!(is_weak(refusal));
    }

    /// What is neither is not refused as weak.
    #[test]
    fn rule_18_strong_values_come_in(text in "[a-zA-Z0-9~!@ ]{24,200}") {
        let distinct = text.bytes().collect::<std::collections::BTreeSet<_>>().len();
        let repeated = (1..text.len()).any(|n| text.len() % n == 0 && text[..n].repeat(text.len() / n) == text);
        let desk = Desk::owner();
        let client = registered(&lasting_days(9), &Seeded::new(18), &desk, start());
        let secret = ClientSecret::parse(&text).unwrap();
        let secret = ImportedSecret::new(secret, validity(start(), days_later(start(), 9)), KeyEncoding::Utf8);
        let found = client.import_secret(&secret, &desk.at(start()));
        prop_assert_eq!(found.is_err(), distinct < 8 || repeated);
    }
}

/// The policy's prefix tells a slip too, by every way in.
#[test]
fn rule_18_a_generated_secret_with_a_slip_does_not_come_in() {
    let policy = Policy::default().with_secret_prefix("acme").unwrap();
    let made = ClientSecret::generate(&policy, &Seeded::new(3)).unwrap();
    let text = made.expose();
    let valid = validity(start(), days_later(start(), 9));
    let (owner, operator) = (Actor::Seller(contoso()), Actor::Operator("ann".parse().unwrap()));
    let at = |actor| CommandContext { actor, policy: &policy, now: start() };
    let client = registered(&lasting_days(9), &Seeded::new(18), &Desk::owner(), start());
    let slips = [
        text[..40].to_owned(),
        text.to_owned() + "x",
        text.to_owned() + "-and-more-of-it",
        text.replacen('_', "_0", 1),
    ];
    for (slip, is_one) in slips.into_iter().map(|slip| (slip, true)).chain([(text.to_owned(), false)]) {
        let Ok(secret) = ClientSecret::parse(&slip) else { continue };
        let imported = ImportedSecret::new(secret, valid, KeyEncoding::Utf8);
        let refusals = [
            client.import_secret(&imported, &at(&owner)).err(),
            Client::import(&blank().with_secret(imported), &at(&operator)).err(),
        ];
        for refusal in refusals {
            match refusal {
                None => assert!(!is_one, "{slip}"),
                Some(Refusal::Invalid(invalid)) => {
                    assert_eq!((invalid.field(), is_one), (Field::ClientSecret, true))
                }
                Some(other) => panic!("{other}"),
            }
        }
    }
}

/// The encoding is stated, and a text that is not of it is refused: for every purpose.
#[test]
fn rule_18_a_key_is_what_it_is_said_to_be() {
    let desk = Desk::owner();
    let client = registered(&lasting_days(9), &Seeded::new(18), &desk, start());
    let span = validity(start(), days_later(start(), 9));
    let import_for = |purpose, text: &str, encoding| {
        let secret = ImportedSecret::new(ClientSecret::parse(text).unwrap(), span, encoding);
        client.import_secret(&secret.for_purpose(purpose), &desk.at(start()))
    };
    let import = |text: &str, encoding| import_for(Purpose::SigningAndPassword, text, encoding);
    let base64 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    assert!(import(base64, KeyEncoding::Base64).is_ok());
    assert!(import(base64, KeyEncoding::Utf8).is_ok());
    for text in [
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRY=",
        "__ECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    ] {
        assert!(matches!(import(text, KeyEncoding::Base64), Err(Refusal::Invalid(_))), "{text}");
        let password = import_for(Purpose::PasswordOnly, text, KeyEncoding::Base64);
        assert!(matches!(password, Err(Refusal::Invalid(_))), "{text}");
        assert!(import(text, KeyEncoding::Utf8).is_ok(), "{text}");
    }
    let first = into_client(import(base64, KeyEncoding::Base64).unwrap());
    let secret = ImportedSecret::new(ClientSecret::parse(base64).unwrap(), span, KeyEncoding::Utf8);
    let refusal = first.import_secret(&secret, &desk.at(start())).unwrap_err();
    assert_eq!(refusal, Refusal::SecretExists { secret: secret_id(2), differs_in: "key encoding" });
}

fn is_weak(refusal: Option<Refusal>) -> bool {
    matches!(refusal, Some(Refusal::Weak { .. }))
}

/// A short text repeated, or few characters.
fn weak_text() -> impl Strategy<Value = String> {
    let repeated = ("[ -~]{8,60}", 2usize..8).prop_map(|(text, times)| text.repeat(times));
    let few = "[ -~]{1,7}".prop_flat_map(|alphabet| {
        prop::collection::vec(prop::sample::select(alphabet.into_bytes()), 24..512)
            .prop_map(|text| String::from_utf8(text).unwrap())
    });
    let run = (24usize..60, any::<bool>()).prop_map(|(len, falls)| {
        let text =
            "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz"
                .get(..len)
                .unwrap();
        if falls { text.chars().rev().collect() } else { text.to_owned() }
    });
    let cut = ("[!-~]{8,20}", 30usize..80).prop_map(|(text, len)| text.repeat(10)[..len].to_owned());
    let long_enough = repeated.prop_filter("long enough", |text| (24..=512).contains(&text.len()));
    prop_oneof![long_enough, few, run, cut.prop_filter("repeated", |text| text.len() >= 40)]
}
