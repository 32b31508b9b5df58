//! A log that lies beside a file is read only if it belongs to it: every mix of a file and the log of another one is
//! refused before anything is written, and no log that a crash left behind ever is.

#[cfg(unix)]
mod kills;

use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;

use client_registry::store::{SqliteStore, Store, StoreErrorKind};
use client_registry::{Lifetime, Registry, Seller};
use pollster::block_on;

use crate::world::{Scratch, details, in_words, keyring};

/// A file and its log as they lay on the disk at some moment.
#[derive(Clone, PartialEq)]
struct Files {
    file: Vec<u8>,
    log: Option<Vec<u8>>,
}

impl Files {
    fn of(scratch: &Scratch) -> Self {
        let log = fs::read(log_of(scratch)).ok().filter(|log| !log.is_empty());
        Self { file: fs::read(scratch.file()).unwrap(), log }
    }

    fn put(&self, scratch: &Scratch) {
        fs::write(scratch.file(), &self.file).unwrap();
        if let Some(log) = &self.log {
            fs::write(log_of(scratch), log).unwrap();
        }
    }
}

fn log_of(scratch: &Scratch) -> std::path::PathBuf {
    scratch.path().join("registry.db-wal")
}

fn open(path: &Path) -> (Registry<SqliteStore>, Seller<SqliteStore>) {
    let registry = block_on(Registry::open(SqliteStore::open(path).unwrap(), keyring())).unwrap();
    let contoso = registry.as_seller("contoso").unwrap();
    (registry, contoso)
}

fn register(contoso: &Seller<SqliteStore>, name: &str) {
    let _ = block_on(contoso.register(details(name), Lifetime::OneYear)).unwrap();
}

/// What a mix is answered with, where nothing was changed.
fn refused(mix: &Files, case: &str) {
    let scratch = Scratch::new();
    mix.put(&scratch);
    let error = match SqliteStore::open(scratch.file()) {
        Err(error) => error,
        Ok(_) => panic!("{case}: opened"),
    };
    let words = in_words(&error);
    assert!(
        words.contains("registry.db-wal\": this log does not belong to \"registry.db\""),
        "{case}: {words}"
    );
    assert!(words.contains("move this log away"), "{case}: {words}");
    assert_eq!(error.kind(), StoreErrorKind::Misconfigured, "{case}: {words}");
    assert!(Files::of(&scratch) == *mix, "{case}: nothing was written");
}

/// How many clients a file has, which must be sound.
fn clients(files: &Files, case: &str) -> usize {
    let scratch = Scratch::new();
    files.put(&scratch);
    let store =
        SqliteStore::open(scratch.file()).unwrap_or_else(|error| panic!("{case}: {}", in_words(&error)));
    let registry = block_on(Registry::open(store, keyring())).unwrap();
    let report = block_on(registry.check()).unwrap();
    assert!(report.is_clean(), "{case}: {report:?}");
    block_on(registry.store().changes(None, 10_000)).unwrap().events.len() / 2
}

#[test]
fn a_restore_by_hand_that_leaves_a_log_is_refused_whatever_was_restored() {
    let scratch = Scratch::new();
    let (registry, contoso) = open(&scratch.file());
    let (mut backups, mut closed, mut crashed) = (Vec::new(), Vec::new(), Vec::new());
    let (mut registry, mut contoso) = (registry, contoso);
    let mut count = 0;
    for round in 0..10 {
        for _ in 0..=round {
            count += 1;
            register(&contoso, &format!("app {count}"));
            // What is in the files before, in the middle and at the end of what a log has.
            if count % 3 == 0 {
                let copy = Scratch::new();
                block_on(registry.store().backup_to(copy.file())).unwrap();
                backups.push((count, Files::of(&copy)));
            }
        }
        crashed.push((count, Files::of(&scratch)));
        drop((registry, contoso));
        closed.push((count, Files::of(&scratch)));
        (registry, contoso) = open(&scratch.file());
    }
    let (mut mixes, mut natural) = (0, 0);
    for (at, crash) in &crashed {
        assert!(crash.log.is_some());
        assert_eq!(clients(crash, "a crash"), *at);
        natural += 1;
        for (restored, backup) in backups.iter() {
            assert_eq!(clients(backup, "a backup"), *restored);
            refused(
                &Files { file: backup.file.clone(), log: crash.log.clone() },
                &format!("the backup of {restored} under the log of {at}"),
            );
            mixes += 1;
        }
    }
    // A copy of a closed file is what the next log builds on, and nothing else is.
    for (index, (at, crash)) in crashed.iter().enumerate() {
        for (other, (restored, copy)) in closed.iter().enumerate() {
            let mix = Files { file: copy.file.clone(), log: crash.log.clone() };
            let case = format!("the copy of {restored} under the log of {at}");
            if other + 1 == index || other == index {
                assert_eq!(clients(&mix, &case), *at, "{case}");
                natural += 1;
            } else {
                refused(&mix, &case);
                mixes += 1;
            }
        }
    }
    println!("{mixes} mixes refused, {natural} pairs opened");
    assert!(mixes > 200 && natural > 20);
}

