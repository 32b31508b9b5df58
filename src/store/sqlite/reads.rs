//! What is read: by the thread that asks, on one of a few connections, each question one statement on one state of the
//! file.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, params};

use super::cells::{Cells, next};
use super::connect;
use super::cursor::{LAST_POSITION, Place};
use super::fault::Fault;
use super::identity::{Anchor, Identity};
use super::medium::Medium;
use crate::client::LastUses;
use crate::event::EventText;
use crate::record::{Record, RecordId, RecordParts};
use crate::store::{Changes, ClientsBy, CommitId, Committed, Cursor, Ending, MAX_EVENTS};
use crate::store_error::{StoreError, StoreErrorKind};
use crate::value::{AddInId, ClientId, KeyId, Revision, SecretId, Timestamp};

/// Connections that read. As many as threads ask at once; a few are kept.
pub(super) struct Readers {
    identity: Arc<Identity>,
    medium: Arc<Medium>,
    busy_timeout: Duration,
    idle: Mutex<Vec<Reader>>,
}

/// A connection that reads, and the files that it works on.
struct Reader {
    connection: Connection,
    anchor: Anchor,
}

impl Readers {
    pub(super) fn new(identity: Arc<Identity>, medium: Arc<Medium>, busy_timeout: Duration) -> Self {
        Self { identity, medium, busy_timeout, idle: Mutex::default() }
    }

    /// Asks on a connection that is idle; where it could not be read, once more on a new one.
    #[inline]
    pub(super) fn read<T>(
        &self,
        question: impl Fn(&Connection) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let idle = self.idle().pop();
        match self.ask(idle, &question) {
            Err(fault) if fault.may_pass() => {
                let answer = self.ask(None, &question);
                answer.map_err(|fault| self.medium.judge(self.identity.path(), fault).into())
            }
            answer => Ok(answer?),
        }
    }

    fn ask<T>(
        &self,
        reader: Option<Reader>,
        question: &impl Fn(&Connection) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let reader = match reader {
            Some(reader) => reader,
            None => self.open().map_err(|fault| self.identity.behind(fault))?,
        };
        let answer = question(&reader.connection);
        // Of a file that is gone nothing is told, whether it could be read or not.
        reader.anchor.check_reading()?;
        let answer = answer?;
        let mut idle = self.idle();
        if idle.len() < KEPT {
            idle.push(reader);
        }
        Ok(answer)
    }

    fn open(&self) -> Result<Reader, Fault> {
        self.identity.check()?;
        let connection = connect::reader(self.identity.path(), self.busy_timeout)?;
        // The engine opens the files beside it when it first looks.
        connection.query_row("PRAGMA schema_version", [], |_| Ok(()))?;
        Ok(Reader { anchor: self.identity.anchor()?, connection })
    }

    /// Nothing that could panic happens while this is locked.
    fn idle(&self) -> MutexGuard<'_, Vec<Reader>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn load(connection: &Connection, id: RecordId<'_>) -> Result<Option<Record>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT format, registry_id, revision, key_id, body, sealed FROM record WHERE id = ?1",
    )?;
    let mut rows = statement.query([id.as_str()])?;
    let Some(row) = next(&mut rows, "record", "body", &id)? else {
        return Ok(None);
    };
    let cells = Cells { row, table: "record", key: &id };
    let key_id = KeyId::parse(cells.text(3, "key_id")?).map_err(|error| cells.unreadable("key_id", error))?;
    let record = Record::from_parts(RecordParts {
        format: cells.number(0, "format")?,
        registry_id: cells.bytes(1, "registry_id")?,
        id,
        revision: Revision::new(cells.number(2, "revision")?),
        key_id: &key_id,
        body: cells.text(4, "body")?,
        sealed: cells.blob(5, "sealed")?,
    });
    Ok(Some(record?))
}

pub(super) fn history(
    connection: &Connection,
    client_id: &ClientId,
    after: Revision,
    limit: usize,
) -> Result<Vec<Committed>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT position, revision, commit_id, event FROM event
         WHERE client_id = ?1 AND revision > ?2 ORDER BY revision, position",
    )?;
    let after = i64::try_from(after.number()).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![client_id.as_str(), after])?;
    let mut history: Vec<Committed> = Vec::new();
    while let Some(row) = next(&mut rows, "event", "event", client_id)? {
        let key = position(row)?;
        let cells = Cells { row, table: "event", key: &key };
        let revision = Revision::new(cells.number(1, "revision")?);
        let event = event(&cells, 3)?;
        let is_full = history.len() == limit;
        match history.last_mut().filter(|last| last.revision == revision) {
            Some(last) if last.events.len() >= MAX_EVENTS => {
                return Err(cells.unreadable("revision", "more events than a commit can have"));
            }
            Some(last) => last.events.push(event),
            None if is_full => break,
            None => {
                let commit_id = CommitId::from_bytes(cells.bytes(2, "commit_id")?);
                history.push(Committed { commit_id, revision, events: vec![event] });
            }
        }
    }
    Ok(history)
}

