//! What a commit does inside its transaction: compares, looks for what is taken, and writes the rows that change.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rusqlite::{Connection, OptionalExtension as _, named_params, params};

use super::cells::Cells;
use super::cursor::LAST_POSITION;
use super::fault::Fault;
use super::lineage;
use crate::event::EventText;
use crate::record::{RecordId, RecordParts};
use crate::store::{Adopted, Commit, CommitError, CommitId, Committed, Index, IndexEntry, Use};
use crate::store_error::{StoreError, StoreErrorKind};
use crate::value::{AddInId, ClientId, KeyId, Revision, SecretId, Timestamp};

/// Replaces the records of a commit.
pub(super) fn commit(connection: &Connection, commit: &Commit) -> Result<(), CommitError> {
    let mut nexts = Vec::with_capacity(commit.changes().len());
    for change in commit.changes() {
        let parts = change.record().parts().map_err(CommitError::NotWritten)?;
        let found = Found::read(connection, parts.id)?;
        if !change.expected().holds(found.as_ref().map(|found| (found.revision, Some(&found.key_id)))) {
            return Err(conflict(parts.id, found));
        }
        nexts.push(Next::new(connection, parts, change.index(), found)?);
    }
    place(connection, &nexts)?;
    let mut events = 0;
    for (change, next) in commit.changes().iter().zip(&nexts) {
        if let Some(client_id) = &next.client_id {
            append(connection, client_id, commit.id(), change.record().revision(), change.events())?;
            events += change.events().len();
        }
    }
    if events == 0 {
        lineage::step(connection)?;
    }
    Ok(())
}

/// Takes in records with their histories.
pub(super) fn adopt(connection: &Connection, clients: &[Adopted]) -> Result<(), CommitError> {
    let mut nexts = Vec::with_capacity(clients.len());
    for client in clients.iter().filter(|client| !client.record().id().is_reserved()) {
        let parts = client.record().parts().map_err(CommitError::NotWritten)?;
        if let Some(found) = Found::read(connection, parts.id)? {
            return Err(conflict(parts.id, Some(found)));
        }
        nexts.push(Next::new(connection, parts, client.index(), None)?);
    }
    place(connection, &nexts)?;
    // For those that come without a history.
    lineage::step(connection)?;
    for client in clients {
        if let Some(client_id) = client.record().id().client_id() {
            for Committed { commit_id, revision, events } in client.history() {
                append(connection, &client_id, *commit_id, *revision, events)?;
            }
        }
    }
    Ok(())
}

/// Notes uses of the secrets that there are.
pub(super) fn note_uses(
    connection: &Connection,
    uses: &[Use],
    believable_until: Timestamp,
) -> Result<(), CommitError> {
    let mut statement = connection.prepare_cached(
        "UPDATE secret SET last_used = ?3
         WHERE client_id = ?1 AND secret = ?2 AND (last_used IS NULL OR last_used < ?3 OR last_used > ?4)",
    )?;
    // No row is changed where the secret is not there, or has a later use already.
    let mut left = connection.prepare_cached(
        "SELECT 1 FROM secret
         WHERE client_id = ?1 AND secret = ?2 AND (last_used IS NULL OR last_used < ?3 OR last_used > ?4)",
    )?;
    let believable_until = believable_until.as_millis();
    let mut noted = 0;
    for Use { client_id, secret, at } in uses {
        let parameters = params![client_id.as_str(), secret.number(), at.as_millis(), believable_until];
        match statement.execute(parameters)? {
            0 if left.exists(parameters)? => return Err(Fault::Swallowed { table: "secret" }.into()),
            changed => noted += changed,
        }
    }
    if noted > 0 {
        lineage::step(connection)?;
    }
    Ok(())
}

/// One row was changed. A trigger or a view in the file can have the engine change none, and say nothing.
fn one(table: &'static str, changed: usize) -> Result<(), Fault> {
    if changed == 1 { Ok(()) } else { Err(Fault::Swallowed { table }) }
}

