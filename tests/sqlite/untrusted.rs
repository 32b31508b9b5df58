//! Somebody who can write to the file: what a node has refused it makes nothing of, and one damaged row is one client's
//! trouble.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use client_registry::clock::ManualClock;
use client_registry::registry::upkeep::{DiscrepancyKind, ExportError, Resealed, Resealing};
use client_registry::registry::{Page, Unreadable};
use client_registry::review::Notice;
use client_registry::store::{MAX_EVENTS, MemoryStore, SqliteStore, Store, StoreErrorKind};
use client_registry::value::{KeyId, Revision};
use client_registry::{
    AccessError, AddIn, Availability, ClientId, Error, Issued, Keyring, Lifetime, OpenError, Reason,
    Registry, Snapshot, Timestamp,
};
use pollster::block_on;

use crate::world::{KEY, Scratch, World, details, in_words, keyring};

const NEW_KEY: [u8; 32] = *b"another thirty-two bytes to seal";

fn id(text: &str) -> KeyId {
    KeyId::parse(text).unwrap()
}

/// A node that writes under the new key and knows the old one.
fn node(scratch: &Scratch) -> Registry<SqliteStore> {
    let keyring = Keyring::new(id("2027"), &NEW_KEY).unwrap().with(id("2026"), &KEY).unwrap();
    block_on(Registry::open(SqliteStore::open(scratch.file()).unwrap(), keyring)).unwrap()
}

/// Keeps the records as they are now, to be put back.
fn keep(engine: &rusqlite::Connection) {
    engine
        .execute_batch("ATTACH ':memory:' AS aside; CREATE TABLE aside.record AS SELECT * FROM record")
        .unwrap();
}

fn put_back(engine: &rusqlite::Connection, issued: &Issued) {
    let rows = engine.execute(
        "UPDATE main.record SET (revision, key_id, body, sealed) =
         (SELECT revision, key_id, body, sealed FROM aside.record WHERE id = ?1) WHERE id = ?1",
        [issued.client_id().as_str()],
    );
    assert_eq!(rows.unwrap(), 1);
}

fn run(resealing: &mut Resealing<SqliteStore>) -> Resealed {
    for _ in 0..100 {
        if block_on(resealing.step(10)).unwrap().is_none() {
            return resealing.so_far();
        }
    }
    panic!("it does not end: {resealing:?}");
}

fn reason(registry: &Registry<SqliteStore>, issued: &Issued) -> Result<(), Result<Reason, StoreErrorKind>> {
    let secret = issued.client_secret().expose();
    match block_on(registry.authenticate(issued.client_id().as_str(), secret)) {
        Ok(_) => Ok(()),
        Err(AccessError::Denied(denied)) => Err(Ok(denied.reason())),
        Err(AccessError::Unavailable(error)) => Err(Err(error.kind())),
        Err(other) => panic!("{other}"),
    }
}

/// Deletes a secret in an emergency through `node`, then puts the record back as it was.
fn compromised_and_put_back() -> (Scratch, Registry<SqliteStore>, Issued, Issued) {
    let world = World::new();
    let (stolen, other) = (world.register("calendar app"), world.register("mail app"));
    let (scratch, _) = world.close();
    let registry = node(&scratch);
    let engine = scratch.engine();
    keep(&engine);
    let client = registry.as_operator("ann").unwrap().client(stolen.client_id());
    drop(block_on(client.delete_in_emergency(stolen.secret_id(), None)).unwrap());
    put_back(&engine, &stolen);
    assert_eq!(reason(&registry, &stolen), Err(Err(StoreErrorKind::RolledBack)));
    (scratch, registry, stolen, other)
}

