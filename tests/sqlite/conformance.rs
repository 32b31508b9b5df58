//! The store in a file, put through the conformance suite.

use std::time::Duration;

use client_registry::conformance::{self, Factory, Skip, Spoil};
use client_registry::store::{SqliteStore, StoreError};

use crate::world::Scratch;

struct InAFile;

impl Factory for InAFile {
    type Place = Scratch;
    type Store = SqliteStore;

    fn place(&self) -> Scratch {
        Scratch::new()
    }

    fn open(&self, place: &Scratch) -> Result<SqliteStore, StoreError> {
        SqliteStore::open(place.file())
    }

    /// The file and its log as they are before they are closed. What a kill in the middle of a commit leaves,
    /// `tests/sqlite_kill` looks at.
    fn crash(&self, place: &Scratch, store: SqliteStore) -> Result<(), Skip> {
        let files = ["registry.db", "registry.db-wal"].map(|name| place.path().join(name));
        let contents = files.each_ref().map(|file| std::fs::read(file).unwrap());
        drop(store);
        for (file, contents) in files.iter().zip(contents) {
            std::fs::write(file, contents).unwrap();
        }
        Ok(())
    }

    fn share(&self) -> Result<(), Skip> {
        Ok(())
    }

    fn step_clock_back(&self, _: &Scratch, _: Duration) -> Result<(), Skip> {
        Ok(()) // it asks no clock
    }

    fn copy(&self, from: &Scratch, to: &Scratch) -> Result<(), Skip> {
        for log in ["registry.db-wal", "registry.db-shm"].map(|name| to.path().join(name)) {
            assert!(!log.exists(), "a store that was closed leaves no log");
        }
        std::fs::copy(from.file(), to.file()).unwrap();
        Ok(())
    }

    /// `tests/sqlite_faults` does it, with a library that stands between the store and the system.
    fn fail_flush(&self, _: &Scratch, _: usize) -> Result<(), Skip> {
        Err(Skip::because("nothing stands between the engine and its files here"))
    }

    fn spoil(&self, place: &Scratch, what: Spoil<'_>) -> Result<(), Skip> {
        let engine = place.engine();
        let spoilt = match what {
            Spoil::Record(id) => {
                engine.execute("UPDATE record SET registry_id = x'00' WHERE id = ?1", [id.as_str()])
            }
            Spoil::History(id) => engine.execute(
                "UPDATE event SET event = substr(event, 1, 20) WHERE client_id = ?1 AND revision = 1",
                [id.as_str()],
            ),
            other => return Err(Skip::because(format!("nobody knows how to spoil {other:?}"))),
        };
        assert!(spoilt.unwrap() > 0, "{what:?} is there");
        Ok(())
    }
}

#[test]
fn a_file_keeps_the_contract() {
    let report = conformance::run(InAFile);
    println!("{report}");
    report.assert_complete_but_for(&[
        "what_is_said_of_a_failed_flush_is_true",
        "nothing_acknowledged_is_lost_after_a_failed_flush",
        "uses_noted_again_after_a_failed_flush_are_kept",
        "nothing_acknowledged_is_lost_when_opened_after_a_failed_flush",
        "nothing_acknowledged_is_lost_beside_a_failed_flush",
        "what_is_shown_after_a_failed_flush_is_durable",
    ]);
}