/// What there is of a record before a commit.
struct Found {
    number: i64,
    revision: Revision,
    key_id: KeyId,
    name: Option<(String, String)>,
}

impl Found {
    fn read(connection: &Connection, id: RecordId<'_>) -> Result<Option<Self>, Fault> {
        let mut statement = connection
            .prepare_cached("SELECT number, revision, key_id, seller, name_key FROM record WHERE id = ?1")?;
        let mut rows = statement.query([id.as_str()])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let cells = Cells { row, table: "record", key: &id };
        let key_id = KeyId::parse(cells.text(2, "key_id")?);
        let name: (Option<String>, Option<String>) = (row.get(3)?, row.get(4)?);
        Ok(Some(Self {
            number: cells.number(0, "number")?,
            revision: Revision::new(cells.number(1, "revision")?),
            key_id: key_id.map_err(|error| cells.unreadable("key_id", error))?,
            name: name.0.zip(name.1),
        }))
    }
}

/// A record that is to be put in place, and by what its client was found until now.
struct Next<'a> {
    parts: RecordParts<'a>,
    found: Option<Found>,
    /// Whose it is; nobody's under a reserved ID.
    client_id: Option<ClientId>,
    index: &'a Index,
    ends: BTreeMap<SecretId, Option<Timestamp>>,
    add_ins_before: BTreeSet<String>,
    ends_before: BTreeMap<i64, Option<i64>>,
}

impl<'a> Next<'a> {
    fn new(
        connection: &Connection,
        parts: RecordParts<'a>,
        index: &'a Index,
        found: Option<Found>,
    ) -> Result<Self, Fault> {
        let client_id = parts.id.client_id();
        let mut next = Self {
            parts,
            client_id,
            index,
            ends: index.ends.iter().copied().collect(),
            add_ins_before: BTreeSet::new(),
            ends_before: BTreeMap::new(),
            found,
        };
        if next.found.is_some() && next.client_id.is_some() {
            let id = next.parts.id.as_str();
            let mut add_ins = connection.prepare_cached("SELECT add_in FROM add_in WHERE client_id = ?1")?;
            let add_ins = add_ins.query_map([id], |row| row.get(0))?;
            next.add_ins_before = add_ins.collect::<Result<_, _>>()?;
            let mut ends =
                connection.prepare_cached("SELECT secret, until FROM secret WHERE client_id = ?1")?;
            let ends = ends.query_map([id], |row| Ok((row.get(0)?, row.get(1)?)))?;
            next.ends_before = ends.collect::<Result<_, _>>()?;
        }
        Ok(next)
    }

    /// Its seller and the key of its name.
    fn name(&self) -> Option<(&str, &str)> {
        let name = self.index.name.as_ref().filter(|_| self.client_id.is_some());
        name.map(|(seller, key)| (seller.as_str(), key.as_str()))
    }

    fn name_before(&self) -> Option<(&str, &str)> {
        let name = self.found.as_ref().and_then(|found| found.name.as_ref());
        name.map(|(seller, key)| (seller.as_str(), key.as_str()))
    }

    fn has_before(&self, entry: &IndexEntry) -> bool {
        match entry {
            IndexEntry::AddIn(add_in) => self.add_ins_before.contains(add_in.as_str()),
            IndexEntry::Name(seller, key) => self.name_before() == Some((seller.as_str(), key.as_str())),
        }
    }

    fn add_ins(&self) -> &'a [AddInId] {
        if self.client_id.is_some() { &self.index.add_ins } else { &[] }
    }
}

