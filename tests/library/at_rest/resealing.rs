//! Every record comes under the primary key: while traffic goes on, while a node still writes under the old key, and
//! after a kill at any point.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use client_registry::clock::Clock;
use client_registry::registry::Resolution;
use client_registry::registry::upkeep::{Resealed, Resealing, RetireError};
use client_registry::store::{MemoryStore, Record, RecordId, Store, StoreErrorKind};
use client_registry::value::{KeyId, Revision};
use client_registry::*;
use pollster::block_on;

use crate::at_rest::dying::Dying;
use crate::at_rest::hostile::Hostile;
use crate::at_rest::odd::Odd;
use crate::at_rest::world::{
    Contents, builder, fill_to_the_end, fill_up, filled, key, keyring, open, portrait,
};
use crate::support;

async fn run<S: Store>(resealing: &mut Resealing<S>, limit: usize) -> Result<Vec<Resealed>, Error> {
    let mut steps = Vec::new();
    while let Some(so_far) = resealing.step(limit).await? {
        steps.push(so_far);
    }
    Ok(steps)
}

async fn bodies(store: &MemoryStore, contents: &Contents) -> Vec<(Revision, String)> {
    let mut bodies = Vec::new();
    for id in &contents.clients {
        let record = store.load(id.into()).await.unwrap().unwrap();
        bodies.push((record.revision(), record.parts().unwrap().body.to_owned()));
    }
    bodies
}

async fn are_under(store: &MemoryStore, contents: &Contents, key_id: &str) -> bool {
    let mut all = true;
    for id in &contents.clients {
        let record = store.load(id.into()).await.unwrap().unwrap();
        all &= record.key_id().is_some_and(|found| found.as_str() == key_id);
    }
    all
}

#[test]
fn every_record_keeps_everything_but_its_key() {
    block_on(async {
        let (store, registry, clock, contents) = filled().await;
        let before = (portrait(&registry, &contents).await, bodies(&store, &contents).await);
        let feed = store.changes(None, 1000).await.unwrap().events;
        let (both, later) = open(store.clone(), &["2027", "2026"], 2).await;
        later.set_wall(Clock::wall(&clock).to_datetime());
        let mut resealing = both.reseal().await.unwrap();
        assert_eq!(resealing.so_far().total, 4);
        let steps = run(&mut resealing, 1).await.unwrap();
        assert_eq!(
            steps.iter().map(|step| (step.done, step.total)).collect::<Vec<_>>(),
            [(1, 4), (2, 4), (3, 4), (4, 4)]
        );
        assert_eq!(resealing.failed().count(), 0);

        assert!(are_under(&store, &contents, "2027").await);
        assert_eq!((portrait(&both, &contents).await, bodies(&store, &contents).await), before);
        assert_eq!(store.changes(None, 1000).await.unwrap().events, feed);
        // A query proves the end, and the old key can go.
        let old = key("2026").0;
        assert!(both.clients_under(&old, None, 1).await.unwrap().is_empty());
        assert_eq!(both.clients_under(&key("2027").0, None, 10).await.unwrap().len(), 4);
        assert_eq!(both.retire_key(&old).await.unwrap(), Outcome::Changed);
        assert_eq!(both.retire_key(&old).await.unwrap(), Outcome::Unchanged);
        let (new_alone, later) = open(store, &["2027"], 3).await;
        later.set_wall(Clock::wall(&clock).to_datetime());
        assert_eq!(portrait(&new_alone, &contents).await, before.0);
        assert!(new_alone.check().await.unwrap().is_clean());
        // Nothing is left to do.
        assert_eq!(run(&mut both.reseal().await.unwrap(), 10).await.unwrap(), []);
    });
}

#[test]
fn a_node_that_still_writes_under_the_old_key_stops_within_one_refresh() {
    block_on(async {
        let (store, old_node, old_clock, contents) = filled().await;
        let (new_node, _) = open(store.clone(), &["2027", "2026"], 2).await;
        // A node that still has the old key as its primary one, and knows the new one.
        let (slow_node, slow_clock) = open(store.clone(), &["2026", "2027"], 3).await;
        slow_clock.set_wall(Clock::wall(&old_clock).to_datetime());
        drop(old_node);
        let client = slow_node.as_operator("ann").unwrap().client(&contents.clients[0]);
        let associate = async |add_in: &str| {
            client.associate(&AddIn::new(add_in, Availability::Worldwide).unwrap()).await
        };

        let mut resealing = new_node.reseal().await.unwrap();
        resealing.step(1).await.unwrap();
        associate("one").await.unwrap();
        // It is done only when what was written in between is resealed as well.
        run(&mut resealing, 1).await.unwrap();
        assert!(are_under(&store, &contents, "2027").await);

        associate("two").await.unwrap();
        new_node.retire_key(&key("2026").0).await.unwrap();
        // Until it asks again, it does not know.
        associate("three").await.unwrap();
        assert_eq!(new_node.clients_under(&key("2026").0, None, 10).await.unwrap().len(), 1);
        slow_clock.advance(Duration::from_secs(5));
        match associate("four").await {
            Err(Error::KeyRetired { key_id }) => assert_eq!(key_id.as_str(), "2026"),
            other => panic!("{other:?}"),
        }
        // What it reads it goes on reading.
        client.snapshot().await.unwrap();
        run(&mut new_node.reseal().await.unwrap(), 10).await.unwrap();
        assert!(new_node.clients_under(&key("2026").0, None, 10).await.unwrap().is_empty());
    });
}

