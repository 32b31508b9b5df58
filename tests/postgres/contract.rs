//! The store contract, sentence by sentence.

use client_registry::client::LastUses;
use client_registry::store::{
    Adopted, ClientsBy, CommitError, Cursor, DynStore, Expected, IndexEntry, RecordId, Store, StoreErrorKind,
    Use,
};
use client_registry::value::{KeyId, Revision};
use client_registry::{
    AddIn, Availability, Days, Keyring, Lifetime, NewSecret, Outcome, Rotation, SecretId, SellerId, Timestamp,
};

use crate::support::server::Schema;
use crate::world::{World, details, key, register};

#[tokio::test]
async fn a_whole_life() {
    let world = World::new().await;
    let first = world.register("calendar app").await;
    let id = first.client_id().clone();
    let calendar = world.contoso.client(&id);
    let who = world.authenticate(id.as_str(), first.client_secret().expose()).await.unwrap();
    assert_eq!(who.secret_id(), first.secret_id());
    world.flush_last_uses().await.unwrap();
    let next = calendar.rotate(Rotation::overlap(Days::new(30))).await.unwrap();
    calendar.promote(next.secret_id()).await.unwrap();
    let add_in = AddIn::new("calendar", Availability::Worldwide).unwrap();
    calendar.associate(&add_in).await.unwrap();
    calendar.change_details(details("CALENDAR application")).await.unwrap();
    let snapshot = calendar.snapshot().await.unwrap();
    assert_eq!(snapshot.last_used(first.secret_id()), Some(now(&world)));
    let _ = calendar.delete_in_emergency(first.secret_id(), None).await.unwrap();
    assert_eq!(world.contoso.client_of(add_in.id()).await.unwrap().unwrap().client().id(), &id);
    assert!(world.contoso.client_named("calendar app").await.unwrap().is_none());
    assert!(world.contoso.client_named("Calendar Application").await.unwrap().is_some());
    let plan = calendar.plan_client_deletion().await.unwrap();
    calendar.confirm(plan).await.unwrap();
    assert!(world.contoso.client_of(add_in.id()).await.unwrap().is_none());
    let trail = calendar.trail(Revision::ZERO, 100).await.unwrap();
    assert!(trail.len() > 8, "{trail:?}");
    // The name is free, the ID is not listed any more, what is left of it is.
    let again = world.register("calendar application").await;
    let store = world.store();
    let seller = SellerId::parse("contoso").unwrap();
    let ours = store.clients(ClientsBy::Seller(&seller), None, 10).await.unwrap();
    assert_eq!(ours, [again.client_id().clone()]);
    assert_eq!(store.clients(ClientsBy::All, None, 10).await.unwrap().len(), 2);
    assert_eq!(store.ending(Timestamp::MAX, None, 10).await.unwrap().len(), 1);
    // Every way of committing left the same rows as looking at all of them would.
    let rows = world.schema.run("SELECT scope, client_id FROM client_registry.entries").await;
    assert_eq!(rows.len(), 1);
}

#[tokio::test]
async fn a_commit_that_is_sent_again_is_a_conflict_and_the_history_says_whose_it_was() {
    let world = World::new().await;
    let issued = world.register("calendar app").await;
    let calendar = world.contoso.client(issued.client_id());
    let added = calendar.add_secret(NewSecret::lasting(Lifetime::OneYear)).await.unwrap();
    assert_eq!(calendar.promote(added.secret_id()).await.unwrap(), Outcome::Changed);
    let store = world.store();
    let sent = store.sent();
    for commit in &sent[sent.len() - 3..] {
        match store.commit(commit).await {
            Err(CommitError::Conflict { record_id, found }) => {
                assert_eq!((&*record_id, found), (issued.client_id().as_str(), Some(Revision::new(3))));
            }
            other => panic!("{other:?}"),
        }
    }
    let history = store.history(issued.client_id(), Revision::ZERO, 10).await.unwrap();
    assert_eq!(history.len(), 3);
    for (made, commit) in history.iter().zip(&sent[sent.len() - 3..]) {
        assert_eq!(made.commit_id, commit.id());
        assert_eq!(made.events, commit.changes()[0].events());
    }
    assert_eq!(store.history(issued.client_id(), Revision::new(1), 1).await.unwrap(), history[1..2]);
}