/// Puts records in place, with all by which they are found, once nothing stands against it.
fn place(connection: &Connection, nexts: &[Next<'_>]) -> Result<(), CommitError> {
    check_unique(connection, nexts)?;
    // What two clients exchange is nobody's in between.
    for next in nexts {
        strike_out(connection, next, nexts.len() > 1)?;
    }
    for next in nexts {
        write(connection, next)?;
        enter(connection, next)?;
    }
    Ok(())
}

/// In the state after the whole commit each entry belongs to one client.
fn check_unique(connection: &Connection, nexts: &[Next<'_>]) -> Result<(), CommitError> {
    let is_changed = |id: &ClientId| nexts.iter().any(|next| next.client_id.as_ref() == Some(id));
    let mut claimed = HashMap::new();
    for next in nexts {
        let Some(client_id) = &next.client_id else { continue };
        for entry in next.index.unique_entries() {
            let before = if next.has_before(&entry) { None } else { owner(connection, &entry)? };
            let before = before.filter(|owner| !is_changed(owner));
            if let Some(by) = before.or_else(|| claimed.insert(entry.clone(), client_id.clone())) {
                return Err(CommitError::Taken { entry, by });
            }
        }
    }
    Ok(())
}

fn owner(connection: &Connection, entry: &IndexEntry) -> Result<Option<ClientId>, Fault> {
    let owner: Option<String> = match entry {
        IndexEntry::AddIn(add_in) => connection
            .prepare_cached("SELECT client_id FROM add_in WHERE add_in = ?1")?
            .query_row([add_in.as_str()], |row| row.get(0))
            .optional()?,
        IndexEntry::Name(seller, key) => connection
            .prepare_cached("SELECT id FROM record WHERE seller = ?1 AND name_key = ?2")?
            .query_row([seller.as_str(), key.as_str()], |row| row.get(0))
            .optional()?,
    };
    let Some(owner) = owner else {
        return Ok(None);
    };
    ClientId::stored(&owner).map(Some).map_err(|error| {
        let (table, column) = match entry {
            IndexEntry::AddIn(_) => ("add_in", "client_id"),
            IndexEntry::Name(..) => ("record", "id"),
        };
        Fault::Cell { table, column, key: format!("{entry:?}"), source: error.into() }
    })
}

/// Takes out by what a client is no longer found. The last use of a secret goes with its row.
fn strike_out(connection: &Connection, next: &Next<'_>, frees_name: bool) -> Result<(), CommitError> {
    let Some(found) = &next.found else {
        return Ok(());
    };
    if frees_name && found.name.is_some() && next.name_before() != next.name() {
        let freed = connection
            .prepare_cached("UPDATE record SET seller = NULL, name_key = NULL WHERE number = ?1")?
            .execute([found.number])?;
        one("record", freed)?;
    }
    let kept: BTreeSet<&str> = next.add_ins().iter().map(AddInId::as_str).collect();
    for add_in in next.add_ins_before.iter().filter(|add_in| !kept.contains(add_in.as_str())) {
        let sql = "DELETE FROM add_in WHERE add_in = ?1";
        one("add_in", connection.prepare_cached(sql)?.execute([add_in])?)?;
    }
    let kept: BTreeSet<i64> = next.ends.keys().map(|secret| i64::from(secret.number())).collect();
    for secret in next.ends_before.keys().filter(|secret| !kept.contains(secret)) {
        let sql = "DELETE FROM secret WHERE client_id = ?1 AND secret = ?2";
        one("secret", connection.prepare_cached(sql)?.execute(params![next.parts.id.as_str(), secret])?)?;
    }
    Ok(())
}

/// Writes the record itself. What is indexed is left alone where it stays the same.
fn write(connection: &Connection, next: &Next<'_>) -> Result<(), CommitError> {
    let RecordParts { format, registry_id, id, revision, key_id, body, sealed } = next.parts;
    let revision = number_of(revision)?;
    let (seller, name_key) = next.name().unzip();
    let written = match &next.found {
        Some(found) if found.key_id == *key_id && next.name_before() == next.name() => connection
            .prepare_cached(
                "UPDATE record SET revision = :revision, format = :format, registry_id = :registry_id,
                    body = :body, sealed = :sealed
                 WHERE number = :number",
            )?
            .execute(named_params! {
                ":number": found.number, ":revision": revision, ":format": format,
                ":registry_id": registry_id, ":body": body, ":sealed": sealed,
            })?,
        Some(found) => connection
            .prepare_cached(
                "UPDATE record SET revision = :revision, format = :format, registry_id = :registry_id,
                    body = :body, sealed = :sealed, key_id = :key_id, seller = :seller, name_key = :name_key
                 WHERE number = :number",
            )?
            .execute(named_params! {
                ":number": found.number, ":revision": revision, ":format": format,
                ":registry_id": registry_id, ":body": body, ":sealed": sealed,
                ":key_id": key_id.as_str(), ":seller": seller, ":name_key": name_key,
            })?,
        None => connection
            .prepare_cached(
                "INSERT INTO record (id, revision, seller, name_key, key_id, format, registry_id, body, sealed)
                 VALUES (:id, :revision, :seller, :name_key, :key_id, :format, :registry_id, :body, :sealed)",
            )?
            .execute(named_params! {
                ":id": id.as_str(), ":revision": revision, ":format": format,
                ":registry_id": registry_id, ":body": body, ":sealed": sealed,
                ":key_id": key_id.as_str(), ":seller": seller, ":name_key": name_key,
            })?,
    };
    one("record", written)?;
    // Nor did a trigger put back what was there.
    let mut stands = connection.prepare_cached("SELECT 1 FROM record WHERE id = ?1 AND revision = ?2")?;
    if stands.exists(params![id.as_str(), revision])? {
        Ok(())
    } else {
        Err(Fault::Swallowed { table: "record" }.into())
    }
}

/// Puts in by what a client is found from now on.
fn enter(connection: &Connection, next: &Next<'_>) -> Result<(), CommitError> {
    if next.client_id.is_none() {
        return Ok(());
    }
    let id = next.parts.id.as_str();
    for add_in in next.add_ins().iter().filter(|add_in| !next.add_ins_before.contains(add_in.as_str())) {
        let sql = "INSERT INTO add_in (add_in, client_id) VALUES (?1, ?2)";
        one("add_in", connection.prepare_cached(sql)?.execute([add_in.as_str(), id])?)?;
    }
    for (secret, until) in &next.ends {
        let (secret, until) = (i64::from(secret.number()), until.map(Timestamp::as_millis));
        let sql = match next.ends_before.get(&secret) {
            None => "INSERT INTO secret (client_id, secret, until) VALUES (?1, ?2, ?3)",
            Some(before) if *before == until => continue,
            Some(_) => "UPDATE secret SET until = ?3 WHERE client_id = ?1 AND secret = ?2",
        };
        one("secret", connection.prepare_cached(sql)?.execute(params![id, secret, until])?)?;
    }
    Ok(())
}

fn append(
    connection: &Connection,
    client_id: &ClientId,
    commit_id: CommitId,
    revision: Revision,
    events: &[EventText],
) -> Result<(), CommitError> {
    let revision = number_of(revision)?;
    for event in events {
        let text = str::from_utf8(event.as_bytes()).map_err(|error| {
            CommitError::NotWritten(StoreError::with_source(StoreErrorKind::Corrupt, error))
        })?;
        let appended = connection
            .prepare_cached(
                // After the last one that can be: where the engine chose, it would choose at random after a row at the end.
                "INSERT INTO event (position, client_id, revision, commit_id, event)
                 SELECT coalesce(max(position), 0) + 1, ?1, ?2, ?3, ?4 FROM event
                 WHERE position BETWEEN 1 AND ?5",
            )?
            .execute(params![client_id.as_str(), revision, commit_id.as_bytes(), text, LAST_POSITION - 1])?;
        one("event", appended)?;
    }
    Ok(())
}

fn conflict(id: RecordId<'_>, found: Option<Found>) -> CommitError {
    let found = found.map(|found| found.revision);
    CommitError::Conflict { record_id: id.as_str().into(), found }
}

/// A revision as the file has it.
fn number_of(revision: Revision) -> Result<i64, CommitError> {
    i64::try_from(revision.number())
        .map_err(|error| CommitError::NotWritten(StoreError::with_source(StoreErrorKind::Corrupt, error)))
}