pub(super) fn clients(
    connection: &Connection,
    by: ClientsBy<'_>,
    after: Option<&ClientId>,
    limit: usize,
) -> Result<Vec<ClientId>, Fault> {
    let after = after.map_or("", ClientId::as_str);
    let limit = at_most(limit);
    match by {
        ClientsBy::All => ids(
            connection,
            "SELECT id FROM record WHERE id > ?1 AND id < '~' ORDER BY id LIMIT ?2",
            params![after, limit],
        ),
        ClientsBy::Seller(seller) => ids(
            connection,
            "SELECT id FROM record WHERE seller = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
            params![seller.as_str(), after, limit],
        ),
        ClientsBy::Name(seller, key) => ids(
            connection,
            "SELECT id FROM record WHERE seller = ?1 AND name_key = ?2 AND id > ?3 ORDER BY id LIMIT ?4",
            params![seller.as_str(), key.as_str(), after, limit],
        ),
        ClientsBy::Key(key_id) => ids(
            connection,
            "SELECT id FROM record WHERE key_id = ?1 AND id > ?2 AND id < '~' ORDER BY id LIMIT ?3",
            params![key_id.as_str(), after, limit],
        ),
    }
}

fn ids(connection: &Connection, sql: &str, values: &[&dyn rusqlite::ToSql]) -> Result<Vec<ClientId>, Fault> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(values)?;
    let mut ids = Vec::new();
    while let Some(row) = rows.next()? {
        ids.push(client_id(&Cells { row, table: "record", key: &"a record" }, 0, "id")?);
    }
    Ok(ids)
}

pub(super) fn client_of(connection: &Connection, add_in: &AddInId) -> Result<Option<ClientId>, Fault> {
    let mut statement = connection.prepare_cached("SELECT client_id FROM add_in WHERE add_in = ?1")?;
    let mut rows = statement.query([add_in.as_str()])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    client_id(&Cells { row, table: "add_in", key: &add_in.as_str() }, 0, "client_id").map(Some)
}

pub(super) fn ending(
    connection: &Connection,
    before: Timestamp,
    after: Option<&Ending>,
    limit: usize,
) -> Result<Vec<Ending>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT until, client_id, secret FROM secret
         WHERE until < ?1 AND (until, client_id, secret) > (?2, ?3, ?4)
         ORDER BY until, client_id, secret LIMIT ?5",
    )?;
    // The first of all is after this.
    let (at, client_id_after, secret) = after.map_or((i64::MIN, "", 0), |after| {
        (after.at.as_millis(), after.client_id.as_str(), after.secret.number())
    });
    let values = params![before.as_millis(), at, client_id_after, secret, at_most(limit)];
    let mut rows = statement.query(values)?;
    let mut endings = Vec::new();
    while let Some(row) = rows.next()? {
        let client_id = client_id(&Cells { row, table: "secret", key: &"a secret" }, 1, "client_id")?;
        let cells = Cells { row, table: "secret", key: &client_id };
        let (at, secret) = (instant(&cells, 0, "until")?, secret_id(&cells, 2)?);
        endings.push(Ending { at, client_id, secret });
    }
    Ok(endings)
}

/// One statement, so that the event of the cursor and those after it are of one state.
pub(super) fn changes(
    connection: &Connection,
    feed_id: [u8; 16],
    after: Option<&Cursor>,
    limit: usize,
) -> Result<Changes, Fault> {
    let lost = || Fault::from(StoreError::new(StoreErrorKind::CursorLost));
    let mut place = match after {
        None => Place::start(feed_id),
        Some(cursor) => Place::of(cursor).filter(|place| place.feed_id == feed_id).ok_or_else(lost)?,
    };
    let mut statement = connection.prepare_cached(
        "SELECT position, commit_id, event FROM event WHERE position >= ?1 ORDER BY position LIMIT ?2",
    )?;
    let read = at_most(limit).saturating_add(i64::from(place.event.is_some()));
    let first = place.event.map_or(0, |(position, _)| position);
    let mut rows = statement.query([first, read])?;
    if let Some(event) = place.event {
        // Where it goes on: there has to be the event that it was read up to, made by the same commit.
        let row = rows.next()?.ok_or_else(lost)?;
        if event != position_and_commit(row)? {
            return Err(lost());
        }
    }
    let mut events = Vec::new();
    while let Some(row) = next(&mut rows, "event", "event", &"an event")? {
        let (position, commit_id) = position_and_commit(row)?;
        possible(position)?;
        place.event = Some((position, commit_id));
        events.push(event(&Cells { row, table: "event", key: &position }, 2)?);
    }
    Ok(Changes { events, cursor: place.cursor() })
}