#[test]
fn the_log_of_another_registry_is_refused() {
    let mut files = Vec::new();
    for _ in 0..2 {
        let scratch = Scratch::new();
        let (registry, contoso) = open(&scratch.file());
        register(&contoso, "calendar app");
        files.push(Files::of(&scratch));
        drop((registry, contoso));
        files.push(Files::of(&scratch));
    }
    for (file, log) in [(0, 2), (1, 2), (2, 0), (3, 0)] {
        let mix = Files { file: files[file].file.clone(), log: files[log].log.clone() };
        refused(&mix, &format!("{file} under {log}"));
    }
}

/// What went on with the same commits in two places is no longer the same file.
#[test]
fn a_copy_that_went_on_by_itself_is_another_file() {
    let scratch = Scratch::new();
    let (registry, contoso) = open(&scratch.file());
    register(&contoso, "calendar app");
    let copied = Files::of(&scratch);
    register(&contoso, "rooms");
    let crashed = Files::of(&scratch);
    drop((registry, contoso));
    let elsewhere = Scratch::new();
    copied.put(&elsewhere);
    let (registry, contoso) = open(&elsewhere.file());
    register(&contoso, "files");
    drop((registry, contoso));
    let gone_on = Files::of(&elsewhere);
    assert_eq!(clients(&gone_on, "the copy"), 2);
    refused(&Files { file: gone_on.file, log: crashed.log }, "the copy under the log of the original");
}

/// Changes that write no event tell one state from another as well.
#[test]
fn uses_that_were_noted_since_are_not_lost_to_an_older_copy() {
    let scratch = Scratch::new();
    let (registry, contoso) = open(&scratch.file());
    let issued = contoso.register(details("calendar app"), Lifetime::OneYear);
    let issued = block_on(issued).unwrap();
    // The file and its log copied by hand, and the log taken into the copy with another tool.
    let copy = Scratch::new();
    Files::of(&scratch).put(&copy);
    let engine = copy.engine();
    engine.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(engine);
    let older = Files::of(&copy);
    assert!(older.log.is_none());
    block_on(registry.authenticate(issued.client_id().as_str(), issued.client_secret().expose())).unwrap();
    block_on(registry.flush_last_uses()).unwrap();
    drop((registry, contoso));
    let (registry, contoso) = open(&scratch.file());
    register(&contoso, "rooms");
    let log = Files::of(&scratch).log;
    drop((registry, contoso));
    refused(&Files { file: older.file, log }, "a copy from before the use");
}

/// A checkpoint that was interrupted has copied some pages and not others.
#[test]
fn a_log_of_which_any_part_was_copied_belongs_to_the_file() {
    let scratch = Scratch::new();
    let (registry, contoso) = open(&scratch.file());
    for number in 0..60 {
        register(&contoso, &format!("app {number}"));
    }
    drop((registry, contoso));
    let (registry, contoso) = open(&scratch.file());
    let base = Files::of(&scratch);
    for number in 60..110 {
        register(&contoso, &format!("app {number}"));
    }
    let crashed = Files::of(&scratch);
    drop((registry, contoso));
    let done = Files::of(&scratch).file;
    const PAGE: usize = 4_096;
    let pages = done.len() / PAGE;
    let mut seed = 1_u64;
    for attempt in 0..60 {
        let mut file = base.file.clone();
        for page in 0..pages {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // In order, as a kill leaves it, or in any order, as a power cut does.
            let is_copied = if attempt < 30 { page * 30 < attempt * pages } else { seed >> 63 == 1 };
            if is_copied {
                let at = page * PAGE;
                file.resize(file.len().max(at + PAGE), 0);
                file[at..at + PAGE].copy_from_slice(&done[at..at + PAGE]);
            }
        }
        let torn = Files { file, log: crashed.log.clone() };
        assert_eq!(clients(&torn, &format!("attempt {attempt}")), 110);
    }
}

