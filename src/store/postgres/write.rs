//! Commits: one statement, which is one round trip and one transaction.
//!
//! The statement writes only where all of what is there is as expected, and says so in a row; the answer is read to the end,
//! after the server has committed. Two kinds: one client whose places stay as they are, where the condition stands in the
//! update itself; and any number of them, locked in the order of their IDs first.
//!
//! Where two write at the same time, PostgreSQL lets the second one wait and then look again. What that cannot settle (a new
//! row that a concurrent commit has just made, too) is an error of the statement, which is rolled back and sent again: now it sees
//! what the other one did, and says so.

use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::Instant;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::batch::{Batch, Next, client_of, ends_without, expectation};
use super::columns::Columns;
use super::failure::{Failure, commit_error};
use super::rows::client_id;
use super::session::{Boxed, Parameter, Session};
use super::store::PostgresStore;
use super::turns::Turn;
use crate::store::reach::Reach;
use crate::store::{CommitError, Expected};
use crate::store_error::{StoreError, StoreErrorKind};
use crate::value::{KeyId, Revision, SecretId};

/// Tells whether commits have to wait for standbys.
type Waits = bool;

/// The answer of a statement that writes.
enum Answer {
    Written,
    /// Refused, by a server whose commits have to wait for standbys, or do not.
    Refused(CommitError, Waits),
    /// What is there is as expected, and nothing was written: a concurrent commit was faster.
    Overtaken,
    /// More entries of the client are different than was guessed.
    Elsewhere,
}

impl PostgresStore {
    pub(super) fn write<'a>(&'a self, batch: &'a Batch<'a>, reach: Reach) -> Boxed<'a, (), CommitError> {
        Box::pin(self.attempt(batch, reach))
    }

    async fn attempt(&self, batch: &Batch<'_>, reach: Reach) -> Result<(), CommitError> {
        if batch.records.is_empty() {
            return Ok(());
        }
        let (_turn, mut session) = self.turn(batch).await.map_err(commit_error)?;
        if let Some((entry, first)) = batch.clash() {
            let rows = session.query(&self.inner.writes.found, &[(&ids(batch), Type::TEXT_ARRAY)]).await;
            let found = found(&rows.map_err(commit_error)?).map_err(commit_error)?;
            return Err(match unmet(batch, &found) {
                Some(conflict) => conflict,
                None => CommitError::Taken { entry: entry.clone(), by: client_of(first)? },
            });
        }
        let mut reach = reach;
        let mut last = None;
        for _ in 0..ATTEMPTS {
            let answer = match (batch.records.as_slice(), &reach) {
                ([next], Reach::Secrets(touched)) if *next.expected != Expected::Absent => {
                    self.write_one(&mut session, batch, next, touched).await
                }
                _ => self.write_whole(&mut session, batch).await,
            };
            match answer {
                Ok(Answer::Written) => return Ok(()),
                Ok(Answer::Refused(refused @ CommitError::Conflict { .. }, true)) => {
                    self.prove(&mut session, batch).await?;
                    return Err(refused);
                }
                Ok(Answer::Refused(refused, _)) => return Err(refused),
                Ok(Answer::Overtaken) => {}
                Ok(Answer::Elsewhere) => reach = Reach::Everything,
                Err(failure) if failure.lost_a_race() => last = Some(failure),
                // Nothing was sent: the connection was lost while it lay in the pool.
                Err(failure) if failure.is_of_the_connection() && !failure.was_sent() && last.is_none() => {
                    last = Some(failure);
                    drop(session); // Or it would wait for itself.
                    session = self.session().await.map_err(commit_error)?;
                }
                Err(failure) => return Err(commit_error(failure)),
            }
        }
        Err(last.map_or_else(
            || {
                let why = "others wrote at the same time again and again";
                CommitError::NotWritten(StoreError::with_source(StoreErrorKind::Unavailable, why))
            },
            commit_error,
        ))
    }

    /// Waits for a turn of the clients of a batch, and then for a connection.
    async fn turn(&self, batch: &Batch<'_>) -> Result<(Turn<'_>, Session), Failure> {
        if Handle::try_current().is_err() {
            return Err(Failure::NoRuntime);
        }
        let within = self.inner.options.acquire_timeout;
        let deadline = Instant::now() + within;
        let turn = self.inner.turns.take(ids(batch), batch.is_urgent, deadline).await;
        let turn = turn.ok_or(Failure::OutOfTurn(within))?;
        let left = deadline.saturating_duration_since(Instant::now()).max(AT_LEAST);
        Ok((turn, self.session_within(left).await?))
    }

    async fn write_one(
        &self,
        session: &mut Session,
        batch: &Batch<'_>,
        next: &Next<'_>,
        touched: &[SecretId],
    ) -> Result<Answer, Failure> {
        let (expected, under) = expectation(next.expected);
        let parts = &next.parts;
        let (id, key_id, format) = (parts.id.as_str(), parts.key_id.as_str(), i32::from(parts.format));
        let (body, registry_id) = (parts.body.as_bytes(), parts.registry_id.as_slice());
        let places = next.places.as_slice();
        let made = batch.history.first();
        let commit_id = made.map(|made| made.commit_id.as_slice());
        let events = made.map(|made| made.events.as_slice());
        let (secrets, ends): (Vec<_>, Vec<_>) = next
            .index
            .ends
            .iter()
            .filter(|(secret, _)| touched.contains(secret))
            .map(|(secret, end)| (i64::from(secret.number()), end.map(|end| end.as_millis())))
            .unzip();
        let touched_numbers = touched.iter().map(|secret| i64::from(secret.number()));
        let gone: Vec<_> = touched_numbers.filter(|number| !secrets.contains(number)).collect();
        let keys: Vec<_> = touched.iter().map(SecretId::to_string).collect();
        let others = ends_without(next.index, touched);
        let parameters: [Parameter<'_>; 18] = [
            (&id, Type::TEXT),
            (&expected, Type::INT8),
            (&under, Type::TEXT),
            (&next.revision, Type::INT8),
            (&key_id, Type::TEXT),
            (&format, Type::INT4),
            (&registry_id, Type::BYTEA),
            (&body, Type::BYTEA),
            (&parts.sealed, Type::BYTEA),
            (&next.ends, Type::TEXT),
            (&places, Type::BYTEA),
            (&keys, Type::TEXT_ARRAY),
            (&others, Type::TEXT),
            (&commit_id, Type::BYTEA),
            (&events, Type::BYTEA),
            (&secrets, Type::INT8_ARRAY),
            (&ends, Type::INT8_ARRAY),
            (&gone, Type::INT8_ARRAY),
        ];
        let writes = &self.inner.writes;
        let sql = writes.one.statement(made.is_some(), secrets.len(), gone.len());
        if session.write(sql, &parameters).await?.len() == 1 {
            return Ok(Answer::Written);
        }
        let guess: [Parameter<'_>; 4] =
            [(&id, Type::TEXT), (&places, Type::BYTEA), (&keys, Type::TEXT_ARRAY), (&others, Type::TEXT)];
        let rows = session.query(&writes.why, &guess).await?;
        if let Some(conflict) = unmet(batch, &found(&rows)?) {
            let waits = rows.first().map(|row| column(row, 4)).transpose()?.unwrap_or_default();
            return Ok(Answer::Refused(conflict, waits));
        }
        let is_as_guessed = rows.first().map(|row| column(row, 3)).transpose()?.unwrap_or_default();
        Ok(if is_as_guessed { Answer::Overtaken } else { Answer::Elsewhere })
    }

    async fn write_whole(&self, session: &mut Session, batch: &Batch<'_>) -> Result<Answer, Failure> {
        let columns = Columns::of(batch);
        let is_new = batch.records.iter().all(|next| *next.expected == Expected::Absent);
        let writes = &self.inner.writes;
        let sql = if is_new { &writes.new } else { &writes.whole };
        let rows = session.write(sql, &columns.parameters()).await?;
        let row = only(&rows)?;
        if column::<i64>(row, 0)? > 0 {
            return Ok(Answer::Written);
        }
        let found = found_in_columns(row)?;
        if let Some(conflict) = unmet(batch, &found) {
            return Ok(Answer::Refused(conflict, column(row, 6)?));
        }
        let Some(position) = column::<Option<i64>>(row, 4)? else {
            return Ok(Answer::Overtaken);
        };
        // Counted from 1.
        let entry = usize::try_from(position - 1).ok().and_then(|position| batch.entries.get(position));
        let (entry, _) = entry.ok_or_else(|| Failure::senseless("an entry that was not asked for"))?;
        let by = client_id(row, 5)?;
        Ok(Answer::Refused(CommitError::Taken { entry: entry.clone(), by }, false))
    }
}

