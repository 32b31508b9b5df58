//! The change feed while others write: nothing is missed, nothing comes twice, each client's events come in their order.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use client_registry::event::{EventHash, check_trail};
use client_registry::store::{Cursor, PostgresStore, Store};
use client_registry::value::Revision;
use client_registry::{Event, Lifetime, NewSecret, Registry};
use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod};
use tokio::task::JoinSet;

use crate::support::server::{Schema, client, run};
use crate::world::{eventually, keyring, register};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_writers_and_one_reader_miss_nothing() {
    write_and_follow(1, 3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_writers_and_three_readers_miss_nothing() {
    write_and_follow(3, 100).await;
}

async fn write_and_follow(readers: usize, limit: usize) {
    let schema = Schema::shared();
    let registry = Registry::open(schema.store().await, keyring()).await.unwrap();
    let is_over = Arc::new(AtomicBool::new(false));
    let mut following = JoinSet::new();
    for _ in 0..readers {
        following.spawn(follow(schema.store().await, limit, Arc::clone(&is_over)));
    }
    let mut writing = JoinSet::new();
    for writer in 0..8 {
        let seller = registry.as_seller(format!("seller-{writer}")).unwrap();
        writing.spawn(async move {
            for number in 0..25 {
                let issued = register(&seller, &format!("app {number}")).await;
                let client = seller.client(issued.client_id());
                let _ = client.add_secret(NewSecret::lasting(Lifetime::OneYear)).await.unwrap();
                client.promote(issued.secret_id()).await.unwrap();
            }
        });
    }
    while let Some(written) = writing.join_next().await {
        written.unwrap();
    }
    is_over.store(true, Ordering::SeqCst);
    while let Some(seen) = following.join_next().await {
        check(&seen.unwrap(), 8 * 25, 8 * 25 * 4);
    }
}

/// Whole trails, in their order, each event once.
fn check(seen: &[Event], clients: usize, events: usize) {
    assert_eq!(seen.len(), events);
    let mut trails: HashMap<_, Vec<_>> = HashMap::new();
    for event in seen {
        trails.entry(event.client_id().clone()).or_default().push(event.clone());
    }
    assert_eq!(trails.len(), clients);
    for trail in trails.values() {
        check_trail(trail, EventHash::START, trail.last().unwrap().hash()).unwrap();
    }
}

async fn follow(store: PostgresStore, limit: usize, is_over: Arc<AtomicBool>) -> Vec<Event> {
    let (mut seen, mut cursor) = (Vec::new(), None::<Cursor>);
    loop {
        let was_over = is_over.load(Ordering::SeqCst);
        let changes = store.changes(cursor.as_ref(), limit).await.unwrap();
        let is_drained = changes.events.len() < limit;
        seen.extend(changes.events.iter().map(|text| Event::parse(text).unwrap()));
        cursor = Some(changes.cursor);
        if is_drained && was_over {
            return seen;
        }
    }
}

/// A writer that is slow to commit holds nobody up, and is not skipped; nor does a transaction in another database, which
/// has been open since before, hide anything.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_writer_is_not_skipped_and_a_long_transaction_elsewhere_hides_nothing() {
    let schema = Schema::shared();
    let elsewhere = format!("elsewhere_{}", std::process::id());
    run(&schema.url, &format!("CREATE DATABASE {elsewhere}")).await;
    let (before, _) = schema.url.rsplit_once('/').unwrap();
    let long = client(&format!("{before}/{elsewhere}")).await.unwrap();
    long.batch_execute("BEGIN; CREATE TABLE t (n integer); INSERT INTO t VALUES (1)").await.unwrap();

    let registry = Registry::open(schema.store().await, keyring()).await.unwrap();
    let contoso = registry.as_seller("contoso").unwrap();
    let slow = register(&contoso, "slow").await;
    let store = registry.store();
    let start = store.changes(None, 100).await.unwrap();
    assert_eq!(start.events.len(), 2);

    // What a commit writes, and no COMMIT yet.
    let writer = client(&schema.url).await.unwrap();
    let name = &schema.name;
    let id = slow.client_id();
    writer
        .batch_execute(&format!(
            "BEGIN; INSERT INTO {name}.history SELECT client_id, 2, commit_id, events FROM {name}.history \
             WHERE client_id = '{id}'; INSERT INTO {name}.pending VALUES ('{id}', 2)"
        ))
        .await
        .unwrap();
    let (mut cursor, mut seen) = (start.cursor, 0);
    for number in 0..20 {
        let _ = register(&contoso, &format!("app {number}")).await;
        let changes = store.changes(Some(&cursor), 100).await.unwrap();
        // Everything that was acknowledged, at once.
        assert_eq!(changes.events.len(), 2);
        seen += changes.events.len();
        cursor = changes.cursor;
    }
    assert_eq!(seen, 40);
    writer.batch_execute("COMMIT").await.unwrap();
    let late = store.changes(Some(&cursor), 100).await.unwrap();
    assert_eq!(late.events.len(), 2);
    let events = late.events.iter().map(|text| Event::parse(text).unwrap());
    assert!(events.into_iter().all(|event| event.client_id() == id && event.revision() == Revision::new(1)));
    long.batch_execute("COMMIT").await.unwrap();
    drop(long);
    run(&schema.url, &format!("DROP DATABASE {elsewhere} WITH (FORCE)")).await;
}

/// A reader that is killed while it numbers leaves the others nothing to wait for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_goes_away_leaves_no_lock_behind() {
    let schema = Schema::shared();
    let registry = Registry::open(schema.store().await, keyring()).await.unwrap();
    let contoso = registry.as_seller("contoso").unwrap();
    for number in 0..30 {
        let _ = register(&contoso, &format!("app {number}")).await;
        let mut reading = Box::pin(registry.store().changes(None, 1000));
        // Dropped in the middle, at one point or another.
        let _ = tokio::time::timeout(Duration::from_micros(number * 100), &mut reading).await;
    }
    let all = registry.store().changes(None, 1000).await.unwrap();
    assert_eq!(all.events.len(), 60);
}

