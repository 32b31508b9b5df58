//! Puts records in place, with the entries by which their clients are found, once nothing stands against it.
//!
//! In the state after the whole commit an add-in, and a name of a seller, belongs to one client. Nothing is written before that
//! is sure. Each row that is to change is checked to have changed.

use std::collections::{BTreeSet, HashMap};

use rusqlite::{Connection, OptionalExtension as _, named_params, params};

use super::fault::{Fault, one_row};
use super::next::{Next, number_of};
use crate::record::RecordParts;
use crate::store::{CommitError, IndexEntry};
use crate::value::{AddInId, ClientId, Timestamp};

/// Puts records in place, with the entries by which their clients are found, once nothing stands against it.
pub(super) fn place(connection: &Connection, nexts: &[Next<'_>]) -> Result<(), CommitError> {
    check_unique(connection, nexts)?;
    // An entry that two clients exchange belongs to neither of them in between.
    for next in nexts {
        strike_out(connection, next, nexts.len() > 1)?;
    }
    for next in nexts {
        write(connection, next)?;
        enter(connection, next)?;
    }
    Ok(())
}

/// Checks that in the state after the whole commit each entry belongs to one client.
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

/// Returns the client that has an entry.
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

/// Removes the entries by which a client is no longer found. The last use of a secret goes with its row.
fn strike_out(connection: &Connection, next: &Next<'_>, frees_name: bool) -> Result<(), CommitError> {
    let Some(found) = &next.found else {
        return Ok(());
    };
    if frees_name && found.name.is_some() && next.name_before() != next.name() {
        let freed = connection
            .prepare_cached("UPDATE record SET seller = NULL, name_key = NULL WHERE number = ?1")?
            .execute([found.number])?;
        one_row("record", freed)?;
    }
    let kept: BTreeSet<&str> = next.add_ins().iter().map(AddInId::as_str).collect();
    for add_in in next.add_ins_before.iter().filter(|add_in| !kept.contains(add_in.as_str())) {
        let sql = "DELETE FROM add_in WHERE add_in = ?1";
        one_row("add_in", connection.prepare_cached(sql)?.execute([add_in])?)?;
    }
    let kept: BTreeSet<i64> = next.ends.keys().map(|secret| i64::from(secret.number())).collect();
    for secret in next.ends_before.keys().filter(|secret| !kept.contains(secret)) {
        let sql = "DELETE FROM secret WHERE client_id = ?1 AND secret = ?2";
        one_row("secret", connection.prepare_cached(sql)?.execute(params![next.parts.id.as_str(), secret])?)?;
    }
    Ok(())
}

/// Writes the record itself. Columns with an index are left alone where they stay the same.
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
    one_row("record", written)?;
    // No trigger may have put back what was there.
    let mut stands = connection.prepare_cached("SELECT 1 FROM record WHERE id = ?1 AND revision = ?2")?;
    if stands.exists(params![id.as_str(), revision])? {
        Ok(())
    } else {
        Err(Fault::Swallowed { table: "record" }.into())
    }
}

/// Adds the entries by which a client is found from now on.
fn enter(connection: &Connection, next: &Next<'_>) -> Result<(), CommitError> {
    if next.client_id.is_none() {
        return Ok(());
    }
    let id = next.parts.id.as_str();
    for add_in in next.add_ins().iter().filter(|add_in| !next.add_ins_before.contains(add_in.as_str())) {
        let sql = "INSERT INTO add_in (add_in, client_id) VALUES (?1, ?2)";
        one_row("add_in", connection.prepare_cached(sql)?.execute([add_in.as_str(), id])?)?;
    }
    for (secret, until) in &next.ends {
        let (secret, until) = (i64::from(secret.number()), until.map(Timestamp::as_millis));
        let sql = match next.ends_before.get(&secret) {
            None => "INSERT INTO secret (client_id, secret, until) VALUES (?1, ?2, ?3)",
            Some(before) if *before == until => continue,
            Some(_) => "UPDATE secret SET until = ?3 WHERE client_id = ?1 AND secret = ?2",
        };
        one_row("secret", connection.prepare_cached(sql)?.execute(params![id, secret, until])?)?;
    }
    Ok(())
}
