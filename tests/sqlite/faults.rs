//! A full disk, files that may not be read or written, others who are writing: what is told, what is left, and that it
//! goes on once there is room.

use std::fs::{
    Permissions, {self},
};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use client_registry::event::{EventHash, check_trail};
use client_registry::registry::Resolution;
use client_registry::store::{ClientsBy, SqliteStore, Store, StoreErrorKind};
use client_registry::value::Revision;
use client_registry::{Error, Issued, Lifetime, NewSecret, Registry, Seller};
use pollster::block_on;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::world::{Scratch, World, as_child, child, details, in_words, keyring};

fn integrity(path: &Path) -> String {
    let engine = rusqlite::Connection::open(path).unwrap();
    engine.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap()
}

fn try_register<S: Store>(seller: &Seller<S>, number: usize) -> Result<Issued, Error> {
    let name = format!("app {number}");
    block_on(seller.register(details(&name), Lifetime::OneYear))
}

/// Everything that was acknowledged is there and whole, and nothing else.
fn all_there<S: Store>(registry: &Registry<S>, acknowledged: &[Issued]) {
    let listed = block_on(registry.store().clients(ClientsBy::All, None, 100_000)).unwrap();
    assert_eq!(listed.len(), acknowledged.len());
    let contoso = registry.as_seller("contoso").unwrap();
    let mut events = 0;
    for issued in acknowledged {
        let (id, secret) = (issued.client_id(), issued.client_secret().expose());
        block_on(registry.authenticate(id.as_str(), secret)).unwrap();
        let snapshot = block_on(contoso.client(id).snapshot()).unwrap();
        let trail = block_on(contoso.client(id).trail(Revision::ZERO, 100)).unwrap();
        check_trail(&trail, EventHash::START, snapshot.client().head()).unwrap();
        events += trail.len();
    }
    let feed = block_on(registry.store().changes(None, 1_000_000)).unwrap().events;
    assert_eq!(feed.len(), events);
}

#[test]
fn a_file_that_may_not_grow_says_so_and_keeps_what_it_has() {
    let scratch = Scratch::new();
    let path = scratch.file();
    let store = SqliteStore::options().max_size(200_000).open(&path).unwrap();
    let world = World::of(scratch, store);
    let mut acknowledged = Vec::new();
    let full = loop {
        match try_register(&world.contoso, acknowledged.len()) {
            Ok(issued) => acknowledged.push(issued),
            Err(error) => break error,
        }
    };
    match full {
        // Not in doubt: nothing was written.
        Error::Unavailable(error) => {
            assert_eq!(error.kind(), StoreErrorKind::ReadOnly, "{}", in_words(&error));
            assert!(in_words(&error).contains("make room"), "{}", in_words(&error));
        }
        other => panic!("{other:?}"),
    }
    assert!(acknowledged.len() > 20, "{}", acknowledged.len());
    all_there(&world.registry, &acknowledged);
    // What needs no room goes on.
    let used = acknowledged[0].client_id();
    block_on(world.registry.flush_last_uses()).unwrap();
    block_on(world.contoso.client(used).promote(acknowledged[0].secret_id())).unwrap();

    let (scratch, _) = world.close();
    assert!(fs::metadata(&path).unwrap().len() <= 200_000);
    assert_eq!(integrity(&path), "ok");
    let store = SqliteStore::options().max_size(400_000).open(&path).unwrap();
    let world = World::of(scratch, store);
    acknowledged.push(try_register(&world.contoso, 1_000_000).unwrap());
    all_there(&world.registry, &acknowledged);
}

#[test]
fn others_who_write_for_too_long_are_not_waited_for() {
    let scratch = Scratch::new();
    let store = SqliteStore::options().busy_timeout(Duration::ZERO).open(scratch.file()).unwrap();
    let world = World::of(scratch, store);
    let other = world.scratch.engine();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    match try_register(&world.contoso, 0) {
        Err(Error::Unavailable(error)) => assert_eq!(error.kind(), StoreErrorKind::Unavailable),
        other => panic!("{other:?}"),
    }
    // Reading goes on.
    all_there(&world.registry, &[]);
    other.execute_batch("ROLLBACK").unwrap();
    let issued = try_register(&world.contoso, 0).unwrap();
    all_there(&world.registry, &[issued]);
}

/// A file size limit is what comes closest to a disk that is full: writes fail in the middle.
#[test]
fn after_a_full_disk_it_goes_on_once_there_is_room() {
    let scratch = Scratch::new();
    let test = "faults::with_little_room";
    let worker = child(test, &scratch.file());
    // Without this, going past the limit ends the process.
    let mut shell = Command::new("sh");
    shell.args(["-c", r#"trap '' XFSZ; exec "$0" "$@""#]).arg(worker.get_program()).args(worker.get_args());
    shell.envs(worker.get_envs().filter_map(|(key, value)| Some((key, value?))));
    let output = shell.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && said.contains("goes on"),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stdout)
    );
    println!("{said}");
    assert_eq!(integrity(&scratch.file()), "ok");
}