#[test]
fn killed_at_every_step_it_goes_on_to_the_same_end() {
    block_on(async {
        let mut kills = 0;
        for done_first in [false, true] {
            for steps in 1.. {
                let (memory, _, _, contents) = filled().await;
                let before = bodies(&memory, &contents).await;
                let (builder, _) = builder(2);
                let dying = Dying::after(memory.clone(), steps, done_first);
                let whole = async {
                    let registry = builder.open(dying, keyring(&["2027", "2026"])).await.ok()?;
                    let mut resealing = registry.reseal().await.ok()?;
                    run(&mut resealing, 1).await.ok()?;
                    registry.retire_key(&key("2026").0).await.ok()
                };
                let survived = whole.await.is_some();
                // Somebody else goes on.
                let (registry, _) = open(memory.clone(), &["2027", "2026"], 3).await;
                run(&mut registry.reseal().await.unwrap(), 3).await.unwrap();
                registry.retire_key(&key("2026").0).await.unwrap();
                assert!(are_under(&memory, &contents, "2027").await);
                assert_eq!(bodies(&memory, &contents).await, before);
                assert!(registry.check().await.unwrap().is_clean());
                if survived {
                    break;
                }
                kills += 1;
            }
        }
        assert!(kills > 30, "{kills}");
    });
}

#[test]
fn a_record_that_cannot_be_opened_is_named_and_keeps_nobody_waiting() {
    block_on(async {
        let (memory, _, _, contents) = filled().await;
        let store = Hostile::over(memory.clone());
        let bad = &contents.clients[1];
        let record = memory.load(bad.into()).await.unwrap().unwrap();
        let mut bytes = record.to_bytes().unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        store.put(bad.as_str(), Some(Record::from_bytes(&bytes).unwrap()));
        let (registry, _) = open(store, &["2027", "2026"], 2).await;
        let mut resealing = registry.reseal().await.unwrap();
        let last = run(&mut resealing, 2).await.unwrap().pop().unwrap();
        assert_eq!((last.done, last.total), (3, 4));
        let failed: Vec<_> = resealing.failed().map(|(id, error)| (id.clone(), error.kind())).collect();
        assert_eq!(failed, [(bad.clone(), StoreErrorKind::Tampered)]);
        assert_eq!(
            registry.clients_under(&key("2026").0, None, 10).await.unwrap(),
            std::slice::from_ref(bad)
        );
    });
}

#[test]
fn a_key_that_is_not_known_or_is_the_primary_one_is_not_retired() {
    block_on(async {
        let (_, registry, ..) = filled().await;
        let primary = registry.retire_key(&key("2026").0).await.unwrap_err();
        assert!(matches!(primary, RetireError::Primary { .. }), "{primary}");
        let unknown = registry.retire_key(&key("2031").0).await.unwrap_err();
        assert!(matches!(unknown, RetireError::UnknownKey { .. }), "{unknown}");
        assert!(Registry::in_memory().keys().await.unwrap().is_empty());
        assert!(Registry::in_memory().reseal().await.unwrap().step(1).await.unwrap().is_none());
    });
}

#[test]
fn a_record_that_is_too_large_under_a_longer_key_id_is_named_and_keeps_nobody_waiting() {
    block_on(async {
        let bytes: [u8; 32] = std::array::from_fn(|at| at as u8);
        let other: [u8; 32] = std::array::from_fn(|at| at as u8 ^ 9);
        let short = KeyId::parse("a").unwrap();
        let long = KeyId::parse("a-key-id-of-thirty-two-character").unwrap();
        let store = MemoryStore::new();
        let (one, _) = builder(1);
        let registry = one.open(store.clone(), Keyring::new(short.clone(), &bytes).unwrap()).await.unwrap();
        let contoso = registry.as_seller("contoso").unwrap();
        let issued = contoso.register(support::details("large"), Lifetime::OneYear).await.unwrap();
        let small = contoso.register(support::details("small"), Lifetime::OneYear).await.unwrap();
        let client = contoso.client(issued.client_id());
        fill_up(&client).await;
        fill_to_the_end(&store, &client, issued.secret_id()).await;
        let keyring = Keyring::new(long, &other).unwrap().with(short, &bytes).unwrap();
        let (two, _) = builder(2);
        let registry = two.open(store, keyring).await.unwrap();
        let mut resealing = registry.reseal().await.unwrap();
        for round in 0..50 {
            match resealing.step(1).await {
                Ok(None) => {
                    assert_eq!(resealing.failed().count(), 1);
                    return;
                }
                Ok(Some(_)) => {}
                Err(error) if round < 49 => println!("{round}: {error}"),
                Err(error) => {
                    panic!("for ever: {error}; failed: {:?}; small: {}", resealing, small.client_id())
                }
            }
        }
        panic!("it does not end");
    });
}

