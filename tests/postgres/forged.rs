//! Somebody writes rows of the change feed with the rights of a node: no follower goes blind.

use std::time::Duration;

use client_registry::store::{PostgresStore, Store, StoreErrorKind};
use client_registry::{Freshness, Issued, Registry};
use tokio::task::JoinHandle;

use crate::support::server::{Schema, Server, run};
use crate::world::{World, eventually, keyring};

struct Scene<'a> {
    server: &'a Server,
    /// Where changes are made.
    world: World,
    /// A node that follows.
    node: Registry<PostgresStore>,
    following: JoinHandle<()>,
    issued: Issued,
}

impl<'a> Scene<'a> {
    async fn new(server: &'a Server, freshness: Duration) -> Self {
        let schema = Schema::at(server.url());
        run(&server.url(), &PostgresStore::schema_sql_with(&schema.options())).await;
        let page = include_str!("../../src/store/postgres/operations.md");
        let grants = page.split("```sql\n").nth(1).unwrap().split("```").next().unwrap();
        schema.run(&grants.replace("SCHEMA client_registry", &format!("SCHEMA {}", schema.name))).await;
        let world = World::in_schema(schema).await;
        let issued = world.register("calendar app").await;
        let builder = Registry::builder().clock(client_registry::clock::SystemClock::new());
        let builder = builder.freshness(Freshness::within(freshness));
        let store = world.schema.store_with(world.schema.options().hints(false)).await;
        let node = builder.open(store, keyring()).await.unwrap();
        let followed = node.clone();
        let following = tokio::spawn(async move {
            let _ = followed.keep_fresh(|_| tokio::time::sleep(Duration::from_millis(10))).await;
        });
        let scene = Self { server, world, node, following, issued };
        // The feed has passed, and what it knows of the client is kept.
        let _ = scene.world.register("another").await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(scene.lets_in().await);
        scene
    }

    async fn lets_in(&self) -> bool {
        let (id, secret) = (self.issued.client_id().as_str(), self.issued.client_secret().expose());
        self.node.authenticate(id, secret).await.is_ok()
    }

    /// With the rights that the operations page gives to a node.
    async fn forge(&self, sql: &str) {
        let sql = sql.replace("client_registry.", &format!("{}.", self.world.schema.name));
        run(&self.server.url_of("registry", "postgres"), &sql).await;
    }

    /// Revokes what the node has kept, and waits until it knows.
    async fn revoke(&self) {
        let client = self.world.contoso.client(self.issued.client_id());
        let _ = client.delete_in_emergency(self.issued.secret_id(), None).await.unwrap();
        eventually(async || (!self.lets_in().await).then_some(())).await;
    }
}

impl Drop for Scene<'_> {
    fn drop(&mut self) {
        self.following.abort();
    }
}

/// A server with a role that has no rights yet.
async fn server() -> Server {
    let server = Server::start();
    run(&server.url(), "CREATE ROLE registry LOGIN").await;
    server
}

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_of_the_feed_that_is_forged_blinds_nobody() {
    let server = server().await;
    for position in [-1_000_000_000, i64::MIN, 0, 3, 1 << 61, i64::MAX] {
        let scene = Scene::new(&server, HOUR).await;
        let store = &scene.world.store().store;
        let cursor = store.changes(None, 100).await.unwrap().cursor;
        scene.forge(&format!("UPDATE client_registry.feed_end SET position = {position}")).await;
        scene.revoke().await;
        // It is as it should be again, and places go on without a gap.
        let ends = "SELECT e.position = m.position, m.position = m.count FROM client_registry.feed_end e, \
                    (SELECT max(position) AS position, count(*) FROM client_registry.feed) m";
        let ends = scene.world.schema.run(ends).await;
        assert_eq!(ends[0], [Some("t".to_owned()), Some("t".to_owned())], "{position}");
        assert!(!store.changes(Some(&cursor), 100).await.unwrap().events.is_empty(), "{position}");
    }
}

