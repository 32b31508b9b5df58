//! The store contract, sentence by sentence, on [`MemoryStore`]: what it sees, what it refuses, what it never forgets.

#![cfg(test)]

mod forward;

use std::sync::{Arc, Mutex};

use client_registry::store::{
    Adopted, ClientsBy, Commit, CommitError, Cursor, DynStore, Entry, MemoryStore, Store, StoreErrorKind, Use,
};
use client_registry::{
    AddIn, Availability, ClientDetails, Days, Issued, LastUses, Lifetime, ManualClock, NewSecret, Registry,
    Revision, SecretId, Seller, SellerId, Timestamp,
};
use forward::forward;
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
    block_on(seller.register(details, Availability::Worldwide, Lifetime::OneYear)).unwrap()
}

#[test]
fn a_commit_that_is_sent_again_is_a_conflict_and_the_history_says_whose_it_was() {
    let (registry, _) = registry();
    let issued = register(&registry.as_seller("contoso").unwrap(), "calendar app");
    let store = registry.store();
    let commit = store.last();
    match block_on(store.commit(&commit)) {
        Err(CommitError::Conflict { record_id, found }) => {
            assert_eq!((&*record_id, found), (issued.client_id().as_str(), Some(Revision::new(1))));
        }
        other => panic!("{other:?}"),
    }
    let history = block_on(store.history(issued.client_id(), Revision::ZERO, 10)).unwrap();
    assert_eq!(history.len(), 1);
    assert_eq!((history[0].commit_id, history[0].revision), (commit.id(), Revision::new(1)));
    assert_eq!(history[0].events, commit.changes()[0].events());
}

#[test]
fn a_refused_commit_leaves_nothing_behind() {
    let (registry, _) = registry();
    let contoso = registry.as_seller("contoso").unwrap();
    let _ = register(&contoso, "calendar app");
    let store = registry.store();
    let before = format!("{:?}", block_on(store.changes(None, 100)).unwrap());
    let details = ClientDetails::new("CALENDAR app", "a.b", "https://a.b/").unwrap();
    block_on(contoso.register(details, Availability::Worldwide, Lifetime::OneYear)).unwrap_err();
    let refused = store.last();
    assert!(matches!(
        block_on(store.commit(&refused)),
        Err(CommitError::Taken { entry: Entry::Name(..), .. })
    ));
    let id = refused.changes()[0].id().client_id().unwrap();
    assert!(block_on(store.load((&id).into())).unwrap().is_none());
    assert!(block_on(store.history(&id, Revision::ZERO, 10)).unwrap().is_empty());
    assert_eq!(block_on(store.clients(ClientsBy::All, None, 10)).unwrap().len(), 1);
    assert_eq!(format!("{:?}", block_on(store.changes(None, 100)).unwrap()), before);
}

#[test]
fn a_reader_of_the_feed_that_comes_back_misses_nothing() {
    let (registry, _) = registry();
    let contoso = registry.as_seller("contoso").unwrap();
    let store = registry.store();
    let (mut seen, mut cursor) = (Vec::new(), None);
    for round in 0..20 {
        let issued = register(&contoso, &format!("app {round}"));
        let _ =
            block_on(contoso.client(issued.client_id()).add_secret(NewSecret::lasting(Lifetime::OneYear)))
                .unwrap();
        if round % 3 == 0 {
            // Read some, in pieces of two.
            let changes = block_on(store.changes(cursor.as_ref(), 2)).unwrap();
            seen.extend(changes.events);
            cursor = Some(changes.cursor);
        }
    }
    loop {
        let changes = block_on(store.changes(cursor.as_ref(), 7)).unwrap();
        let more = changes.events.len() == 7;
        seen.extend(changes.events);
        cursor = Some(changes.cursor);
        if !more {
            break;
        }
    }
    let sent = store.sent.lock().unwrap();
    let all: Vec<_> = sent.iter().flat_map(|c| c.changes()).flat_map(|c| c.events().to_vec()).collect();
    assert_eq!(seen, all);
    assert_eq!(seen.len(), 20 * 3);
}

