//! The values of rows, as values of this crate.
//!
//! A row is not trusted: a value that no node can have written is a failure that names its table and column, never a panic.

use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use super::events::split;
use super::failure::{Failure, store_error};
use crate::record::{Record, RecordId, RecordParts};
use crate::store::{CommitId, Committed, Ending};
use crate::store_error::{StoreError, with_sources};
use crate::value::{ClientId, KeyId, Revision, SecretId, Timestamp};

/// Returns the record in a row. The registry checks that it is the one that was written.
pub(super) fn record(id: RecordId<'_>, row: &Row) -> Result<Record, StoreError> {
    fn column<'a, T: FromSql<'a>>(row: &'a Row, position: usize) -> Result<T, StoreError> {
        row.try_get(position).map_err(|source| store_error(Failure::unreadable("records", source)))
    }
    let key_id = KeyId::parse(column(row, 1)?).map_err(|source| unreadable("records.key_id", source))?;
    let format: i32 = column(row, 2)?;
    let registry_id: &[u8] = column(row, 3)?;
    let too_long = |place| unreadable(place, "longer than a record may be");
    let (body, sealed): (Option<&[u8]>, Option<&[u8]>) = (column(row, 4)?, column(row, 5)?);
    let body = body.ok_or_else(|| too_long("records.body"))?;
    let body = str::from_utf8(body).map_err(|source| unreadable("records.body", source))?;
    Record::from_parts(RecordParts {
        format: u16::try_from(format).map_err(|source| unreadable("records.format", source))?,
        registry_id: registry_id.try_into().map_err(|source| unreadable("records.registry_id", source))?,
        id,
        revision: revision(row, 0).map_err(store_error)?,
        key_id: &key_id,
        body,
        sealed: sealed.ok_or_else(|| too_long("records.sealed"))?,
    })
}

/// Returns the error for a value that no node can have written.
pub(super) fn unreadable(
    place: &'static str,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> StoreError {
    store_error(Failure::unreadable(place, source))
}

/// Returns a commit of a history: its ID, revision and events.
pub(super) fn committed(row: &Row) -> Result<Committed, Failure> {
    let commit_id: &[u8] =
        row.try_get(0).map_err(|source| Failure::unreadable("history.commit_id", source))?;
    let commit_id =
        commit_id.try_into().map_err(|source| Failure::unreadable("history.commit_id", source))?;
    let bytes: Option<&[u8]> =
        row.try_get(2).map_err(|source| Failure::unreadable("history.events", source))?;
    let bytes = bytes
        .ok_or_else(|| Failure::unreadable("history.events", "longer than the events of a commit can be"))?;
    Ok(Committed {
        commit_id: CommitId::from_bytes(commit_id),
        revision: revision(row, 1)?,
        events: split(bytes),
    })
}

/// Returns a secret with its end: instant, client and secret, in this order.
pub(super) fn ending(row: &Row) -> Result<Ending, Failure> {
    Ok(Ending { at: instant(row, 0)?, client_id: client_id(row, 1)?, secret: secret_id(row, 2)? })
}

/// Returns the client ID in a column.
pub(super) fn client_id(row: &Row, column: usize) -> Result<ClientId, Failure> {
    let text = row.try_get(column).map_err(|source| Failure::unreadable("client_id", source))?;
    ClientId::stored(text).map_err(|source| Failure::unreadable("client_id", source))
}

fn revision(row: &Row, column: usize) -> Result<Revision, Failure> {
    let number: i64 = row.try_get(column).map_err(|source| Failure::unreadable("revision", source))?;
    let number = u64::try_from(number).map_err(|source| Failure::unreadable("revision", source))?;
    Ok(Revision::new(number))
}

/// Returns the number of a secret in a column.
pub(super) fn secret_id(row: &Row, column: usize) -> Result<SecretId, Failure> {
    let number: i64 = row.try_get(column).map_err(|source| Failure::unreadable("secrets.secret", source))?;
    let number = u32::try_from(number).ok().and_then(SecretId::new);
    number.ok_or_else(|| Failure::unreadable("secrets.secret", "not the number of a secret"))
}

fn instant(row: &Row, column: usize) -> Result<Timestamp, Failure> {
    let millis = row.try_get(column).map_err(|source| Failure::unreadable("secrets", source))?;
    let instant = Timestamp::from_millis(millis);
    instant.ok_or_else(|| Failure::unreadable("secrets", "an instant beyond the calendar"))
}

/// Returns a limit as the server takes it: at least 1.
pub(super) fn up_to(limit: usize) -> i64 {
    i64::try_from(limit.max(1)).unwrap_or(i64::MAX)
}

/// Logs that a row is passed over.
pub(super) fn passed_over(failure: &Failure) {
    tracing::error!(why = with_sources(failure), "a row that no node wrote is passed over");
}