/// A record that was found: its ID, revision and key.
type Found = (String, i64, String);

/// Returns the first expectation that does not hold.
fn unmet(batch: &Batch<'_>, found: &[Found]) -> Option<CommitError> {
    batch.records.iter().find_map(|next| {
        let id = next.parts.id.as_str();
        let there = found.iter().find(|(found, ..)| found == id);
        let there = there.map(|(_, revision, key_id)| {
            (Revision::new(u64::try_from(*revision).unwrap_or_default()), KeyId::parse(key_id).ok())
        });
        let holds =
            next.expected.holds(there.as_ref().map(|(revision, key_id)| (*revision, key_id.as_ref())));
        let found = there.map(|(revision, _)| revision);
        (!holds).then(|| CommitError::Conflict { record_id: id.into(), found })
    })
}

fn found(rows: &[Row]) -> Result<Vec<Found>, Failure> {
    rows.iter().map(|row| Ok((column(row, 0)?, column(row, 1)?, column(row, 2)?))).collect()
}

fn found_in_columns(row: &Row) -> Result<Vec<Found>, Failure> {
    let ids = column::<Option<Vec<String>>>(row, 1)?.unwrap_or_default();
    let revisions = column::<Option<Vec<i64>>>(row, 2)?.unwrap_or_default();
    let key_ids = column::<Option<Vec<String>>>(row, 3)?.unwrap_or_default();
    Ok(ids
        .into_iter()
        .zip(revisions)
        .zip(key_ids)
        .map(|((id, revision), key_id)| (id, revision, key_id))
        .collect())
}

fn ids<'a>(batch: &Batch<'a>) -> Vec<&'a str> {
    batch.records.iter().map(|next| next.parts.id.as_str()).collect()
}

fn only(rows: &[Row]) -> Result<&Row, Failure> {
    rows.first().ok_or_else(|| Failure::senseless("no answer to a commit"))
}

fn column<'a, T: tokio_postgres::types::FromSql<'a>>(row: &'a Row, position: usize) -> Result<T, Failure> {
    row.try_get(position).map_err(Failure::senseless)
}

/// The number of attempts, when other commits win.
const ATTEMPTS: usize = 10;
/// The shortest wait for a connection: a commit whose turn comes late still gets one that is free.
const AT_LEAST: Duration = Duration::from_millis(10);
