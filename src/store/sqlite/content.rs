//! Notices that another file was copied over this one (`cp copy registry.db`): its name and its number stay, and its content is
//! another.
//!
//! Changes go to the log. Only a checkpoint writes to the file itself, so that in between its length and its times stay as they
//! are. They are compared at the beginning of each change and before it is committed, while nobody else can write. Where they
//! differ, there was a checkpoint, or another program wrote to the file. Then the file is compared with what its log builds on, as
//! when a file is opened; and where all of the log has been copied into it, it must have the last event that was seen here. If
//! it is another file, nothing is acknowledged any longer, and the log is not copied into it: the two may still be told apart.
//!
//! What remains: readings between the copying and the next change may be answered from both files; a process that has made no change
//! yet knows no event that the file must have, and without a log it takes the copy for the file; a file of the same length
//! that is copied within the same tick of the file system's clock as a checkpoint (some milliseconds) is not noticed; nor is
//! one that a checkpoint comes upon while it looks.

use std::fs;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _};

use super::cursor::LAST_POSITION;
use super::fault::Fault;
use super::identity::Identity;
use super::lineage::Lineage;
use super::{advice, connect, log};
use crate::store_error::StoreErrorKind;

/// What a file is known to have.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// The file as it was when its content was compared last.
    stamp: Option<Stamp>,
    /// The last event that was committed or seen here.
    last: Option<Last>,
}

/// An event, by its position and its commit.
pub(super) type Last = (i64, Vec<u8>);

impl Content {
    /// Compares the content of the file where anything was written to it.
    ///
    /// # Errors
    /// [`Fault::File`] when it is that of another file: from then on the [`Identity`] says so to all.
    pub(super) fn check(&mut self, identity: &Identity, lineage: &Lineage) -> Result<(), Fault> {
        let stamp = Stamp::of(identity.path())?;
        if self.stamp == Some(stamp) {
            return Ok(());
        }
        check_log(identity)?;
        if let Some(last) = &self.last
            && lineage.may_start_over() != Some(false)
            && !has(identity.path(), last)?
        {
            return Err(identity.is_replaced());
        }
        self.stamp = Some(stamp);
        Ok(())
    }

    /// Takes note of what a change has committed.
    pub(super) fn committed(&mut self, last: Option<Last>) {
        self.last = last;
    }
}

/// Checks that the log still belongs to the content of the file.
pub(super) fn check_log(identity: &Identity) -> Result<(), Fault> {
    identity.check()?;
    match log::still_fits(identity.path()) {
        Ok(true) => Ok(()),
        Ok(false) => Err(identity.is_replaced()),
        Err(fault) => Err(fault),
    }
}

/// The last event as a transaction sees it, leaving out what was inserted behind all events.
pub(super) fn last_event(connection: &Connection) -> Result<Option<Last>, Fault> {
    let last = connection
        .prepare_cached(
            "SELECT position, commit_id FROM event WHERE position BETWEEN 1 AND ?1 ORDER BY position DESC LIMIT 1",
        )?
        .query_row([LAST_POSITION - 1], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(last)
}

/// Tells whether the file itself has an event. One that is no database, or of another program, has not.
fn has(path: &Path, (position, commit_id): &Last) -> Result<bool, Fault> {
    let alone = connect::alone(path)?;
    match log::commit_at(&alone, *position) {
        Ok(found) => Ok(found.as_ref() == Some(commit_id)),
        Err(error) => match Fault::from(error) {
            fault if fault.kind() == StoreErrorKind::Unavailable => Err(fault),
            _ => Ok(false),
        },
    }
}

/// How long a file is, and when it was written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    len: u64,
    /// Of the content and, where there is one, of everything else: the former can be set by anybody.
    written: [Option<(i64, i64)>; 2],
}

impl Stamp {
    fn of(path: &Path) -> Result<Self, Fault> {
        let found = fs::metadata(path).map_err(|error| advice::refused(path, error))?;
        Ok(Self { len: found.len(), written: times(&found) })
    }
}

#[cfg(unix)]
fn times(found: &fs::Metadata) -> [Option<(i64, i64)>; 2] {
    use std::os::unix::fs::MetadataExt as _;
    [Some((found.mtime(), found.mtime_nsec())), Some((found.ctime(), found.ctime_nsec()))]
}

#[cfg(not(unix))]
fn times(found: &fs::Metadata) -> [Option<(i64, i64)>; 2] {
    let since = |time: std::time::SystemTime| time.duration_since(std::time::UNIX_EPOCH).ok();
    let written = found.modified().ok().and_then(since);
    let pair = |since: std::time::Duration| (since.as_secs() as i64, i64::from(since.subsec_nanos()));
    [written.map(pair), None]
}
