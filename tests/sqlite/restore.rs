//! A copy is put in the place of the file: what was there goes, with its log, and nobody who uses it is overlooked.

use std::fs;
use std::path::{Path, PathBuf};

use client_registry::Registry;
use client_registry::store::{SqliteStore, Store, StoreErrorKind};
use pollster::block_on;

use crate::world::{Scratch, World, in_words, keyring};

/// A file with four clients and its log, as a kill leaves them, and a copy from when there was one client.
struct Crashed {
    scratch: Scratch,
    copy: PathBuf,
    cursor: client_registry::store::Cursor,
}

fn crashed() -> Crashed {
    let world = World::new();
    let _ = world.register("calendar app");
    let scratch = Scratch::new();
    let copy = scratch.path().join("copy.db");
    block_on(world.store().backup_to(&copy)).unwrap();
    let world = world.again();
    for name in ["rooms", "files", "mail"] {
        let _ = world.register(name);
    }
    let cursor = block_on(world.store().latest()).unwrap();
    for name in ["registry.db", "registry.db-wal"] {
        fs::copy(world.scratch.path().join(name), scratch.path().join(name)).unwrap();
    }
    Crashed { scratch, copy, cursor }
}

fn names(directory: &Path) -> Vec<String> {
    let files = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn clients(path: &Path) -> usize {
    let store = SqliteStore::open(path).unwrap();
    let registry = block_on(Registry::open(store, keyring())).unwrap();
    assert!(block_on(registry.check()).unwrap().is_clean());
    block_on(registry.store().changes(None, 1_000)).unwrap().events.len() / 2
}

#[test]
fn a_copy_takes_the_place_of_the_file_and_the_old_log_goes() {
    let Crashed { scratch, copy, cursor } = crashed();
    let bytes = fs::read(&copy).unwrap();
    SqliteStore::restore(&copy, scratch.file()).unwrap();
    assert_eq!(fs::read(&copy).unwrap(), bytes, "the copy is as it was");
    assert_eq!(names(scratch.path()), ["copy.db", "registry.db"]);
    let store = SqliteStore::open(scratch.file()).unwrap();
    let lost = block_on(store.changes(Some(&cursor), 10)).unwrap_err();
    assert_eq!(lost.kind(), StoreErrorKind::CursorLost);
    drop(store);
    assert_eq!(clients(&scratch.file()), 1);
    // Once more over what it has made, and where there is nothing but a log that was left.
    SqliteStore::restore(&copy, scratch.file()).unwrap();
    fs::remove_file(scratch.file()).unwrap();
    fs::write(scratch.path().join("registry.db-wal"), "left").unwrap();
    SqliteStore::restore(&copy, scratch.file()).unwrap();
    assert_eq!(clients(&scratch.file()), 1);
}

#[test]
fn a_file_that_is_in_use_is_not_replaced() {
    let Crashed { scratch, copy, .. } = crashed();
    let store = SqliteStore::open(scratch.file()).unwrap();
    let error = SqliteStore::restore(&copy, scratch.file()).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(in_words(&error).contains("a process has the file open"), "{}", in_words(&error));
    assert_eq!(block_on(store.changes(None, 100)).unwrap().events.len(), 8, "it goes on");
    drop(store);
    // Another process that only reads counts as well.
    let mut other = std::process::Command::new("sh")
        .args(["-c", r#"sqlite3 "$0" 'SELECT count(*) FROM record' '.system echo ready; read wait'"#])
        .arg(scratch.file())
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = std::io::BufReader::new(other.stdout.take().unwrap());
    let mut line = String::new();
    while line != "ready\n" {
        line.clear();
        assert_ne!(std::io::BufRead::read_line(&mut said, &mut line).unwrap(), 0, "install sqlite3");
    }
    let error = SqliteStore::restore(&copy, scratch.file()).unwrap_err();
    assert!(in_words(&error).contains("a process has the file open"), "{}", in_words(&error));
    drop(other.stdin.take());
    other.wait().unwrap();
    assert_eq!(names(scratch.path()), ["copy.db", "registry.db"], "nothing is left of the attempts");
    assert_eq!(clients(&scratch.file()), 4);
    SqliteStore::restore(&copy, scratch.file()).unwrap();
    assert_eq!(clients(&scratch.file()), 1);
}

#[test]
fn what_is_no_sound_copy_is_not_restored() {
    let Crashed { scratch, copy, .. } = crashed();
    let path = |name: &str| scratch.path().join(name);
    let sound = fs::read(&copy).unwrap();
    let mut damaged = sound.clone();
    damaged[20_000..40_000].fill(0xA5);
    fs::write(path("damaged.db"), &damaged).unwrap();
    fs::write(path("cut.db"), &sound[..sound.len() / 2]).unwrap();
    fs::write(path("text.db"), "Dear diary\n".repeat(1_000)).unwrap();
    fs::write(path("empty.db"), "").unwrap();
    fs::write(path("mixed.db"), &sound).unwrap();
    fs::copy(path("registry.db-wal"), path("mixed.db-wal")).unwrap();
    let newer = path("newer.db");
    fs::write(&newer, &sound).unwrap();
    let engine = rusqlite::Connection::open(&newer).unwrap();
    engine.pragma_update(None, "user_version", 99).unwrap();
    engine.close().unwrap();
    let cases = [
        ("damaged.db", StoreErrorKind::Corrupt, ""),
        ("cut.db", StoreErrorKind::Corrupt, ""),
        ("text.db", StoreErrorKind::Misconfigured, "this file is not a registry"),
        ("empty.db", StoreErrorKind::Misconfigured, "the file is empty"),
        (
            "mixed.db",
            StoreErrorKind::Misconfigured,
            "mixed.db-wal\": this log does not belong to \"mixed.db\"",
        ),
        ("newer.db", StoreErrorKind::NewerFormat, "upgrade"),
        ("nowhere.db", StoreErrorKind::Misconfigured, "there is no such file"),
        ("registry.db", StoreErrorKind::Misconfigured, "this is the file itself"),
    ];
    let before = fs::read(scratch.file()).unwrap();
    for (name, kind, words) in cases {
        let error = SqliteStore::restore(path(name), scratch.file()).unwrap_err();
        assert_eq!(error.kind(), kind, "{name}: {}", in_words(&error));
        assert!(in_words(&error).contains(words), "{name}: {}", in_words(&error));
        assert_eq!(fs::read(scratch.file()).unwrap(), before, "{name}");
    }
    assert_eq!(clients(&scratch.file()), 4, "with its log");
}

/// Damage to the file is what a restore is for.
#[test]
fn a_registry_is_replaced_however_it_is_damaged() {
    let Crashed { scratch, copy, .. } = crashed();
    let sound = fs::read(scratch.file()).unwrap();
    let rubbish: Vec<u8> = sound.iter().take(100).copied().chain([0xA5; 40_000]).collect();
    for left in [&sound[..0], &sound[..100], &sound[..1_000], &sound[..sound.len() / 2], &rubbish] {
        fs::write(scratch.file(), left).unwrap();
        SqliteStore::restore(&copy, scratch.file()).unwrap();
        assert_eq!(clients(&scratch.file()), 1, "{} bytes", left.len());
    }
}

/// A copy by hand, of the file together with its log, is a copy as well.
#[test]
fn a_copy_with_its_log_is_restored_with_what_the_log_has() {
    let Crashed { scratch, .. } = crashed();
    let elsewhere = Scratch::new();
    SqliteStore::restore(scratch.file(), elsewhere.file()).unwrap();
    assert_eq!(clients(&elsewhere.file()), 4);
}

/// A log that is kept and put back after the restore belongs to nothing any longer.
#[test]
fn the_old_log_does_not_come_back() {
    let Crashed { scratch, .. } = crashed();
    let log = fs::read(scratch.path().join("registry.db-wal")).unwrap();
    let elsewhere = Scratch::new();
    SqliteStore::restore(scratch.file(), elsewhere.file()).unwrap();
    fs::write(elsewhere.path().join("registry.db-wal"), log).unwrap();
    let error = SqliteStore::open(elsewhere.file()).unwrap_err();
    assert!(in_words(&error).contains("does not belong to \"registry.db\""), "{}", in_words(&error));
}

#[cfg(unix)]
#[test]
fn a_link_to_the_file_stays_one() {
    let Crashed { scratch, copy, .. } = crashed();
    let link = scratch.path().join("link.db");
    std::os::unix::fs::symlink("registry.db", &link).unwrap();
    SqliteStore::restore(&copy, &link).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(clients(&scratch.file()), 1);
}