#[test]
fn a_false_hint_does_not_make_it_endless() {
    block_on(async {
        let (memory, _, _, contents) = filled().await;
        let odd = Odd::over(memory.clone());
        let (registry, _) = open(odd.clone(), &["2027", "2026", "2025"], 2).await;
        // The index says that a record is under 2025; it is under 2026.
        *odd.state.by_key.lock().unwrap() = vec![(key("2025").0, contents.clients[0].clone())];
        let mut resealing = registry.reseal().await.unwrap();
        for _ in 0..1000 {
            if resealing.step(10).await.unwrap().is_none() {
                return;
            }
        }
        panic!("1,000 steps for one record: {:?}", resealing);
    });
}

#[test]
fn what_was_in_doubt_is_not_written_under_a_retired_key() {
    block_on(async {
        let (memory, old_node, old_clock, contents) = filled().await;
        drop(old_node);
        let (new_node, new_clock) = open(memory.clone(), &["2027", "2026"], 2).await;
        let odd = Odd::over(memory.clone());
        let (slow, slow_clock) = open(odd.clone(), &["2026", "2027"], 3).await;
        slow_clock.set_wall(Clock::wall(&old_clock).to_datetime());
        new_clock.set_wall(Clock::wall(&old_clock).to_datetime());
        let calendar = &contents.clients[0];
        odd.state.doubtful.store(true, SeqCst);
        let client = slow.as_operator("ann").unwrap().client(calendar);
        let Err(Error::Unresolved(unresolved)) =
            client.associate(&AddIn::new("x", Availability::Worldwide).unwrap()).await
        else {
            panic!()
        };
        // As the documentation says: reseal, retire, wait for a refresh, reseal once more, ask.
        let old = key("2026").0;
        for _ in 0..2 {
            let mut resealing = new_node.reseal().await.unwrap();
            while resealing.step(100).await.unwrap().is_some() {}
            new_node.retire_key(&old).await.unwrap();
            slow_clock.advance(Duration::from_secs(3600));
        }
        assert!(new_node.clients_under(&old, None, 10).await.unwrap().is_empty());
        odd.state.doubtful.store(false, SeqCst);
        // The commit expects a revision, not a key, so it finds what it expects.
        let unresolved = slow.resolve(*unresolved).await.unwrap_err();
        assert_eq!(unresolved.cause().kind(), StoreErrorKind::Unavailable);
        assert!(
            new_node.clients_under(&old, None, 10).await.unwrap().is_empty(),
            "written under a key that was retired an hour ago"
        );
        // A node of the new key settles it, under that one.
        let resolution = new_node.resolve(unresolved).await.unwrap();
        assert!(matches!(resolution, Resolution::Made(None)), "{resolution:?}");
        assert!(new_node.clients_under(&old, None, 10).await.unwrap().is_empty());
        let (alone, _) = open(memory, &["2027"], 4).await;
        let snapshot = alone.as_operator("ann").unwrap().client(calendar).snapshot().await.unwrap();
        assert!(snapshot.client().add_ins().iter().any(|add_in| add_in.as_str() == "x"));
        assert!(alone.check().await.unwrap().is_clean());
    });
}

#[test]
fn a_node_whose_key_was_retired_does_not_write_the_registrys_record_under_it() {
    block_on(async {
        let store = MemoryStore::new();
        let (stale, _) = open(store.clone(), &["2026", "2027", "2025"], 1).await;
        let (new, _) = open(store.clone(), &["2027", "2026", "2025"], 2).await;
        new.retire_key(&key("2026").0).await.unwrap();
        assert_eq!(store.load(RecordId::REGISTRY).await.unwrap().unwrap().key_id(), Some(&key("2027").0));
        stale.retire_key(&key("2025").0).await.unwrap_err();
        // Nothing is under 2026 or 2025, both are retired: the keyring needs neither.
        assert_eq!(store.load(RecordId::REGISTRY).await.unwrap().unwrap().key_id(), Some(&key("2027").0));
    });
}
