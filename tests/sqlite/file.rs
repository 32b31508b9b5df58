//! Which files are opened, which are refused and why, and what people find in one.

use std::path::Path;
use std::sync::Barrier;
use std::time::Duration;
use std::{fs, thread};

use client_registry::store::{SqliteStore, Store, StoreErrorKind};
use client_registry::value::{Attributes, Label};
use client_registry::{AddIn, Availability, Lifetime, NewSecret, Purpose, Rotation};
use pollster::block_on;
use rusqlite::Connection;

use crate::world::{Scratch, World, details, in_words};

/// Earlier versions can lose acknowledged changes where two connections write in WAL mode.
#[test]
fn the_engine_is_one_that_keeps_what_it_has_acknowledged() {
    assert!(rusqlite::version_number() >= 3_051_003, "{}", rusqlite::version());
}

/// A refusal of this kind that says this, and not a byte changed, nor a file added.
fn refused(scratch: &Scratch, name: &str, kind: StoreErrorKind, advice: &str) {
    let path = scratch.path().join(name);
    let (bytes, files) = (fs::read(&path).ok(), files(scratch.path()));
    let error = SqliteStore::open(&path).unwrap_err();
    assert_eq!(error.kind(), kind, "{}", in_words(&error));
    assert!(in_words(&error).contains(advice), "{}", in_words(&error));
    assert_eq!(fs::read(&path).ok(), bytes);
    assert_eq!(self::files(scratch.path()), files);
}

fn files(directory: &Path) -> Vec<String> {
    let files = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    // What the engine needs to read another program's log, and takes away when that program is done.
    names.retain(|name| !name.ends_with("-shm") && !name.ends_with("-wal"));
    names.sort();
    names
}

#[test]
fn what_is_no_registry_is_refused_and_left_as_it_is() {
    let scratch = Scratch::new();
    let other = "this file is not a registry, and it was left as it is: choose another path";
    fs::write(scratch.path().join("text"), "Dear diary").unwrap();
    refused(&scratch, "text", StoreErrorKind::Misconfigured, other);
    fs::write(scratch.path().join("longer"), "Dear diary\n".repeat(1_000)).unwrap();
    refused(&scratch, "longer", StoreErrorKind::Misconfigured, other);
    fs::write(scratch.path().join("empty"), "").unwrap();
    refused(
        &scratch,
        "empty",
        StoreErrorKind::Corrupt,
        "the file is empty: restore it from a backup, or remove it",
    );
    for mode in ["delete", "wal"] {
        let database = Connection::open(scratch.path().join(mode)).unwrap();
        let set =
            format!("PRAGMA journal_mode = {mode}; CREATE TABLE diary (day TEXT); PRAGMA user_version = 1;");
        database.execute_batch(&set).unwrap();
        database.close().unwrap();
        refused(&scratch, mode, StoreErrorKind::Misconfigured, other);
    }
}

#[test]
fn another_programs_unfinished_business_is_left_to_it() {
    let scratch = Scratch::new();
    let path = scratch.path().join("diary");
    let database = Connection::open(&path).unwrap();
    database.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE diary (day TEXT);").unwrap();
    // As it would be after a crash: the log has what the file has not.
    let crashed = scratch.path().join("crashed");
    fs::copy(&path, &crashed).unwrap();
    fs::copy(scratch.path().join("diary-wal"), scratch.path().join("crashed-wal")).unwrap();
    let log = fs::read(scratch.path().join("crashed-wal")).unwrap();
    refused(&scratch, "crashed", StoreErrorKind::Misconfigured, "this file is not a registry");
    assert_eq!(fs::read(scratch.path().join("crashed-wal")).unwrap(), log);
}

