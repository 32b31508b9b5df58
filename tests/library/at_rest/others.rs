//! What a store says of others is checked before it is shown or believed (rules 1 and 15).

use client_registry::store::{IndexEntry, MemoryStore, Store, StoreError, StoreErrorKind};
use client_registry::value::{FriendlyName, Revision};
use client_registry::*;
use pollster::block_on;

use crate::at_rest::hostile::Hostile;
use crate::at_rest::world::{fill, open};
use crate::support::{details, logged};

/// A registry of contoso and of fabrikam, over a store that can be told to lie.
async fn two_sellers() -> (Registry<Hostile>, Hostile, ClientId, Issued) {
    let hostile = Hostile::over(MemoryStore::new());
    let (registry, clock) = open(hostile.clone(), &["2026"], 1).await;
    fill(&registry, &clock).await;
    let fabrikam = registry.as_seller("fabrikam").unwrap();
    let theirs = fabrikam.register(details("ledger"), Lifetime::OneYear).await.unwrap();
    let contoso = registry.as_seller("contoso").unwrap();
    let calendar = contoso.client_named("calendar app").await.unwrap().unwrap().client().id().clone();
    (registry, hostile, calendar, theirs)
}

/// A name of contoso.
fn name(text: &str) -> IndexEntry {
    IndexEntry::Name(SellerId::parse("contoso").unwrap(), FriendlyName::parse(text).unwrap().key())
}

fn refused_as_tampered<T>(result: Result<T, Error>) {
    match result {
        Err(Error::Unavailable(error)) => assert_eq!(error.kind(), StoreErrorKind::Tampered, "{error}"),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("done"),
    }
}

#[test]
fn rule_15_a_forged_index_names_nobody_elses_client() {
    block_on(async {
        let (registry, hostile, calendar, theirs) = two_sellers().await;
        let contoso = registry.as_seller("contoso").unwrap();
        let taken = theirs.client_id().clone();
        let register = || contoso.register(details("another app"), Lifetime::OneYear);
        let rename = || async { contoso.client(&calendar).change_details(details("another app")).await };

        // The name leads to a client of another seller, and the index sticks to it.
        hostile.say_taken(name("another app"), &taken);
        let found = taken.clone();
        hostile.edit_clients(move |_| vec![found.clone()]);
        let (answer, lines) = logged(|| block_on(register()));
        refused_as_tampered(answer);
        assert!(lines.iter().any(|line| line.contains("ERROR")), "{lines:#?}");
        refused_as_tampered(rename().await);
        // The index no longer says so: its holder may have let go of it.
        hostile.confess();
        hostile.say_taken(name("another app"), &taken);
        assert!(matches!(register().await, Err(Error::Contention { attempts: 16 })));
        // A name that nobody asked for, which would say that another client exists.
        hostile.say_taken(name("a name of somebody"), &calendar);
        refused_as_tampered(register().await);
        // What is true is said.
        hostile.confess();
        let taken = contoso.register(details("Calendar App"), Lifetime::OneYear).await;
        assert!(matches!(taken, Err(Error::NameTaken { by, .. }) if by == calendar));
    });
}

/// The name of another client of the same seller, and the same name of another seller.
#[test]
fn rule_15_a_client_that_has_half_of_a_name_is_not_its_holder() {
    block_on(async {
        let (registry, hostile, calendar, theirs) = two_sellers().await;
        let contoso = registry.as_seller("contoso").unwrap();
        for (wanted, by) in [("another app", &calendar), ("ledger", theirs.client_id())] {
            hostile.say_taken(name(wanted), by);
            let found = by.clone();
            hostile.edit_clients(move |_| vec![found.clone()]);
            refused_as_tampered(contoso.register(details(wanted), Lifetime::OneYear).await);
        }
    });
}

#[test]
fn rule_01_a_forged_index_gives_no_add_in_away() {
    block_on(async {
        let (registry, hostile, calendar, theirs) = two_sellers().await;
        let contoso = registry.as_seller("contoso").unwrap();
        let client = contoso.client(&calendar);
        let add_in = AddIn::new("new-add-in", Availability::Worldwide).unwrap();
        let entry = IndexEntry::AddIn(add_in.id().clone());
        for by in [theirs.client_id(), &calendar, &ClientId::parse("no-such-client").unwrap()] {
            hostile.say_taken(entry.clone(), by);
            let found = Some(by.clone());
            hostile.edit_client_of(move |_| found.clone());
            refused_as_tampered(client.associate(&add_in).await);
            hostile.edit_client_of(|_| None);
            assert!(matches!(client.associate(&add_in).await, Err(Error::Contention { attempts: 16 })));
        }
        hostile.say_taken(IndexEntry::AddIn(AddInId::parse("another-one").unwrap()), &calendar);
        refused_as_tampered(client.associate(&add_in).await);
        hostile.confess();
        let fabrikam = registry.as_seller("fabrikam").unwrap();
        let calendar_add_in = AddIn::new("calendar", Availability::Worldwide).unwrap();
        let taken = fabrikam.client(theirs.client_id()).associate(&calendar_add_in).await;
        assert!(matches!(taken, Err(Error::AddInTaken { by: None, .. })));
    });
}

#[test]
fn rule_15_a_forged_history_shows_nobody_elses_events() {
    block_on(async {
        let (registry, hostile, calendar, theirs) = two_sellers().await;
        let history = registry.store().memory.history(theirs.client_id(), Revision::ZERO, 10).await.unwrap();
        let events: Vec<_> = history.into_iter().flat_map(|committed| committed.events).collect();
        assert!(!events.is_empty());
        let contoso = registry.as_seller("contoso").unwrap();
        assert!(!contoso.client(&calendar).trail(Revision::ZERO, 10).await.unwrap().is_empty());
        hostile.edit_trail(move |_| events.clone());
        refused_as_tampered(contoso.client(&calendar).trail(Revision::ZERO, 10).await);
    });
}

/// Without a keyring nothing seals a record, so its ID is looked at.
#[test]
fn a_live_client_under_the_id_of_another_is_refused() {
    let hostile = Hostile::default();
    let registry = Registry::builder().in_memory_behind(|_| hostile.clone());
    block_on(async {
        let contoso = registry.as_seller("contoso").unwrap();
        let register = |name| contoso.register(details(name), Lifetime::OneYear);
        let (one, other) = (register("one").await.unwrap(), register("other").await.unwrap());
        let forged = registry.sign(other.client_id(), b"message").await.unwrap();
        let forged = Signature::new(one.client_id().clone(), forged.secret_id(), *forged.mac());
        let record = hostile.memory.load(other.client_id().into()).await.unwrap();
        hostile.put(one.client_id().as_str(), record);
        let tampered = |error: StoreError| assert_eq!(error.kind(), StoreErrorKind::Tampered);
        for answer in [
            registry.verify(&forged, b"message").await.map(drop),
            registry.verify_any(one.client_id(), forged.mac(), b"message").await.map(drop),
            registry.authenticate(one.client_id().as_str(), other.client_secret().expose()).await.map(drop),
        ] {
            let Err(AccessError::Unavailable(error)) = answer else { panic!("{answer:?}") };
            tampered(error);
        }
        let Err(SignError::Unavailable(error)) = registry.sign(one.client_id(), b"message").await else {
            panic!("signed")
        };
        tampered(error);
        refused_as_tampered(contoso.client(one.client_id()).snapshot().await);
        refused_as_tampered(contoso.client(one.client_id()).promote(one.secret_id()).await);
    });
}
