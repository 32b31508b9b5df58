//! Edits of the text of an event in the file, below the store: each is noticed, and harms nobody else.

use client_registry::store::{Store, StoreErrorKind};
use client_registry::value::Revision;
use client_registry::{ClientId, Error};
use pollster::block_on;

use crate::world::World;

/// Edits after which the text reads as the same event, or as one with something more in it.
fn edits(text: &str) -> Vec<(&'static str, String)> {
    let again = "{\"revision\":7,";
    let at = text.find("\"at\":\"").unwrap();
    let spelt = text[at..].replacen("Z\"", "+00:00\"", 1);
    let cut = text.find("\"actor\"").unwrap();
    let (front, rest) = text.split_at(cut);
    let actor_end = rest.find("},").unwrap() + 2;
    let (actor, rest) = rest.split_at(actor_end);
    vec![
        ("white space in front", format!(" {text}")),
        ("white space behind", format!("{text}\n")),
        ("white space within", text.replacen("\":", "\": ", 1)),
        ("another order of members", format!("{{{actor}{}{rest}", &front[1..])),
        ("another spelling of an instant", format!("{}{spelt}", &text[..at])),
        ("an unknown member", format!("{},\"reason\":\"asked for\"}}", &text[..text.len() - 1])),
        ("an unknown member of the fact", text.replacen("\"fact\":{", "\"fact\":{\"reason\":\"leaked\",", 1)),
        ("a member twice", text.replacen('{', again, 1)),
        ("a character as an escape", text.replacen("\"contoso\"", "\"c\\u006fntoso\"", 1)),
        ("a member that is left out elsewhere", text.replacen("\"previous\"", "\"x\":null,\"previous\"", 1)),
    ]
}

#[test]
fn an_edit_of_an_event_that_reads_the_same_is_found_by_the_check() {
    let world = World::new();
    let sound = world.register("mail app");
    let id = world.register("calendar app").client_id().clone();
    let added = world.add_secret(&id);
    world.delete(&id, added.secret_id());
    assert!(block_on(world.registry.check()).unwrap().is_clean());
    let engine = world.scratch.engine();
    let mut positions = engine.prepare("SELECT position, event FROM event WHERE client_id = ?1").unwrap();
    let rows = positions.query_map([id.as_str()], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let rows: Vec<(i64, String)> = rows.map(Result::unwrap).collect();
    assert_eq!(rows.len(), 5, "two of the first commit, two of the last");
    let put = |position: i64, text: &str| {
        engine.execute("UPDATE event SET event = ?2 WHERE position = ?1", (position, text)).unwrap();
    };
    for (position, text) in &rows {
        for (what, edited) in edits(text) {
            assert_ne!(edited, *text, "{what}");
            serde_json::from_str::<serde_json::Value>(&edited).unwrap();
            put(*position, &edited);
            let checked = block_on(world.registry.check()).unwrap();
            let found = checked.discrepancies.iter().any(|fault| fault.client_id() == Some(&id));
            assert!(found, "{what} in event {position} was not noticed: {edited}");
            let others: Vec<_> =
                checked.discrepancies.iter().filter(|fault| fault.client_id() != Some(&id)).collect();
            assert!(others.is_empty(), "{others:?}");
            assert_eq!(trail(&world, &id), Err(StoreErrorKind::Tampered), "{what} in event {position}");
            assert!(trail(&world, sound.client_id()).is_ok());
            put(*position, text);
        }
    }
    assert!(block_on(world.registry.check()).unwrap().is_clean());
}

/// Text that is no event at all is handed on by the store, named by the check, and stops nobody.
#[test]
fn an_event_that_cannot_be_read_stops_nobody_else() {
    for damage in ["'{'", "''", "CAST(x'ff' AS TEXT)", "'[]'", "'{\"client_id\":\"?\"}'"] {
        let world = World::new();
        let (damaged, sound) = (world.register("calendar app"), world.register("mail app"));
        let sql = format!("UPDATE event SET event = {damage} WHERE client_id = ?1");
        world.scratch.engine().execute(&sql, [damaged.client_id().as_str()]).unwrap();
        assert_eq!(trail(&world, damaged.client_id()), Err(StoreErrorKind::Tampered), "{damage}");
        assert_eq!(trail(&world, sound.client_id()), Ok(2), "{damage}");
        assert_eq!(block_on(world.store().changes(None, 10)).unwrap().events.len(), 4);
        let checked = block_on(world.registry.check()).unwrap();
        assert!(checked.discrepancies.iter().any(|fault| fault.client_id() == Some(damaged.client_id())));
        assert!(!checked.discrepancies.iter().any(|fault| fault.client_id() == Some(sound.client_id())));
        // A reader of the feed is told of each, and reads on.
        let mut follow = world.registry.follow(None);
        let (mut events, mut told) = (Vec::new(), 0);
        loop {
            match block_on(follow.next(10)) {
                Ok(next) if next.is_empty() => break,
                Ok(next) => events.extend(next),
                Err(error) => {
                    assert_eq!(error.kind(), StoreErrorKind::Tampered);
                    told += 1;
                }
            }
        }
        assert_eq!((events.len(), told), (2, 2), "{damage}");
        assert!(events.iter().all(|event| event.client_id() == sound.client_id()));
        // Nothing stands in the way of changing the client.
        let _ = world.add_secret(damaged.client_id());
    }
}

/// A fact that this version does not know is a newer version's.
#[test]
fn an_event_of_a_newer_version_asks_for_an_upgrade() {
    let world = World::new();
    let issued = world.register("calendar app");
    let sql = "UPDATE event SET event = replace(event, 'client_registered', 'client_blessed')";
    world.scratch.engine().execute(sql, []).unwrap();
    assert_eq!(trail(&world, issued.client_id()), Err(StoreErrorKind::NewerFormat));
    let mut follow = world.registry.follow(None);
    for _ in 0..2 {
        assert_eq!(block_on(follow.next(10)).unwrap_err().kind(), StoreErrorKind::NewerFormat);
        assert!(follow.cursor().is_none());
    }
}

/// The number of events of a client, or of which kind the error is.
fn trail(world: &World, id: &ClientId) -> Result<usize, StoreErrorKind> {
    match block_on(world.contoso.client(id).trail(Revision::ZERO, 100)) {
        Ok(events) => Ok(events.len()),
        Err(Error::Unavailable(error)) => Err(error.kind()),
        Err(other) => panic!("{other}"),
    }
}