#[test]
fn the_log_of_a_file_that_is_gone_is_not_taken_for_that_of_a_new_one() {
    let world = World::new();
    let _ = world.register("calendar app");
    let elsewhere = Scratch::new();
    let log = elsewhere.path().join("registry.db-wal");
    fs::copy(world.scratch.path().join("registry.db-wal"), &log).unwrap();
    let bytes = fs::read(&log).unwrap();
    for error in [
        SqliteStore::open(elsewhere.file()).map(drop).unwrap_err(),
        block_on(world.store().backup_to(elsewhere.file())).unwrap_err(),
    ] {
        assert_eq!(error.kind(), StoreErrorKind::Misconfigured, "{}", in_words(&error));
        assert!(in_words(&error).contains("it belongs to a file that is gone"), "{}", in_words(&error));
        assert!(!elsewhere.file().exists());
        assert_eq!(fs::read(&log).unwrap(), bytes);
    }
    // With its file it is what it always was.
    fs::copy(world.scratch.file(), elsewhere.file()).unwrap();
    let store = SqliteStore::open(elsewhere.file()).unwrap();
    assert_eq!(block_on(store.changes(None, 10)).unwrap().events.len(), 2);
}

/// A log with nothing in it belongs to any file: a process that was killed while it made one leaves such a log.
#[test]
fn an_empty_log_beside_no_file_is_in_nobodys_way() {
    for log in ["registry.db-wal", "registry.db-journal"] {
        let scratch = Scratch::new();
        fs::write(scratch.path().join(log), b"").unwrap();
        let store = SqliteStore::open(scratch.file()).unwrap();
        let world = World::of(scratch, store);
        let _ = world.register("calendar app");
        let world = world.again();
        assert_eq!(block_on(world.store().changes(None, 10)).unwrap().events.len(), 2);
    }
}

#[test]
fn a_newer_file_is_refused_and_left_as_it_is() {
    let (scratch, _) = World::new().close();
    let engine = scratch.engine();
    engine.pragma_update(None, "user_version", 99).unwrap();
    engine.close().unwrap();
    refused(&scratch, "registry.db", StoreErrorKind::NewerFormat, "upgrade");
}

#[test]
fn a_name_means_a_file_and_nothing_else() {
    let scratch = Scratch::new();
    for name in [":memory:", "file:registry.db?mode=memory", "with space & 'quote'", "ünïcödé"] {
        let path = scratch.path().join(name);
        drop(SqliteStore::open(&path).unwrap());
        assert!(path.is_file(), "{name}");
        drop(SqliteStore::open(&path).unwrap());
    }
    assert_eq!(files(scratch.path()).len(), 4);
}

#[test]
fn many_that_make_the_file_at_once_come_to_the_same_one() {
    let scratch = Scratch::new();
    let ready = Barrier::new(8);
    let cursors: Vec<_> = thread::scope(|scope| {
        let opening: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    ready.wait();
                    let store = SqliteStore::open(scratch.file()).unwrap();
                    block_on(store.changes(None, 1)).unwrap().cursor
                })
            })
            .collect();
        opening.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert!(cursors.iter().all(|cursor| *cursor == cursors[0]), "{cursors:?}");
    assert_eq!(files(scratch.path()), ["registry.db"]);
}

