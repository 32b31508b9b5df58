//! The files are their owner's alone, and what a killed process was making is taken away.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use client_registry::store::{SqliteStore, StoreErrorKind};
use pollster::block_on;

use crate::world::{Scratch, World, as_child, child, in_words};

/// The files of a directory with what everybody else may do.
fn open_to_others(directory: &Path) -> Vec<(String, u32)> {
    let files = fs::read_dir(directory).unwrap().map(Result::unwrap);
    let rights = |file: &fs::DirEntry| file.metadata().unwrap().permissions().mode() & 0o777;
    files
        .map(|file| (file.file_name().into_string().unwrap(), rights(&file)))
        .filter(|(_, mode)| mode & 0o077 != 0)
        .collect()
}

#[test]
fn every_file_is_its_owners_alone() {
    let world = World::new();
    let _ = world.register("calendar app");
    block_on(world.store().backup_to(world.scratch.path().join("copy.db"))).unwrap();
    let restored = world.scratch.path().join("restored.db");
    SqliteStore::restore(world.scratch.path().join("copy.db"), &restored).unwrap();
    assert_eq!(fs::read_dir(world.scratch.path()).unwrap().count(), 5);
    assert_eq!(open_to_others(world.scratch.path()), []);
    assert_eq!(fs::metadata(world.scratch.file()).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_file_of_an_earlier_version_becomes_its_owners_alone() {
    let world = World::new();
    let _ = world.register("calendar app");
    let scratch = Scratch::new();
    for name in ["registry.db", "registry.db-wal"] {
        fs::copy(world.scratch.path().join(name), scratch.path().join(name)).unwrap();
        fs::set_permissions(scratch.path().join(name), Permissions::from_mode(0o664)).unwrap();
    }
    let store = SqliteStore::open(scratch.file()).unwrap();
    assert_eq!(open_to_others(scratch.path()), []);
    drop(store);
}

#[test]
fn a_copy_over_a_file_asks_for_another_name() {
    let world = World::new();
    let error = block_on(world.store().backup_to(world.scratch.file())).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Misconfigured, "{}", in_words(&error));
    assert!(in_words(&error).contains("choose another one"), "{}", in_words(&error));
}

fn being_made(directory: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(directory).unwrap().map(|file| file.unwrap().path());
    files.filter(|path| path.to_str().unwrap().contains(".new")).collect()
}

/// Copies the file until it is killed.
#[test]
fn copies_for_ever() {
    let Some(path) = as_child() else { return };
    let store = SqliteStore::open(&path).unwrap();
    for number in 0.. {
        let copy = path.with_file_name(format!("copy-{number}.db"));
        // One that was killed before has left it.
        let _ = fs::remove_file(&copy);
        block_on(store.backup_to(&copy)).unwrap();
    }
}

#[test]
fn what_a_killed_backup_left_is_taken_away_and_what_is_being_made_is_not() {
    let world = World::new();
    for number in 0..100 {
        let _ = world.register(&format!("app {number}"));
    }
    let copy = world.scratch.path().join("copy.db");
    block_on(world.store().backup_to(&copy)).unwrap();
    let elsewhere = Scratch::new();
    SqliteStore::restore(&copy, elsewhere.file()).unwrap();
    let mut left = 0;
    for _ in 0..20 {
        let mut copying = child("rights::copies_for_ever", &elsewhere.file());
        let mut copying = copying.stdout(std::process::Stdio::null()).spawn().unwrap();
        while being_made(elsewhere.path()).is_empty() {
            assert!(copying.try_wait().unwrap().is_none(), "it has ended");
            std::thread::yield_now();
        }
        // While it lives, others leave alone what it makes: it goes on.
        drop(SqliteStore::open(elsewhere.file()).unwrap());
        while being_made(elsewhere.path()).is_empty() {
            assert!(copying.try_wait().unwrap().is_none(), "it has ended");
            std::thread::yield_now();
        }
        assert!(copying.try_wait().unwrap().is_none(), "it was disturbed");
        copying.kill().unwrap();
        copying.wait().unwrap();
        left += usize::from(!being_made(elsewhere.path()).is_empty());
        drop(SqliteStore::open(elsewhere.file()).unwrap());
        assert_eq!(being_made(elsewhere.path()), Vec::<PathBuf>::new());
    }
    println!("{left} of 20 left something behind");
    assert!(left > 0);
}

/// Names that only look alike are nobody's to delete.
#[test]
fn what_others_have_called_new_stays() {
    let scratch = Scratch::new();
    let names = [
        "notes.new",
        "notes.new-lock",
        "a.0123456789abcdeg.new-lock",
        "0123456789abcdef.new-lock",
        "x.new.lock",
    ];
    for name in names {
        fs::write(scratch.path().join(name), "dear").unwrap();
    }
    drop(SqliteStore::open(scratch.file()).unwrap());
    for name in names {
        assert!(scratch.path().join(name).exists(), "{name}");
    }
}
