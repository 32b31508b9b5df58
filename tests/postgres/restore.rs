//! A database that is restored from a dump, or fails over, is another feed: cursors from before are lost, whether they had
//! come further than the dump or not, and also when others have written since.

use std::time::Duration;

use client_registry::store::{Cursor, PostgresStore, Store, StoreErrorKind};
use client_registry::value::Revision;
use client_registry::{Freshness, Issued, Registry};

use crate::proxy::Proxy;
use crate::support::server::{Schema, Server, run};
use crate::world::{World, eventually, keyring, register};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cursors_are_lost_when_the_schema_is_restored_from_a_dump() {
    let server = Server::start();
    let world = World::in_schema(Schema::at(server.url())).await;
    let first = world.register("first").await;
    let store = world.store().store.clone();
    let early = store.changes(None, 1).await.unwrap().cursor;
    let in_dump = store.changes(None, 100).await.unwrap().cursor;
    let dump = server.file("dump.sql");
    let dump = dump.to_str().unwrap();
    server.must("pg_dump", &["-n", &world.schema.name, "-f", dump, "postgres"]);
    let lost = world.register("lost").await;
    let beyond = store.changes(None, 100).await.unwrap().cursor;
    assert_eq!(store.changes(Some(&in_dump), 100).await.unwrap().events.len(), 2);

    let restore = async |database: &str| {
        let arguments = ["-q", "-v", "ON_ERROR_STOP=1", "-d", database, "-f", dump];
        server.must("psql", &arguments);
    };
    let all = [&early, &in_dump, &beyond];
    // In place, under a store that stays open.
    run(&world.schema.url, &format!("DROP SCHEMA {} CASCADE", world.schema.name)).await;
    restore("postgres").await;
    assert_lost(&store, &all).await;
    assert!(store.load(lost.client_id().into()).await.unwrap().is_none());
    assert!(store.load(first.client_id().into()).await.unwrap().is_some());
    // Others write on, past where the readers were.
    let registry = Registry::open(store.clone(), keyring()).await.unwrap();
    for number in 0..5 {
        let _ = register(&registry.as_seller("contoso").unwrap(), &format!("later {number}")).await;
    }
    assert_eq!(store.changes(None, 100).await.unwrap().events.len(), 12);
    assert_lost(&store, &all).await;

    // In another database of the same server.
    run(&world.schema.url, "CREATE DATABASE restored").await;
    restore("restored").await;
    let url = server.url_of("postgres", "restored");
    let elsewhere = PostgresStore::connect_with(&url, world.schema.options()).await.unwrap();
    assert_lost(&elsewhere, &all).await;
    let registry = Registry::open(elsewhere.clone(), keyring()).await.unwrap();
    registry.authenticate(first.client_id().as_str(), first.client_secret().expose()).await.unwrap();
    assert_eq!(elsewhere.changes(None, 100).await.unwrap().events.len(), 2);

    // In a new cluster.
    let new = Server::start();
    std::fs::copy(dump, new.file("dump.sql")).unwrap();
    new.must(
        "psql",
        &["-q", "-v", "ON_ERROR_STOP=1", "-d", "postgres", "-f", new.file("dump.sql").to_str().unwrap()],
    );
    let moved = PostgresStore::connect_with(&new.url(), world.schema.options()).await.unwrap();
    assert_lost(&moved, &all).await;
    drop(moved);
}

/// A node that follows has seen what the dump does not have. It takes what is there, without a restart, and soon: its
/// freshness is an hour.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn caches_drop_everything_when_a_dump_is_restored_and_the_check_is_content() {
    restored_under_a_node(false).await;
}

/// The same for a node that could not reach its server meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn caches_drop_everything_when_a_dump_was_restored_while_they_were_cut_off() {
    restored_under_a_node(true).await;
}

