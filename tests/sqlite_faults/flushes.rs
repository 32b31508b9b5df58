//! A flush of the file that fails once, after which the disk works again.

use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::path::Path;
use std::thread;

use rusqlite::Connection;

use crate::child::{Worker, as_child, say, spawn, until_killed};
use crate::disk::{Call, Disk, EIO, Fault};
use crate::support::Scratch;
use crate::{PATIENCE, audit, hear, hear_more, lines_of};

const FLUSH: Fault =
    Fault { call: Call::Fsync, nth: 1, ending: "registry.db", error: EIO, evicts: false, for_good: false };

/// 700 frames in the log, a reader held, past 1,000 frames, the reader ended, and the next flush of the file fails.
#[test]
fn a_checkpoint_whose_flush_fails_loses_nothing_that_was_acknowledged() {
    for evicts in [false, true] {
        let scratch = Scratch::new();
        let disk = Disk::new(scratch.path());
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

/// The log could not be flushed, and the process was killed. The next one finds in it what is not on the disk, and the power
/// goes before that one has changed anything.
#[test]
fn what_was_not_flushed_stays_whole_when_the_power_goes_after_the_next_opening() {
    let scratch = Scratch::new();
    let disk = Disk::new(scratch.path());
    let said = hear(spawn("flushes::dies_in_doubt", &disk, "")).unwrap();
    assert!(disk.has_failed(), "there was no flush");
    disk.disarm();
    let said = hear_more(spawn("flushes::opens", &disk, ""), said).unwrap();
    assert!(said.refusals.is_empty(), "{:?}", said.refusals);
    for (name, some) in [("flushed", None), ("some", Some(1))] {
        let file = disk.after_a_power_cut(name, some);
        audit(&file, &said.ledger).unwrap_or_else(|why| panic!("{name}: {why}"));
    }
}

#[test]
fn dies_in_doubt() {
    let Some((disk, _)) = as_child() else { return };
    let mut worker = Worker::open(disk).unwrap();
    worker.changes(60);
    // In a log that has one change, and not the pages of the next.
    let mut worker = Worker::open(worker.close()).unwrap();
    worker.change();
    worker.disk.arm(Fault { ending: "registry.db-wal", ..FLUSH });
    worker.dies_in_doubt();
    worker.changes(20);
    say("refused nothing was in doubt\n");
    until_killed()
}

#[test]
fn opens() {
    let Some((disk, _)) = as_child() else { return };
    let _worker = Worker::open(disk).unwrap();
    until_killed()
}

/// The flush of a batch: all of it is unknown, is sent again, and is there after a power cut.
#[test]
fn a_flush_that_several_callers_share_fails_for_all_of_them() {
    let scratch = Scratch::new();
    let disk = Disk::new(scratch.path());
    let said = hear(spawn("flushes::of_several_callers", &disk, "")).unwrap();
    assert!(disk.has_failed(), "there was no flush");
    assert!(said.refusals.is_empty(), "{:?}", said.refusals);
    for (name, some) in [("flushed", None), ("some", Some(1))] {
        let file = disk.after_a_power_cut(name, some);
        audit(&file, &said.ledger).unwrap_or_else(|why| panic!("{name}: {why}"));
    }
}

#[test]
fn of_several_callers() {
    let Some((disk, _)) = as_child() else { return };
    let mut worker = Worker::open(disk).unwrap();
    worker.changes(10);
    // The first of them is begun before the others come, unless the machine is too busy for that.
    while worker.unknown() == 0 {
        worker.changes(1);
        worker.together(6, |disk| disk.arm(Fault { ending: "registry.db-wal", nth: 2, ..FLUSH }));
        worker.disk.disarm();
    }
    if worker.unknown() < 2 {
        say("refused one flush failed, and one caller alone was told\n");
    }
    worker.changes(10);
    until_killed()
}

/// The same with the checkpoints of the engine: a check that cannot fail proves nothing.
#[test]
fn the_checkpoints_of_the_engine_lose_it() {
    let scratch = Scratch::new();
    let disk = Disk::new(scratch.path());
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

/// Two processes on one file, of which one reads for long: one sees a flush fail, and the other goes on, also where the one
/// that saw it is gone.
#[test]
fn with_two_processes_on_the_file_a_failed_flush_loses_nothing_either() {
    for (ending, nth) in [("registry.db", 1), ("registry.db-wal", 30), ("registry.db-wal", 170)] {
        for dies in [false, true] {
            let scratch = Scratch::new();
            let disk = Disk::new(scratch.path());
            let mut workers = [(); 2].map(|()| spawn("flushes::one_of_two", &disk, &format!("{dies}")));
            let inputs = workers.each_mut().map(|worker| worker.stdin.take().unwrap());
            let said = thread::scope(|scope| {
                let heard = workers.map(|worker| scope.spawn(|| hear(worker)));
                // Both have it open before either begins.
                while !["a", "b"].iter().all(|name| disk.home().join(name).exists()) {
                    assert!(heard.iter().all(|heard| !heard.is_finished()), "a process has ended");
                    thread::yield_now();
                }
                disk.arm(Fault { ending, nth, evicts: dies, ..FLUSH });
                for mut input in inputs {
                    // Kept open: a process whose input ends has ended.
                    input.write_all(b"go\n").unwrap();
                    std::mem::forget(input);
                }
                heard.map(|heard| heard.join().unwrap().unwrap())
            });
            assert!(disk.has_failed(), "{ending}: there were fewer flushes than {nth}");
            let mut all = said[0].ledger.clone();
            all.add(&said[1].ledger);
            for (name, some) in [("flushed", None), ("some", Some(1))] {
                let file = disk.after_a_power_cut(name, some);
                audit(&file, &all)
                    .unwrap_or_else(|why| panic!("{ending}, {nth}, dies: {dies}, {name}: {why}"));
            }
        }
    }
}

#[test]
fn one_of_two() {
    let Some((disk, dies)) = as_child() else { return };
    let mut worker = Worker::open(disk).unwrap();
    let name = if File::create_new(worker.disk.home().join("a")).is_ok() { "a" } else { "b" };
    if name == "b" {
        File::create_new(worker.disk.home().join("b")).unwrap();
    }
    std::io::stdin().read_line(&mut String::new()).unwrap();
    let reader = Connection::open(worker.disk.file()).unwrap();
    for _ in 0..200 {
        worker.change();
        match worker.waiting() {
            700..1_050 if name == "b" && reader.is_autocommit() => {
                reader.execute_batch("BEGIN; SELECT count(*) FROM record").unwrap();
            }
            1_050.. if name == "b" && !reader.is_autocommit() => reader.execute_batch("COMMIT").unwrap(),
            _ => {}
        }
        if dies == "true" && name == "a" && worker.disk.has_failed() {
            break;
        }
    }
    until_killed()
}

/// The disk that is played is no reason for a process to wait for one that is gone.
#[test]
fn a_process_that_is_killed_in_the_middle_of_a_flush_holds_up_no_other() {
    let scratch = Scratch::new();
    let disk = Disk::new(scratch.path());
    for round in 0..20 {
        let mut killed = spawn("flushes::writes", &disk, &format!("{round}-killed"));
        let mut other = spawn("flushes::writes", &disk, &format!("{round}-other"));
        let (of_killed, of_other) = (lines_of(&mut killed), lines_of(&mut other));
        // It flushes all the time, so that it is in the middle of it, wherever it is.
        for _ in 0..=round {
            of_killed.recv_timeout(PATIENCE).unwrap();
        }
        killed.kill().unwrap();
        killed.wait().unwrap();
        while of_other.try_recv().is_ok() {}
        for _ in 0..3 {
            of_other.recv_timeout(PATIENCE).expect("it waits for a process that is gone");
        }
        other.kill().unwrap();
        other.wait().unwrap();
    }
}

#[test]
fn writes() {
    let Some((disk, name)) = as_child() else { return };
    let mut file = File::create_new(disk.file().with_file_name(name)).unwrap();
    loop {
        file.write_all(&[7; 100_000]).unwrap();
        file.rewind().unwrap();
        file.sync_all().unwrap();
        say("flushed\n");
    }
}
