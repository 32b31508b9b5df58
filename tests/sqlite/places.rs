//! What stands at a path that is given: only a registry's file is opened, replaced or restored, and everything else is refused in
//! words that say what it is and what to do.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use client_registry::store::{SqliteStore, StoreError, StoreErrorKind};
use client_registry::{Lifetime, Registry};
use pollster::block_on;

use crate::world::{Scratch, World, as_child, child, details, in_words, keyring};

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

fn foreign(path: &Path) {
    let database = rusqlite::Connection::open(path).unwrap();
    database.execute_batch("CREATE TABLE diary (day TEXT); INSERT INTO diary VALUES ('Monday')").unwrap();
    database.close().unwrap();
}

/// The error is about how the store is set up, names the path in quotation marks, says this, and does not say to try again.
fn misconfigured(error: &StoreError, path: &Path, advice: &str) {
    let words = in_words(error);
    assert_eq!(error.kind(), StoreErrorKind::Misconfigured, "{words}");
    assert!(words.contains(&format!("{path:?}: ")) && words.contains(advice), "{words}");
    assert!(!words.contains("try again") && !words.contains("restore it"), "{words}");
    assert!(words.contains("fix that before retrying"), "{words}");
}

fn names(directory: &Path) -> Vec<PathBuf> {
    let mut names: Vec<_> = fs::read_dir(directory).unwrap().map(|file| file.unwrap().path()).collect();
    names.sort();
    names
}

#[test]
fn what_is_no_file_is_not_opened() {
    let scratch = Scratch::new();
    let at = |name: &str| scratch.path().join(name);
    pipe(&at("pipe"));
    let _socket = UnixListener::bind(at("socket")).unwrap();
    fs::create_dir(at("directory")).unwrap();
    symlink("nowhere.db", at("dangling")).unwrap();
    symlink("circle", at("circle")).unwrap();
    fs::write(at("text"), "Dear diary").unwrap();
    let before = names(scratch.path());
    let no_file = "it is a device, a pipe or a socket: name a file";
    for (path, advice) in [
        (at("pipe"), no_file),
        (at("socket"), no_file),
        (PathBuf::from("/dev/null"), no_file),
        (at("directory"), "it is a directory: name a file in it"),
        (at("dangling"), "it is a symbolic link to \"nowhere.db\", which is not there"),
        (at("circle"), "it is a symbolic link to \"circle\", which is not there"),
        (at("text/registry.db"), "text\" is a file, not a directory: choose another path"),
        (at("nowhere/registry.db"), "nowhere\": make it first"),
        (at("nowhere/"), "the path ends like that of a directory: name a file in it"),
        (PathBuf::new(), "the path is empty: name a file"),
        (PathBuf::from("/"), "it is a directory: name a file in it"),
        (at("directory/.."), "it is a directory: name a file in it"),
    ] {
        misconfigured(&SqliteStore::open(&path).unwrap_err(), &path, advice);
    }
    assert_eq!(names(scratch.path()), before);
}

/// The address of a server is no path. It may hold a password, so nothing of it is repeated but its scheme.
#[test]
fn a_url_is_not_taken_for_a_path() {
    for url in ["postgres://registry:hunter2@db.contoso.com/platform", "psql+tls://registry:hunter2@db"] {
        let shown = PathBuf::from(format!("{}://…", url.split_once(':').unwrap().0));
        let error = SqliteStore::open(url).unwrap_err();
        misconfigured(&error, &shown, "this is a URL: name a file by its path");
        let words = format!("{error} {error:?}");
        assert!(!words.contains("hunter2") && !words.contains("contoso"), "{words}");
    }
}

#[test]
fn only_a_registry_is_replaced_by_a_restore() {
    let world = World::new();
    let _ = world.register("calendar app");
    let copy = world.scratch.path().join("monday.db");
    block_on(world.store().backup_to(&copy)).unwrap();
    let scratch = Scratch::new();
    let at = |name: &str| scratch.path().join(name);
    pipe(&at("pipe"));
    fs::create_dir(at("directory")).unwrap();
    symlink("nowhere.db", at("dangling")).unwrap();
    fs::write(at("text"), "Dear diary").unwrap();
    fs::write(at("longer"), "Dear diary\n".repeat(1_000)).unwrap();
    foreign(&at("foreign"));
    let before = names(scratch.path());
    let other = "this file is not a registry, and it was left as it is";
    for (path, advice) in [
        (at("text"), other),
        (at("longer"), other),
        (at("foreign"), other),
        (at("pipe"), "it is a device, a pipe or a socket"),
        (PathBuf::from("/dev/null"), "it is a device, a pipe or a socket"),
        (at("directory"), "it is a directory: name a file in it"),
        (at("dangling"), "it is a symbolic link to \"nowhere.db\", which is not there"),
        (at("text/registry.db"), "text\" is a file, not a directory"),
        (at("nowhere/registry.db"), "nowhere\": make it first"),
        (PathBuf::new(), "the path is empty"),
    ] {
        let bytes = path.is_file().then(|| fs::read(&path).unwrap());
        let error = SqliteStore::restore(&copy, &path).unwrap_err();
        misconfigured(&error, &path, advice);
        if advice == other {
            assert!(in_words(&error).contains(&format!("{copy:?} was not restored")), "{}", in_words(&error));
        }
        assert_eq!(path.is_file().then(|| fs::read(&path).unwrap()), bytes);
    }
    assert_eq!(names(scratch.path()), before);
}

