//! Forged rows of the feed, of last uses and of trails.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use client_registry::clock::ManualClock;
use client_registry::registry::upkeep::DiscrepancyKind;
use client_registry::store::{MAX_EVENTS, SqliteStore, Store, StoreErrorKind};
use client_registry::value::Revision;
use client_registry::{Error, Reason, Registry};
use pollster::block_on;

use super::reason;
use crate::world::{World, in_words, keyring};

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