#[tokio::test]
async fn pages_of_every_size_give_the_same_events() {
    let schema = Schema::shared();
    let registry = Registry::open(schema.store().await, keyring()).await.unwrap();
    let contoso = registry.as_seller("contoso").unwrap();
    for number in 0..7 {
        let _ = register(&contoso, &format!("app {number}")).await;
    }
    let all = registry.store().changes(None, usize::MAX).await.unwrap();
    assert_eq!(all.events.len(), 14);
    for limit in 1..16 {
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let changes = registry.store().changes(cursor.as_ref(), limit).await.unwrap();
            assert!(changes.events.len() <= limit);
            let is_drained = changes.events.len() < limit;
            seen.extend(changes.events);
            cursor = Some(changes.cursor);
            if is_drained {
                break;
            }
        }
        assert_eq!(seen, all.events, "{limit} at a time");
        assert_eq!(cursor, Some(all.cursor.clone()));
    }
}

/// A node hears of what another one commits, without asking.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hint_comes_from_another_node() {
    let schema = Schema::shared();
    let here = Registry::open(schema.store().await, keyring()).await.unwrap();
    let there = schema.store().await;
    let hints = there.hints();
    // Until the connection that listens is there.
    eventually(async || {
        let _ = register(&here.as_seller("contoso").unwrap(), &unique()).await;
        there.hints().wait(Duration::from_millis(100)).await.then_some(())
    })
    .await;
    assert!(hints.wait(Duration::from_secs(30)).await);
    while hints.wait(Duration::from_millis(300)).await {}
    let _ = register(&here.as_seller("contoso").unwrap(), "one more").await;
    assert!(hints.wait(Duration::from_secs(30)).await);
    // Through a pool of one's own others are told, and nothing is heard.
    let config: tokio_postgres::Config = schema.url.parse().unwrap();
    let manager = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let pool = Manager::from_config(config, tokio_postgres::NoTls, manager);
    let pool = Pool::builder(pool).max_size(2).build().unwrap();
    let pooled = PostgresStore::from_pool(pool, schema.options()).await.unwrap();
    let pooled = Registry::open(pooled, keyring()).await.unwrap();
    while hints.wait(Duration::from_millis(300)).await {}
    let _ = register(&pooled.as_seller("contoso").unwrap(), "through a pool").await;
    assert!(hints.wait(Duration::from_secs(30)).await);
    // Without hints there is only the time.
    let quiet = schema.store_with(schema.options().hints(false)).await;
    assert!(!quiet.hints().wait(Duration::from_millis(50)).await);
}

fn unique() -> String {
    static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    format!("app {}", COUNT.fetch_add(1, Ordering::Relaxed))
}
