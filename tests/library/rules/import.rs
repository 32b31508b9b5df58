//! Rule 18: moving in with client IDs and client secrets that exist already.

use client_registry::client::{Client, CommandContext, ImportedClient, ImportedSecret};
use client_registry::event::Fact;
use client_registry::secret::{KeyEncoding, Origin};
use client_registry::value::{Actor, Field, Label, Validity};
use client_registry::{Availability, ClientSecret, Policy, Purpose, Refusal, Timestamp};
use proptest::prelude::*;

use crate::rules::history::history;
use crate::rules::world::{World, edges};
use crate::support::{
    Desk, Seeded, add_in, changed, client_id, contoso, days_later, details, foreign, foreign_text,
    into_client, is_unchanged, lasting_days, later, registered, secret_id, start, validity,
};

proptest! {
    /// "Naming the secret that signs today; secrets are recorded in the order of `from`", with validity and encoding.
    #[test]
    fn rule_18_secrets_are_recorded_in_the_order_of_from(
        attributes in prop::collection::vec(attributes(), 1..6),
        named in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let named = named.map(|index| index.index(attributes.len()));
        let operator = Desk::operator();
        let imported = || client_with(&attributes, named);
        let result = Client::import(&imported(), &operator.at(start()));
        if let Some(refusal) = refusal_of(&attributes, named) {
            prop_assert_eq!(result.err(), Some(refusal));
            return Ok(());
        }
        let client = into_client(result.unwrap());
        let mut expected: Vec<_> = attributes.iter().collect();
        expected.sort_by_key(|attributes| attributes.validity().from());
        let found: Vec<_> = client.secrets().map(|s| (s.validity(), s.origin(), s.purpose(), s.hint())).collect();
        let expected: Vec<_> =
            expected.iter().map(|a| (a.validity(), a.origin(), a.purpose, None)).collect();
        prop_assert_eq!(found, expected);
        if let Some(named) = named {
            let signing = client.signing_at(start()).secret().unwrap();
            prop_assert_eq!(client.secret(signing).unwrap().validity(), attributes[named].validity());
        }
        prop_assert_eq!(client.import_again(&imported(), &operator.at(start())), Ok(()));
    }

    /// "The same value with the same attributes again: nothing changes; with other attributes: refused", whatever has
    /// happened to the client otherwise.
    #[test]
    fn rule_18_the_same_again_changes_nothing(
        steps in history(8),
        attributes in attributes(),
        other in attributes(),
        wait in 0i64..400_000_000,
    ) {
        let world = World::after(&steps);
        let (client, desk) = (&world.client, &world.desk);
        let Ok(imported) = client.import_secret(&attributes.secret(900), &desk.at(world.now)) else { return Ok(()) };
        let client = into_client(imported);
        let secret = client.secrets().last().unwrap().id();
        let now = desk.at(later(world.now, wait));
        prop_assert!(is_unchanged(&client.import_secret(&attributes.secret(900), &now).unwrap()));
        let differs = attributes.differs_from(&other);
        let found = client.import_secret(&other.secret(900), &now);
        match differs {
            None => prop_assert!(is_unchanged(&found.unwrap())),
            Some(differs_in) => {
                prop_assert_eq!(found.err(), Some(Refusal::SecretExists { secret, differs_in }));
            }
        }
    }

    /// "A remembered value (rule 10): refused", and a generated one does not come in a second time.
    #[test]
    fn rule_18_a_known_value_does_not_come_in_again(steps in history(14)) {
        let world = World::after(&steps);
        let context = world.desk.at(world.now);
        for (&secret, text) in &world.texts {
            let validity = Validity::new(start(), None).unwrap();
            let again = ImportedSecret::new(ClientSecret::parse(text).unwrap(), validity, KeyEncoding::Utf8);
            let found = world.client.import_secret(&again, &context);
            let remembered = world.client.remembered().find(|(id, _)| *id == secret);
            if let Some((secret, fate)) = remembered {
                prop_assert_eq!(found.err(), Some(Refusal::Remembered { secret, revocation: fate }));
            } else if let Some(held) = world.client.secret(secret) {
                let generated = held.origin() == Origin::Generated;
                let refused = matches!(found, Err(Refusal::SecretExists { secret: id, .. }) if id == secret);
                let unchanged = found.is_ok_and(|transition| is_unchanged(&transition));
                prop_assert!(refused || (unchanged && !generated));
            }
        }
    }

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

/// "Operators import client IDs; sellers import secrets into their own client IDs."
#[test]
fn rule_18_who_imports_what() {
    let (owner, operator) = (Desk::owner(), Desk::operator());
    let refusal = Client::import(&blank(), &owner.at(start())).unwrap_err();
    assert_eq!(refusal, Refusal::UnknownClient);
    let client = into_client(Client::import(&blank(), &operator.at(start())).unwrap());
    assert_eq!(client.import_again(&blank(), &owner.at(start())).unwrap_err(), Refusal::UnknownClient);
    for desk in [owner, operator] {
        let secret = foreign(1, validity(start(), days_later(start(), 9)));
        assert!(client.import_secret(&secret, &desk.at(start())).is_ok());
    }
}

/// Whatever is imported again with another attribute is refused, and the answer names the attribute.
#[test]
fn rule_18_another_client_under_the_same_id_is_refused() {
    let operator = Desk::operator();
    let span = validity(start(), days_later(start(), 9));
    let imported =
        || blank().with_secret(foreign(1, span)).with_secret(foreign(2, span)).with_add_in(add_in(1));
    let client = into_client(Client::import(&imported(), &operator.at(start())).unwrap());
    let again = |imported: ImportedClient| client.import_again(&imported, &operator.at(start()));
    assert_eq!(again(imported()), Ok(()));
    let id = || client_id("calendar-app");
    let worldwide = Availability::Worldwide;
    let stranger = client_registry::SellerId::parse("fabrikam").unwrap();
    for (other, differs_in) in [
        (ImportedClient::new(id(), stranger, details("calendar app"), worldwide), "owner"),
        (ImportedClient::new(id(), contoso(), details("mail app"), worldwide), "details"),
        (
            ImportedClient::new(id(), contoso(), details("calendar app"), Availability::ChinaOnly),
            "availability",
        ),
        (blank().with_add_in(add_in(2)), "add-ins"),
        (blank().with_secret(foreign(3, span)), "client secrets"),
        (blank().with_secret(foreign(2, span).signing_today()), "signing secret"),
    ] {
        assert_eq!(again(other).unwrap_err(), Refusal::ClientExists { differs_in });
    }
    let longer = validity(start(), days_later(start(), 10));
    let refusal = again(blank().with_secret(foreign(1, longer))).unwrap_err();
    assert_eq!(refusal, Refusal::SecretExists { secret: secret_id(1), differs_in: "validity" });
}

/// One value, one secret; one that signs.
#[test]
fn rule_18_nothing_is_named_twice() {
    let operator = Desk::operator();
    let span = validity(start(), days_later(start(), 9));
    let import = |imported: ImportedClient| Client::import(&imported, &operator.at(start())).unwrap_err();
    let twice = blank().with_secret(foreign(1, span)).with_secret(foreign(1, span));
    assert_eq!(import(twice), Refusal::NamedTwice { what: "a client secret" });
    let two =
        blank().with_secret(foreign(1, span).signing_today()).with_secret(foreign(2, span).signing_today());
    assert_eq!(import(two), Refusal::NamedTwice { what: "a signing secret" });
}

/// What signs today has to be able to.
#[test]
fn rule_18_what_signs_today_can_sign() {
    let operator = Desk::operator();
    let import =
        |secret: ImportedSecret| Client::import(&blank().with_secret(secret), &operator.at(start())).err();
    let ended = validity(later(start(), -9), start());
    let future = validity(later(start(), 1), days_later(start(), 9));
    for span in [ended, future] {
        let refusal = import(foreign(1, span).signing_today());
        assert_eq!(refusal, Some(Refusal::NotValidThen { at: start() }));
    }
    let span = validity(start(), days_later(start(), 9));
    let password = foreign(1, span).for_purpose(Purpose::PasswordOnly).signing_today();
    assert_eq!(import(password), Some(Refusal::CannotSign));
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

/// Ended ones come in as well and take no room among those that have not ended; with more than are kept, the same
/// import again still changes nothing.
#[test]
fn rule_18_more_ended_ones_than_are_kept() {
    let operator = Desk::operator();
    let ended = |number: usize| {
        let from = later(start(), -1000 + i64::try_from(number).unwrap());
        foreign(number, validity(from, later(from, 500)))
    };
    let imported = || (0..20).map(ended).fold(blank(), ImportedClient::with_secret);
    let client = into_client(Client::import(&imported(), &operator.at(start())).unwrap());
    assert_eq!(client.secrets().len(), 16);
    assert!(client.secrets().all(|secret| secret.validity().has_ended(start())));
    let again = client.import_again(&imported(), &operator.at(start()));
    assert_eq!(again, Ok(()));
}

/// The same for a seller who moves in secret by secret: one that ended longer ago than all that are kept.
#[test]
fn rule_18_one_that_is_not_kept_is_not_recorded_again_and_again() {
    let desk = Desk::owner();
    let mut client = registered(&lasting_days(9), &Seeded::new(18), &desk, start());
    for number in 0..16 {
        let ended = foreign(number, validity(later(start(), -1000), later(start(), -100)));
        client = into_client(client.import_secret(&ended, &desk.at(start())).unwrap());
    }
    let oldest = foreign(99, validity(later(start(), -1000), later(start(), -500)));
    assert_eq!(client.import_secret(&oldest, &desk.at(start())).unwrap_err(), Refusal::EndedLongAgo);
}

/// "With other attributes: refused", and naming another signing secret than today's is one; a repeated import never
/// moves signing back.
#[test]
fn rule_18_a_secret_imported_again_does_not_move_signing_back() {
    let desk = Desk::owner();
    let client = registered(&lasting_days(9), &Seeded::new(18), &desk, start());
    let moved_in = || foreign(1, validity(start(), days_later(start(), 9))).signing_today();
    let client = into_client(client.import_secret(&moved_in(), &desk.at(start())).unwrap());
    assert!(is_unchanged(&client.import_secret(&moved_in(), &desk.at(start())).unwrap()));
    let first = client.secrets().next().unwrap().id();
    let client = into_client(client.promote(first, &desk.at(start())).unwrap());
    let refused = client.import_secret(&moved_in(), &desk.at(start())).unwrap_err();
    assert!(matches!(refused, Refusal::SecretExists { .. }), "{refused:?}");
}

/// The first event says that it was imported; the rest follow in the same commit.
#[test]
fn rule_18_an_import_is_one_commit() {
    let operator = Desk::operator();
    let span = validity(start(), days_later(start(), 9));
    let imported = blank().with_secret(foreign(1, span)).with_secret(foreign(2, span).signing_today());
    let (state, events) =
        changed(Client::import(&imported.with_add_in(add_in(1)), &operator.at(start())).unwrap());
    assert!(matches!(events[0].fact(), Fact::ClientImported { .. }));
    assert_eq!(events.len(), 5);
    assert!(events.iter().all(|event| event.revision() == state.revision()));
    assert_eq!(state.active().unwrap().signing_at(start()).secret(), Some(secret_id(2)));
    assert!(edges(state.active().unwrap(), start()).contains(&days_later(start(), 9)));
}

/// What is said of an imported secret.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Attributes {
    from: i64,
    lasts: Option<i64>,
    purpose: Purpose,
    label: Option<String>,
}

impl Attributes {
    fn validity(&self) -> Validity {
        let from = later(start(), self.from);
        Validity::new(from, self.lasts.map(|lasts| later(from, lasts))).unwrap()
    }

    fn origin(&self) -> Origin {
        Origin::Imported { key_encoding: KeyEncoding::Utf8 }
    }

    fn secret(&self, number: usize) -> ImportedSecret {
        let text = ClientSecret::parse(&foreign_text(number)).unwrap();
        let secret = ImportedSecret::new(text, self.validity(), KeyEncoding::Utf8).for_purpose(self.purpose);
        match &self.label {
            Some(label) => secret.labelled(Label::parse(label).unwrap()),
            None => secret,
        }
    }

    fn differs_from(&self, other: &Self) -> Option<&'static str> {
        if self.purpose != other.purpose {
            Some("purpose")
        } else if self.validity() != other.validity() {
            Some("validity")
        } else {
            (self.label != other.label).then_some("label")
        }
    }

    fn is_valid_at(&self, t: Timestamp) -> bool {
        self.validity().runs(t)
    }
}

