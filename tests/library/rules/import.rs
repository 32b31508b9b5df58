//! Rule 18: moving in with client IDs and client secrets that exist already.

mod again;
mod weak;

use client_registry::client::{Client, ImportedClient, ImportedSecret};
use client_registry::event::Fact;
use client_registry::secret::{KeyEncoding, Origin};
use client_registry::value::{Label, Validity};
use client_registry::{Availability, ClientSecret, Purpose, Refusal, Timestamp};
use proptest::prelude::*;

use crate::rules::world::edges;
use crate::support::{
    Desk, add_in, changed, client_id, contoso, days_later, details, foreign, foreign_text, into_client,
    later, secret_id, start, validity,
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
