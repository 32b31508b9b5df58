//! The contract of [`Store`], sentence by sentence.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};
use std::thread;

use client_registry::store::{
    Adopted, ClientsBy, Commit, CommitError, Cursor, DynStore, Entry, RecordId, SqliteStore, Store,
    StoreError, StoreErrorKind, Use,
};
use client_registry::{
    AddIn, Availability, ClientId, Days, Event, KeyId, Keyring, LastUses, Lifetime, NewSecret, Registry,
    Revision, SecretId, SellerId, check_trail,
};
use pollster::block_on;

use crate::world::{KEY, Scratch, Tap, World, details, keyring};

fn add_in(id: &str) -> AddIn {
    AddIn::new(id, Availability::Worldwide).unwrap()
}

fn kind<T: std::fmt::Debug>(answer: Result<T, StoreError>) -> StoreErrorKind {
    answer.unwrap_err().kind()
}

#[test]
fn what_was_acknowledged_is_there_when_the_file_is_opened_again() {
    let world = World::new();
    let issued = world.register("calendar app");
    let client_id = issued.client_id().clone();
    block_on(world.contoso.client(&client_id).associate(&add_in("calendar"))).unwrap();
    let record = block_on(world.store().load((&client_id).into())).unwrap().unwrap().to_bytes().unwrap();
    let history = block_on(world.store().history(&client_id, Revision::ZERO, 10)).unwrap();
    let cursor = block_on(world.store().changes(None, 10)).unwrap().cursor;

    let world = world.again();
    let store = world.store();
    let found = block_on(store.load((&client_id).into())).unwrap().unwrap();
    assert_eq!(found.to_bytes().unwrap(), record);
    assert_eq!(block_on(store.history(&client_id, Revision::ZERO, 10)).unwrap(), history);
    assert_eq!(block_on(store.client_of(add_in("calendar").id())).unwrap(), Some(client_id.clone()));
    block_on(world.registry.authenticate(client_id.as_str(), issued.client_secret().expose())).unwrap();
    let changes = block_on(store.changes(Some(&cursor), 10)).unwrap();
    assert_eq!((changes.events, &changes.cursor), (vec![], &cursor));
}

