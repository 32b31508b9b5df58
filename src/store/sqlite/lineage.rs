//! Names the states that the file goes through, so that a log says which of them it builds on.
//!
//! Nothing in the engine's own format ties a log to its file: put beside another copy of it, the log is played into that
//! one, page by page, and what comes out is neither of the two. So the first change in each log writes down what the file
//! was when the log began, as part of the same transaction, and the module `log` compares that with the file.
//!
//! A state is named by three things, at least one of which changes with every commit:
//!
//! - the *mark* of its stretch, 16 random bytes. A stretch begins where a log may start over, which is when all of it has
//!   been copied into the file, and with the first change of each connection, so that what goes on in two places is told
//!   apart from there on;
//! - the *step* within the stretch, which counts the commits that write no event: uses, resealed records, the record of the
//!   registry;
//! - the last event, by its position and the random ID of its commit.
//!
//! Stretches are rows of the table `feed`. When a log may start over, older ones are taken out: the first row is the state
//! that the log builds on, the second says which event was the last one there.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::fault::{Fault, one_row};
use crate::store::CommitError;

/// Begins a stretch where there has to be one.
pub(super) struct Lineage {
    /// Looks at the log while the other connection is in a transaction, when that one may not.
    monitor: Connection,
    /// The connection has not changed anything yet.
    is_new: bool,
}

impl Lineage {
    pub(super) fn new(monitor: Connection) -> Self {
        Self { monitor, is_new: true }
    }

    /// Begins a stretch if this transaction, which has not written anything yet, may be the first one in a log.
    pub(super) fn begin(&self, connection: &Connection) -> Result<(), CommitError> {
        let starts_over = self.may_start_over();
        if starts_over == Some(false) && !self.is_new {
            return Ok(());
        }
        if starts_over == Some(true) {
            connection
                .prepare_cached("DELETE FROM feed WHERE rowid < (SELECT max(rowid) FROM feed)")?
                .execute([])?;
        }
        add_stretch(connection)?;
        Ok(())
    }

    /// Takes note that the transaction was committed.
    pub(super) fn committed(&mut self) {
        self.is_new = false;
    }

    /// Tells whether all of the log is in the file. It is not known where the log cannot be looked at.
    ///
    /// The engine decides it when a transaction begins: a log that was not in the file then does not start over, even if
    /// another process copies the rest meanwhile.
    pub(super) fn may_start_over(&self) -> Option<bool> {
        let mut statement = self.monitor.prepare_cached("PRAGMA wal_checkpoint(NOOP)").ok()?;
        let frames = statement.query_row([], |row| Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?)));
        frames.ok().filter(|(log, _)| *log >= 0).map(|(log, copied)| log == copied)
    }
}

/// Begins a stretch after the state that the transaction found.
pub(super) fn add_stretch(connection: &Connection) -> Result<(), Fault> {
    let last: Option<(i64, Vec<u8>)> = connection
        .prepare_cached("SELECT position, commit_id FROM event ORDER BY position DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (position, commit_id) = last.unzip();
    let added = connection
        .prepare_cached(
            "INSERT INTO feed (feed_id, mark, step, position, commit_id)
             SELECT feed_id, randomblob(16), 0, ?1, ?2 FROM feed ORDER BY rowid DESC LIMIT 1",
        )?
        .execute(params![position.unwrap_or_default(), commit_id])?;
    one_row("feed", added)
}

/// Tells whether a file is of a version that names its states.
pub(super) fn is_kept(connection: &Connection) -> Result<bool, Fault> {
    let kept = "SELECT 1 FROM pragma_table_info('feed') WHERE name = 'mark'";
    Ok(connection.prepare(kept)?.exists([])?)
}

/// Counts a commit that writes no event.
pub(super) fn step(connection: &Connection) -> Result<(), Fault> {
    let counted = connection
        .prepare_cached("UPDATE feed SET step = step + 1 WHERE rowid = (SELECT max(rowid) FROM feed)")?
        .execute([])?;
    one_row("feed", counted)
}
