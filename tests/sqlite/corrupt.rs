//! Rows that cannot be read are told, with where they are, and never skipped; and no file makes anybody panic.

use client_registry::store::{ClientsBy, RecordId, SqliteStore, Store, StoreError, StoreErrorKind};
use client_registry::value::{KeyId, Revision};
use client_registry::{AddIn, AddInId, Availability, ClientId, Event, Registry, SellerId, Timestamp};
use pollster::block_on;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::world::{Scratch, World, in_words, keyring};

fn world() -> (World, ClientId) {
    let world = World::new();
    let client_id = world.register("calendar app").client_id().clone();
    let calendar = AddIn::new("calendar", Availability::Worldwide).unwrap();
    block_on(world.contoso.client(&client_id).associate(&calendar)).unwrap();
    (world, client_id)
}

fn calendar() -> AddInId {
    AddIn::new("calendar", Availability::Worldwide).unwrap().id().clone()
}

/// Something that is asked of a store.
type Question = fn(&SqliteStore, &ClientId) -> Result<(), StoreError>;

fn load(store: &SqliteStore, client_id: &ClientId) -> Result<(), StoreError> {
    block_on(store.load(client_id.into())).map(drop)
}

fn all(store: &SqliteStore, _: &ClientId) -> Result<(), StoreError> {
    block_on(store.clients(ClientsBy::All, None, 10)).map(drop)
}

fn by_seller(store: &SqliteStore, _: &ClientId) -> Result<(), StoreError> {
    let contoso = SellerId::parse("contoso").unwrap();
    block_on(store.clients(ClientsBy::Seller(&contoso), None, 10)).map(drop)
}

fn client_of(store: &SqliteStore, _: &ClientId) -> Result<(), StoreError> {
    block_on(store.client_of(&calendar())).map(drop)
}

fn ending(store: &SqliteStore, _: &ClientId) -> Result<(), StoreError> {
    block_on(store.ending(Timestamp::MAX, None, 10)).map(drop)
}

fn last_uses(store: &SqliteStore, client_id: &ClientId) -> Result<(), StoreError> {
    block_on(store.last_uses(client_id)).map(drop)
}

fn history(store: &SqliteStore, client_id: &ClientId) -> Result<(), StoreError> {
    let history = block_on(store.history(client_id, Revision::ZERO, 10))?;
    history.iter().flat_map(|committed| &committed.events).try_for_each(|text| Event::parse(text).map(drop))
}

fn changes(store: &SqliteStore, _: &ClientId) -> Result<(), StoreError> {
    block_on(store.changes(None, 10))?.events.iter().try_for_each(|text| Event::parse(text).map(drop))
}

#[test]
fn a_row_that_cannot_be_read_is_named() {
    let cases: &[(&str, Question, &str)] = &[
        ("UPDATE record SET key_id = ''", load, "record.key_id of "),
        ("UPDATE record SET body = CAST(x'ff' AS TEXT)", load, "record.body of "),
        ("UPDATE record SET registry_id = x'00'", load, "record.registry_id of "),
        ("UPDATE record SET revision = -1", load, "record.revision of "),
        ("UPDATE record SET format = 65536", load, "record.format of "),
        ("UPDATE record SET sealed = zeroblob(70000)", load, "64 KiB"),
        // Refused by the engine before it is read.
        ("UPDATE record SET sealed = zeroblob(20000000)", load, "record.body of "),
        ("UPDATE record SET sealed = zeroblob(20000000)", load, "too big"),
        ("UPDATE record SET body = CAST(zeroblob(20000000) AS TEXT)", load, "too big"),
        ("UPDATE record SET key_id = CAST(zeroblob(20000000) AS TEXT)", load, "too big"),
        ("UPDATE event SET event = CAST(zeroblob(20000000) AS TEXT)", history, "too big"),
        ("UPDATE event SET event = CAST(zeroblob(20000000) AS TEXT)", changes, "too big"),
        ("UPDATE record SET id = 'short' WHERE id < '~'", all, "record.id of \"short\""),
        ("UPDATE record SET id = 'short' WHERE id < '~'", by_seller, "record.id of \"short\""),
        ("UPDATE record SET id = CAST(x'30ff' AS TEXT) WHERE id < '~'", all, "record.id of a record"),
        ("UPDATE add_in SET client_id = '?'", client_of, "add_in.client_id of \"?\""),
        ("UPDATE secret SET client_id = '?'", ending, "secret.client_id of \"?\""),
        ("UPDATE secret SET secret = 0", ending, "secret.secret of "),
        ("UPDATE secret SET secret = 4294967296", ending, "secret.secret of "),
        ("UPDATE secret SET until = -9223372036854775807", ending, "secret.until of "),
        ("UPDATE secret SET last_used = 9223372036854775807", last_uses, "secret.last_used of "),
        ("UPDATE event SET commit_id = x'00'", history, "event.commit_id of 1"),
        ("UPDATE event SET commit_id = x'00'", changes, "event.commit_id of 1"),
        ("DROP TABLE add_in", client_of, "no such table"),
        ("ALTER TABLE record DROP COLUMN body", load, "no such column"),
    ];
    for (sabotage, question, words) in cases {
        let (world, client_id) = world();
        question(world.store(), &client_id).unwrap();
        let engine = world.scratch.engine();
        engine.execute_batch("DROP VIEW clients; DROP VIEW secrets; DROP VIEW trail;").unwrap();
        engine.execute_batch(sabotage).unwrap();
        let error = question(world.store(), &client_id).unwrap_err();
        // Tables that are not as they were made are no damage that a backup would have to mend.
        let is_of_tables = words.starts_with("no such");
        let kind = if is_of_tables { StoreErrorKind::Misconfigured } else { StoreErrorKind::Corrupt };
        assert_eq!(error.kind(), kind, "{sabotage}: {}", in_words(&error));
        assert!(in_words(&error).contains(words), "{sabotage}: {}", in_words(&error));
        // Who opens the file then, and never knew the tables otherwise, is told the same.
        if is_of_tables {
            let opened = SqliteStore::open(world.scratch.file()).unwrap();
            let error = question(&opened, &client_id).unwrap_err();
            assert_eq!(error.kind(), kind, "{sabotage}, opened: {}", in_words(&error));
        }
    }
}