#[test]
fn what_a_node_refuses_as_older_than_what_it_saw_it_does_not_reseal() {
    let (scratch, registry, stolen, other) = compromised_and_put_back();
    let mut resealing = block_on(registry.reseal()).unwrap();
    let so_far = run(&mut resealing);
    let failed: Vec<_> = resealing.failed().map(|(id, error)| (id.clone(), error.kind())).collect();
    assert_eq!(failed, [(stolen.client_id().clone(), StoreErrorKind::RolledBack)]);
    assert_eq!((so_far.done, so_far.left, so_far.total), (1, 1, 2));
    // A node that has the new key alone cannot even open what would let the stolen secret in.
    drop((registry, resealing));
    let alone = Keyring::new(id("2027"), &NEW_KEY).unwrap();
    let opened = block_on(Registry::open(SqliteStore::open(scratch.file()).unwrap(), alone));
    assert!(matches!(opened, Err(OpenError::MissingKey { .. })), "{opened:?}");
    assert_eq!(reason(&node(&scratch), &other), Ok(()));
}

#[test]
fn a_record_that_cannot_be_read_keeps_no_other_from_being_resealed() {
    let world = World::new();
    let all: Vec<_> = (0..5).map(|number| world.register(&format!("app {number}"))).collect();
    let (scratch, _) = world.close();
    let bad = all[2].client_id();
    let sabotage = "UPDATE record SET body = CAST(x'ff' AS TEXT) WHERE id = ?1";
    scratch.engine().execute(sabotage, [bad.as_str()]).unwrap();
    let registry = node(&scratch);
    let mut resealing = block_on(registry.reseal()).unwrap();
    let so_far = run(&mut resealing);
    assert_eq!((so_far.done, so_far.left, so_far.total), (4, 1, 5));
    let failed: Vec<_> = resealing.failed().map(|(id, error)| (id.clone(), error.kind())).collect();
    assert_eq!(failed, [(bad.clone(), StoreErrorKind::Corrupt)]);
}

#[test]
fn what_a_node_refuses_as_older_than_what_it_saw_it_does_not_export() {
    let (_scratch, registry, stolen, _) = compromised_and_put_back();
    let error = block_on(registry.export(&mut Vec::new())).unwrap_err();
    match error {
        ExportError::Unreadable(unreadable) => {
            let [unreadable] = &unreadable[..] else { panic!("{unreadable:?}") };
            assert_eq!(unreadable.client_id(), stolen.client_id());
            assert_eq!(unreadable.kind(), StoreErrorKind::RolledBack);
        }
        other => panic!("{other}"),
    }
}

/// Ten clients of contoso and one of fabrikam; the record of one of the ten is damaged.
fn one_of_ten_is_damaged() -> (World, Vec<Issued>, ClientId) {
    let world = World::new();
    let all: Vec<_> = (0..10).map(|number| world.register(&format!("app {number}"))).collect();
    let fabrikam = world.registry.as_seller("fabrikam").unwrap();
    let year = Lifetime::OneYear;
    drop(block_on(fabrikam.register(details("app 3"), year)).unwrap());
    let bad = all[3].client_id().clone();
    let sabotage = "UPDATE record SET body = replace(body, 'contoso', 'fabrika') WHERE id = ?1";
    assert_eq!(world.scratch.engine().execute(sabotage, [bad.as_str()]).unwrap(), 1);
    (world, all, bad)
}

/// Walks through pages: what is on them, and what is named on them as unreadable.
fn walk<T, K>(
    mut page: impl FnMut(Option<&K>) -> (Vec<T>, Vec<Unreadable>, Option<K>),
) -> (Vec<T>, Vec<Unreadable>) {
    let (mut lines, mut unreadable, mut after) = (vec![], vec![], None);
    for _ in 0..100 {
        let (more, bad, next) = page(after.as_ref());
        lines.extend(more);
        unreadable.extend(bad);
        after = next;
        if after.is_none() {
            return (lines, unreadable);
        }
    }
    panic!("the pages do not end");
}

fn clients(
    page: Result<Page<Snapshot, ClientId>, Error>,
) -> (Vec<ClientId>, Vec<Unreadable>, Option<ClientId>) {
    let page = page.unwrap();
    let ids = page.items().iter().map(|found| found.client().id().clone()).collect();
    (ids, page.unreadable().to_vec(), page.next().cloned())
}

