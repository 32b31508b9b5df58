//! A file that is moved, replaced or deleted under a running process: nothing is acknowledged any longer, neither a change
//! nor an answer.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use client_registry::store::{SqliteStore, Store, StoreError, StoreErrorKind};
use client_registry::{Error, Lifetime, Registry};
use pollster::block_on;

use crate::world::{Scratch, details, in_words, keyring};

const MOVED: &str =
    "the file was moved, replaced or deleted while it was open: put it back first, then open it again";

/// A registry whose file is in a folder of its own inside the scratch directory, with two clients.
struct Platform {
    registry: Registry<SqliteStore>,
    scratch: Scratch,
}

impl Platform {
    fn new(folder: impl FnOnce(&Path)) -> Self {
        let scratch = Scratch::new();
        folder(scratch.path());
        let store = SqliteStore::open(scratch.path().join("data/registry.db")).unwrap();
        let registry = block_on(Registry::open(store, keyring())).unwrap();
        let platform = Self { registry, scratch };
        platform.register("calendar app").unwrap();
        platform.register("rooms").unwrap();
        platform
    }

    fn register(&self, name: &str) -> Result<(), Error> {
        let contoso = self.registry.as_seller("contoso").unwrap();
        block_on(contoso.register(details(name), Lifetime::OneYear)).map(drop)
    }

    /// A file in the scratch directory.
    fn at(&self, name: &str) -> std::path::PathBuf {
        self.scratch.path().join(name)
    }

    /// Everything is refused with what to do, and nothing is left beside the file that was copied.
    fn refuses_everything(&self, case: &str) {
        let is_right = |error: &StoreError| {
            assert_eq!(error.kind(), StoreErrorKind::Misconfigured, "{case}: {}", in_words(error));
            let words = in_words(error);
            assert!(words.contains("registry.db") && words.contains(MOVED), "{case}: {words}");
            assert!(words.contains("`RegistryBuilder::expect_registry`"), "{case}: {words}");
        };
        match self.register("lost") {
            Err(Error::Unavailable(error)) => is_right(&error),
            other => panic!("{case}: {other:?}"),
        }
        let store = self.registry.store();
        is_right(&block_on(store.note_uses(&[], client_registry::Timestamp::MAX)).unwrap_err());
        for _ in 0..3 {
            is_right(&block_on(store.changes(None, 100)).unwrap_err());
            is_right(&block_on(store.latest()).unwrap_err());
        }
        is_right(&block_on(store.backup_to(self.at("after.db"))).unwrap_err());
        assert!(!self.at("after.db").exists(), "{case}");
    }
}

fn data(scratch: &Path) {
    fs::create_dir(scratch.join("data")).unwrap();
}

fn linked_data(scratch: &Path) {
    fs::create_dir(scratch.join("blue")).unwrap();
    fs::create_dir(scratch.join("green")).unwrap();
    symlink("blue", scratch.join("data")).unwrap();
}

#[test]
fn nothing_is_acknowledged_once_the_file_is_no_longer_there() {
    type Folder = fn(&Path);
    type Mishap = fn(&Platform);
    let cases: [(&str, Folder, Mishap); 10] = [
        ("a backup moved over it", data, |platform| {
            block_on(platform.registry.store().backup_to(platform.at("backup.db"))).unwrap();
            fs::rename(platform.at("backup.db"), platform.at("data/registry.db")).unwrap();
        }),
        ("rm", data, |platform| fs::remove_file(platform.at("data/registry.db")).unwrap()),
        ("rm, and made anew", data, |platform| {
            fs::remove_file(platform.at("data/registry.db")).unwrap();
            for beside in ["-wal", "-shm"] {
                fs::remove_file(platform.at(&format!("data/registry.db{beside}"))).unwrap();
            }
            drop(SqliteStore::open(platform.at("data/registry.db")).unwrap());
        }),
        ("mv", data, |platform| {
            fs::rename(platform.at("data/registry.db"), platform.at("data/elsewhere.db")).unwrap();
        }),
        ("the folder moved", data, |platform| {
            fs::rename(platform.at("data"), platform.at("old")).unwrap();
        }),
        ("the folder swapped for a copy", data, |platform| {
            fs::rename(platform.at("data"), platform.at("old")).unwrap();
            fs::create_dir(platform.at("data")).unwrap();
            for name in ["registry.db", "registry.db-wal", "registry.db-shm"] {
                fs::copy(platform.at("old").join(name), platform.at("data").join(name)).unwrap();
            }
        }),
        ("a link to the folder that leads elsewhere", linked_data, |platform| {
            for name in ["registry.db", "registry.db-wal"] {
                fs::copy(platform.at("blue").join(name), platform.at("green").join(name)).unwrap();
            }
            symlink("green", platform.at("new")).unwrap();
            fs::rename(platform.at("new"), platform.at("data")).unwrap();
        }),
        ("a link in place of the file", data, |platform| {
            fs::copy(platform.at("data/registry.db"), platform.at("copy.db")).unwrap();
            fs::remove_file(platform.at("data/registry.db")).unwrap();
            symlink(platform.at("copy.db"), platform.at("data/registry.db")).unwrap();
        }),
        ("rm of the index", data, |platform| fs::remove_file(platform.at("data/registry.db-shm")).unwrap()),
        ("rm of the log and the index, and made anew", data, |platform| {
            // As another process would, which finds none.
            for beside in ["-wal", "-shm"] {
                let beside = platform.at(&format!("data/registry.db{beside}"));
                fs::remove_file(&beside).unwrap();
                fs::write(beside, "").unwrap();
            }
        }),
    ];
    for (case, folder, mishap) in cases {
        let platform = Platform::new(folder);
        mishap(&platform);
        platform.refuses_everything(case);
    }
}

/// Without the log others would not see what is written; what was read is right as long as nobody goes on without it.
#[test]
fn nothing_is_written_once_the_log_is_no_longer_there() {
    let platform = Platform::new(data);
    fs::remove_file(platform.at("data/registry.db-wal")).unwrap();
    match platform.register("lost") {
        Err(Error::Unavailable(error)) => {
            assert!(in_words(&error).contains(&format!("registry.db-wal\": {MOVED}")), "{error:?}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_file_that_is_put_back_goes_on() {
    let platform = Platform::new(data);
    fs::rename(platform.at("data"), platform.at("old")).unwrap();
    platform.refuses_everything("while it is away");
    fs::rename(platform.at("old"), platform.at("data")).unwrap();
    platform.register("files").unwrap();
    assert_eq!(block_on(platform.registry.store().changes(None, 100)).unwrap().events.len(), 6);
}

#[test]
fn a_link_to_the_file_is_as_good_as_the_file() {
    let platform = Platform::new(|scratch| {
        fs::create_dir(scratch.join("data")).unwrap();
        fs::create_dir(scratch.join("disk")).unwrap();
        drop(SqliteStore::open(scratch.join("disk/real.db")).unwrap());
        symlink("../disk/real.db", scratch.join("data/registry.db")).unwrap();
    });
    assert!(platform.at("disk/real.db-wal").exists());
    platform.register("files").unwrap();
    fs::remove_file(platform.at("disk/real.db")).unwrap();
    platform.refuses_everything("rm of what the link leads to");
}
