//! Imports of what is there already: the same again changes nothing, anything else is refused.

use client_registry::client::{Client, ImportedClient, ImportedSecret};
use client_registry::secret::{KeyEncoding, Origin};
use client_registry::value::Validity;
use client_registry::{Availability, ClientSecret, Refusal};
use proptest::prelude::*;

use super::{attributes, blank};
use crate::rules::history::history;
use crate::rules::world::World;
use crate::support::{
    Desk, Seeded, add_in, client_id, contoso, days_later, details, foreign, into_client, is_unchanged,
    lasting_days, later, registered, secret_id, start, validity,
};

proptest! {
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