/// A folder that was copied while it was in use, the log first and the file after a checkpoint.
#[test]
fn a_log_that_ends_before_the_state_of_the_file_is_refused() {
    let scratch = Scratch::new();
    let (_registry, contoso) = open(&scratch.file());
    for number in 0..30 {
        register(&contoso, &format!("app {number}"));
    }
    let log = Files::of(&scratch).log;
    for number in 30..35 {
        register(&contoso, &format!("app {number}"));
        let engine = scratch.engine();
        engine.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).unwrap();
        let file = Files::of(&scratch).file;
        refused(
            &Files { file, log: log.clone() },
            &format!("a log of 30 changes under a file with {}", number + 1),
        );
    }
}

/// Logs of earlier versions do not say what they build on.
#[test]
fn a_log_of_an_earlier_version_is_refused_where_it_does_not_fit() {
    let folder = crate::support::registries::folder("2026-11", "sqlite");
    let old = Files {
        file: fs::read(folder.join("registry.db")).unwrap(),
        log: Some(fs::read(folder.join("registry.db-wal")).unwrap()),
    };
    let scratch = Scratch::new();
    let (registry, contoso) = open(&scratch.file());
    for number in 0..40 {
        register(&contoso, &format!("app {number}"));
    }
    let crashed = Files::of(&scratch);
    drop((registry, contoso));
    let closed = Files::of(&scratch);
    refused(&Files { file: closed.file, log: old.log.clone() }, "an old log under a new file");
    refused(
        &Files { file: crashed.file, log: old.log.clone() },
        "an old log under a new file that was in use",
    );
    refused(&Files { file: old.file, log: crashed.log }, "a new log under an old file");
}

/// A process that opens the file while another one writes is never refused, and refuses nothing to the other one.
///
/// The engine does not wait in turn, so that a writer that goes on at once may keep the other one waiting. So it goes on until the
/// file was opened often enough.
#[test]
fn a_log_that_is_in_use_is_never_refused() {
    const OPENINGS: usize = 6;
    const WRITES: std::ops::Range<usize> = 400..100_000;
    let scratch = Scratch::new();
    let (registry, contoso) = open(&scratch.file());
    let opened = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            let mut written = 0;
            while written < WRITES.start || (written < WRITES.end && opened.load(SeqCst) < OPENINGS) {
                register(&contoso, &format!("app {written}"));
                written += 1;
            }
            written
        });
        while !writing.is_finished() {
            let (other, contoso) = open(&scratch.file());
            register(&contoso, &format!("by another one, {}", opened.load(SeqCst)));
            drop((other, contoso));
            opened.fetch_add(1, SeqCst);
        }
        let (written, opened) = (writing.join().unwrap(), opened.load(SeqCst));
        println!("opened {opened} times while {written} changes were written");
        assert!(opened >= OPENINGS, "{opened} openings beside {written} changes");
    });
    assert!(block_on(registry.check()).unwrap().is_clean());
}

#[test]
fn a_journal_of_another_tool_is_not_played_into_the_file() {
    let scratch = Scratch::new();
    drop(open(&scratch.file()));
    let journal = scratch.path().join("registry.db-journal");
    fs::write(&journal, "what another tool left").unwrap();
    let before = fs::read(scratch.file()).unwrap();
    let error = SqliteStore::open(scratch.file()).unwrap_err();
    let words = in_words(&error);
    assert!(words.contains("registry.db-journal\": another program has left a change half done"), "{words}");
    assert_eq!(fs::read(scratch.file()).unwrap(), before);
    assert!(journal.exists());
}