#[tokio::test]
async fn a_refused_commit_leaves_nothing_behind() {
    let world = World::new().await;
    let first = world.register("calendar app").await;
    let store = world.store();
    let before = store.changes(None, 100).await.unwrap();
    let refused = world.contoso.register(details("CALENDAR app"), Lifetime::OneYear).await;
    refused.unwrap_err();
    let refused = store.last();
    match store.commit(&refused).await {
        Err(CommitError::Taken { entry: IndexEntry::Name(..), by }) => assert_eq!(&by, first.client_id()),
        other => panic!("{other:?}"),
    }
    let id = refused.changes()[0].id().client_id().unwrap();
    assert!(store.load((&id).into()).await.unwrap().is_none());
    assert!(store.history(&id, Revision::ZERO, 10).await.unwrap().is_empty());
    assert_eq!(store.changes(None, 100).await.unwrap(), before);
    let rows = world.schema.run("SELECT 1 FROM client_registry.secrets").await;
    assert_eq!(rows.len(), 1);
}

/// Rule 14: in one commit, without stumbling over the one row that an add-in may have.
#[tokio::test]
async fn an_add_in_moves_in_one_commit_and_a_half_expected_move_does_nothing() {
    let world = World::new().await;
    let [from, to] = [world.register("old").await, world.register("new").await];
    let (from, to) = (from.client_id(), to.client_id());
    let add_in = AddIn::new("calendar", Availability::Worldwide).unwrap();
    world.contoso.client(from).associate(&add_in).await.unwrap();
    let store = world.store();
    world.contoso.client(from).move_add_in(add_in.id(), to).await.unwrap();
    assert_eq!(store.client_of(add_in.id()).await.unwrap().as_ref(), Some(to));
    let moved = store.last();
    assert_eq!(moved.changes().len(), 2);

    // Back, with a faster commit on one side.
    world.contoso.client(to).move_add_in(add_in.id(), from).await.unwrap();
    let before = store.changes(None, 100).await.unwrap();
    match store.commit(&moved).await {
        Err(CommitError::Conflict { record_id, found }) => {
            assert_eq!((&*record_id, found), (from.as_str(), Some(Revision::new(4))));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(store.changes(None, 100).await.unwrap(), before);
    assert_eq!(store.client_of(add_in.id()).await.unwrap().as_ref(), Some(from));
}

#[tokio::test]
async fn a_reader_of_the_feed_that_comes_back_misses_nothing() {
    let world = World::new().await;
    let store = world.store();
    let (mut seen, mut cursor) = (Vec::new(), None);
    for round in 0..20 {
        let issued = world.register(&format!("app {round}")).await;
        let client = world.contoso.client(issued.client_id());
        let _ = client.add_secret(NewSecret::lasting(Lifetime::OneYear)).await.unwrap();
        if round % 3 == 0 {
            let changes = store.changes(cursor.as_ref(), 2).await.unwrap();
            seen.extend(changes.events);
            cursor = Some(changes.cursor);
        }
    }
    loop {
        let changes = store.changes(cursor.as_ref(), 7).await.unwrap();
        let more = changes.events.len() == 7;
        seen.extend(changes.events);
        cursor = Some(changes.cursor);
        if !more {
            break;
        }
    }
    let mut all: Vec<_> =
        store.sent().iter().flat_map(|c| c.changes()).flat_map(|c| c.events().to_vec()).collect();
    assert_eq!(all.len(), 20 * 3);
    let order = |text: &client_registry::store::EventText| {
        let event = client_registry::Event::parse(text).unwrap();
        (event.client_id().clone(), event.revision())
    };
    // Within a client the order is that of the trail; a stable sort keeps it.
    seen.sort_by_key(order);
    all.sort_by_key(order);
    assert_eq!(seen, all);
    let again = store.changes(cursor.as_ref(), 7).await.unwrap();
    assert!(again.events.is_empty());
    assert_eq!(Some(again.cursor), cursor);
}

#[tokio::test]
async fn a_cursor_of_another_store_is_lost() {
    let (one, other) = (World::new().await, World::new().await);
    let _ = one.register("calendar app").await;
    let _ = other.register("calendar app").await;
    let cursor = one.store().changes(None, 10).await.unwrap().cursor;
    let empty = World::new().await.store().changes(None, 10).await.unwrap().cursor;
    let garbage =
        ["", ".", "1", "1.1.1", "1.-1.0.00", "2.0.0.00000000000000000000000000000000"].map(Cursor::new);
    let mut edited: Vec<_> = cursor.as_str().split('.').map(str::to_owned).collect();
    edited[1] = "9".to_owned();
    let beyond = Cursor::new(edited.join("."));
    for cursor in garbage.iter().chain([&cursor, &empty, &beyond]) {
        let error = other.store().changes(Some(cursor), 10).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::CursorLost, "{cursor:?}");
    }
    assert_eq!(one.store().changes(Some(&beyond), 1).await.unwrap_err().kind(), StoreErrorKind::CursorLost);
    assert!(one.store().changes(Some(&cursor), 1).await.unwrap().events.is_empty());
}

#[tokio::test]
async fn lists_are_paged_in_the_order_of_their_bytes() {
    let world = World::new().await;
    let fabrikam = world.as_seller("fabrikam").unwrap();
    let mut ours = Vec::new();
    for n in 0..7 {
        ours.push(world.register(&format!("app {n}")).await.client_id().clone());
    }
    let theirs = register(&fabrikam, "app 0").await.client_id().clone();
    ours.sort();
    let store = world.store();
    let seller = SellerId::parse("contoso").unwrap();
    let (mut paged, mut after) = (Vec::new(), None);
    loop {
        let page = store.clients(ClientsBy::Seller(&seller), after.as_ref(), 3).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.clone());
        paged.extend(page);
    }
    assert_eq!(paged, ours);
    assert!(!paged.contains(&theirs));
    assert_eq!(store.clients(ClientsBy::All, None, 100).await.unwrap().len(), 8);
    let key_id = KeyId::parse("2026").unwrap();
    assert_eq!(store.clients(ClientsBy::Key(&key_id), None, 100).await.unwrap().len(), 8);
    assert!(store.load(RecordId::REGISTRY).await.unwrap().is_some());
}

