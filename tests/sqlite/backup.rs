//! Copies that are made while the file is in use.

use std::thread;

use client_registry::event::{EventHash, check_trail};
use client_registry::store::{ClientsBy, DynStore, MemoryStore, SqliteStore, Store, StoreErrorKind};
use client_registry::value::Revision;
use pollster::block_on;

use crate::world::{Scratch, World, in_words};

/// The registry in a copy.
fn opened(scratch: Scratch) -> World {
    let store = SqliteStore::open(scratch.file()).unwrap();
    World::of(scratch, store)
}

#[test]
fn a_copy_is_whole_and_a_cursor_from_after_it_is_lost_there() {
    let world = World::new();
    let issued = world.register("calendar app");
    let early = block_on(world.store().changes(None, 10)).unwrap().cursor;
    let copied = Scratch::new();
    block_on(world.store().backup_to(copied.file())).unwrap();
    let _ = world.register("rooms");
    let late = block_on(world.store().changes(None, 10)).unwrap().cursor;
    assert_eq!(std::fs::read_dir(copied.path()).unwrap().count(), 1, "one file, with everything in it");

    let copy = opened(copied);
    block_on(copy.registry.authenticate(issued.client_id().as_str(), issued.client_secret().expose()))
        .unwrap();
    assert_eq!(block_on(copy.store().clients(ClientsBy::All, None, 10)).unwrap().len(), 1);
    let lost = |copy: &World| block_on(copy.store().changes(Some(&late), 10)).unwrap_err().kind();
    assert_eq!(lost(&copy), StoreErrorKind::CursorLost);
    // It goes on, and comes past the position that the cursor was at.
    for name in ["files", "mail", "notes"] {
        let _ = copy.register(name);
    }
    assert_eq!(lost(&copy), StoreErrorKind::CursorLost, "what is there now is something else");
    let since = block_on(copy.store().changes(Some(&early), 10)).unwrap();
    assert_eq!(since.events.len(), 6, "up to the copy both are the same");
}

#[test]
fn a_store_that_was_chosen_at_run_time_can_be_copied() {
    let world = World::new();
    let issued = world.register("calendar app");
    let chosen = DynStore::new(world.store().clone());
    assert!(chosen.downcast_ref::<MemoryStore>().is_none());
    let copied = Scratch::new();
    block_on(chosen.downcast_ref::<SqliteStore>().unwrap().backup_to(copied.file())).unwrap();
    let copy = opened(copied);
    block_on(copy.registry.authenticate(issued.client_id().as_str(), issued.client_secret().expose()))
        .unwrap();
}

#[test]
fn a_copy_never_takes_the_place_of_a_file() {
    let world = World::new();
    let copied = Scratch::new();
    std::fs::write(copied.file(), "something dear").unwrap();
    let error = block_on(world.store().backup_to(copied.file())).unwrap_err();
    assert!(in_words(&error).contains("there is a file of this name"), "{}", in_words(&error));
    assert_eq!(std::fs::read(copied.file()).unwrap(), b"something dear");
    let error = block_on(world.store().backup_to(world.scratch.file())).unwrap_err();
    assert!(in_words(&error).contains("there is a file of this name"), "{}", in_words(&error));
    let nowhere = copied.path().join("nowhere/copy.db");
    let error = block_on(world.store().backup_to(nowhere)).unwrap_err();
    assert!(in_words(&error).contains("there is no such directory"), "{}", in_words(&error));
    assert_eq!(std::fs::read_dir(copied.path()).unwrap().count(), 1, "nothing is left behind");
}

#[test]
fn copies_are_made_while_others_write() {
    let world = World::new();
    let copies: Vec<Scratch> = thread::scope(|scope| {
        let writing = scope.spawn(|| {
            for number in 0..300 {
                let issued = world.register(&format!("app {number}"));
                let _ = world.add_secret(issued.client_id());
            }
        });
        let mut copies = Vec::new();
        while !writing.is_finished() {
            let copied = Scratch::new();
            block_on(world.store().backup_to(copied.file())).unwrap();
            copies.push(copied);
        }
        copies
    });
    let mut sizes = Vec::new();
    for copied in copies {
        let check: String =
            copied.engine().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(check, "ok");
        let copy = opened(copied);
        let ids = block_on(copy.store().clients(ClientsBy::All, None, 1_000)).unwrap();
        for id in &ids {
            let client = copy.contoso.client(id);
            let (snapshot, trail) =
                (block_on(client.snapshot()).unwrap(), block_on(client.trail(Revision::ZERO, 10)).unwrap());
            check_trail(&trail, EventHash::START, snapshot.client().head()).unwrap();
        }
        sizes.push(ids.len());
    }
    println!("copies of {sizes:?} clients");
    assert!(sizes.is_sorted() && sizes.iter().any(|size| (1..300).contains(size)), "{sizes:?}");
}
