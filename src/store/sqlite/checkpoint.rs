//! Copies the log into the file, so that no failed flush loses what was acknowledged.
//!
//! A change is durable once its frames in the log are flushed. A checkpoint copies them into the file and counts, in
//! memory that all processes share, how many are copied: those are read from the file from then on, no later checkpoint
//! copies them again, and once all are counted the log starts over. The engine's own checkpoints count too early: while
//! a reader needs an older state they copy a part, count it, and do not flush the file. When the flush of a later
//! checkpoint fails, Linux drops the pages that it could not write and reports that once; the checkpoint after it copies
//! only the rest, and the log that holds the lost pages starts over.
//!
//! So these two hold here, in every process that has the file open:
//!
//! - **A frame counts as copied only after the file was flushed with it.** Automatic checkpoints are off on every
//!   connection. A checkpoint is made between two changes and copies all of the log or nothing: while a reader stands in
//!   the way, or another process writes, it waits for some milliseconds and then interrupts itself before the first page is
//!   copied. When anything fails, nothing is counted, all of it is still read from the log, and the next checkpoint copies
//!   and flushes all of it again. No process has to know which flush failed, or where, and it does not matter whether the
//!   process that saw it lives. (The checkpoint of the last connection that is closed is the engine's own: it has the file
//!   to itself, so that it copies everything or nothing as well, and removes the log only after the flush.)
//! - **Nothing is acknowledged behind frames that may not be on the disk.** After a failed flush of the log its commit
//!   is not counted as being there, and the next one is written over it. But a process that finds a log when it opens the
//!   file takes what it reads there, and what it reads may be what could not be flushed: a later flush would not write
//!   it again, and after a power cut the log ends in front of it. So whatever was in the log when the file was opened is
//!   written to the log again as it was read, flushed, copied into the file, and the directory that names both is flushed,
//!   before the first change is made. Were it copied only, a power cut would leave a log that ends before what the file has
//!   already, and older pages would be read from it. Where one of these fails, the log is left as it is and read anew: what
//!   could not be flushed may no longer be there.

use std::cell::RefCell;
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::Duration;
use std::{fs, thread};

use rusqlite::{Connection, ErrorCode, InterruptHandle};

use super::fault::Fault;
use super::identity::Anchor;
use crate::store_error::{StoreError, StoreErrorKind, with_sources};

/// Decides when the log is copied, for the connection that writes.
#[derive(Debug)]
pub(super) struct Checkpoints {
    /// What was in the log when the file was opened is on the disk.
    settled: bool,
    /// How many frames have to wait in the log before the next checkpoint.
    at: i64,
}

impl Checkpoints {
    pub(super) fn new() -> Self {
        Self { settled: false, at: FRAMES }
    }

    /// Puts what was in the log when the file was opened on the disk, unless that has been done. No change may be made
    /// before.
    ///
    /// A process that is in the way as a reader or a writer has found the log settled, or has it from one that had: then
    /// there is nothing to be done.
    pub(super) fn settle(
        &mut self,
        connection: &mut Connection,
        anchor: &Anchor,
        path: &Path,
        patience: Duration,
    ) -> Result<(), Fault> {
        if self.settled {
            return Ok(());
        }
        write_again(connection, anchor)?;
        let mut waited = Duration::ZERO;
        // It may be another process that is settling it, and that fails.
        while copy(connection, BRIEFLY)? == Copied::ByOthers {
            if waited >= patience {
                let problem = "another process has been copying its log for too long: try again";
                return Err(Fault::file(path, StoreErrorKind::Unavailable, problem));
            }
            thread::sleep(PAUSE);
            waited += PAUSE;
        }
        flush_directory(path)?;
        self.settled = true;
        Ok(())
    }

    /// Copies the log if enough waits in it. What cannot be copied now stays in the log, and is as durable there.
    pub(super) fn after_change(&mut self, connection: &mut Connection) {
        let waiting = match waiting(connection) {
            Ok(waiting) if waiting < self.at => return,
            Ok(waiting) => waiting,
            Err(error) => return warn(error),
        };
        // When it is not copied now, the next attempt is worth its cost once as much again is waiting.
        self.at = match copy(connection, BRIEFLY) {
            Ok(Copied::All) => FRAMES,
            Ok(Copied::Nothing | Copied::ByOthers) => waiting.saturating_add(FRAMES),
            Err(error) => {
                warn(error);
                waiting.saturating_add(FRAMES)
            }
        };
    }
}

/// Copies the log of a file that this process alone uses, before the connection is closed: closing does it as well, and does
/// not say when it fails.
pub(super) fn copy_before_closing(connection: &Connection) -> Result<(), Fault> {
    let is_busy: bool = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    if is_busy {
        return Err(StoreError::with_source(
            StoreErrorKind::Unavailable,
            "another process uses what is made",
        )
        .into());
    }
    Ok(())
}

/// What became of a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Copied {
    /// All of the log is in the file, flushed, and the log starts over with the next change.
    All,
    /// A reader needs an older state, or another process is writing: nothing was copied.
    Nothing,
    /// Another process is making one at this moment.
    ByOthers,
}