#[tokio::test]
async fn endings_come_in_order_and_follow_every_change() {
    let world = World::new().await;
    let issued = world.register("calendar app").await;
    let client = world.contoso.client(issued.client_id());
    let store = world.store();
    let in_days = |days: u32| now(&world).saturating_add(Days::new(days).into());
    let short = client.add_secret(NewSecret::lasting(Lifetime::Days(Days::new(10)))).await.unwrap();
    let before = in_days(400);
    let all = store.ending(before, None, 10).await.unwrap();
    assert_eq!(all.iter().map(|e| e.secret).collect::<Vec<_>>(), [short.secret_id(), issued.secret_id()]);
    assert_eq!(all[0].at, in_days(10));
    assert_eq!(store.ending(before, None, 1).await.unwrap(), all[..1]);
    assert_eq!(store.ending(before, Some(&all[0]), 10).await.unwrap(), all[1..]);
    // The end itself lies not before the end.
    assert!(store.ending(in_days(10), None, 10).await.unwrap().is_empty());
    let _ = client.delete_in_emergency(short.secret_id(), None).await.unwrap();
    assert_eq!(store.ending(before, None, 10).await.unwrap(), all[1..]);
}

#[tokio::test]
async fn the_later_use_wins_and_none_is_noted_for_a_deleted_secret() {
    let world = World::new().await;
    let issued = world.register("calendar app").await;
    let (store, client_id) = (world.store(), issued.client_id().clone());
    let (early, late) = (now(&world), now(&world).saturating_add(Days::new(1).into()));
    let used = |secret, at| Use { client_id: client_id.clone(), secret, at };
    let missing = SecretId::new(7).unwrap();
    store.note_uses(&[], late).await.unwrap();
    let uses = [used(issued.secret_id(), late), used(issued.secret_id(), early), used(missing, late)];
    store.note_uses(&uses, late).await.unwrap();
    store.note_uses(&uses[1..2], late).await.unwrap();
    let uses = store.last_uses(&client_id).await.unwrap();
    assert_eq!((uses.of(issued.secret_id()), uses.of(missing)), (Some(late), None));

    let client = world.contoso.client(&client_id);
    let _ = client.delete_in_emergency(issued.secret_id(), None).await.unwrap();
    store.note_uses(&[used(issued.secret_id(), late)], late).await.unwrap();
    assert_eq!(store.last_uses(&client_id).await.unwrap(), LastUses::default());
}