fn report<T, K: Clone>(page: Result<Page<T, K>, Error>) -> (Vec<T>, Vec<Unreadable>, Option<K>) {
    let page = page.unwrap();
    let (unreadable, next) = (page.unreadable().to_vec(), page.next().cloned());
    (page.into_items(), unreadable, next)
}

#[test]
fn a_page_carries_what_is_sound_names_what_is_not_and_says_where_to_go_on() {
    let (world, all, bad) = one_of_ten_is_damaged();
    let contoso = &world.contoso;
    let ann = world.registry.as_operator("ann").unwrap();
    let all_time = Timestamp::MIN..Timestamp::MAX;
    let notices = world.now()..world.in_days(800);
    let is_the_one = |unreadable: &[Unreadable], times: usize| {
        assert_eq!(unreadable.len(), times, "{unreadable:?}");
        for one in unreadable {
            assert_eq!((one.client_id(), one.kind()), (&bad, StoreErrorKind::Tampered));
            assert!(one.to_string().contains(bad.as_str()), "{one}");
        }
    };
    for limit in [1, 3, 100] {
        let (mut found, unreadable) = walk(|after| clients(block_on(contoso.clients(after, limit))));
        is_the_one(&unreadable, 1);
        found.push(bad.clone());
        found.sort();
        let mut expected: Vec<_> = all.iter().map(|issued| issued.client_id().clone()).collect();
        expected.sort();
        assert_eq!(found, expected);
        let (found, unreadable) = walk(|after| clients(block_on(ann.clients(after, limit))));
        is_the_one(&unreadable, 1);
        assert_eq!(found.len(), 10);

        let (lines, unreadable) =
            walk(|after| report(block_on(contoso.expiry_report(&all_time, after, limit))));
        is_the_one(&unreadable, 1);
        assert_eq!(lines.len(), 9);
        let (lines, unreadable) = walk(|after| report(block_on(ann.expiry_report(&all_time, after, limit))));
        is_the_one(&unreadable, 1);
        assert_eq!(lines.len(), 10);

        let (lines, unreadable) = walk(|after| report(block_on(contoso.due_notices(&notices, after, limit))));
        is_the_one(&unreadable, 1);
        assert_eq!(lines.len(), 9 * Notice::DAYS.len());
        let (lines, unreadable) = walk(|after| report(block_on(ann.due_notices(&notices, after, limit))));
        is_the_one(&unreadable, 1);
        assert_eq!(lines.len(), 10 * Notice::DAYS.len());
    }
    // So is it in JSON.
    let page = block_on(ann.expiry_report(&all_time, None, 100)).unwrap();
    let json = serde_json::to_value(&page).unwrap();
    assert_eq!(json["unreadable"][0]["client_id"], serde_json::json!(page.unreadable()[0].client_id()));
    assert_eq!(json["unreadable"][0]["code"], "tampered");
}

#[test]
fn another_seller_hears_nothing_of_a_damaged_client() {
    let (world, ..) = one_of_ten_is_damaged();
    let fabrikam = world.registry.as_seller("fabrikam").unwrap();
    let (found, unreadable) = walk(|after| clients(block_on(fabrikam.clients(after, 2))));
    assert_eq!((found.len(), unreadable), (1, vec![]));
    let all_time = Timestamp::MIN..Timestamp::MAX;
    let (lines, unreadable) = walk(|after| report(block_on(fabrikam.expiry_report(&all_time, after, 2))));
    assert_eq!((lines.len(), unreadable), (1, vec![]));
    assert!(block_on(fabrikam.client_named("app 3")).unwrap().is_some());
}

/// That a name is free must not be concluded from a record that cannot be read.
#[test]
fn a_name_that_leads_to_a_damaged_record_is_an_error_and_not_a_free_name() {
    let (world, ..) = one_of_ten_is_damaged();
    match block_on(world.contoso.client_named("app 3")) {
        Err(Error::Unavailable(error)) => assert_eq!(error.kind(), StoreErrorKind::Tampered),
        other => panic!("{other:?}"),
    }
    assert!(block_on(world.contoso.client_named("app 4")).unwrap().is_some());
}

