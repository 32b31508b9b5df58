//! Rule 24: a few strings that the application gives.

use client_registry::event::Fact;
use client_registry::store::{MAX_RECORD, MemoryStore, Store};
use client_registry::value::{Attributes, Field, KeyId};
use client_registry::{Keyring, Lifetime, NewSecret, Refusal, Registry};
use pollster::block_on;

use crate::support::{Platform, Seeded, clock, details, into_client, is_unchanged, one_secret, start};

fn attributes(of: &[(&str, &str)]) -> Attributes {
    Attributes::new(of.iter().copied()).unwrap()
}

/// All of them are replaced; the same ones again change nothing. They are public, so no client secret stands in them, neither as a
/// key nor as a value.
#[test]
fn rule_24_attributes_are_replaced_and_hold_no_secret() {
    let (client, desk) = one_secret();
    let context = desk.at(start());
    assert!(client.attributes().is_empty());
    assert!(is_unchanged(&client.change_attributes(Attributes::default(), &context).unwrap()));
    let given = attributes(&[("scopes", "calendar.read"), ("network", "10.0.0.0/8")]);
    let change = client.change_attributes(given.clone(), &context).unwrap().change().unwrap();
    assert_eq!(change.events()[0].fact(), &Fact::AttributesChanged { attributes: given.clone() });
    let changed = into_client(client_registry::client::Decision::Changed(change));
    assert_eq!(changed.attributes(), &given);
    assert!(is_unchanged(&changed.change_attributes(given, &context).unwrap()));
    let fewer = into_client(changed.change_attributes(attributes(&[("network", "")]), &context).unwrap());
    assert_eq!(fewer.attributes().iter().collect::<Vec<_>>(), [("network", "")]);

    let secret = Seeded::new(3).client_secret();
    for bad in [attributes(&[("note", secret.expose())]), attributes(&[("a", "b"), (secret.expose(), "c")])] {
        match client.change_attributes(bad, &context).err() {
            Some(Refusal::Invalid(invalid)) => assert_eq!(invalid.field(), Field::Attributes),
            other => panic!("{other:?}"),
        }
    }
    let stranger = crate::support::Desk::stranger();
    let forbidden = client.change_attributes(Attributes::default(), &stranger.at(start()));
    assert_eq!(forbidden.err(), Some(Refusal::UnknownClient));
}

/// "Authenticating returns them."
#[test]
fn rule_24_authenticating_returns_them() {
    block_on(async {
        let platform = Platform::new();
        let issued = platform.register("calendar app").await;
        let given = attributes(&[("scopes", "calendar.read")]);
        let who = platform.authenticate(issued.client_id(), issued.client_secret()).await;
        assert!(who.attributes().is_empty());
        platform.contoso.client(issued.client_id()).change_attributes(given.clone()).await.unwrap();
        let who = platform.authenticate(issued.client_id(), issued.client_secret()).await;
        assert_eq!(who.attributes(), &given);
    });
}

/// The largest ones fit into a record and come back from it, also where each character is written as two.
#[test]
fn rule_24_the_largest_attributes_fit_into_a_record() {
    block_on(async {
        let store = MemoryStore::new();
        let keyring =
            || Keyring::new(KeyId::parse("2026").unwrap(), b"thirty-two bytes to seal it with").unwrap();
        let open = |seed| {
            Registry::builder().clock(clock()).entropy(Seeded::new(seed)).open(store.clone(), keyring())
        };
        let (one, other) = (open(1).await.unwrap(), open(2).await.unwrap());
        let contoso = one.as_seller("contoso").unwrap();
        let issued = contoso.register(details("calendar app"), Lifetime::OneYear).await.unwrap();
        let client = contoso.client(issued.client_id());
        for _ in 0..4 {
            drop(client.add_secret(NewSecret::lasting(Lifetime::OneYear)).await.unwrap());
        }
        let keys: Vec<_> = (0..8).map(|number| format!("key{number}")).collect();
        let value = "\"".repeat(508);
        let largest = Attributes::new(keys.iter().map(|key| (key, &value))).unwrap();
        client.change_attributes(largest.clone()).await.unwrap();
        let record = store.load(issued.client_id().into()).await.unwrap().unwrap();
        let size = record.to_bytes().unwrap().len();
        assert!((2 * 4096..MAX_RECORD / 2).contains(&size), "{size}");
        let who = other.authenticate(issued.client_id().as_str(), issued.client_secret().expose()).await;
        assert_eq!(who.unwrap().attributes(), &largest);
    });
}
