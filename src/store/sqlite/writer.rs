//! The connection that writes: one transaction after the other, each flushed before its changes are answered.
//!
//! A change is acknowledged only if the file still stands under its name and has the content that is known of it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::batch::left_since;
use super::checkpoint::Checkpoints;
use super::content::{self, Content};
use super::fault::{Fault, failed_commit};
use super::identity::{Anchor, Identity};
use super::lineage::Lineage;
use super::medium::Medium;
use super::options::Settings;
use super::{connect, reads};
use crate::clock::Stopwatch;
use crate::store::CommitError;

/// The connection that writes.
pub(super) struct Writer {
    identity: Arc<Identity>,
    medium: Arc<Medium>,
    settings: Settings,
    /// `None` after a failure that could not be rolled back: closing the connection did, and the next change opens another one.
    connection: Option<Connected>,
    checkpoints: Checkpoints,
    content: Content,
}

impl Writer {
    pub(super) fn open(path: &Path, settings: Settings, medium: Arc<Medium>) -> Result<Self, Fault> {
        let open = || {
            let identity = Identity::of(path)?;
            Connected::open(&identity, settings).map(|connection| (identity, connection))
        };
        // Under a file system in layers, the first to open a file for writing makes it another one.
        let opened = open().or_else(|fault| if fault.is_of_moved_file() { open() } else { Err(fault) });
        let (identity, mut connected) = opened?;
        let mut checkpoints = Checkpoints::new();
        // A disk that cannot be written to can still be read: the first change says what is the matter.
        let Connected { connection, anchor, .. } = &mut connected;
        if checkpoints.settle(connection, anchor, path, settings.busy_timeout).is_err() {
            leave_the_log(&connected.connection);
            drop(connected);
            connected = Connected::open(&identity, settings)?;
        }
        let content = Content::default();
        Ok(Self { identity, medium, settings, connection: Some(connected), checkpoints, content })
    }

    /// Returns how long a change may wait.
    pub(super) fn patience(&self) -> Duration {
        self.settings.busy_timeout
    }

    /// Returns which file the connection writes to.
    pub(super) fn identity(&self) -> &Arc<Identity> {
        &self.identity
    }

    /// Does work in one transaction, all of it or nothing; where the file could not be read, once more on a new connection. It
    /// waits no longer than the time that is left since it was given.
    pub(super) fn transact<T>(
        &mut self,
        given: Stopwatch,
        work: impl Fn(&Connection) -> Result<T, CommitError>,
    ) -> Result<T, CommitError> {
        match self.attempt(given, &work) {
            Err(CommitError::NotWritten(error)) if Fault::may_pass_behind(&error) => {
                // The engine writes nothing more on a connection that has met what it calls damage.
                self.disconnect();
                let done = self.attempt(given, &work);
                done.map_err(|error| {
                    self.disconnect();
                    self.medium.judge_change(self.identity.path(), error)
                })
            }
            done => done,
        }
    }

    /// Closes the connection. What it met may be another file, into which the log is not copied.
    fn disconnect(&mut self) {
        if let Some(connected) = self.connection.take() {
            leave_the_log(&connected.connection);
        }
    }

    /// Does work in one transaction, all of it or nothing. It waits no longer than the time that is left since it was given.
    pub(super) fn attempt<T>(
        &mut self,
        given: Stopwatch,
        work: &impl Fn(&Connection) -> Result<T, CommitError>,
    ) -> Result<T, CommitError> {
        let patience = left_since(given, self.settings.busy_timeout, &self.identity)?;
        let mut connected = match self.connection.take() {
            Some(connected) => connected,
            None => {
                // While there was none, the log may have been left to others.
                self.checkpoints = Checkpoints::new();
                content::check_log(&self.identity)?;
                Connected::open(&self.identity, self.settings)?
            }
        };
        if let Err(error) = self.settled(&mut connected, patience) {
            leave_the_log(&connected.connection);
            return Err(error);
        }
        let done = connected.transact(&mut self.content, work);
        // Where an error has left a transaction open and it cannot be rolled back, closing the connection does.
        let connection = &connected.connection;
        let is_over = connection.is_autocommit() || connection.execute_batch("ROLLBACK").is_ok();
        self.connection = Some(connected);
        if !is_over {
            self.disconnect();
        }
        done.map_err(|error| self.named(error))
    }

    /// Adds the name of the file to an error of a write to it.
    fn named(&self, error: CommitError) -> CommitError {
        match error {
            CommitError::NotWritten(error) => {
                let fault = Fault::Store(error);
                fault.of_writing_to(self.identity.path(), self.settings.max_size).into()
            }
            other => other,
        }
    }

    fn settled(&mut self, connected: &mut Connected, patience: Duration) -> Result<(), CommitError> {
        let Self { identity, checkpoints, .. } = self;
        let Connected { connection, anchor, .. } = connected;
        let settled = checkpoints.settle(connection, anchor, identity.path(), patience);
        settled.map_err(|fault| identity.behind(fault))?;
        connection.busy_timeout(patience)?;
        Ok(())
    }