#[test]
fn an_export_names_all_that_is_damaged_and_can_go_on_without() {
    let (world, all, bad) = one_of_ten_is_damaged();
    let other = all[7].client_id();
    let sabotage = "UPDATE record SET sealed = x'00' WHERE id = ?1";
    world.scratch.engine().execute(sabotage, [other.as_str()]).unwrap();
    let mut stream = Vec::new();
    let error = block_on(world.registry.export(&mut stream)).unwrap_err();
    let ExportError::Unreadable(unreadable) = &error else { panic!("{error}") };
    let mut named: Vec<_> = unreadable.iter().map(Unreadable::client_id).collect();
    named.sort();
    let mut expected = [&bad, other];
    expected.sort();
    assert_eq!(named, expected);
    assert!(expected.iter().all(|id| error.to_string().contains(id.as_str())), "{error}");
    // What was written so far is no export.
    let import =
        |stream: &[u8]| block_on(Registry::builder().import(MemoryStore::new(), keyring(), &mut &*stream));
    import(&stream).unwrap_err();

    let one: Vec<_> = vec![bad.clone()];
    let error = block_on(world.registry.export_without(&one, &mut Vec::new())).unwrap_err();
    assert!(matches!(&error, ExportError::Unreadable(left) if left.len() == 1), "{error}");
    let mut stream = Vec::new();
    let both = [bad, other.clone()];
    let exported = block_on(world.registry.export_without(&both, &mut stream)).unwrap();
    assert_eq!((exported.clients, exported.left_out), (9, 2));
    let (moved, imported) = import(&stream).unwrap();
    assert_eq!(imported.clients, 9);
    let (found, unreadable) =
        walk(|after| clients(block_on(moved.as_operator("ann").unwrap().clients(after, 100))));
    assert_eq!((found.len(), unreadable), (9, vec![]));
}

#[test]
fn a_check_goes_on_after_what_cannot_be_read() {
    let (world, all, bad) = one_of_ten_is_damaged();
    let engine = world.scratch.engine();
    for issued in [&all[1], &all[2]] {
        let add_in = AddIn::new(issued.client_id().as_str(), Availability::Worldwide).unwrap();
        block_on(world.contoso.client(issued.client_id()).associate(&add_in)).unwrap();
    }
    // One add-in leads to what is no client ID; another client has lost its events.
    let (add_in, last) = (all[1].client_id(), all[8].client_id());
    engine.execute("UPDATE add_in SET client_id = '?' WHERE add_in = ?1", [add_in.as_str()]).unwrap();
    engine.execute("DELETE FROM event WHERE client_id = ?1", [last.as_str()]).unwrap();
    let checked = block_on(world.registry.check()).unwrap();
    let names = |id: &ClientId, is: fn(&DiscrepancyKind) -> bool| {
        checked.discrepancies.iter().any(|fault| fault.client_id() == Some(id) && is(fault.what()))
    };
    assert!(!checked.is_clean());
    assert!(names(&bad, |what| matches!(what, DiscrepancyKind::Record(_))), "{:?}", checked.discrepancies);
    assert!(
        names(add_in, |what| matches!(what, DiscrepancyKind::Unreadable(_))),
        "{:?}",
        checked.discrepancies
    );
    assert!(
        names(last, |what| matches!(what, DiscrepancyKind::TrailCutShort)),
        "{:?}",
        checked.discrepancies
    );
    assert_eq!(checked.clients, 11);
    let others = checked.discrepancies.iter().filter(|fault| fault.client_id() != Some(&bad)).count();
    assert_eq!(others, 3, "an add-in, a trail and its feed: {:?}", checked.discrepancies);
}

/// A node on a file, under a clock of its own, that follows the feed.
struct Follower {
    registry: Registry<SqliteStore>,
    clock: ManualClock,
}

impl Follower {
    fn on(world: &World) -> Self {
        let clock = ManualClock::new(world.now().to_datetime());
        let store = SqliteStore::open(world.scratch.file()).unwrap();
        let registry = block_on(Registry::builder().clock(clock.clone()).open(store, keyring())).unwrap();
        Self { registry, clock }
    }

