//! Records that were put back: what a node has refused as older it neither reseals nor exports.

use client_registry::registry::upkeep::{ExportError, Resealed, Resealing};
use client_registry::store::{SqliteStore, StoreErrorKind};
use client_registry::value::KeyId;
use client_registry::{Issued, Keyring, OpenError, Registry};
use pollster::block_on;

use super::reason;
use crate::world::{KEY, Scratch, World};

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