/// Copies all of the log or nothing.
fn copy(connection: &mut Connection, patience: i32) -> Result<Copied, Fault> {
    let interrupt = connection.get_interrupt_handle();
    connection.busy_handler(Some(wait_or_interrupt))?;
    IN_THE_WAY.set(Some(InTheWay { interrupt, patience, is_met: false }));
    let result = connection.query_row("PRAGMA wal_checkpoint(RESTART)", [], |row| {
        Ok((row.get::<_, bool>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
    });
    let was_met = IN_THE_WAY.take().is_some_and(|in_the_way| in_the_way.is_met);
    match result {
        Ok((false, ..)) => Ok(Copied::All),
        Ok((true, log, copied)) if was_met && log == copied => Ok(Copied::All),
        Ok(_) if was_met => Ok(Copied::Nothing),
        Ok(_) => Ok(Copied::ByOthers),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => {
            Ok(Copied::Nothing)
        }
        Err(error) => Err(error.into()),
    }
}

/// What the checkpoint that this thread makes does about a reader, or another writer, that is in its way.
struct InTheWay {
    interrupt: InterruptHandle,
    patience: i32,
    /// Whether a reader or another writer was met.
    is_met: bool,
}

thread_local! {
    static IN_THE_WAY: RefCell<Option<InTheWay>> = const { RefCell::new(None) };
}

/// Called by the engine while a reader or another writer is in the way. Where the engine gives up waiting, it copies what it
/// can: so it is interrupted, which it looks for before each page.
fn wait_or_interrupt(times: i32) -> bool {
    IN_THE_WAY.with_borrow_mut(|in_the_way| {
        let Some(in_the_way) = in_the_way else { return false };
        in_the_way.is_met = true;
        if times < in_the_way.patience {
            thread::sleep(PAUSE);
            return true;
        }
        in_the_way.interrupt.interrupt();
        false
    })
}

/// How many frames of the log are not in the file yet.
fn waiting(connection: &Connection) -> Result<i64, Fault> {
    frames(connection).map(|(log, copied)| log - copied)
}

/// How many frames the log has, and how many of them are in the file.
fn frames(connection: &Connection) -> Result<(i64, i64), Fault> {
    // Looks, and copies nothing.
    let mut statement = connection.prepare_cached("PRAGMA wal_checkpoint(NOOP)")?;
    Ok(statement.query_row([], |row| Ok((row.get(1)?, row.get(2)?)))?)
}

/// Writes what the log has to the same places, and flushes it: the system may take it for flushed where it is not.
fn write_again(connection: &Connection, anchor: &Anchor) -> Result<(), Fault> {
    let (log, copied) = frames(connection)?;
    let page: u32 = connection.query_row("PRAGMA page_size", [], |row| row.get(0))?;
    let size = LOG_HEADER + u64::try_from(log).unwrap_or(0) * (FRAME_HEADER + u64::from(page));
    if log <= copied {
        return Ok(());
    }
    // So that nobody else writes to the log meanwhile.
    connection.busy_timeout(PAUSE.saturating_mul(BRIEFLY.unsigned_abs()))?;
    match connection.execute_batch("BEGIN IMMEDIATE") {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => return Ok(()),
        begun => begun?,
    }
    let written = anchor.open_log().and_then(|(log, path)| {
        write_in_place(log, size).map_err(|error| {
            Fault::file(path, StoreErrorKind::Unavailable, "it could not be flushed: see to the disk")
                .because(error)
        })
    });
    connection.execute_batch("ROLLBACK")?;
    written
}

fn write_in_place(mut log: fs::File, size: u64) -> Result<(), std::io::Error> {
    let mut at = 0;
    while at < size {
        let mut piece = Vec::with_capacity(PIECE);
        log.seek(SeekFrom::Start(at))?;
        if (&log).take((size - at).min(PIECE as u64)).read_to_end(&mut piece)? == 0 {
            break;
        }
        log.seek(SeekFrom::Start(at))?;
        log.write_all(&piece)?;
        at += piece.len() as u64;
    }
    log.sync_all()
}

/// Flushes the directory that a file is in, so that the names of the file and its log survive a power cut.
pub(super) fn flush_directory(path: &Path) -> Result<(), Fault> {
    // The log lies beside the file itself, not beside a link to it.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let Some(directory) = path.parent().and_then(|directory| fs::File::open(directory).ok()) else {
        // Where a directory cannot be opened, its file system has to see to it.
        return Ok(());
    };
    match directory.sync_all() {
        Err(error) if !matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => {
            let problem = "its directory could not be flushed: see to the disk, then try again";
            Err(Fault::file(&path, StoreErrorKind::Unavailable, problem).because(error))
        }
        _ => Ok(()),
    }
}

fn warn(error: Fault) {
    let why = with_sources(&error);
    tracing::warn!(why, "the log could not be copied into the file, and goes on growing until it can");
}

/// How many frames wait in the log before it is copied: 4 MiB of pages.
const FRAMES: i64 = 1_000;
/// How many pauses a checkpoint waits for a reader or another writer that is in the way. Changes wait meanwhile.
const BRIEFLY: i32 = 10;
const PAUSE: Duration = Duration::from_millis(1);
/// The bytes before the first page of a log, and before each page.
const LOG_HEADER: u64 = 32;
const FRAME_HEADER: u64 = 24;
const PIECE: usize = 256 * 1024;