    fn follow(&self) -> Pin<Box<dyn Future<Output = std::convert::Infallible> + '_>> {
        let wait = |_| {
            let mut waited = false;
            std::future::poll_fn(move |_| match std::mem::replace(&mut waited, true) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            })
        };
        Box::pin(self.registry.keep_fresh(wait))
    }
}

/// How a feed is forged: with one more row, as a copy of the first one, or with one that is moved.
const FORGERIES: [&str; 4] = [
    "INSERT INTO event SELECT 9223372036854775807, client_id, revision, commit_id, event FROM event WHERE position = 1",
    "INSERT INTO event SELECT 4611686018427387905, client_id, revision, commit_id, event FROM event WHERE position = 1",
    "UPDATE event SET position = 9223372036854775807 WHERE position = (SELECT max(position) FROM event)",
    "INSERT INTO event SELECT 0, client_id, revision, commit_id, event FROM event WHERE position = 1",
];

#[test]
fn one_forged_row_of_the_feed_blinds_nobody() {
    for (number, forgery) in FORGERIES.iter().enumerate() {
        // Before the follower begins, and while it follows.
        for late in [false, true] {
            let world = World::new();
            let (stolen, other) = (world.register("calendar app"), world.register("mail app"));
            let there = Follower::on(&world);
            let engine = world.scratch.engine();
            let mut following = there.follow();
            let mut poll =
                || assert!(following.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            if late {
                poll();
            }
            assert_eq!(engine.execute(forgery, []).unwrap(), 1);
            poll();
            poll();
            assert_eq!(reason(&there.registry, &stolen), Ok(()));
            world.delete(stolen.client_id(), stolen.secret_id());
            let mut seconds = 0;
            while reason(&there.registry, &stolen) == Ok(()) {
                assert!(seconds < 5, "let in after its freshness: {forgery}, {late}");
                there.clock.advance(Duration::from_secs(1));
                poll();
                seconds += 1;
            }
            assert_eq!(reason(&there.registry, &stolen), Err(Ok(Reason::Compromised)));
            // What is written meanwhile is in order, and a check says what is wrong.
            let _ = world.add_secret(other.client_id());
            let trail = block_on(world.contoso.client(other.client_id()).trail(Revision::ZERO, 100)).unwrap();
            assert!(trail.windows(2).all(|pair| pair[1].previous() == pair[0].hash()), "{trail:#?}");
            assert!(!block_on(world.registry.check()).unwrap().is_clean(), "{forgery}");
            if number == 2 {
                continue;
            }
            // Once the row is gone, everything is as it was.
            let forged = "DELETE FROM event WHERE position NOT BETWEEN 1 AND 4611686018427387904";
            assert_eq!(engine.execute(forged, []).unwrap(), 1);
            let checked = block_on(world.registry.check()).unwrap();
            assert!(checked.is_clean(), "{:?}", checked.discrepancies);
            poll();
            poll();
            assert_eq!(reason(&there.registry, &other), Ok(()));
            world.delete(other.client_id(), other.secret_id());
            poll();
            assert_eq!(reason(&there.registry, &other), Err(Ok(Reason::Compromised)), "it follows again");
        }
    }
}

#[test]
fn a_place_that_cannot_be_is_lost_and_the_error_says_which_row_to_look_at() {
    let world = World::new();
    let _ = world.register("calendar app");
    let store = world.store();
    let before = block_on(store.latest()).unwrap();
    world.scratch.engine().execute(FORGERIES[0], []).unwrap();
    for lost in [
        block_on(store.latest()).map(drop),
        block_on(store.changes(None, 100)).map(drop),
        block_on(store.changes(Some(&before), 100)).map(drop),
    ] {
        let error = lost.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::CursorLost);
        assert!(in_words(&error).contains("event.position 9223372036854775807"), "{}", in_words(&error));
    }
}

