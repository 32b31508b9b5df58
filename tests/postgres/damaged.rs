//! What the operations page says to do by hand with damaged rows, done as it stands there; and what must not stand in logs.

use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use client_registry::registry::upkeep::DiscrepancyKind;
use client_registry::store::{ClientsBy, CommitError, Store, StoreErrorKind};
use client_registry::{AccessError, Lifetime, NewSecret, Reason, Timestamp};

use crate::restore::cause;
use crate::support::server::{Schema, Server};
use crate::world::World;

/// The block of SQL on the operations page that has these words.
fn block(words: &str) -> String {
    let page = include_str!("../../src/store/postgres/operations.md");
    let mut blocks = page.split("```sql\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.find(|block| block.contains(words)).expect("a block with these words").to_owned()
}

const DAMAGE: &str = "UPDATE client_registry.records SET body = '\\x7b'::bytea WHERE id = ";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_row_is_taken_out_by_hand_and_the_others_never_notice() {
    let world = World::new().await;
    let (damaged, sound) = (world.register("damaged").await, world.register("sound").await);
    let id = damaged.client_id();
    world.schema.run(&format!("{DAMAGE}'{id}'")).await;
    let checked = world.check().await.unwrap();
    assert!(checked.discrepancies.iter().any(|fault| matches!(fault.what(), DiscrepancyKind::Record(_))));
    assert!(!checked.is_clean());
    world.schema.run(&block("taken_out").replace('…', id.as_str())).await;
    // A node that has seen the row is not deceived; one that starts has never heard of the client.
    match world.authenticate(id.as_str(), damaged.client_secret().expose()).await {
        Err(AccessError::Unavailable(error)) => assert_eq!(error.kind(), StoreErrorKind::RolledBack),
        other => panic!("{other:?}"),
    }
    let world = World::over(world.schema, world.registry.store().store.clone()).await;
    let lets_in = async |issued: &client_registry::Issued| {
        world.authenticate(issued.client_id().as_str(), issued.client_secret().expose()).await
    };
    assert!(lets_in(&sound).await.is_ok());
    match lets_in(&damaged).await {
        Err(AccessError::Denied(denied)) => assert_eq!(denied.reason(), Reason::UnknownClient),
        other => panic!("{other:?}"),
    }
    // What it held is free, and what it did can still be read.
    let again = world.register("damaged").await;
    assert!(lets_in(&again).await.is_ok());
    assert_eq!(world.store().history(id, client_registry::value::Revision::ZERO, 9).await.unwrap().len(), 1);
    let checked = world.check().await.unwrap();
    assert!(!checked.is_clean());
    for fault in &checked.discrepancies {
        assert_eq!(fault.client_id(), Some(id), "{fault:?}");
        assert!(matches!(fault.what(), DiscrepancyKind::NoRecord), "{fault:?}");
    }
    // Running it again changes nothing.
    world.schema.run(&block("taken_out").replace('…', id.as_str())).await;
    assert_eq!(world.schema.run("SELECT id FROM client_registry.taken_out").await.len(), 1);
}

/// Rows that a record does not know of are not a reason to restore a backup.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trail_without_its_record_is_in_the_way_and_says_so() {
    let world = World::new().await;
    let issued = world.register("calendar app").await;
    let registered = world.store().last();
    world.schema.run(&block("taken_out").replace('…', issued.client_id().as_str())).await;
    match world.store().store.commit(&registered).await {
        Err(CommitError::NotWritten(error)) => {
            assert_eq!(error.kind(), StoreErrorKind::Misconfigured);
            assert!(cause(&error).contains("are in the way"), "{}", cause(&error));
        }
        other => panic!("{other:?}"),
    }
}