fn attributes() -> impl Strategy<Value = Attributes> {
    let label = prop::option::of(prop_oneof![Just("old".to_owned()), Just("older".to_owned())]);
    let purpose = prop_oneof![3 => Just(Purpose::SigningAndPassword), 1 => Just(Purpose::PasswordOnly)];
    (-3i64..2, prop::option::of(1i64..5), purpose, label)
        .prop_map(|(from, lasts, purpose, label)| Attributes { from, lasts, purpose, label })
}

fn blank() -> ImportedClient {
    ImportedClient::new(
        client_id("calendar-app"),
        contoso(),
        details("calendar app"),
        Availability::Worldwide,
    )
}

fn client_with(attributes: &[Attributes], named: Option<usize>) -> ImportedClient {
    attributes.iter().enumerate().fold(blank(), |client, (number, attributes)| {
        let secret = attributes.secret(number);
        client.with_secret(if named == Some(number) { secret.signing_today() } else { secret })
    })
}

/// Why the import as a whole is refused, if it is: the one that should sign today cannot.
fn refusal_of(attributes: &[Attributes], named: Option<usize>) -> Option<Refusal> {
    let named = &attributes[named?];
    if !named.purpose.signs() {
        return Some(Refusal::CannotSign);
    }
    (!named.is_valid_at(start())).then_some(Refusal::NotValidThen { at: start() })
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
