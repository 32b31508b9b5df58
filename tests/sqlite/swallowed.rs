//! A change that the engine swallows, since a trigger or a view in the file tells it to, is not acknowledged.

use client_registry::store::{Store, StoreError, StoreErrorKind, Use};
use client_registry::value::KeyId;
use client_registry::{AddIn, Availability, Error, Keyring, Lifetime, NewSecret, Registry, Timestamp};
use pollster::block_on;

use crate::world::{KEY, World, details, in_words};

fn is_told(case: &str, error: &StoreError, table: &str) {
    let words = in_words(error);
    assert!(words.contains(&format!("a change to the table {table} had no effect")), "{case}: {words}");
    assert_eq!(error.kind(), StoreErrorKind::Misconfigured, "{case}: {words}");
}

/// Something that is done to a client with two secrets and an add-in.
type Change = fn(&World, &client_registry::Issued) -> Result<(), Error>;

#[test]
fn no_change_that_has_no_effect_is_acknowledged() {
    let delete: Change = |world, issued| {
        let client = world.contoso.client(issued.client_id());
        block_on(client.delete_in_emergency(issued.secret_id(), None)).map(drop)
    };
    let add: Change = |world, issued| {
        let client = world.contoso.client(issued.client_id());
        block_on(client.add_secret(NewSecret::lasting(Lifetime::OneYear))).map(drop)
    };
    let associate: Change = |world, issued| {
        let rooms = AddIn::new("rooms", Availability::Worldwide).unwrap();
        block_on(world.contoso.client(issued.client_id()).associate(&rooms)).map(drop)
    };
    let dissociate: Change = |world, issued| {
        let calendar = AddIn::new("calendar", Availability::Worldwide).unwrap();
        block_on(world.contoso.client(issued.client_id()).dissociate(calendar.id())).map(drop)
    };
    let register: Change = |world, _| {
        let named = details("rooms");
        block_on(world.contoso.register(named, Lifetime::OneYear)).map(drop)
    };
    let rename: Change = |world, issued| {
        block_on(world.contoso.client(issued.client_id()).change_details(details("files"))).map(drop)
    };
    let ignore = |when: &str| format!("CREATE TRIGGER swallow BEFORE {when} BEGIN SELECT RAISE(IGNORE); END");
    let cases = [
        (ignore("UPDATE ON record"), delete, "record"),
        (ignore("UPDATE ON record"), rename, "record"),
        (ignore("INSERT ON record"), register, "record"),
        (ignore("DELETE ON secret"), delete, "secret"),
        (ignore("INSERT ON secret"), add, "secret"),
        (ignore("INSERT ON add_in"), associate, "add_in"),
        (ignore("DELETE ON add_in"), dissociate, "add_in"),
        (ignore("INSERT ON event"), delete, "event"),
        (
            "ALTER TABLE add_in RENAME TO hidden; CREATE VIEW add_in AS SELECT * FROM hidden;
             CREATE TRIGGER swallow INSTEAD OF INSERT ON add_in BEGIN SELECT 1; END"
                .to_owned(),
            associate,
            "add_in",
        ),
        (
            "CREATE TRIGGER swallow AFTER UPDATE ON record BEGIN
                 UPDATE record SET revision = old.revision, body = old.body, sealed = old.sealed
                 WHERE number = old.number;
             END"
            .to_owned(),
            delete,
            "record",
        ),
    ];
    for (sabotage, change, table) in &cases {
        let world = World::new();
        let issued = world.register("calendar app");
        let _ = world.add_secret(issued.client_id());
        let calendar = AddIn::new("calendar", Availability::Worldwide).unwrap();
        block_on(world.contoso.client(issued.client_id()).associate(&calendar)).unwrap();
        let before = block_on(world.store().changes(None, 100)).unwrap();
        let engine = world.scratch.engine();
        engine.execute_batch("DROP VIEW clients; DROP VIEW secrets; DROP VIEW trail").unwrap();
        engine.execute_batch(sabotage).unwrap();
        match change(&world, &issued) {
            Err(Error::Unavailable(error)) => is_told(sabotage, &error, table),
            other => panic!("{sabotage}: {other:?}"),
        }
        assert_eq!(block_on(world.store().changes(None, 100)).unwrap(), before, "{sabotage}");
        // Once it is gone, all goes on.
        engine.execute_batch("DROP TRIGGER swallow").unwrap();
        if !sabotage.contains("VIEW") {
            change(&world, &issued).unwrap();
        }
    }
}

/// No use is noted of a secret that is not there, or that was used since: that is no error.
#[test]
fn a_use_that_is_swallowed_is_told_from_one_that_has_nothing_to_change() {
    let world = World::new();
    let issued = world.register("calendar app");
    let used = |at: Timestamp| {
        let client_id = issued.client_id().clone();
        let uses = [Use { client_id, secret: issued.secret_id(), at }];
        block_on(world.store().note_uses(&uses, Timestamp::MAX))
    };
    used(world.in_days(2)).unwrap();
    let engine = world.scratch.engine();
    engine
        .execute_batch("CREATE TRIGGER swallow BEFORE UPDATE ON secret BEGIN SELECT RAISE(IGNORE); END")
        .unwrap();
    used(world.in_days(1)).unwrap();
    is_told("a later use", &used(world.in_days(3)).unwrap_err(), "secret");
    engine.execute_batch("DROP TRIGGER swallow; DELETE FROM secret").unwrap();
    used(world.in_days(4)).unwrap();
}

#[test]
fn resealing_counts_what_it_changes() {
    let world = World::new();
    let _ = world.register("calendar app");
    let engine = world.scratch.engine();
    engine
        .execute_batch("CREATE TRIGGER swallow BEFORE UPDATE ON record BEGIN SELECT RAISE(IGNORE); END")
        .unwrap();
    let newer = Keyring::new(KeyId::parse("2027").unwrap(), b"another thirty-two bytes of keys").unwrap();
    let newer = newer.with(KeyId::parse("2026").unwrap(), &KEY).unwrap();
    let opened = block_on(Registry::open(world.store().clone(), newer));
    let words = match opened {
        Ok(registry) => {
            let mut resealing = block_on(registry.reseal()).unwrap();
            format!("{:?}", block_on(resealing.step(10)).unwrap_err())
        }
        Err(error) => format!("{error:?}"),
    };
    assert!(words.contains("a change to the table record had no effect"), "{words}");
}
