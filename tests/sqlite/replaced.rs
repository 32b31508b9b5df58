//! Another file is copied over this one while it is open (`cp copy registry.db`): its name and its number stay. No change is
//! acknowledged after that, nothing of the log gets into the other file, and nobody who works as they should is suspected.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use client_registry::store::{SqliteStore, Store, StoreError, StoreErrorKind};
use client_registry::{Error, Lifetime, Registry};
use pollster::block_on;

use crate::world::{Scratch, details, in_words, keyring};

/// A registry with some clients, and copies of it from before.
struct Platform {
    registry: Registry<SqliteStore>,
    scratch: Scratch,
}

impl Platform {
    fn new() -> Self {
        let scratch = Scratch::new();
        let open =
            || block_on(Registry::open(SqliteStore::open(scratch.file()).unwrap(), keyring())).unwrap();
        let registry = open();
        register(&registry, "first").unwrap();
        drop(registry);
        fs::copy(scratch.file(), scratch.path().join("closed.db")).unwrap();
        // Closed once more, so that the file is no longer what it was then.
        let registry = open();
        register(&registry, "second").unwrap();
        drop(registry);
        let registry = open();
        block_on(registry.store().backup_to(scratch.path().join("monday.db"))).unwrap();
        register(&registry, "third").unwrap();
        fs::write(scratch.path().join("text"), "Dear diary\n".repeat(1_000)).unwrap();
        fs::write(scratch.path().join("empty"), "").unwrap();
        let other = Scratch::new();
        let stranger = block_on(Registry::open(SqliteStore::open(other.file()).unwrap(), keyring())).unwrap();
        register(&stranger, "stranger").unwrap();
        block_on(stranger.store().backup_to(scratch.path().join("stranger.db"))).unwrap();
        Self { registry, scratch }
    }

    fn log(&self) -> PathBuf {
        self.scratch.path().join("registry.db-wal")
    }

    /// The engine copies the log into the file, as a checkpoint of another process does.
    fn checkpoint(&self, how: &str) {
        let copied = format!("PRAGMA wal_checkpoint({how})");
        self.scratch.engine().query_row(&copied, [], |row| row.get::<_, i64>(0)).unwrap();
    }
}

fn register(registry: &Registry<SqliteStore>, name: &str) -> Result<(), Error> {
    let contoso = registry.as_seller("contoso").unwrap();
    block_on(contoso.register(details(name), Lifetime::OneYear)).map(drop)
}

fn is_told(error: &StoreError, case: &str) {
    let words = in_words(error);
    assert_eq!(error.kind(), StoreErrorKind::Misconfigured, "{case}: {words}");
    assert!(words.contains("another file was copied over this one while it was open"), "{case}: {words}");
    assert!(words.contains("registry.db\": ") && words.contains("`SqliteStore::restore`"), "{case}: {words}");
}

const COPIES: [&str; 5] = ["closed.db", "monday.db", "stranger.db", "text", "empty"];

/// As `cp` does it, with the times of the copy where it is told to keep them.
fn copy_over(copy: &Path, file: &Path, keeps_times: bool) -> Vec<u8> {
    fs::copy(copy, file).unwrap();
    if keeps_times {
        File::options().write(true).open(file).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    }
    fs::read(file).unwrap()
}

#[test]
fn no_change_is_acknowledged_once_another_file_was_copied_over_this_one() {
    for copy in COPIES {
        for checkpoint in [None, Some("PASSIVE"), Some("TRUNCATE")] {
            for keeps_times in [false, true] {
                let case = format!("{copy}, {checkpoint:?}, {keeps_times}");
                let platform = Platform::new();
                if let Some(how) = checkpoint {
                    platform.checkpoint(how);
                    register(&platform.registry, "after the checkpoint").unwrap();
                    platform.checkpoint(how);
                }
                let copy = platform.scratch.path().join(copy);
                let bytes = copy_over(&copy, &platform.scratch.file(), keeps_times);
                let log = fs::read(platform.log()).unwrap();
                match register(&platform.registry, "lost") {
                    Err(Error::Unavailable(error)) => is_told(&error, &case),
                    other => panic!("{case}: {other:?}"),
                }
                let store = platform.registry.store();
                is_told(&block_on(store.changes(None, 100)).unwrap_err(), &case);
                let noted = block_on(store.note_uses(&[], client_registry::Timestamp::MAX));
                is_told(&noted.unwrap_err(), &case);
                let after = platform.scratch.path().join("after.db");
                is_told(&block_on(store.backup_to(&after)).unwrap_err(), &case);
                // Neither meanwhile nor when it is closed did anything of the log get into the other file.
                let Platform { registry, scratch } = platform;
                drop(registry);
                assert!(fs::read(scratch.file()).unwrap() == bytes, "{case}");
                assert!(fs::read(scratch.path().join("registry.db-wal")).ok() == Some(log), "{case}");
            }
        }
    }
}

/// What was acknowledged last is in the log, and the next opening does not take it for a log of the other file.
#[test]
fn a_file_that_was_copied_over_just_before_the_process_ends_gets_nothing_of_the_log() {
    for copy in COPIES {
        let Platform { registry, scratch } = Platform::new();
        let bytes = copy_over(&scratch.path().join(copy), &scratch.file(), false);
        drop(registry);
        assert!(fs::read(scratch.file()).unwrap() == bytes, "{copy}");
        let _ = SqliteStore::open(scratch.file()).unwrap_err();
    }
}

#[test]
fn every_process_that_has_the_file_open_notices_by_itself() {
    let platform = Platform::new();
    let other =
        block_on(Registry::open(SqliteStore::open(platform.scratch.file()).unwrap(), keyring())).unwrap();
    register(&other, "fourth").unwrap();
    register(&platform.registry, "fifth").unwrap();
    copy_over(&platform.scratch.path().join("monday.db"), &platform.scratch.file(), false);
    for (name, registry) in [("one", &platform.registry), ("the other", &other)] {
        match register(registry, "lost") {
            Err(Error::Unavailable(error)) => is_told(&error, name),
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn nobody_is_suspected_for_a_checkpoint_or_for_touching_the_file() {
    let platform = Platform::new();
    let other =
        block_on(Registry::open(SqliteStore::open(platform.scratch.file()).unwrap(), keyring())).unwrap();
    let mut count = 3;
    let mut both = || {
        for registry in [&platform.registry, &other] {
            count += 1;
            register(registry, &format!("app {count}")).unwrap();
        }
    };
    both();
    for how in ["PASSIVE", "FULL", "RESTART", "TRUNCATE"] {
        platform.checkpoint(how);
        both();
        both();
    }
    fs::set_permissions(platform.scratch.file(), Permissions::from_mode(0o640)).unwrap();
    both();
    assert!(std::process::Command::new("touch").arg(platform.scratch.file()).status().unwrap().success());
    both();
    // More than the log takes before it is copied, by either of them.
    for _ in 0..200 {
        both();
    }
    assert!(block_on(platform.registry.check()).unwrap().is_clean());
    assert_eq!(block_on(other.store().changes(None, 10_000)).unwrap().events.len(), 2 * count);
    let Platform { registry, scratch } = platform;
    drop((registry, other));
    assert!(!scratch.path().join("registry.db-wal").exists(), "the last one empties the log");
}