async fn restored_under_a_node(is_cut_off: bool) {
    let server = Server::start();
    let proxy = Proxy::before(server.address()).await;
    let world = World::in_schema(Schema::at(server.url())).await;
    let (kept, later) = (world.register("kept").await, world.register("later").await);
    let builder = Registry::builder().clock(world.clock.clone());
    let builder = builder.freshness(Freshness::within(Duration::from_secs(3600)));
    let store = PostgresStore::connect_with(&proxy.url(), world.schema.options()).await.unwrap();
    let node = builder.open(store, keyring()).await.unwrap();
    let following = node.clone();
    let following = tokio::spawn(async move {
        let _ = following.keep_fresh(|_| tokio::time::sleep(Duration::from_millis(10))).await;
    });
    let lets_in = async |issued: &Issued| {
        node.authenticate(issued.client_id().as_str(), issued.client_secret().expose()).await.is_ok()
    };
    assert!(lets_in(&kept).await && lets_in(&later).await);

    let dump = server.file("dump.sql");
    let dump = dump.to_str().unwrap();
    server.must("pg_dump", &["-n", &world.schema.name, "--clean", "-f", dump, "postgres"]);
    let contoso = world.contoso.client(later.client_id());
    let _ = contoso.delete_in_emergency(later.secret_id(), None).await.unwrap();
    let lost = world.register("lost").await;
    eventually(async || (!lets_in(&later).await).then_some(())).await;
    assert!(lets_in(&lost).await && lets_in(&kept).await);

    if is_cut_off {
        let nowhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        proxy.lead_to(nowhere);
        // Long enough for a poll to fail.
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    // The node that reads meanwhile may deadlock with it; then it is run again.
    let restore = ["-q", "-1", "-v", "ON_ERROR_STOP=1", "-d", "postgres", "-f", dump];
    eventually(async || server.run("psql", &restore).status.success().then_some(())).await;
    proxy.lead_to(server.address());
    eventually(async || lets_in(&later).await.then_some(())).await;
    assert!(!lets_in(&lost).await && lets_in(&kept).await);
    for registry in [Registry::open(world.schema.store().await, keyring()).await.unwrap(), node.clone()] {
        let checked = registry.check().await.unwrap();
        assert!(checked.is_clean(), "{:?}", checked.discrepancies);
        assert_eq!(checked.clients, 2);
    }
    following.abort();
}

/// Where the server does not tell where it stands, the mark at the cursor's place still does, as soon as the past is another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_place_that_was_numbered_anew_is_not_the_one_that_was_read() {
    let world = World::new().await;
    let _ = world.register("first").await;
    let store = &world.store().store;
    let cursor = store.changes(None, 100).await.unwrap().cursor;
    world.schema.run("UPDATE client_registry.feed SET mark = gen_random_uuid()").await;
    assert_lost(store, &[&cursor]).await;
}

/// What vacuuming and rewriting tables does is no restore.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cursors_outlive_upkeep_and_restarts() {
    let server = Server::start();
    let world = World::in_schema(Schema::at(server.url())).await;
    let _ = world.register("first").await;
    let store = world.store().store.clone();
    let cursor = store.changes(None, 100).await.unwrap().cursor;
    for table in ["meta", "feed", "history", "records", "pending", "feed_end"] {
        for how in ["VACUUM (FREEZE, ANALYZE)", "VACUUM (FULL)"] {
            world.schema.run(&format!("{how} client_registry.{table}")).await;
        }
    }
    assert!(store.changes(Some(&cursor), 100).await.unwrap().events.is_empty());
    server.stop("fast");
    server.up();
    assert!(store.changes(Some(&cursor), 100).await.unwrap().events.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_is_refused_and_cursors_are_lost_when_it_takes_over() {
    let server = Server::start();
    let world = World::in_schema(Schema::at(server.url())).await;
    let issued = world.register("first").await;
    let store = world.store().store.clone();
    let cursor = store.changes(None, 100).await.unwrap().cursor;
    let replica = server.replica();
    let refused = PostgresStore::connect_with(&replica.url(), world.schema.options()).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::ReadOnly);
    assert!(cause(&refused).contains("replica"), "{}", cause(&refused));

    // Of several the primary.
    let both = format!("postgres://postgres@{},{}/postgres", replica.address(), server.address());
    let of_both = PostgresStore::connect_with(&both, world.schema.options()).await.unwrap();
    assert!(of_both.load(issued.client_id().into()).await.unwrap().is_some());

    let behind = "SELECT pg_last_wal_replay_lsn() >= '0/0'";
    eventually(async || (run(&replica.url(), behind).await[0][0].as_deref() == Some("t")).then_some(()))
        .await;
    server.stop("immediate");
    replica.promote();
    let promoted = PostgresStore::connect_with(&replica.url(), world.schema.options()).await.unwrap();
    assert!(promoted.load(issued.client_id().into()).await.unwrap().is_some());
    assert_lost(&promoted, &[&cursor]).await;
    assert_eq!(promoted.history(issued.client_id(), Revision::ZERO, 9).await.unwrap().len(), 1);
    // The store that knew both finds the one that is left.
    assert!(of_both.load(issued.client_id().into()).await.unwrap().is_some());
    assert_lost(&of_both, &[&cursor]).await;
}

async fn assert_lost(store: &PostgresStore, cursors: &[&Cursor]) {
    for cursor in cursors {
        let error = store.changes(Some(cursor), 100).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::CursorLost, "{cursor:?}");
    }
}

/// What lies behind an error, in words.
pub(crate) fn cause(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        words.push_str(": ");
        words.push_str(&error.to_string());
        next = error.source();
    }
    words
}