/// A last use that is no instant is one client's trouble: lists name it and go on, and so does the check.
#[test]
fn a_last_use_that_cannot_be_read_stops_no_list() {
    let world = World::new();
    let (forged, sound) = (world.register("calendar app"), world.register("mail app"));
    let sql = "UPDATE secret SET last_used = 9223372036854775807 WHERE client_id = ?1";
    world.scratch.engine().execute(sql, [forged.client_id().as_str()]).unwrap();
    let ann = world.registry.as_operator("ann").unwrap();
    let pages =
        [block_on(ann.clients(None, 10)).unwrap(), block_on(world.contoso.clients(None, 10)).unwrap()];
    for page in pages {
        let ids: Vec<_> = page.items().iter().map(|found| found.client().id()).collect();
        assert_eq!(ids, [sound.client_id()]);
        assert_eq!(page.unreadable().len(), 1);
        assert_eq!(page.unreadable()[0].client_id(), forged.client_id());
    }
    let report = block_on(ann.expiry_report(&(world.now()..world.in_days(1000)), None, 10)).unwrap();
    assert_eq!((report.items().len(), report.unreadable().len()), (1, 1));
    let checked = block_on(world.registry.check()).unwrap();
    let told: Vec<_> = checked.discrepancies.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(checked.discrepancies[0].client_id(), Some(forged.client_id()));
    assert!(matches!(checked.discrepancies[0].what(), DiscrepancyKind::LastUses(_)), "{told:?}");
    // Nor is there a last use of a secret that the client does not have, or of one before it was added.
    let forge = |secret: u32, at: i64| {
        let sql = "INSERT OR REPLACE INTO secret (client_id, secret, last_used) VALUES (?1, ?2, ?3)";
        world.scratch.engine().execute(sql, (sound.client_id().as_str(), secret, at)).unwrap();
    };
    forge(7, world.now().as_millis());
    let checked = block_on(world.registry.check()).unwrap();
    let of_sound =
        checked.discrepancies.iter().find(|fault| fault.client_id() == Some(sound.client_id())).unwrap();
    assert!(of_sound.to_string().contains("last use of secret 7"), "{of_sound}");
    let sql = "DELETE FROM secret WHERE secret = 7";
    world.scratch.engine().execute(sql, []).unwrap();
    // The secret itself works, and a use replaces what was forged.
    let (id, secret) = (forged.client_id().as_str(), forged.client_secret().expose());
    block_on(world.registry.authenticate(id, secret)).unwrap();
    block_on(world.registry.flush_last_uses()).unwrap();
    let checked = block_on(world.registry.check()).unwrap();
    assert!(checked.is_clean(), "{:?}", checked.discrepancies);
}

#[test]
fn a_commit_with_more_events_than_it_can_have_is_refused_before_they_are_read() {
    let world = World::new();
    let issued = world.register("calendar app");
    let forged = "WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
        INSERT INTO event SELECT i, client_id, revision, commit_id, event FROM event, n WHERE position = 1";
    let engine = world.scratch.engine();
    let client = world.contoso.client(issued.client_id());
    let trail = || block_on(client.trail(Revision::ZERO, 1));
    let own = trail().unwrap().len();
    // As many as there can be are read, and are not the client's.
    let room = i64::try_from(MAX_EVENTS - own).unwrap();
    assert_eq!(engine.execute(forged, [99 + room]).unwrap(), MAX_EVENTS - own);
    assert_eq!(trail().unwrap().len(), MAX_EVENTS);
    engine.execute("DELETE FROM event WHERE position >= 100", []).unwrap();
    engine.execute(forged, [100_000]).unwrap();
    match trail() {
        Err(Error::Unavailable(error)) => {
            assert_eq!(error.kind(), StoreErrorKind::Corrupt);
            assert!(in_words(&error).contains("event.revision"), "{}", in_words(&error));
            assert!(in_words(&error).contains("more events than a commit can have"), "{}", in_words(&error));
        }
        other => panic!("{:?}", other.map(|events| events.len())),
    }
    assert!(!block_on(world.registry.check()).unwrap().is_clean());
}