#[test]
fn a_cursor_of_another_store_is_lost() {
    let (one, _) = registry();
    let (other, _) = registry();
    let _ = register(&one.as_seller("contoso").unwrap(), "calendar app");
    let _ = register(&other.as_seller("contoso").unwrap(), "calendar app");
    let cursor = block_on(one.store().changes(None, 10)).unwrap().cursor;
    let garbage = ["", ":", "1", "zz:1", ":1"].map(Cursor::new);
    for cursor in garbage.iter().chain([&cursor]) {
        let error = block_on(other.store().changes(Some(cursor), 10)).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::CursorLost);
    }
    let beyond = Cursor::new(format!("{}:9", cursor.as_str().split(':').next().unwrap()));
    assert_eq!(
        block_on(one.store().changes(Some(&beyond), 10)).unwrap_err().kind(),
        StoreErrorKind::CursorLost
    );
}

#[test]
fn lists_are_paged_in_the_order_of_their_bytes() {
    let (registry, _) = registry();
    let contoso = registry.as_seller("contoso").unwrap();
    let fabrikam = registry.as_seller("fabrikam").unwrap();
    let mut ours: Vec<_> =
        (0..7).map(|n| register(&contoso, &format!("app {n}")).client_id().clone()).collect();
    let theirs = register(&fabrikam, "app 0").client_id().clone();
    ours.sort();
    let store = registry.store();
    let seller = SellerId::parse("contoso").unwrap();
    let (mut paged, mut after) = (Vec::new(), None);
    loop {
        let page = block_on(store.clients(ClientsBy::Seller(&seller), after.as_ref(), 3)).unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.clone());
        paged.extend(page);
    }
    assert_eq!(paged, ours);
    assert!(!paged.contains(&theirs));
    assert_eq!(block_on(store.clients(ClientsBy::All, None, 100)).unwrap().len(), 8);
}

#[test]
fn endings_come_in_order_and_follow_every_change() {
    let (registry, clock) = registry();
    let contoso = registry.as_seller("contoso").unwrap();
    let issued = register(&contoso, "calendar app");
    let client = contoso.client(issued.client_id());
    let store = registry.store();
    let in_days = |days: u32| now(&clock).saturating_add(Days::new(days).into());
    let short = block_on(client.add_secret(NewSecret::lasting(Lifetime::Days(Days::new(10))))).unwrap();
    let before = in_days(400);
    let all = block_on(store.ending(before, None, 10)).unwrap();
    assert_eq!(all.iter().map(|e| e.secret).collect::<Vec<_>>(), [short.secret_id(), issued.secret_id()]);
    assert_eq!(all[0].at, in_days(10));
    assert_eq!(block_on(store.ending(before, Some(&all[0]), 10)).unwrap(), all[1..]);
    // The end itself lies not before the end.
    assert!(block_on(store.ending(in_days(10), None, 10)).unwrap().is_empty());
    let _ = block_on(client.delete_in_emergency(short.secret_id(), None)).unwrap();
    assert_eq!(block_on(store.ending(before, None, 10)).unwrap(), all[1..]);
}

#[test]
fn the_later_use_wins_and_none_is_noted_for_a_deleted_secret() {
    let (registry, clock) = registry();
    let contoso = registry.as_seller("contoso").unwrap();
    let issued = register(&contoso, "calendar app");
    let (store, client_id) = (registry.store(), issued.client_id().clone());
    let (early, late) = (now(&clock), now(&clock).saturating_add(Days::new(1).into()));
    let used = |secret, at| Use { client_id: client_id.clone(), secret, at };
    let missing = SecretId::new(7).unwrap();
    block_on(store.note_uses(&[
        used(issued.secret_id(), late),
        used(issued.secret_id(), early),
        used(missing, late),
    ]))
    .unwrap();
    let uses = block_on(store.last_uses(&client_id)).unwrap();
    assert_eq!((uses.of(issued.secret_id()), uses.of(missing)), (Some(late), None));

    let client = contoso.client(&client_id);
    let _ = block_on(client.delete_in_emergency(issued.secret_id(), None)).unwrap();
    block_on(store.note_uses(&[used(issued.secret_id(), late)])).unwrap();
    assert_eq!(block_on(store.last_uses(&client_id)).unwrap(), LastUses::default());
}

#[test]
fn clients_move_to_another_store_with_revisions_and_histories() {
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

fn now(clock: &ManualClock) -> Timestamp {
    client_registry::Clock::wall(clock)
}
