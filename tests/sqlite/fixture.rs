//! A file of an earlier version, with a log left behind by a process that was killed, opens with everything in it.

use client_registry::store::SqliteStore;
use pollster::block_on;

use crate::support::registries;
use crate::world::Scratch;

#[test]
fn files_of_earlier_versions_open_with_the_log_that_was_left_behind() {
    for month in registries::MONTHS {
        let (folder, facts) = (registries::folder(month, "sqlite"), registries::facts(month, "sqlite"));
        let scratch = Scratch::new();
        for name in ["registry.db", "registry.db-wal"] {
            std::fs::copy(folder.join(name), scratch.path().join(name)).unwrap();
        }
        block_on(async {
            let store = SqliteStore::open(scratch.file()).unwrap();
            let builder = registries::builder(&registries::clock_of(&facts), 3);
            let registry = builder.open(store, registries::keyring()).await.unwrap();
            registries::examine(&registry, &facts).await;
        });
        // Without the log it is an earlier state: the log was read.
        let scratch = Scratch::new();
        std::fs::copy(folder.join("registry.db"), scratch.file()).unwrap();
        let rotated: i64 = scratch
            .engine()
            .query_row(
                "SELECT count(*) FROM secret WHERE client_id = 'Moved.In-2026_A' AND secret = 4",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(rotated, 0);
    }
}

#[test]
#[ignore = "writes the files that later versions must open: for a new format, see tests/README.md"]
fn write_fixture() {
    let scratch = Scratch::new();
    let mut filling = registries::Filling::new();
    block_on(async {
        filling.begin(SqliteStore::open(scratch.file()).unwrap()).await;
        filling.go_on(SqliteStore::open(scratch.file()).unwrap()).await;
        // Closed, so that the file has something, and opened again.
        let store = SqliteStore::open(scratch.file()).unwrap();
        let facts = filling.end(store.clone()).await;
        let folder = registries::write_facts("sqlite", &facts);
        for name in ["registry.db", "registry.db-wal"] {
            std::fs::copy(scratch.path().join(name), folder.join(name)).unwrap();
        }
        drop(store);
    });
}