pub(super) fn latest(connection: &Connection, feed_id: [u8; 16]) -> Result<Cursor, Fault> {
    let mut statement =
        connection.prepare_cached("SELECT position, commit_id FROM event ORDER BY position DESC LIMIT 1")?;
    let mut rows = statement.query([])?;
    let mut place = Place::start(feed_id);
    if let Some(row) = rows.next()? {
        let (position, commit_id) = position_and_commit(row)?;
        possible(position)?;
        place.event = Some((position, commit_id));
    }
    Ok(place.cursor())
}

pub(super) fn last_uses(connection: &Connection, client_id: &ClientId) -> Result<LastUses, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT secret, last_used FROM secret WHERE client_id = ?1 AND last_used IS NOT NULL",
    )?;
    let mut rows = statement.query([client_id.as_str()])?;
    let mut uses = LastUses::default();
    while let Some(row) = rows.next()? {
        let cells = Cells { row, table: "secret", key: client_id };
        uses.note(secret_id(&cells, 0)?, instant(&cells, 1, "last_used")?);
    }
    Ok(uses)
}

/// Returns the ID that tells the cursors of this file from those of others.
pub(super) fn feed_id(connection: &Connection) -> Result<[u8; 16], Fault> {
    let mut statement = connection.prepare("SELECT feed_id FROM feed")?;
    let mut rows = statement.query([])?;
    let row = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    Cells { row, table: "feed", key: &"the only row" }.bytes(0, "feed_id")
}

/// Refuses a position that no event of the feed can have. A reader that took it for the end would hear of nothing that comes
/// after it.
fn possible(position: i64) -> Result<(), Fault> {
    if (1..=LAST_POSITION).contains(&position) {
        return Ok(());
    }
    let problem = format!("event.position {position} cannot be: check the registry, and delete that row");
    Err(StoreError::with_source(StoreErrorKind::CursorLost, problem).into())
}

fn position_and_commit(row: &rusqlite::Row<'_>) -> Result<(i64, CommitId), Fault> {
    let position = position(row)?;
    let cells = Cells { row, table: "event", key: &position };
    Ok((position, CommitId::from_bytes(cells.bytes(1, "commit_id")?)))
}

fn position(row: &rusqlite::Row<'_>) -> Result<i64, Fault> {
    Cells { row, table: "event", key: &"an event" }.number(0, "position")
}

/// Returns the bytes of the text as they are. Reading the event finds out what is wrong with them.
fn event(cells: &Cells<'_>, position: usize) -> Result<EventText, Fault> {
    let bytes = match cells.row.get_ref(position)? {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes,
        other => return Err(cells.unreadable("event", format!("a value of type {}", other.data_type()))),
    };
    Ok(EventText::from_bytes(bytes))
}

fn client_id(cells: &Cells<'_>, position: usize, column: &'static str) -> Result<ClientId, Fault> {
    let text = cells.text(position, column)?;
    ClientId::stored(text).map_err(|error| {
        let key = &format!("{text:?}") as &dyn std::fmt::Display;
        Cells { row: cells.row, table: cells.table, key }.unreadable(column, error)
    })
}

fn secret_id(cells: &Cells<'_>, position: usize) -> Result<SecretId, Fault> {
    let number: u32 = cells.number(position, "secret")?;
    SecretId::new(number).ok_or_else(|| cells.unreadable("secret", "there is no secret 0"))
}

fn instant(cells: &Cells<'_>, position: usize, column: &'static str) -> Result<Timestamp, Fault> {
    let millis = cells.number(position, column)?;
    Timestamp::from_millis(millis).ok_or_else(|| cells.unreadable(column, "outside the calendar"))
}

fn at_most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// How many connections wait for the next question.
const KEPT: usize = 8;
