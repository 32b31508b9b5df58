//! What is peculiar to [`MemoryStore`]: clones, cursors, and clients that it keeps live, of a registry without a keyring.
//! That it keeps the contract with sealed records, the conformance suite shows.

use std::sync::{Arc, Mutex};

use crate::support::forward;
use client_registry::client::LastUses;
use client_registry::clock::{Clock, ManualClock};
use client_registry::store::{
    Adopted, Commit, CommitError, Cursor, DynStore, MemoryStore, Store, StoreErrorKind, Use,
};
use client_registry::value::Revision;
use client_registry::{
    AddIn, Availability, ClientDetails, Days, Issued, Lifetime, NewSecret, Registry, SecretId, Seller,
    Timestamp,
};
use pollster::block_on;

/// A memory store that keeps a copy of every commit it is sent.
#[derive(Debug, Clone, Default)]
struct Tap {
    memory: MemoryStore,
    sent: Arc<Mutex<Vec<Commit>>>,
}

impl Tap {
    fn last(&self) -> Commit {
        self.sent.lock().unwrap().last().unwrap().clone()
    }
}

impl Store for Tap {
    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        self.sent.lock().unwrap().push(commit.clone());
        self.memory.commit(commit).await
    }

    forward!(memory: load history clients client_of ending changes latest adopt note_uses last_uses);
}

fn registry() -> (Registry<Tap>, ManualClock) {
    let clock = ManualClock::new("2026-03-01T09:00:00Z".parse().unwrap());
    let registry = Registry::builder()
        .clock(clock.clone())
        .in_memory_behind(|memory| Tap { memory, sent: Arc::default() });
    (registry, clock)
}

fn register(seller: &Seller<Tap>, name: &str) -> Issued {
    let details = ClientDetails::new(name, "app.contoso.com", "https://app.contoso.com/done").unwrap();
    block_on(seller.register(details, Lifetime::OneYear)).unwrap()
}

#[test]
fn clones_are_the_same_store() {
    let (registry, _) = registry();
    let clone = registry.store().memory.clone();
    let issued = register(&registry.as_seller("contoso").unwrap(), "calendar app");
    let found = block_on(clone.load(issued.client_id().into())).unwrap();
    assert_eq!(found.unwrap().revision(), Revision::new(1));
    let cursor = block_on(registry.store().changes(None, 10)).unwrap().cursor;
    assert!(block_on(clone.changes(Some(&cursor), 10)).unwrap().events.is_empty());
}

#[test]
fn a_cursor_beyond_the_end_is_lost() {
    let (registry, _) = registry();
    let _ = register(&registry.as_seller("contoso").unwrap(), "calendar app");
    let cursor = block_on(registry.store().changes(None, 10)).unwrap().cursor;
    let (mark, position) = cursor.as_str().split_once(':').unwrap();
    assert_eq!(position, "2");
    for beyond in ["3", "9", "18446744073709551615", "-1"] {
        let beyond = Cursor::new(format!("{mark}:{beyond}"));
        let error = block_on(registry.store().changes(Some(&beyond), 10)).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::CursorLost);
    }
}

/// A client that is kept live says itself by what it is found: no index is kept beside it.
#[test]
fn live_clients_are_found_by_what_they_are_now() {
    let (registry, clock) = registry();
    let contoso = registry.as_seller("contoso").unwrap();
    let issued = register(&contoso, "calendar app");
    let client = contoso.client(issued.client_id());
    let calendar = AddIn::new("calendar", Availability::Worldwide).unwrap();
    block_on(client.associate(&calendar)).unwrap();
    let short = block_on(client.add_secret(NewSecret::lasting(Lifetime::Days(Days::new(10))))).unwrap();
    let store = registry.store();
    assert!(block_on(store.load(issued.client_id().into())).unwrap().unwrap().key_id().is_none());

    let (now, far) = (Clock::wall(&clock), Timestamp::MAX);
    let ends = |expected: &[SecretId]| {
        let ends = block_on(store.ending(far, None, 10)).unwrap();
        assert_eq!(ends.iter().map(|end| end.secret).collect::<Vec<_>>(), expected);
    };
    ends(&[short.secret_id(), issued.secret_id()]);
    let used = |secret| Use { client_id: issued.client_id().clone(), secret, at: now };
    block_on(store.note_uses(&[used(short.secret_id()), used(SecretId::new(7).unwrap())], now)).unwrap();
    let uses = || block_on(store.last_uses(issued.client_id())).unwrap();
    assert_eq!((uses().of(short.secret_id()), uses().of(SecretId::new(7).unwrap())), (Some(now), None));

    let _ = block_on(client.delete_in_emergency(short.secret_id(), None)).unwrap();
    block_on(store.note_uses(&[used(short.secret_id())], now)).unwrap();
    ends(&[issued.secret_id()]);
    assert_eq!(uses(), LastUses::default());
    block_on(client.dissociate(calendar.id())).unwrap();
    assert_eq!(block_on(store.client_of(calendar.id())).unwrap(), None);
}

#[test]
fn live_clients_move_to_another_store_with_revisions_and_histories() {
    let (from, _) = registry();
    let contoso = from.as_seller("contoso").unwrap();
    let issued = register(&contoso, "calendar app");
    let client_id = issued.client_id().clone();
    let add_in = AddIn::new("calendar", Availability::Worldwide).unwrap();
    block_on(contoso.client(&client_id).associate(&add_in)).unwrap();

    let record = block_on(from.store().load((&client_id).into())).unwrap().unwrap();
    let history = block_on(from.store().history(&client_id, Revision::ZERO, 100)).unwrap();
    let index = from.store().last().changes()[0].index().clone();
    let adopted = [Adopted::new(record, index, history.clone())];
    let to = DynStore::new(MemoryStore::new());
    block_on(to.adopt(&adopted)).unwrap();

    assert_eq!(block_on(to.load((&client_id).into())).unwrap().unwrap().revision(), Revision::new(2));
    assert_eq!(block_on(to.history(&client_id, Revision::ZERO, 100)).unwrap(), history);
    assert_eq!(block_on(to.client_of(add_in.id())).unwrap(), Some(client_id.clone()));
    assert_eq!(block_on(to.changes(None, 100)).unwrap().events.len(), 3);
    assert!(matches!(block_on(to.adopt(&adopted)), Err(CommitError::Conflict { .. })));
}