    /// Does what no caller has to wait for.
    pub(super) fn tidy(&mut self) {
        if let Some(connected) = &mut self.connection
            && connected.check_content(&mut self.content).is_ok()
        {
            self.checkpoints.after_change(&mut connected.connection);
        }
    }

    /// Returns the ID that tells the cursors of this file from those of others.
    pub(super) fn feed_id(&self) -> Result<[u8; 16], Fault> {
        let connected = self.connection.as_ref().ok_or(rusqlite::Error::InvalidQuery)?;
        reads::feed_id(&connected.connection)
    }
}

/// The last connection that is closed copies the log into the file, and must not copy it into another one.
impl Drop for Writer {
    fn drop(&mut self) {
        if let Some(connected) = &self.connection
            && connected.check_content(&mut self.content).is_err()
        {
            leave_the_log(&connected.connection);
        }
    }
}

/// A connection, and the files that it works on.
struct Connected {
    /// Dropped first: the last connection that is closed copies the log into the file, which this one does not.
    lineage: Lineage,
    connection: Connection,
    identity: Arc<Identity>,
    anchor: Anchor,
}

impl Connected {
    fn open(identity: &Arc<Identity>, settings: Settings) -> Result<Self, Fault> {
        identity.check()?;
        let connection = connect::writer(identity.path(), settings)?;
        let anchor = identity.anchor_writer()?;
        let lineage = Lineage::new(connect::monitor(identity.path())?);
        Ok(Self { lineage, connection, identity: identity.clone(), anchor })
    }

    /// Checks that the file has the content that is known of it.
    fn check_content(&self, content: &mut Content) -> Result<(), Fault> {
        self.identity.check()?;
        content.check(&self.identity, &self.lineage)
    }

    fn transact<T>(
        &mut self,
        content: &mut Content,
        work: &impl Fn(&Connection) -> Result<T, CommitError>,
    ) -> Result<T, CommitError> {
        let connection = &self.connection;
        let begun = connection.prepare_cached("BEGIN IMMEDIATE").and_then(|mut begin| begin.execute([]));
        begun.map_err(|error| self.identity.behind(error.into()))?;
        // What is written to a file that is gone has not happened for anybody else.
        self.anchor.check()?;
        self.check_content(content)?;
        self.lineage.begin(connection)?;
        let before = connection.total_changes();
        let done = work(connection)?;
        if connection.total_changes() == before {
            connection.prepare_cached("ROLLBACK")?.execute([])?;
            self.anchor.check()?;
            return Ok(done);
        }
        let last = content::last_event(connection)?;
        self.check_content(content)?;
        connection.prepare_cached("COMMIT")?.execute([]).map_err(failed_commit)?;
        self.lineage.committed();
        content.committed(last);
        self.anchor.check().map_err(|fault| CommitError::Failed(fault.into()))?;
        Ok(done)
    }
}

/// Makes a connection leave the log as it is when it is closed.
fn leave_the_log(connection: &Connection) {
    if let Err(error) = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true) {
        tracing::warn!(%error, "the log may be copied into the file when that is closed");
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;

    use super::*;
    use crate::store::sqlite::file;
    use crate::store::sqlite::identity::beside;

    /// What is noticed before the commit is not written. What was committed into a log that is gone is not said to be written, nor
    /// not to be.
    #[test]
    fn a_file_that_is_moved_in_the_middle_of_a_change_is_noticed() {
        let directory = std::env::temp_dir().join(format!("client-registry-moved-{}", std::process::id()));
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir(&directory).unwrap();
        let (path, elsewhere) = (directory.join("registry.db"), directory.join("elsewhere.db"));
        file::prepare(&path).unwrap();
        let settings = Settings { busy_timeout: Duration::ZERO, max_size: None };
        let mut writer = Writer::open(&path, settings, Arc::default()).unwrap();
        let mut insert = |then: &dyn Fn()| {
            writer.transact(Stopwatch::start(), |connection| {
                connection.execute("INSERT INTO add_in VALUES (hex(randomblob(8)), 'calendar')", [])?;
                then();
                Ok(())
            })
        };
        insert(&|| ()).unwrap();
        let log = beside(&path, "-wal");
        for (moved, is_written) in [(&path, false), (&log, true)] {
            let error = insert(&|| fs::rename(moved, &elsewhere).unwrap()).unwrap_err();
            assert_eq!(matches!(error, CommitError::Failed(_)), is_written, "{moved:?}: {error:?}");
            let error = insert(&|| ()).unwrap_err();
            assert!(matches!(error, CommitError::NotWritten(_)), "{moved:?}: {error:?}");
            fs::rename(&elsewhere, moved).unwrap();
            insert(&|| ()).unwrap();
        }
        drop(writer);
        fs::remove_dir_all(&directory).unwrap();
    }
}