/// The reader that comes upon it loses its cursor, and so everything that it has kept.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_finds_a_forged_end_has_lost_its_cursor() {
    let world = World::new().await;
    let _ = world.register("calendar app").await;
    let store = &world.store().store;
    let cursor = store.changes(None, 100).await.unwrap().cursor;
    world.schema.run("UPDATE client_registry.feed_end SET position = -1000000000").await;
    let _ = world.register("another").await;
    assert_eq!(store.changes(Some(&cursor), 100).await.unwrap_err().kind(), StoreErrorKind::CursorLost);
    assert_eq!(store.changes(Some(&cursor), 100).await.unwrap().events.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_place_that_cannot_be_blinds_nobody_for_longer_than_the_freshness() {
    let server = server().await;
    for position in [i64::MAX, i64::MAX - 3, (1 << 62) + 1, 1 << 62] {
        let scene = Scene::new(&server, Duration::from_secs(1)).await;
        let store = &scene.world.store().store;
        let cursor = store.changes(None, 100).await.unwrap().cursor;
        scene
            .forge(&format!(
                "INSERT INTO client_registry.feed SELECT {position}, client_id, revision, gen_random_uuid() \
                 FROM client_registry.history LIMIT 1"
            ))
            .await;
        let lost = async |cursor| store.changes(Some(cursor), 100).await.err();
        if position > 1 << 62 {
            assert_eq!(lost(&cursor).await.unwrap().kind(), StoreErrorKind::CursorLost);
        }
        scene.revoke().await;
        // Who reads from the first place on is told as well.
        assert_eq!(store.changes(None, 100).await.unwrap_err().kind(), StoreErrorKind::Tampered);
        // Taken out by hand, by an administrator.
        scene
            .world
            .schema
            .run(&format!("DELETE FROM client_registry.feed WHERE position = {position}"))
            .await;
        assert_eq!(eventually(async || store.changes(None, 100).await.ok()).await.events.len(), 6);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn places_before_the_first_and_places_of_no_commit_are_found() {
    let world = World::new().await;
    let _ = world.register("calendar app").await;
    let store = &world.store().store;
    let cursor = store.changes(None, 100).await.unwrap().cursor;
    let forged = [
        "VALUES (0, 'nobody-at-all', 1, gen_random_uuid())",
        "VALUES (-1, 'nobody-at-all', 1, gen_random_uuid())",
        "SELECT (-9223372036854775808)::bigint, client_id, revision, gen_random_uuid() FROM client_registry.history",
        "VALUES (2, 'nobody-at-all', 1, gen_random_uuid())",
    ];
    for (number, row) in forged.into_iter().enumerate() {
        world.schema.run(&format!("INSERT INTO client_registry.feed {row}")).await;
        assert_eq!(store.changes(None, 100).await.unwrap_err().kind(), StoreErrorKind::Tampered, "{row}");
        let from_there = store.changes(Some(&cursor), 100).await;
        if number == 3 {
            assert_eq!(from_there.unwrap_err().kind(), StoreErrorKind::CursorLost);
        } else {
            assert!(from_there.unwrap().events.is_empty());
        }
        world.schema.run("DELETE FROM client_registry.feed WHERE position <> 1").await;
    }
    assert_eq!(store.changes(Some(&cursor), 100).await.unwrap().events.len(), 0);
}

/// Numbers in a cursor that no store gave out.
#[tokio::test]
async fn cursors_with_impossible_numbers_are_not_known() {
    let world = World::new().await;
    let _ = world.register("calendar app").await;
    let store = &world.store().store;
    let cursor = store.changes(None, 100).await.unwrap().cursor;
    let check = cursor.as_str().rsplit('.').next().unwrap().to_owned();
    for numbers in [
        "1.-1.2",
        "1.0.2",
        "1.9223372036854775807.1",
        "1.9223372036854775808.1",
        "1.-9223372036854775808.0",
        "1.1.18446744073709551615",
        "1.1.-1",
        "1.1.1",
        "2.1.2",
        "1.1",
        "",
    ] {
        let forged = client_registry::store::Cursor::new(format!("{numbers}.{check}"));
        let error = store.changes(Some(&forged), 100).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::CursorLost, "{numbers}");
    }
    assert!(store.changes(Some(&cursor), 100).await.is_ok());
}