#[tokio::test]
async fn clients_move_to_another_store_with_revisions_and_histories() {
    let from = World::new().await;
    let issued = from.register("calendar app").await;
    let client_id = issued.client_id().clone();
    let add_in = AddIn::new("calendar", Availability::Worldwide).unwrap();
    from.contoso.client(&client_id).associate(&add_in).await.unwrap();

    let record = from.store().load((&client_id).into()).await.unwrap().unwrap();
    let history = from.store().history(&client_id, Revision::ZERO, 100).await.unwrap();
    let index = from.store().last().changes()[0].index().clone();
    let adopted = [Adopted::new(record, index, history.clone())];
    let schema = Schema::shared();
    let to = DynStore::new(schema.store().await);
    to.adopt(&[]).await.unwrap();
    to.adopt(&adopted).await.unwrap();

    assert_eq!(to.load((&client_id).into()).await.unwrap().unwrap().revision(), Revision::new(2));
    assert_eq!(to.history(&client_id, Revision::ZERO, 100).await.unwrap(), history);
    assert_eq!(to.client_of(add_in.id()).await.unwrap(), Some(client_id.clone()));
    assert_eq!(to.changes(None, 100).await.unwrap().events.len(), 3);
    assert!(matches!(to.adopt(&adopted).await, Err(CommitError::Conflict { .. })));
}

/// A key is replaced: every record keeps its revision, its trail and what it is found by.
#[tokio::test]
async fn records_are_resealed_in_place() {
    let world = World::new().await;
    let issued = world.register("calendar app").await;
    let new = Keyring::new(KeyId::parse("2027").unwrap(), &key(9)).unwrap();
    let both = new.with(KeyId::parse("2026").unwrap(), &key(7)).unwrap();
    let registry = client_registry::Registry::open(world.schema.store().await, both).await.unwrap();
    let mut resealing = registry.reseal().await.unwrap();
    while resealing.step(10).await.unwrap().is_some() {}
    let store = world.store();
    let record = store.load(issued.client_id().into()).await.unwrap().unwrap();
    assert_eq!((record.revision(), record.key_id().unwrap().as_str()), (Revision::new(1), "2027"));
    assert!(store.clients(ClientsBy::Key(&KeyId::parse("2026").unwrap()), None, 9).await.unwrap().is_empty());
    assert_eq!(store.changes(None, 10).await.unwrap().events.len(), 2);
    let under = Expected::Under(Revision::new(1), KeyId::parse("2026").unwrap());
    assert!(!under.holds(Some((record.revision(), record.key_id()))));
    registry.authenticate(issued.client_id().as_str(), issued.client_secret().expose()).await.unwrap();
}

fn now(world: &World) -> Timestamp {
    client_registry::clock::Clock::wall(&world.clock)
}

/// The server is asked for no more events than a commit can have.
#[tokio::test]
async fn a_trail_that_is_longer_than_a_commit_can_make_it_is_not_sent() {
    let world = World::new().await;
    let issued = world.register("calendar app").await;
    let sabotage = "UPDATE client_registry.history SET events = decode(repeat('20', 20000000), 'hex')";
    world.schema.run(sabotage).await;
    let error = world.store().history(issued.client_id(), Revision::ZERO, 1).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    let cause = error.cause().unwrap();
    assert!(cause.to_string().contains("history.events"), "{cause}");
    let error = world.store().changes(None, 10).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Tampered);
}

/// The server is asked for no more than a record may be, so that a body of 400 MB is refused without being read.
#[tokio::test]
async fn a_record_that_is_larger_than_any_that_was_written_is_not_sent() {
    for column in ["body", "sealed"] {
        let world = World::new().await;
        let issued = world.register("calendar app").await;
        let sabotage = format!(
            "UPDATE client_registry.records SET {column} = $$x$$::bytea || decode(repeat('00', 20000000), 'hex') WHERE id < '~'"
        );
        world.schema.run(&sabotage).await;
        let error = world.store().load(issued.client_id().into()).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Corrupt);
        let mut words = error.to_string();
        let mut next = std::error::Error::source(&error);
        while let Some(error) = next {
            words.push_str(&format!(": {error}"));
            next = error.source();
        }
        assert!(words.contains(&format!("records.{column}")), "{words}");
        assert!(words.contains("longer than a record may be"), "{words}");
    }
}