#[test]
fn a_record_of_a_later_format_asks_for_an_upgrade() {
    let (world, client_id) = world();
    world.scratch.engine().execute("UPDATE record SET format = 3", []).unwrap();
    let error = load(world.store(), &client_id).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::NewerFormat);
}

#[test]
fn a_file_that_has_lost_its_feed_is_not_opened() {
    let (world, _) = world();
    let (scratch, _) = world.close();
    scratch.engine().execute("DELETE FROM feed", []).unwrap();
    let error = SqliteStore::open(scratch.file()).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{}", in_words(&error));
}

/// Random bytes of the file are others. Whatever is asked then has an answer or an error, and nobody is let in who
/// should not be.
#[test]
fn no_damage_to_the_file_makes_anybody_panic_or_lets_anybody_in() {
    let (world, client_id) = world();
    for number in 0..20 {
        let _ = world.register(&format!("app {number}"));
    }
    let (scratch, _) = world.close();
    let whole = std::fs::read(scratch.file()).unwrap();
    let mut random = StdRng::seed_from_u64(20_260_301);
    let [mut refused_to_open, mut errors, mut answers] = [0; 3];
    for _ in 0..300 {
        let mut damaged = whole.clone();
        for _ in 0..random.random_range(1..40) {
            let at = random.random_range(0..damaged.len());
            damaged[at] = random.random();
        }
        let scratch = Scratch::new();
        std::fs::write(scratch.file(), &damaged).unwrap();
        let Ok(store) = SqliteStore::open(scratch.file()) else {
            refused_to_open += 1;
            continue;
        };
        let questions: [Question; 8] = [load, all, by_seller, client_of, ending, last_uses, history, changes];
        for question in questions {
            match question(&store, &client_id) {
                Ok(()) => answers += 1,
                Err(_) => errors += 1,
            }
        }
        let key_id = KeyId::parse("2026").unwrap();
        let _ = block_on(store.clients(ClientsBy::Key(&key_id), None, 10));
        let _ = block_on(store.load(RecordId::REGISTRY));
        if let Ok(registry) = block_on(Registry::open(store, keyring())) {
            let contoso = registry.as_seller("contoso").unwrap();
            let _ = block_on(contoso.clients(None, 100));
            let anything = "crs_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLM";
            block_on(registry.authenticate(client_id.as_str(), anything)).unwrap_err();
            let another = client_registry::NewSecret::lasting(client_registry::Lifetime::OneYear);
            let _ = block_on(contoso.client(&client_id).add_secret(another));
        }
    }
    println!("{refused_to_open} not opened, {errors} errors, {answers} answers");
    assert!(refused_to_open > 0 && errors > 100 && answers > 100, "all of them happen");
}