#[test]
fn people_find_clients_secrets_and_trails_in_their_own_words() {
    let world = World::new();
    let first = NewSecret::lasting(Lifetime::OneYear).labelled(Label::parse("deploy of March").unwrap());
    let issued = world.contoso.register_with(details("calendar app"), Availability::Worldwide, first);
    let issued = block_on(issued).unwrap();
    let client_id = issued.client_id();
    let calendar = world.contoso.client(client_id);
    for id in ["rooms", "calendar"] {
        block_on(calendar.associate(&AddIn::new(id, Availability::Worldwide).unwrap())).unwrap();
    }
    block_on(world.registry.authenticate(client_id.as_str(), issued.client_secret().expose())).unwrap();
    block_on(world.registry.flush_last_uses()).unwrap();
    world.clock.advance(client_registry::Days::new(30));
    let rotated = block_on(calendar.rotate(Rotation::overlap(client_registry::Days::new(7)))).unwrap();
    let batch = NewSecret::lasting(Lifetime::TwoYears).for_purpose(Purpose::PasswordOnly);
    let batch = block_on(calendar.add_secret(batch)).unwrap();
    let plan = block_on(calendar.plan_disabling(batch.secret_id())).unwrap();
    block_on(calendar.confirm(plan)).unwrap();

    // As the sqlite3 tool shows it, while the registry is in use.
    let shown = |sql: &str| -> Vec<String> {
        let engine = world.scratch.engine();
        let mut statement = engine.prepare(sql).unwrap();
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| {
            let cell = |at| match row.get_ref(at)? {
                rusqlite::types::ValueRef::Null => Ok(String::new()),
                rusqlite::types::ValueRef::Integer(number) => Ok(number.to_string()),
                other => Ok(other.as_str().unwrap().to_owned()),
            };
            Ok((0..columns).map(cell).collect::<Result<Vec<_>, rusqlite::Error>>()?.join("|"))
        });
        rows.unwrap().map(Result::unwrap).collect()
    };
    let hint = |issued: &client_registry::Issued| issued.client_secret().expose()[4..8].to_owned();
    assert_eq!(
        shown("SELECT * FROM secrets ORDER BY secret"),
        [
            format!(
                "{client_id}|calendar app|1|deploy of March|signing_and_password|2026-03-01T09:00:00.000Z|\
                 2026-04-07T09:00:00.000Z|2026-03-01T09:00:00.000Z|generated|{}||2|2026-03-01T09:00:00.000Z",
                hint(&issued)
            ),
            format!(
                "{client_id}|calendar app|2||signing_and_password|2026-03-31T09:00:00.000Z|\
                 2027-03-31T09:00:00.000Z|2026-03-31T09:00:00.000Z|generated|{}|||",
                hint(&rotated)
            ),
            format!(
                "{client_id}|calendar app|3||password_only|2026-03-31T09:00:00.000Z|2028-03-31T09:00:00.000Z|\
                 2026-03-31T09:00:00.000Z|generated|{}|2026-03-31T09:00:00.000Z||",
                hint(&batch)
            ),
        ]
    );
    assert_eq!(
        shown("SELECT * FROM clients"),
        [format!(
            "{client_id}|active|contoso|calendar app|app.contoso.com|https://app.contoso.com/done|worldwide|\
             2026-03-01T09:00:00.000Z|2026-03-31T09:00:00.000Z|6|2026|calendar rooms|||"
        )]
    );
    let attributes = Attributes::new([("environment", "test")]).unwrap();
    block_on(calendar.change_attributes(attributes)).unwrap();
    let ann = world.registry.as_operator("ann").unwrap();
    for (handle, by) in [(&calendar, "seller contoso"), (&ann.client(client_id), "operator ann")] {
        block_on(handle.suspend()).unwrap();
        assert_eq!(
            shown("SELECT suspended_since, suspended_by, attributes FROM clients"),
            [format!(r#"2026-03-31T09:00:00.000Z|{by}|{{"environment":"test"}}"#)]
        );
    }
    assert_eq!(
        shown("SELECT at, revision, actor, what FROM trail")[..3],
        [
            "2026-03-01T09:00:00.000Z|1|contoso|client_registered",
            "2026-03-01T09:00:00.000Z|1|contoso|secret_added",
            "2026-03-01T09:00:00.000Z|2|contoso|add_in_associated",
        ]
    );
    let body = "SELECT body FROM record WHERE id < '~'";
    let record = block_on(world.store().load(client_id.into())).unwrap().unwrap();
    assert_eq!(shown(body), [record.parts().unwrap().body], "exactly these bytes");
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    assert_eq!(shown(tables), ["add_in", "event", "feed", "record", "secret"]);
}

/// What a page of endings, and the other questions, are answered from.
#[test]
fn every_question_is_answered_from_an_index() {
    let world = World::new();
    let engine = world.scratch.engine();
    for sql in [
        "SELECT id FROM record WHERE id > 'a' AND id < '~' ORDER BY id LIMIT 9",
        "SELECT id FROM record WHERE seller = 'a' AND id > 'b' ORDER BY id LIMIT 9",
        "SELECT id FROM record WHERE seller = 'a' AND name_key = 'b' AND id > 'c' ORDER BY id LIMIT 9",
        "SELECT id FROM record WHERE key_id = 'a' AND id > 'b' AND id < '~' ORDER BY id LIMIT 9",
        "SELECT until, client_id, secret FROM secret WHERE until < 9 AND (until, client_id, secret) > (1, 'a', 2)
         ORDER BY until, client_id, secret LIMIT 9",
        "SELECT position, event FROM event WHERE client_id = 'a' AND revision > 1 ORDER BY revision, position",
        "SELECT position, event FROM event WHERE position >= 1 ORDER BY position LIMIT 9",
        "SELECT add_in FROM add_in WHERE client_id = 'a'",
        "SELECT client_id FROM add_in WHERE add_in = 'a'",
        "SELECT secret, until FROM secret WHERE client_id = 'a'",
    ] {
        let mut plan = engine.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let steps = plan.query_map([], |row| row.get::<_, String>(3)).unwrap();
        let steps: Vec<_> = steps.map(Result::unwrap).collect();
        assert!(steps.iter().all(|step| step.starts_with("SEARCH")), "{sql}: {steps:?}");
    }
}

/// Names that mean something else to the engine, or look as if they did.
#[test]
fn a_name_of_the_engine_is_no_file() {
    let before = files(Path::new("."));
    for (name, words) in [
        (":memory:", "Registry::in_memory"),
        (":memory:?cache=shared", "Registry::in_memory"),
        ("file:registry.db", "this is a URI: name the file by its path"),
        ("file::memory:?mode=memory", "this is a URI"),
    ] {
        let error = SqliteStore::open(name).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Misconfigured);
        assert!(in_words(&error).contains(words), "{}", in_words(&error));
    }
    assert_eq!(files(Path::new(".")), before, "no file was made");
}