/// A disk that the server cannot read is neither a damaged registry nor a missing right.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_the_server_cannot_read_are_no_damage_and_no_missing_right() {
    let server = Server::start();
    let world = World::in_schema(Schema::at(server.url())).await;
    let issued = world.register("calendar app").await;
    let path = world.schema.run("SELECT pg_relation_filepath('client_registry.records')").await;
    let file = server.file("data").join(path[0][0].as_ref().unwrap());
    server.stop("fast");
    let readable = std::fs::metadata(&file).unwrap().permissions();
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o000)).unwrap();
    server.up();
    let refused = world.store().load(issued.client_id().into()).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Unavailable);
    assert!(cause(&refused).contains("its own files"), "{}", cause(&refused));
    std::fs::set_permissions(&file, readable).unwrap();
    assert!(world.store().load(issued.client_id().into()).await.unwrap().is_some());
    server.stop("fast");
    let away = file.with_extension("away");
    std::fs::rename(&file, &away).unwrap();
    server.up();
    assert_eq!(
        world.store().load(issued.client_id().into()).await.unwrap_err().kind(),
        StoreErrorKind::Unavailable
    );
    std::fs::rename(&away, &file).unwrap();
    assert!(world.store().load(issued.client_id().into()).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_row_is_put_back_from_a_backup_by_hand() {
    let world = World::new().await;
    let issued = world.register("damaged").await;
    let id = issued.client_id();
    let backup = format!("{}_backup", world.schema.name);
    world.schema.run(&format!("CREATE SCHEMA {backup}")).await;
    world
        .schema
        .run(&format!("CREATE TABLE {backup}.records AS SELECT * FROM client_registry.records"))
        .await;
    world.schema.run(&format!("{DAMAGE}'{id}'")).await;
    assert!(world.authenticate(id.as_str(), issued.client_secret().expose()).await.is_err());
    let put_back = block("FROM backup.records").replace("backup.", &format!("{backup}."));
    world.schema.run(&put_back.replace('…', id.as_str())).await;
    world.authenticate(id.as_str(), issued.client_secret().expose()).await.unwrap();
    let checked = world.check().await.unwrap();
    assert!(checked.is_clean(), "{:?}", checked.discrepancies);
    let added = world.contoso.client(id).add_secret(NewSecret::lasting(Lifetime::OneYear)).await;
    added.map(drop).unwrap();
    world.schema.run(&format!("DROP SCHEMA {backup} CASCADE")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn places_that_no_node_wrote_are_taken_out_by_hand() {
    let world = World::new().await;
    let _ = world.register("calendar app").await;
    let store = &world.store().store;
    let cursor = store.changes(None, 9).await.unwrap().cursor;
    for row in [
        "VALUES (-7, 'nobody-at-all', 1, gen_random_uuid()), (2, 'nobody-at-all', 1, gen_random_uuid())",
        "SELECT 9223372036854775807, client_id, revision, gen_random_uuid() FROM client_registry.history",
    ] {
        world.schema.run(&format!("INSERT INTO client_registry.feed {row}")).await;
    }
    assert_eq!(store.changes(None, 9).await.unwrap_err().kind(), StoreErrorKind::Tampered);
    assert_eq!(store.latest().await.unwrap_err().kind(), StoreErrorKind::Tampered);
    world.schema.run(&block("NOT BETWEEN")).await;
    let _ = world.register("another").await;
    assert_eq!(store.changes(Some(&cursor), 9).await.unwrap().events.len(), 2);
    let checked = world.check().await.unwrap();
    assert!(checked.is_clean(), "{:?}", checked.discrepancies);
}

/// What the driver writes into its log while this process runs.
struct DriverLog;

static WRITTEN: Mutex<Vec<String>> = Mutex::new(Vec::new());

impl log::Log for DriverLog {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.target().starts_with("tokio_postgres")
    }

    fn log(&self, record: &log::Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let line = record.args().to_string();
        let is_control = line.contains("executing statement") && written().len() < 1000;
        if line.contains(SOUGHT) || is_control {
            written().push(line);
        }
    }

    fn flush(&self) {}
}

fn written() -> MutexGuard<'static, Vec<String>> {
    WRITTEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An ID that nobody has: it could be a secret in the wrong place.
const SOUGHT: &str = "an-imported-secret-in-the-place-of-an-id";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_of_the_driver_has_no_values_at_any_level() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&DriverLog).unwrap();
        log::set_max_level(log::LevelFilter::Trace);
    });
    let world = World::new().await;
    let unnamed = world.schema.store_with(world.schema.options().behind_pooler()).await;
    assert!(world.authenticate(SOUGHT, "whatever it may be that comes with it").await.is_err());
    let sought = client_registry::ClientId::parse(SOUGHT).unwrap();
    assert!(unnamed.load((&sought).into()).await.unwrap().is_none());
    let written = written().clone();
    assert!(written.iter().any(|line| line.contains("executing statement")), "the log is written");
    assert!(written.iter().any(|line| line.contains("parameters: [_")), "{:?}", written.last());
    assert!(!written.iter().any(|line| line.contains(SOUGHT)), "{written:?}");
}

/// Rows that no node can have written, among those by which clients are found: nobody finds anything by them, and everybody
/// finds the rest.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_lists_that_cannot_be_are_passed_over() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for number in 0..5 {
        ids.push(world.register(&format!("app {number}")).await.client_id().clone());
    }
    ids.sort();
    let store = &world.store().store;
    let all = store.ending(Timestamp::MAX, None, 99).await.unwrap();
    assert_eq!(all.len(), 5);
    for sql in [
        "INSERT INTO client_registry.records SELECT 'not an ID', revision, key_id, format, registry_id, body, sealed, \
         seller, places, ends FROM client_registry.records WHERE seller IS NOT NULL LIMIT 1",
        "INSERT INTO client_registry.records SELECT '', revision, key_id, format, registry_id, body, sealed, seller, \
         places, ends FROM client_registry.records WHERE seller IS NOT NULL LIMIT 1",
        "INSERT INTO client_registry.secrets SELECT client_id, n, ends + n FROM client_registry.secrets, \
         (VALUES (0::bigint), (-1), (9223372036854), (-9223372036854775808)) v(n) WHERE n <= 0 OR ends > 0",
        "INSERT INTO client_registry.secrets VALUES ('not an ID', 1, 5), ('not-an-id-either-since-', 0, -9223372036854775808)",
    ] {
        world.schema.run(sql).await;
    }
    world
        .schema
        .run("UPDATE client_registry.secrets SET last_used = 9223372036854775807 WHERE secret = 1")
        .await;
    for limit in 1..8 {
        let (mut clients, mut after) = (Vec::new(), None);
        loop {
            let page = store.clients(ClientsBy::All, after.as_ref(), limit).await.unwrap();
            clients.extend(page.iter().cloned());
            after = page.last().cloned();
            if page.len() < limit {
                break;
            }
        }
        assert_eq!(clients, ids, "{limit} at a time");
        let (mut ending, mut after) = (Vec::new(), None);
        loop {
            let page = store.ending(Timestamp::MAX, after.as_ref(), limit).await.unwrap();
            ending.extend(page.iter().cloned());
            after = page.last().cloned();
            if page.len() < limit {
                break;
            }
        }
        assert_eq!(ending, all, "{limit} at a time");
    }
    let uses = store.last_uses(&ids[0]).await.unwrap();
    assert_eq!(uses.of(client_registry::SecretId::new(1).unwrap()), Some(Timestamp::MAX));
}
