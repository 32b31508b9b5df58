//! Changes that wait for the file: for how long, in which order, and what becomes of those that nobody waits for.

use std::future::Future as _;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use client_registry::clock::{Clock as _, SystemClock};
use client_registry::event::Fact;
use client_registry::store::{SqliteStore, Store, StoreErrorKind};
use client_registry::{Error, Event, Lifetime, NewSecret};
use pollster::block_on;

use crate::world::{Scratch, World, details, in_words};

const PATIENCE: Duration = Duration::from_millis(400);

fn world() -> World {
    let scratch = Scratch::new();
    let store = SqliteStore::options().busy_timeout(PATIENCE).open(scratch.file()).unwrap();
    World::of(scratch, store)
}

/// Another process is writing, and goes on with it.
fn locked(world: &World) -> rusqlite::Connection {
    let other = world.scratch.engine();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    other
}

#[test]
fn an_emergency_does_not_wait_for_changes_that_nobody_waits_for() {
    let world = world();
    let issued = world.register("calendar app");
    let other = locked(&world);
    let names: Vec<String> = (0..10).map(|number| format!("app {number}")).collect();
    for name in &names {
        // Handed over, and dropped.
        let register = world.contoso.register(details(name), Lifetime::OneYear);
        assert!(pin!(register).poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    let clock = SystemClock::new();
    let client = world.contoso.client(issued.client_id());
    let refused = block_on(client.delete_in_emergency(issued.secret_id(), None)).unwrap_err();
    let waited = clock.monotonic();
    assert!(
        matches!(&refused, Error::Unavailable(error) if error.kind() == StoreErrorKind::Unavailable),
        "{refused:?}"
    );
    // The first of them may have been begun; with the others it would be eleven times as long.
    assert!(waited < PATIENCE * 3, "{waited:?}");
    other.execute_batch("ROLLBACK").unwrap();
    let _ = block_on(client.delete_in_emergency(issued.secret_id(), None)).unwrap();
    let clients = block_on(world.contoso.clients(None, 100)).unwrap();
    assert_eq!(clients.items().len(), 1, "what was not begun is not made");
}

#[test]
fn each_change_waits_for_its_own_time_and_not_for_that_of_others() {
    let world = world();
    let other = locked(&world);
    let clock = SystemClock::new();
    thread::scope(|scope| {
        for number in 0..8 {
            let contoso = &world.contoso;
            scope.spawn(move || {
                let name = format!("app {number}");
                let register = contoso.register(details(&name), Lifetime::OneYear);
                match block_on(register).unwrap_err() {
                    Error::Unavailable(error) => {
                        assert!(in_words(&error).contains("try again"), "{}", in_words(&error))
                    }
                    other => panic!("{other:?}"),
                }
            });
        }
    });
    let waited = clock.monotonic();
    assert!(waited >= PATIENCE && waited < PATIENCE * 4, "{waited:?}");
    other.execute_batch("ROLLBACK").unwrap();
    let _ = world.register("app 0");
}

#[test]
fn emergencies_are_made_before_what_waits() {
    let scratch = Scratch::new();
    let store = SqliteStore::options().busy_timeout(Duration::from_secs(60)).open(scratch.file()).unwrap();
    let world = World::of(scratch, store);
    let urgent = world.register("urgent");
    let others: Vec<_> = (0..80).map(|other| world.register(&format!("app {other}"))).collect();
    let before = block_on(world.store().latest()).unwrap();
    let other = locked(&world);
    let (handed_over, was) = mpsc::channel();
    thread::scope(|scope| {
        for issued in &others {
            let (client, handed_over) = (world.contoso.client(issued.client_id()), handed_over.clone());
            scope.spawn(move || {
                let mut add = pin!(client.add_secret(NewSecret::lasting(Lifetime::OneYear)));
                assert!(add.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
                handed_over.send(()).unwrap();
                drop(block_on(add).unwrap());
            });
            was.recv().unwrap();
        }
        let client = world.contoso.client(urgent.client_id());
        let mut delete = pin!(client.delete_in_emergency(urgent.secret_id(), None));
        assert!(delete.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        other.execute_batch("ROLLBACK").unwrap();
        drop(block_on(delete).unwrap());
    });
    let events = block_on(world.store().changes(Some(&before), 200)).unwrap().events;
    let events: Vec<_> = events.iter().map(|text| Event::parse(text).unwrap()).collect();
    let position =
        events.iter().position(|event| matches!(event.fact(), Fact::SecretDeleted { .. })).unwrap();
    // The first transaction may have been begun, which has at most 64 of the others.
    assert!(position <= 64, "{position}");
}

#[test]
fn an_emergency_is_made_while_others_promote_the_same_client() {
    let world = World::new();
    for trial in 0..20 {
        let issued = world.register(&format!("app {trial}"));
        let others = [(); 2].map(|()| world.add_secret(issued.client_id()).secret_id());
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            for secret in others {
                let (client, is_over) = (world.contoso.client(issued.client_id()), &is_over);
                scope.spawn(move || {
                    while !is_over.load(Ordering::Relaxed) {
                        // The two are in each other's way, too.
                        let _ = block_on(client.promote(secret));
                    }
                });
            }
            let client = world.contoso.client(issued.client_id());
            let deleted = block_on(client.delete_in_emergency(issued.secret_id(), None));
            is_over.store(true, Ordering::Relaxed);
            drop(deleted.unwrap());
        });
    }
}