#[test]
fn a_commit_that_is_sent_again_is_a_conflict_and_the_history_says_whose_it_was() {
    let world = World::new();
    let issued = world.register("calendar app");
    let store = world.store();
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
fn of_many_commits_that_change_one_revision_exactly_one_wins() {
    let world = World::new();
    let client_id = world.register("calendar app").client_id().clone();
    // Two copies of the file each add a secret to the first revision, and send what came of it to the original.
    let rivals: Vec<Commit> = (0..2).map(|_| rival(&world, &client_id)).collect();
    let store = world.store();
    let answers: Vec<_> = thread::scope(|scope| {
        let send = |commit| scope.spawn(move || block_on(store.commit(commit)));
        let sending: Vec<_> = rivals.iter().map(send).collect();
        sending.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let lost = answers.iter().filter(|answer| matches!(answer, Err(CommitError::Conflict { .. })));
    assert_eq!((answers.iter().filter(|answer| answer.is_ok()).count(), lost.count()), (1, 1));
    let history = block_on(world.store().history(&client_id, Revision::new(1), 10)).unwrap();
    let won = answers.iter().position(Result::is_ok).unwrap();
    assert_eq!((history.len(), history[0].commit_id), (1, rivals[won].id()));
    assert_eq!(block_on(world.store().ending(world.in_days(4_000), None, 10)).unwrap().len(), 2);
}

/// The commit that adds a secret to a client as it is now, made in a copy.
fn rival(world: &World, client_id: &ClientId) -> Commit {
    let scratch = Scratch::new();
    block_on(world.store().store.backup_to(scratch.file())).unwrap();
    let store = SqliteStore::open(scratch.file()).unwrap();
    let copy = World::of(scratch, store);
    let _ = copy.add_secret(client_id);
    copy.store().last()
}

#[test]
fn a_refused_commit_leaves_nothing_behind() {
    let world = World::new();
    let first = world.register("calendar app");
    let store = world.store();
    let before = block_on(store.changes(None, 100)).unwrap();
    let again = world.contoso.register(details("CALENDAR app"), Availability::Worldwide, Lifetime::OneYear);
    block_on(again).unwrap_err();
    let refused = store.last();
    match block_on(store.commit(&refused)) {
        Err(CommitError::Taken { entry: Entry::Name(seller, _), by }) => {
            assert_eq!((seller.as_str(), &by), ("contoso", first.client_id()));
        }
        other => panic!("{other:?}"),
    }
    let id = refused.changes()[0].id().client_id().unwrap();
    assert!(block_on(store.load((&id).into())).unwrap().is_none());
    assert!(block_on(store.history(&id, Revision::ZERO, 10)).unwrap().is_empty());
    assert_eq!(block_on(store.clients(ClientsBy::All, None, 10)).unwrap().len(), 1);
    assert_eq!(block_on(store.changes(None, 100)).unwrap(), before);
}

#[test]
fn an_add_in_moves_in_one_commit_and_is_never_anybody_elses() {
    let world = World::new();
    let [one, two] = ["one", "two"].map(|name| world.register(name).client_id().clone());
    let calendar = add_in("calendar");
    block_on(world.contoso.client(&one).associate(&calendar)).unwrap();
    block_on(world.contoso.client(&two).associate(&calendar)).unwrap_err();
    match block_on(world.store().commit(&world.store().last())) {
        Err(CommitError::Taken { entry, by }) => {
            assert_eq!((entry, by), (Entry::AddIn(calendar.id().clone()), one.clone()));
        }
        other => panic!("{other:?}"),
    }
    block_on(world.contoso.client(&one).move_add_in(calendar.id(), &two)).unwrap();
    assert_eq!(world.store().last().changes().len(), 2);
    assert_eq!(block_on(world.store().client_of(calendar.id())).unwrap(), Some(two.clone()));
    block_on(world.contoso.client(&two).dissociate(calendar.id())).unwrap();
    assert_eq!(block_on(world.store().client_of(calendar.id())).unwrap(), None);
}

#[test]
fn keys_are_compared_as_bytes() {
    let world = World::new();
    let upper = world.register("ÄPFEL").client_id().clone();
    let lower = block_on(world.store().client_of(add_in("Calendar").id())).unwrap();
    assert_eq!(lower, None);
    block_on(world.contoso.client(&upper).associate(&add_in("Calendar"))).unwrap();
    let other = world.register("birnen").client_id().clone();
    block_on(world.contoso.client(&other).associate(&add_in("calendar"))).unwrap();
    assert_eq!(block_on(world.store().client_of(add_in("Calendar").id())).unwrap(), Some(upper));
    assert_eq!(block_on(world.store().client_of(add_in("calendar").id())).unwrap(), Some(other));
    assert_eq!(block_on(world.store().client_of(add_in("CALENDAR").id())).unwrap(), None);
    let contoso = SellerId::parse("Contoso").unwrap();
    assert!(block_on(world.store().clients(ClientsBy::Seller(&contoso), None, 9)).unwrap().is_empty());
}

#[test]
fn a_reader_of_the_feed_that_comes_back_misses_nothing() {
    let world = World::new();
    let (mut seen, mut cursor) = (Vec::new(), None);
    for round in 0..20 {
        let issued = world.register(&format!("app {round}"));
        let _ = world.add_secret(issued.client_id());
        if round % 3 == 0 {
            // Read some, in pieces of two.
            let changes = block_on(world.store().changes(cursor.as_ref(), 2)).unwrap();
            seen.extend(changes.events);
            cursor = Some(changes.cursor);
        }
    }
    loop {
        let changes = block_on(world.store().changes(cursor.as_ref(), 7)).unwrap();
        let more = changes.events.len() == 7;
        seen.extend(changes.events);
        cursor = Some(changes.cursor);
        if !more {
            break;
        }
    }
    let sent = world.store().sent();
    let all: Vec<Event> = sent.iter().flat_map(Commit::changes).flat_map(|c| c.events().to_vec()).collect();
    assert_eq!(seen, all);
    assert_eq!(seen.len(), 20 * 3);
    assert_eq!(block_on(world.store().changes(None, usize::MAX)).unwrap().events, all);
}

#[test]
fn a_cursor_of_another_file_is_lost_and_so_is_one_from_beyond_the_end() {
    let (one, other) = (World::new(), World::new());
    let start = block_on(one.store().changes(None, 10)).unwrap().cursor;
    assert_eq!(kind(block_on(other.store().changes(Some(&start), 10))), StoreErrorKind::CursorLost);
    let _ = one.register("calendar app");
    let _ = other.register("calendar app");
    let cursor = block_on(one.store().changes(None, 10)).unwrap().cursor;
    let beyond = Cursor::new(cursor.as_str().replace(":2:", ":3:"));
    assert_ne!(cursor, beyond);
    let garbage = ["", ":", "1", "zz:1", ":1"].map(Cursor::new);
    for lost in garbage.iter().chain([&beyond]) {
        assert_eq!(kind(block_on(one.store().changes(Some(lost), 10))), StoreErrorKind::CursorLost);
    }
    assert_eq!(kind(block_on(other.store().changes(Some(&cursor), 10))), StoreErrorKind::CursorLost);
    assert_eq!(block_on(one.store().changes(Some(&start), 10)).unwrap().events.len(), 2);
}

#[test]
fn lists_are_paged_in_the_order_of_their_bytes() {
    let world = World::new();
    let fabrikam = world.registry.as_seller("fabrikam").unwrap();
    let mut ours: Vec<_> =
        (0..7).map(|number| world.register(&format!("app {number}")).client_id().clone()).collect();
    let _ =
        block_on(fabrikam.register(details("app 0"), Availability::Worldwide, Lifetime::OneYear)).unwrap();
    ours.sort();
    let store = world.store();
    let seller = SellerId::parse("contoso").unwrap();
    let (mut paged, mut after) = (Vec::new(), None);
    loop {
        let page = block_on(store.clients(ClientsBy::Seller(&seller), after.as_ref(), 3)).unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.clone());
        paged.extend(page);
    }
    assert_eq!(paged, ours);
    assert_eq!(block_on(store.clients(ClientsBy::All, None, 100)).unwrap().len(), 8);
    // The record of the registry is under the key as well, and is in no list.
    let key_id = KeyId::parse("2026").unwrap();
    assert_eq!(block_on(store.clients(ClientsBy::Key(&key_id), None, 100)).unwrap().len(), 8);
    assert!(block_on(store.load(RecordId::REGISTRY)).unwrap().is_some());
    let key = details("APP 3").friendly_name().key();
    let named = |after| block_on(store.clients(ClientsBy::Name(&seller, &key), after, 100)).unwrap();
    let found = named(None);
    assert_eq!(found.len(), 1);
    assert!(named(Some(&found[0])).is_empty());
}

#[test]
fn what_is_left_of_a_deleted_client_is_in_the_lists_of_all_alone() {
    let world = World::new();
    let client_id = world.register("calendar app").client_id().clone();
    let handle = world.contoso.client(&client_id);
    block_on(handle.associate(&add_in("calendar"))).unwrap();
    let secret = SecretId::new(1).unwrap();
    world.delete(&client_id, secret);
    let plan = block_on(handle.plan_client_deletion()).unwrap();
    block_on(handle.confirm(plan)).unwrap();
    let store = world.store();
    let (seller, key) = (SellerId::parse("contoso").unwrap(), details("calendar app").friendly_name().key());
    let key_id = KeyId::parse("2026").unwrap();
    let list = |by| block_on(store.clients(by, None, 10)).unwrap().len();
    assert_eq!([list(ClientsBy::All), list(ClientsBy::Key(&key_id))], [1, 1]);
    assert_eq!([list(ClientsBy::Seller(&seller)), list(ClientsBy::Name(&seller, &key))], [0, 0]);
    assert_eq!(block_on(store.client_of(add_in("calendar").id())).unwrap(), None);
    assert!(block_on(store.ending(world.in_days(4_000), None, 10)).unwrap().is_empty());
    let trail = block_on(handle.trail(Revision::ZERO, 100)).unwrap();
    assert_eq!(trail.len(), 6);
    // The name is free again.
    let _ = world.register("calendar app");
}

#[test]
fn endings_come_in_order_and_follow_every_change() {
    let world = World::new();
    let issued = world.register("calendar app");
    let client = world.contoso.client(issued.client_id());
    let store = world.store();
    let short = block_on(client.add_secret(NewSecret::lasting(Lifetime::Days(Days::new(10))))).unwrap();
    let before = world.in_days(400);
    let all = block_on(store.ending(before, None, 10)).unwrap();
    assert_eq!(all.iter().map(|e| e.secret).collect::<Vec<_>>(), [short.secret_id(), issued.secret_id()]);
    assert_eq!(all[0].at, world.in_days(10));
    assert_eq!(block_on(store.ending(before, Some(&all[0]), 10)).unwrap(), all[1..]);
    assert_eq!(block_on(store.ending(before, None, 1)).unwrap(), all[..1]);
    // The end itself lies not before the end.
    assert!(block_on(store.ending(world.in_days(10), None, 10)).unwrap().is_empty());
    world.delete(issued.client_id(), short.secret_id());
    assert_eq!(block_on(store.ending(before, None, 10)).unwrap(), all[1..]);
}

#[test]
fn a_history_is_told_in_whole_commits() {
    let world = World::new();
    let client_id = world.register("calendar app").client_id().clone();
    for _ in 0..3 {
        let _ = world.add_secret(&client_id);
    }
    let all = block_on(world.store().history(&client_id, Revision::ZERO, 100)).unwrap();
    assert_eq!(all.iter().map(|commit| commit.events.len()).collect::<Vec<_>>(), [2, 1, 1, 1]);
    assert_eq!(block_on(world.store().history(&client_id, Revision::ZERO, 1)).unwrap(), all[..1]);
    assert_eq!(block_on(world.store().history(&client_id, Revision::new(1), 2)).unwrap(), all[1..3]);
    assert!(block_on(world.store().history(&client_id, Revision::new(u64::MAX), 2)).unwrap().is_empty());
    let events: Vec<_> = all.into_iter().flat_map(|commit| commit.events).collect();
    let snapshot = block_on(world.contoso.client(&client_id).snapshot()).unwrap();
    check_trail(&events, client_registry::EventHash::START, snapshot.client().head()).unwrap();
}

#[test]
fn resealing_changes_the_key_and_nothing_else() {
    let world = World::new();
    let client_id = world.register("calendar app").client_id().clone();
    let before = block_on(world.store().changes(None, 100)).unwrap();
    let newer = Keyring::new(KeyId::parse("2027").unwrap(), &[&KEY[1..], b"!"].concat().try_into().unwrap());
    let newer = newer.unwrap().with(KeyId::parse("2026").unwrap(), &KEY).unwrap();
    let registry = block_on(Registry::open(world.store().clone(), newer)).unwrap();
    let mut resealing = block_on(registry.reseal()).unwrap();
    while block_on(resealing.step(10)).unwrap().is_some() {}
    let store = world.store();
    let (old, new) = (KeyId::parse("2026").unwrap(), KeyId::parse("2027").unwrap());
    assert!(block_on(store.clients(ClientsBy::Key(&old), None, 10)).unwrap().is_empty());
    assert_eq!(
        block_on(store.clients(ClientsBy::Key(&new), None, 10)).unwrap(),
        std::slice::from_ref(&client_id)
    );
    assert_eq!(block_on(store.changes(None, 100)).unwrap(), before);
    let record = block_on(store.load((&client_id).into())).unwrap().unwrap();
    assert_eq!((record.revision(), record.key_id()), (Revision::new(1), Some(&new)));
    // It was under the other key that it was expected.
    match block_on(store.commit(&store.last())) {
        Err(CommitError::Conflict { found, .. }) => assert_eq!(found, Some(Revision::new(1))),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_later_use_wins_and_none_is_noted_for_a_deleted_secret() {
    let world = World::new();
    let issued = world.register("calendar app");
    let (store, client_id) = (world.store(), issued.client_id().clone());
    let (early, late) = (world.now(), world.in_days(1));
    let used = |secret, at| Use { client_id: client_id.clone(), secret, at };
    let (first, missing) = (issued.secret_id(), SecretId::new(7).unwrap());
    block_on(store.note_uses(&[used(first, late), used(first, early), used(missing, late)])).unwrap();
    block_on(store.note_uses(&[used(first, early)])).unwrap();
    let uses = block_on(store.last_uses(&client_id)).unwrap();
    assert_eq!((uses.of(first), uses.of(missing)), (Some(late), None));
    // Other commits leave it alone.
    let _ = world.add_secret(&client_id);
    assert_eq!(block_on(store.last_uses(&client_id)).unwrap(), uses);

    world.delete(&client_id, first);
    assert_eq!(block_on(store.last_uses(&client_id)).unwrap(), LastUses::default());
    block_on(store.note_uses(&[used(first, late)])).unwrap();
    assert_eq!(block_on(store.last_uses(&client_id)).unwrap(), LastUses::default());
}

#[test]
fn clients_move_to_another_store_with_revisions_and_histories() {
    let world = World::new();
    let client_id = world.register("calendar app").client_id().clone();
    block_on(world.contoso.client(&client_id).associate(&add_in("calendar"))).unwrap();
    let record = block_on(world.store().load((&client_id).into())).unwrap().unwrap();
    let history = block_on(world.store().history(&client_id, Revision::ZERO, 100)).unwrap();
    let index = world.store().last().changes()[0].index().clone();
    let adopted = [Adopted::new(record, index.clone(), history.clone())];

    let scratch = Scratch::new();
    let to = DynStore::new(SqliteStore::open(scratch.file()).unwrap());
    block_on(to.adopt(&adopted)).unwrap();
    let found = block_on(to.load((&client_id).into())).unwrap().unwrap();
    assert_eq!(found.to_bytes().unwrap(), adopted[0].record().to_bytes().unwrap());
    assert_eq!(block_on(to.history(&client_id, Revision::ZERO, 100)).unwrap(), history);
    assert_eq!(block_on(to.client_of(add_in("calendar").id())).unwrap(), Some(client_id.clone()));
    assert_eq!(block_on(to.changes(None, 100)).unwrap().events.len(), 3);
    assert!(matches!(block_on(to.adopt(&adopted)), Err(CommitError::Conflict { .. })));

    // Somebody else of the same name: all or nothing.
    let [other, third] = ["another app", "a third one"].map(|name| {
        let id = world.register(name).client_id().clone();
        let record = block_on(world.store().load((&id).into())).unwrap().unwrap();
        let own = world.store().last().changes()[0].index().clone();
        let history = block_on(world.store().history(&id, Revision::ZERO, 100)).unwrap();
        (record, own, history)
    });
    let namesake = client_registry::store::Index { add_ins: index.add_ins.clone(), ..third.1 };
    let both = [Adopted::new(other.0, other.1, other.2), Adopted::new(third.0, namesake, third.2)];
    match block_on(to.adopt(&both)) {
        Err(CommitError::Taken { entry, by }) => {
            assert_eq!((entry, by), (Entry::AddIn(add_in("calendar").id().clone()), client_id));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(block_on(to.clients(ClientsBy::All, None, 10)).unwrap().len(), 1);
}

#[test]
fn a_record_of_a_registry_in_memory_is_not_kept() {
    let memory = Registry::builder().in_memory_behind(Tap::new);
    let contoso = memory.as_seller("contoso").unwrap();
    let registered = contoso.register(details("calendar app"), Availability::Worldwide, Lifetime::OneYear);
    let _ = block_on(registered).unwrap();
    let commit = memory.store().last();
    let world = World::new();
    match block_on(world.store().commit(&commit)) {
        Err(CommitError::NotWritten(error)) => assert_eq!(error.kind(), StoreErrorKind::NotSealed),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_dropped_future_leaves_a_whole_commit_or_none() {
    let world = World::new();
    let mut made = 0;
    for number in 0..50 {
        let name = format!("app {number}");
        let register = world.contoso.register(details(&name), Availability::Worldwide, Lifetime::OneYear);
        {
            // As far as the store has it, and not until it answers.
            let mut register = pin!(register);
            let _ = register.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        }
        // What was handed over before is done before this.
        block_on(world.store().note_uses(&[])).unwrap();
        made += usize::from(block_on(world.contoso.client_named(&name)).unwrap().is_some());
    }
    assert_eq!(made, 50, "once it is handed over it is made");
    assert_eq!(block_on(world.store().clients(ClientsBy::All, None, 100)).unwrap().len(), made);
    assert_eq!(block_on(world.store().changes(None, 1_000)).unwrap().events.len(), 2 * made);
    assert_eq!(block_on(world.store().ending(world.in_days(4_000), None, 1_000)).unwrap().len(), made);
}

#[test]
fn the_last_clone_closes_the_file() {
    let world = World::new();
    let _ = world.register("calendar app");
    let store = world.store().store.clone();
    let (scratch, _) = world.close();
    let names = || {
        let files = std::fs::read_dir(scratch.path()).unwrap();
        let mut names: Vec<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(names(), ["registry.db", "registry.db-shm", "registry.db-wal"]);
    drop(store);
    assert_eq!(names(), ["registry.db"], "the log is in the file");
}

#[test]
fn the_last_clone_may_go_with_a_task_that_the_writer_wakes() {
    struct DropsStore(std::sync::Mutex<Option<World>>, std::sync::mpsc::Sender<()>);
    impl std::task::Wake for DropsStore {
        fn wake(self: std::sync::Arc<Self>) {
            drop(self.0.lock().unwrap().take());
            self.1.send(()).unwrap();
        }
    }
    let world = World::new();
    let store = world.store().store.clone();
    let (sender, gone) = std::sync::mpsc::channel();
    let waker = Waker::from(std::sync::Arc::new(DropsStore(std::sync::Mutex::new(Some(world)), sender)));
    let mut note = Box::pin(async move { store.note_uses(&[]).await });
    if note.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
        gone.recv().unwrap();
    }
}

#[test]
fn a_registry_finds_its_own_keyring_needed() {
    let world = World::new();
    let _ = world.register("calendar app");
    let (scratch, _) = world.close();
    let other = Keyring::new(KeyId::parse("2026").unwrap(), &[&KEY[1..], b"!"].concat().try_into().unwrap());
    let opened = Registry::open(SqliteStore::open(scratch.file()).unwrap(), other.unwrap());
    assert!(matches!(block_on(opened), Err(client_registry::OpenError::WrongKey { .. })));
    block_on(Registry::open(SqliteStore::open(scratch.file()).unwrap(), keyring())).unwrap();
}
