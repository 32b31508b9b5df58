//! A disk that cannot read, or that is gone: the file is not called damaged, and nobody is told to restore it.

use client_registry::store::{ClientsBy, SqliteStore, Store, StoreError, StoreErrorKind};
use pollster::block_on;

use crate::child::{Worker, as_child, spawn, until_killed};
use crate::disk::{Call, Disk, EACCES, EIO, ENODEV, Fault};
use crate::hear;
use crate::support::{Scratch, in_words};
use crate::sweep::misleads;

#[test]
fn what_the_disk_cannot_read_is_not_called_damaged() {
    let scratch = Scratch::new();
    let disk = Disk::new(scratch.path());
    let said = hear(spawn("reads::on_a_disk_that_cannot_read", &disk, "")).unwrap();
    assert!(said.refusals.is_empty(), "{:?}", said.refusals);
}

#[test]
fn on_a_disk_that_cannot_read() {
    let Some((disk, _)) = as_child() else { return };
    let file = disk.file();
    let mut worker = Worker::open(Disk::of(disk.home())).unwrap();
    // More than the engine keeps in memory.
    worker.changes(300);
    drop(worker);
    let ask = |store: &SqliteStore| -> Result<usize, StoreError> {
        let all = block_on(store.clients(ClientsBy::All, None, 1_000))?;
        for client_id in &all {
            block_on(store.load(client_id.into()))?;
            block_on(store.last_uses(client_id))?;
        }
        Ok(all.len() + block_on(store.changes(None, 10_000))?.events.len())
    };
    let whole = ask(&SqliteStore::open(&file).unwrap()).unwrap();
    let [mut once, mut for_good] = [0, 0];
    for nth in (1..).map(|step| step * 3) {
        let fault = Fault { call: Call::Read, nth, ending: "", error: EIO, evicts: false, for_good: false };
        // Once: it is asked again, and answers.
        disk.arm(fault);
        let answer = SqliteStore::open(&file).and_then(|store| ask(&store));
        disk.disarm();
        if !disk.has_failed() {
            break;
        }
        match answer {
            Ok(answer) => assert_eq!(answer, whole),
            Err(error) => {
                assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{nth}: {}", in_words(&error));
                assert!(!misleads(&in_words(&error)), "{nth}: {}", in_words(&error));
            }
        }
        once += 1;
        // For good: it says so, and answers once the disk is back, also on what was open before.
        let open = SqliteStore::open(&file).unwrap();
        disk.arm(Fault { for_good: true, ..fault });
        for answer in [SqliteStore::open(&file).and_then(|store| ask(&store)), ask(&open)] {
            if let Err(error) = answer {
                assert_eq!(
                    error.kind(),
                    StoreErrorKind::Unavailable,
                    "{nth}, for good: {}",
                    in_words(&error)
                );
                assert!(!misleads(&in_words(&error)), "{nth}, for good: {}", in_words(&error));
                for_good += 1;
            }
        }
        disk.disarm();
        assert_eq!(ask(&open).unwrap(), whole);
    }
    assert!(once > 10 && for_good > 10, "{once}, {for_good}");
    copies_are_made(&disk);
    changes_go_on(&disk);
    until_killed()
}

/// A page that could not be read while a copy was made or restored is no damage of the file or the copy.
fn copies_are_made(disk: &Disk) {
    let [copy, restored] = ["copy.db", "restored.db"].map(|name| disk.file().with_file_name(name));
    let store = SqliteStore::open(disk.file()).unwrap();
    let sound = |done: Result<(), StoreError>, what: &str| {
        if let Err(error) = done {
            assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{what}: {}", in_words(&error));
            assert!(!misleads(&in_words(&error)), "{what}: {}", in_words(&error));
        }
    };
    for for_good in [false, true] {
        for nth in (1..).map(|step| step * 11) {
            let fault = Fault { call: Call::Read, nth, ending: "", error: EIO, evicts: false, for_good };
            disk.arm(fault);
            sound(block_on(store.backup_to(&copy)), &format!("a copy, {fault:?}"));
            disk.disarm();
            let had_as_many = disk.has_failed();
            if !copy.exists() {
                block_on(store.backup_to(&copy)).unwrap();
            }
            disk.arm(fault);
            sound(SqliteStore::restore(&copy, &restored), &format!("restoring, {fault:?}"));
            disk.disarm();
            SqliteStore::restore(&copy, &restored).unwrap();
            std::fs::remove_file(&copy).unwrap();
            if !had_as_many {
                break;
            }
        }
    }
}

/// One page that could not be read while a change was made does not stop all changes after it.
fn changes_go_on(disk: &Disk) {
    let mut worker = Worker::open(Disk::of(disk.home())).unwrap();
    for nth in 1..40 {
        disk.arm(Fault { call: Call::Read, nth, ending: "", error: EIO, evicts: false, for_good: false });
        worker.changes(2);
        disk.disarm();
        let before = worker.made();
        worker.changes(7);
        assert!(worker.made() > before, "after read {nth} nothing is changed");
    }
}

#[test]
fn a_disk_that_is_gone_is_told_from_a_right_that_is_missing() {
    let scratch = Scratch::new();
    let disk = Disk::new(scratch.path());
    let said = hear(spawn("reads::on_a_disk_that_is_gone", &disk, "")).unwrap();
    assert!(said.refusals.is_empty(), "{:?}", said.refusals);
}

#[test]
fn on_a_disk_that_is_gone() {
    let Some((disk, _)) = as_child() else { return };
    let file = disk.file();
    let refused = |error, kind| {
        disk.arm(Fault { call: Call::Open, nth: 1, ending: "", error, evicts: false, for_good: true });
        let refused = SqliteStore::open(&file).map(drop).unwrap_err();
        disk.disarm();
        assert_eq!(refused.kind(), kind, "{}", in_words(&refused));
        in_words(&refused)
    };
    for is_there in [false, true] {
        for error in [EIO, ENODEV] {
            let words = refused(error, StoreErrorKind::Unavailable);
            assert!(!misleads(&words) && words.contains("see to the disk"), "{is_there}: {words}");
        }
        let words = refused(EACCES, StoreErrorKind::Misconfigured);
        assert!(words.contains("give this user the right to"), "{is_there}: {words}");
        drop(SqliteStore::open(&file).unwrap());
    }
    until_killed()
}