#[test]
fn with_little_room() {
    let Some(path) = as_child() else { return };
    let scratch = Scratch::new();
    let store = SqliteStore::open(&path).unwrap();
    let registry = block_on(Registry::open(store, keyring())).unwrap();
    let contoso = registry.as_seller("contoso").unwrap();
    let mut acknowledged: Vec<_> = (0..10).map(|number| try_register(&contoso, number).unwrap()).collect();
    let (mut refused, mut unresolved) = (0, 0);
    let mut log = path.into_os_string();
    log.push("-wal");
    // Again and again, with a little more room each time, so that it fails at every point of a change.
    for more in (0..40).map(|step| step * 1_117) {
        let size = fs::metadata(&log).unwrap().len();
        limit(Some(size + more));
        for _ in 0..30 {
            match try_register(&contoso, acknowledged.len()) {
                Ok(issued) => acknowledged.push(issued),
                Err(Error::Unavailable(error)) => {
                    let words = in_words(&error);
                    assert_eq!(error.kind(), StoreErrorKind::ReadOnly, "{words}");
                    // A limit is none of the disk's, so that it is not called full.
                    assert!(
                        words.contains("registry.db\": it cannot be written to: make room on its disk"),
                        "{words}"
                    );
                    refused += 1;
                    break;
                }
                Err(Error::Unresolved(open)) => {
                    limit(None);
                    unresolved += 1;
                    match block_on(registry.resolve(*open)).unwrap() {
                        Resolution::Made(issued) => acknowledged.push(issued.unwrap()),
                        _ => continue,
                    }
                }
                Err(other) => panic!("{other:?}"),
            }
        }
        limit(None);
        all_there(&registry, &acknowledged);
        acknowledged.push(try_register(&contoso, acknowledged.len()).unwrap());
    }
    assert!(refused > 20, "{refused}");
    all_there(&registry, &acknowledged);
    drop(scratch);
    eprintln!("{refused} times full, {unresolved} in doubt, {} acknowledged: it goes on", acknowledged.len());
}

fn limit(size: Option<u64>) {
    let limit = getrlimit(Resource::Fsize);
    setrlimit(Resource::Fsize, Rlimit { current: size, ..limit }).unwrap();
}

/// Opens a file as a user with few rights: a process of its own where this one may do everything.
fn refusal_of_nobody(path: &Path) -> String {
    let mut command = child("faults::as_nobody", path);
    if fs::metadata(std::env::temp_dir()).is_ok() && is_root() {
        command.uid(65_534).gid(65_534).current_dir("/");
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stderr).unwrap()
}

fn is_root() -> bool {
    let scratch = Scratch::new();
    fs::metadata(scratch.path()).unwrap().uid() == 0
}

#[test]
fn as_nobody() {
    if let Some(path) = as_child() {
        match SqliteStore::open(path) {
            Ok(store) => eprintln!("opened: {store:?}"),
            Err(error) => eprintln!("{:?}: {}", error.kind(), in_words(&error)),
        }
    }
}

#[test]
fn without_rights_it_says_which_are_needed() {
    let world = World::new();
    let issued = world.register("calendar app");
    let (scratch, _) = world.close();
    let (file, directory): (PathBuf, &Path) = (scratch.file(), scratch.path());
    let set = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    let bytes = fs::read(&file).unwrap();
    let rights = "give this user the right to read and write the file, and to write to its directory";
    let cases = [
        (0o777, 0o000, "Misconfigured", rights),
        (0o777, 0o444, "Misconfigured", rights),
        (0o555, 0o666, "Misconfigured", rights),
        (0o000, 0o666, "Misconfigured", rights),
    ];
    for (of_directory, of_file, kind, advice) in cases {
        set(&file, of_file);
        set(directory, of_directory);
        let said = refusal_of_nobody(&file);
        set(directory, 0o777);
        assert!(said.starts_with(kind) && said.contains(advice), "{of_directory:o} {of_file:o}: {said}");
        assert!(said.contains("registry.db"), "{said}");
        // What the engine has put beside a file that could be read.
        for beside in ["registry.db-wal", "registry.db-shm"] {
            let _ = fs::remove_file(directory.join(beside));
        }
    }
    set(directory, 0o555);
    let said = refusal_of_nobody(&directory.join("new.db"));
    set(directory, 0o777);
    assert!(said.starts_with("Misconfigured"), "{said}");
    assert!(said.contains("give this user the right to write to the directory"), "{said}");

    // With rights: the same way, so that it is the rights that were refused.
    set(&file, 0o666);
    assert_eq!(fs::read(&file).unwrap(), bytes);
    let said = refusal_of_nobody(&file);
    assert!(said.starts_with("opened"), "{said}");
    let store = SqliteStore::open(&file).unwrap();
    let registry = block_on(Registry::open(store, keyring())).unwrap();
    all_there(&registry, &[issued]);
}

/// A transaction that fails half-way leaves no half of it to the next one.
#[test]
fn after_an_error_in_the_middle_of_a_change_the_next_one_is_whole() {
    let world = World::new();
    let issued = world.register("calendar app");
    let engine = world.scratch.engine();
    engine
        .execute_batch(
            "CREATE TRIGGER no_events BEFORE INSERT ON event BEGIN SELECT RAISE(ABORT, 'not now'); END",
        )
        .unwrap();
    let client = world.contoso.client(issued.client_id());
    for _ in 0..3 {
        match block_on(client.add_secret(NewSecret::lasting(Lifetime::OneYear))) {
            Err(Error::Unavailable(error)) => assert!(in_words(&error).contains("not now")),
            other => panic!("{other:?}"),
        }
    }
    engine.execute_batch("DROP TRIGGER no_events").unwrap();
    assert_eq!(block_on(client.snapshot()).unwrap().client().secrets().len(), 1);
    all_there(&world.registry, &[issued]);
}
