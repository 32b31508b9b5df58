//! A flush of the file that fails once, after which the disk works again.

use std::path::Path;

use rusqlite::Connection;

use crate::child::{Worker, as_child, say, spawn, until_killed};
use crate::disk::{Call, Disk, EIO, Fault};
use crate::{Scratch, audit, hear};

const FLUSH: Fault = Fault { call: Call::Fsync, nth: 1, ending: "registry.db", error: EIO, evicts: false };

/// 700 frames in the log, a reader held, past 1,000 frames, the reader ended, and the next flush of the file fails.
#[test]
fn a_checkpoint_whose_flush_fails_loses_nothing_that_was_acknowledged() {
    for evicts in [false, true] {
        let scratch = Scratch::new();
        let disk = Disk::new(&scratch.0);
        let said = hear(spawn("flushes::with_a_reader", &disk, &format!("{evicts}"))).unwrap();
        assert!(disk.has_failed(), "there was no flush");
        assert!(said.refusals.is_empty(), "{:?}", said.refusals);
        assert!(said.acknowledged > 100, "{}", said.acknowledged);
        for (name, some) in [("flushed", None), ("some", Some(1))] {
            let file = disk.after_a_power_cut(name, some);
            audit(&file, &said.ledger).unwrap_or_else(|why| panic!("evicts: {evicts}, {name}: {why}"));
        }
    }
}

#[test]
fn with_a_reader() {
    let Some((disk, evicts)) = as_child() else { return };
    let evicts = evicts == "true";
    let mut worker = Worker::open(disk).unwrap();
    worker.fill(700);
    let reader = Connection::open(worker.disk.file()).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM record").unwrap();
    worker.fill(1_050);
    reader.execute_batch("COMMIT").unwrap();
    worker.disk.arm(Fault { evicts, ..FLUSH });
    while !worker.disk.has_failed() {
        worker.change();
    }
    worker.disk.disarm();
    worker.changes(40);
    // Until the log has started over.
    let most = worker.waiting();
    while worker.waiting() >= most {
        worker.change();
    }
    worker.changes(40);
    until_killed()
}

/// The same with the checkpoints of the engine: a check that cannot fail proves nothing.
#[test]
fn the_checkpoints_of_the_engine_lose_it() {
    let scratch = Scratch::new();
    let disk = Disk::new(&scratch.0);
    let said = hear(spawn("flushes::left_to_the_engine", &disk, "")).unwrap();
    assert!(disk.has_failed(), "there was no flush");
    assert!(said.refusals.is_empty(), "{:?}", said.refusals);
    let left = whole(&disk.after_a_power_cut("flushed", None));
    assert!(left.is_err() || left == Ok(false), "nothing was lost: {left:?}");
}

/// Whether the file has what was written last in each row.
fn whole(file: &Path) -> Result<bool, rusqlite::Error> {
    let engine = Connection::open(file)?;
    let integrity: String = engine.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    let rows: i64 =
        engine.query_row("SELECT count(*) FROM row WHERE length(text) = 3000", [], |row| row.get(0))?;
    let said: i64 = engine.query_row("SELECT count FROM said", [], |row| row.get(0))?;
    Ok(integrity == "ok" && rows == said)
}

#[test]
fn left_to_the_engine() {
    let Some((disk, _)) = as_child() else { return };
    let engine = Connection::open(disk.file()).unwrap();
    engine.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).unwrap();
    engine.execute_batch("PRAGMA synchronous = FULL; CREATE TABLE row (text TEXT); CREATE TABLE said (count INTEGER); INSERT INTO said VALUES (0)").unwrap();
    let mut rows = 0;
    let mut change = || {
        let sql = format!(
            "BEGIN; INSERT INTO row VALUES ('{:3000}'); UPDATE said SET count = count + 1; COMMIT",
            rows
        );
        rows += 1;
        // The hook that makes the checkpoint tells nobody what came of it.
        engine.execute_batch(&sql).unwrap();
    };
    let waiting = || -> i64 {
        let log = std::fs::metadata(disk.file().with_file_name("registry.db-wal")).unwrap();
        log.len() as i64 / 4_120
    };
    while waiting() < 700 {
        change();
    }
    let reader = Connection::open(disk.file()).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM row").unwrap();
    while waiting() < 1_050 {
        change();
    }
    reader.execute_batch("COMMIT").unwrap();
    disk.arm(FLUSH);
    for _ in 0..40 {
        change();
    }
    disk.disarm();
    if !disk.has_failed() {
        say("refused nothing failed\n");
    }
    until_killed()
}
