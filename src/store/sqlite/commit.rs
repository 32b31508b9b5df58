//! What a commit does inside its transaction: compares what there is with what is expected, writes the records, and appends
//! their events.
//!
//! All expectations are compared before anything is written, and a change without events counts as a step of the lineage.

use rusqlite::{Connection, params};

use super::cursor::LAST_POSITION;
use super::fault::one_row;
use super::lineage;
use super::next::{Found, Next, number_of};
use super::place::place;
use crate::event::EventText;
use crate::record::RecordId;
use crate::store::{Adopted, Commit, CommitError, CommitId, Committed};
use crate::store_error::{StoreError, StoreErrorKind};
use crate::value::{ClientId, Revision};

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

/// Takes in records from another store with their histories.
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

/// Appends events after the last one of the feed.
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
        one_row("event", appended)?;
    }
    Ok(())
}

fn conflict(id: RecordId<'_>, found: Option<Found>) -> CommitError {
    let found = found.map(|found| found.revision);
    CommitError::Conflict { record_id: id.as_str().into(), found }
}