#[test]
fn what_is_no_copy_is_not_restored() {
    let scratch = Scratch::new();
    let at = |name: &str| scratch.path().join(name);
    pipe(&at("pipe"));
    fs::create_dir(at("directory")).unwrap();
    fs::write(at("empty"), "").unwrap();
    fs::write(at("text"), "Dear diary").unwrap();
    foreign(&at("foreign"));
    let before = names(scratch.path());
    for (path, advice) in [
        (at("pipe"), "it is a device, a pipe or a socket"),
        (at("directory"), "it is a directory: name a file in it"),
        (at("nowhere.db"), "there is no such file: name a copy that was made with `backup_to`"),
        (at("text/copy.db"), "text\" is a file, not a directory"),
        (at("empty"), "the file is empty: name a copy that was made with `backup_to`"),
        (at("text"), "this file is not a registry, and it was left as it is: choose another path, or"),
        (at("foreign"), "this file is not a registry, and it was left as it is: choose another path, or"),
        (PathBuf::new(), "the path is empty"),
    ] {
        misconfigured(&SqliteStore::restore(&path, scratch.file()).unwrap_err(), &path, advice);
    }
    assert_eq!(names(scratch.path()), before);
}

/// A second name has a log of its own: two processes that open the two names would write past each other.
#[test]
fn a_file_with_a_second_name_is_not_opened() {
    let world = World::new();
    let _ = world.register("calendar app");
    let (first, second) = (world.scratch.file(), world.scratch.path().join("second.db"));
    fs::hard_link(&first, &second).unwrap();
    // While it is in use, and when it is not.
    misconfigured(&SqliteStore::open(&second).unwrap_err(), &second, "the file has 2 names (hard links)");
    let (scratch, _) = world.close();
    for path in [&first, &second] {
        misconfigured(&SqliteStore::open(path).unwrap_err(), path, "the file has 2 names (hard links)");
    }
    fs::remove_file(&second).unwrap();
    drop(SqliteStore::open(scratch.file()).unwrap());
}

/// A process that is killed just when a file has got its name leaves the name that it was made under.
#[test]
fn the_name_that_a_file_was_made_under_is_no_second_one() {
    let (scratch, _) = World::new().close();
    let made = scratch.path().join("registry.db.0123456789abcdef.new");
    fs::hard_link(scratch.file(), &made).unwrap();
    let lock = fs::File::create(scratch.path().join("registry.db.0123456789abcdef.new-lock")).unwrap();
    lock.lock().unwrap();
    drop(SqliteStore::open(scratch.file()).unwrap());
    assert!(made.exists(), "its maker lives");
    // Closing it would not do: a child that another test starts holds what was open until it runs its own program.
    lock.unlock().unwrap();
    drop(SqliteStore::open(scratch.file()).unwrap());
    assert_eq!(names(scratch.path()), [scratch.file()]);
}

/// For a process of its own, since it mounts: `cargo test --test sqlite read_only -- --ignored`, as root.
#[test]
#[ignore = "mounts a file system, for which it needs root"]
fn on_a_read_only_file_system_it_says_so() {
    let world = World::new();
    let _ = world.register("calendar app");
    let (scratch, _) = world.close();
    for name in ["registry.db", "new.db"] {
        let worker = child("places::on_a_read_only_file_system", &scratch.path().join(name));
        let mut shell = Command::new("unshare");
        shell.args(["-m", "sh", "-ec"]);
        shell.arg(r#"mount --bind "$HERE" "$HERE"; mount -o remount,bind,ro "$HERE"; exec "$0" "$@""#);
        shell.arg(worker.get_program()).args(worker.get_args()).env("HERE", scratch.path());
        shell.envs(worker.get_envs().filter_map(|(key, value)| Some((key, value?))));
        let output = shell.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.contains("refused"), "{name}: {said}");
    }
}

#[test]
fn on_a_read_only_file_system() {
    let Some(path) = as_child() else { return };
    let error = SqliteStore::open(&path).unwrap_err();
    misconfigured(
        &error,
        &path,
        "the file system is mounted read-only: mount it for writing, or choose another path",
    );
    eprintln!("refused");
}

/// What a full file says, told of the limit and of the disk.
#[test]
fn a_full_file_is_named_with_its_limit() {
    let scratch = Scratch::new();
    let store = SqliteStore::options().max_size(120_000).open(scratch.file()).unwrap();
    let registry = block_on(Registry::open(store, keyring())).unwrap();
    let contoso = registry.as_seller("contoso").unwrap();
    let refused = (0..).find_map(|number| {
        let details = details(&format!("app {number}"));
        block_on(contoso.register(details, Lifetime::OneYear)).err()
    });
    match refused {
        Some(client_registry::Error::Unavailable(error)) => {
            let words = in_words(&error);
            assert_eq!(error.kind(), StoreErrorKind::ReadOnly, "{words}");
            let said = format!("{:?}: the file has reached its limit of 120000 bytes", scratch.file());
            assert!(words.contains(&said) && words.contains("raise `SqliteOptions::max_size`"), "{words}");
        }
        other => panic!("{other:?}"),
    }
}