/// No number that is handed on is too much for what takes it.
#[test]
fn every_setting_has_an_end() {
    for (timeout, max_size) in [
        (Duration::MAX, u64::MAX),
        (Duration::from_millis(i32::MAX as u64 + 1), u64::MAX - 4_095),
        (Duration::from_secs(u64::MAX), 1 << 44),
        (Duration::ZERO, 1 << 31),
    ] {
        let scratch = Scratch::new();
        let options = SqliteStore::options().busy_timeout(timeout).max_size(max_size);
        let store = options.open(scratch.file()).unwrap();
        let world = World::of(scratch, store);
        let _ = world.register("calendar app");
        let copy = Scratch::new();
        block_on(world.store().backup_to(copy.file())).unwrap();
    }
    for max_size in [0, 1, 4_095, 4_096] {
        let scratch = Scratch::new();
        let store = SqliteStore::options().max_size(max_size).open(scratch.file()).unwrap();
        // It is as large as it is, and grows no more.
        assert_eq!(block_on(store.changes(None, usize::MAX)).unwrap().events.len(), 0);
    }
}

/// Where no log lies beside the file, nothing can belong to another one, so the first change does not read through all of it: damage
/// where no change comes is left to `PRAGMA integrity_check`.
#[test]
fn the_first_change_in_a_file_that_was_closed_cleanly_takes_no_time_that_grows_with_it() {
    let world = World::new();
    let issued = world.register("calendar app");
    let second = world.add_secret(issued.client_id());
    let (scratch, _) = world.close();
    // An entry of an index that no promotion reads.
    let index = "SELECT rootpage FROM sqlite_schema WHERE name = 'secret_by_end'";
    let page: u16 = scratch.engine().query_row(index, [], |row| row.get(0)).unwrap();
    let mut file = fs::read(scratch.file()).unwrap();
    file[usize::from(page) * 4_096 - 1] ^= 1;
    fs::write(scratch.file(), &file).unwrap();
    let check = "PRAGMA integrity_check(1)";
    let found: String = scratch.engine().query_row(check, [], |row| row.get(0)).unwrap();
    assert!(found.contains("missing from index"), "{found}");

    let store = SqliteStore::open(scratch.file()).unwrap();
    let world = World::of(scratch, store);
    let promoted = block_on(world.contoso.client(issued.client_id()).promote(second.secret_id()));
    assert!(promoted.is_ok(), "{promoted:?}");
}
