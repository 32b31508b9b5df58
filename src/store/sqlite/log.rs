//! Checks, before anything is written, that a log which lies beside the file belongs to it.
//!
//! A process that is killed leaves the latest changes in the log, and the engine plays any log into the file beside which
//! it lies. After a restore by hand that is another file: the result opens, works, and lacks what was acknowledged. So a
//! log that is found is compared with the file by the marks that the module `lineage` wrote into both: the file has to be in the
//! state that the log builds on, or in one that the log leads through (a part of the log may have been copied into it).
//!
//! A log whose changes do not say what they build on (an earlier version of this crate wrote it, or another program) is
//! accepted if what comes out is whole: every index, every position of the feed, every record with the revision of its
//! last event, every entry of a client that there is. That takes as long as reading the file.
//!
//! Nothing is written for it: the file alone is read past its log (`immutable`), file and log together by a connection that
//! reads. Other processes may work on both meanwhile: what is read together is held by a transaction, so that the log cannot
//! start over, and the file cannot come to be in a state behind it.

use std::fs::{
    File, {self},
};
use std::io::{BufReader, ErrorKind, Read as _};
use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::fault::Fault;
use super::identity::beside;
use super::{advice, connect, lineage, medium};
use crate::store_error::{StoreError, StoreErrorKind};

/// Refuses a log that does not belong to the file. Takes time only where there is one.
pub(super) fn verify(path: &Path) -> Result<(), Fault> {
    match examine(path) {
        // What the disk could not read looks as if it was of another file.
        Err(Fault::File { kind: StoreErrorKind::Misconfigured, .. }) => {
            medium::check(path)?;
            examine(path)
        }
        examined => examined,
    }
}

fn examine(path: &Path) -> Result<(), Fault> {
    // The engine looks beside the file itself, not beside a link to it.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let journal = beside(&target, "-journal");
    if fs::metadata(&journal).is_ok_and(|journal| journal.len() > 0) {
        return Err(Fault::misconfigured(&journal, NO_JOURNAL));
    }
    let log = beside(&target, "-wal");
    let unreadable = |error| advice::refused(&log, error);
    match has_page(&log, |_| true) {
        Ok(true) => {}
        Ok(false) => return Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(unreadable(error)),
    }
    let foreign = |why: &str| {
        let file = target.file_name().unwrap_or_default();
        let problem = format!(
            "this log does not belong to {file:?} ({why}), and nothing was changed. If {file:?} was restored or \
             replaced, move this log away: it has changes to the file that was there before. Otherwise put back the \
             file that it belongs to"
        );
        Fault::misconfigured(&log, problem)
    };
    let both = connect::read_only(&target)?;
    both.execute_batch("BEGIN")?;
    let said = match lineage::is_kept(&both) {
        Ok(true) => Stretches::of(&both).map(Some).map_err(Fault::from),
        Ok(false) => Ok(None),
        Err(fault) => Err(fault),
    };
    let stretches = match said {
        // Else the log says nothing of it.
        Ok(Some(said)) => has_page(&log, |page| page == said.page).map_err(unreadable)?.then_some(said),
        Ok(None) => None,
        Err(fault) if fault.is_corruption() => None,
        Err(fault) => return Err(fault),
    };
    match stretches.map_or(Fit::Unknown, |stretches| stretches.fit_soon(&target, &both)) {
        Fit::Yes => Ok(()),
        Fit::No => Err(foreign("it builds on another state")),
        Fit::Unknown => match contradiction(&both).map_err(Fault::from) {
            Ok(None) => Ok(()),
            Ok(Some(why)) => Err(foreign(&why)),
            Err(fault) if fault.is_corruption() => {
                Err(foreign("the two cannot be read together").because(StoreError::from(fault)))
            }
            // A disk that does not answer says nothing of what is on it.
            Err(fault) => Err(fault),
        },
    }
}

/// Tells whether a file that was verified when it was opened still is the one that its log builds on.
///
/// Unlike [`verify`], it takes time only where it cannot be told from the two alone, and asks no more of what is in the rows than
/// that the engine can read them.
pub(super) fn still_fits(path: &Path) -> Result<bool, Fault> {
    match compare(path) {
        // What the disk could not read looks as if it was of another file.
        Ok(false) => {
            medium::check(path)?;
            compare(path)
        }
        compared => compared,
    }
}

fn compare(path: &Path) -> Result<bool, Fault> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let is_of_content = |fault: Fault| match fault.kind() {
        StoreErrorKind::Unavailable | StoreErrorKind::ReadOnly => Err(fault),
        _ => Ok(false),
    };
    let both = match connect::read_only(&target) {
        Ok(both) => both,
        Err(fault) => return is_of_content(fault),
    };
    let said = both.execute_batch("BEGIN").and_then(|()| Stretches::of(&both));
    let said = match said {
        Ok(said) => said,
        Err(error) => return is_of_content(error.into()),
    };
    let log = beside(&target, "-wal");
    let unreadable = |error| advice::refused(&log, error);
    let fit = if has_page(&log, |page| page == said.page).map_err(unreadable)? {
        said.fit_soon(&target, &both)
    } else if has_page(&log, |_| true).map_err(unreadable)? {
        // The log says nothing of it.
        Fit::Unknown
    } else {
        // Nothing is in the log that could belong to another file.
        Fit::Yes
    };
    match fit {
        Fit::Yes => Ok(true),
        Fit::No => Ok(false),
        Fit::Unknown => Ok(is_whole(&both)),
    }
}

/// Tells whether something is in a log that lies beside the file.
pub(super) fn is_beside(path: &Path) -> bool {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    ["-wal", "-journal"].iter().any(|log| fs::metadata(beside(&target, log)).is_ok_and(|log| log.len() > 0))
}

/// What the lineage of file and log together says.
struct Stretches {
    rows: Vec<Stretch>,
    /// The page of the file that it is on.
    page: u32,
}

#[derive(PartialEq)]
struct Stretch {
    mark: Vec<u8>,
    step: i64,
    position: i64,
    commit_id: Option<Vec<u8>>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fit {
    Yes,
    No,
    /// The file is too old to say, or half of the log has been copied into it.
    Unknown,
}

impl Stretches {
    fn of(connection: &Connection) -> Result<Self, rusqlite::Error> {
        let page = connection.query_row(
            "SELECT rootpage FROM sqlite_schema WHERE type = 'table' AND name = 'feed'",
            [],
            |row| row.get(0),
        )?;
        let mut rows =
            connection.prepare("SELECT mark, step, position, commit_id FROM feed ORDER BY rowid")?;
        let rows = rows.query_map([], |row| {
            Ok(Stretch {
                mark: row.get(0)?,
                step: row.get(1)?,
                position: row.get(2)?,
                commit_id: row.get(3)?,
            })
        })?;
        Ok(Self { rows: rows.collect::<Result<_, _>>()?, page })
    }

    /// Compares as [`fit`](Self::fit). Where another process copies the log at this moment, a page can be half of each for an
    /// instant.
    fn fit_soon(&self, path: &Path, both: &Connection) -> Fit {
        (0..ATTEMPTS).map(|_| self.fit(path, both)).find(|fit| *fit != Fit::No).unwrap_or(Fit::No)
    }

    /// Compares the file alone with what the log builds on and leads through, and that is what both are together.
    fn fit(&self, path: &Path, both: &Connection) -> Fit {
        let Ok(alone) = connect::alone(path) else { return Fit::Unknown };
        let Ok(Self { rows, .. }) = Self::of(&alone) else { return Fit::Unknown };
        let Some(state) = rows.last() else { return Fit::Unknown };
        match self.rows.iter().find(|row| row.mark == state.mark) {
            None => Fit::No,
            Some(row) if row.step < state.step => Fit::No,
            Some(row) if self.rows.first() != Some(row) => match last_event(&alone) {
                // The end of the log may lie before it: a copy of the log was made first, and then one of the file.
                Ok(None) => Fit::Yes,
                Ok(Some((position, commit_id))) if matches!(commit_at(both, position), Ok(Some(found)) if found == commit_id) => {
                    Fit::Yes
                }
                _ if is_whole(&alone) => Fit::No,
                _ => Fit::Unknown,
            },
            Some(base) => match self.rows.get(1) {
                None => Fit::Yes,
                Some(_) if base.step != state.step => Fit::No,
                Some(next) if next.position == 0 => Fit::Yes,
                Some(next) => match commit_at(&alone, next.position) {
                    Ok(found) if found == next.commit_id => Fit::Yes,
                    // A file that is whole lacks the event. One into which half of the log was copied may not find it.
                    _ if is_whole(&alone) => Fit::No,
                    _ => Fit::Unknown,
                },
            },
        }
    }
}

pub(super) fn commit_at(connection: &Connection, position: i64) -> Result<Option<Vec<u8>>, rusqlite::Error> {
    connection
        .query_row("SELECT commit_id FROM event WHERE position = ?1", params![position], |row| row.get(0))
        .optional()
}

fn last_event(connection: &Connection) -> Result<Option<(i64, Vec<u8>)>, rusqlite::Error> {
    let last = "SELECT position, commit_id FROM event ORDER BY position DESC LIMIT 1";
    connection.query_row(last, [], |row| Ok((row.get(0)?, row.get(1)?))).optional()
}

/// Tells whether the engine finds every page and every index as it should be.
pub(super) fn is_whole(connection: &Connection) -> bool {
    integrity(connection).is_ok_and(|found| found == "ok")
}

fn integrity(connection: &Connection) -> Result<String, rusqlite::Error> {
    connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
}

/// What a registry's file never is, unless it has pages of two files.
fn contradiction(connection: &Connection) -> Result<Option<String>, rusqlite::Error> {
    let found = integrity(connection)?;
    if found != "ok" {
        return Ok(Some(format!("the two do not fit: {found}")));
    }
    for (sql, problem) in CONTRADICTIONS {
        let found: Option<String> = connection.query_row(sql, [], |row| row.get(0)).optional()?;
        if let Some(found) = found {
            return Ok(Some(format!("the two do not fit: {problem}: {found}")));
        }
    }
    Ok(None)
}

/// Tells whether a log has a version of such a page. Frames from before it last started over have other salts.
fn has_page(log: &Path, is_wanted: impl Fn(u32) -> bool) -> Result<bool, std::io::Error> {
    let mut log = BufReader::new(File::open(log)?);
    let mut header = [0; 32];
    if read_whole(&mut log, &mut header)?.is_none() {
        return Ok(false);
    }
    let [_, _, _, _, _, _, _, _, s0, s1, s2, s3, _, _, _, _, salts @ .., _, _, _, _, _, _, _, _] = header;
    let size = i64::from(u32::from_be_bytes([s0, s1, s2, s3]));
    let mut frame = [0; 24];
    while read_whole(&mut log, &mut frame)?.is_some() {
        let [p0, p1, p2, p3, _, _, _, _, of_frame @ .., _, _, _, _, _, _, _, _] = frame;
        if of_frame != salts {
            break;
        }
        if is_wanted(u32::from_be_bytes([p0, p1, p2, p3])) {
            return Ok(true);
        }
        log.seek_relative(size)?;
    }
    Ok(false)
}

fn read_whole(log: &mut BufReader<File>, buffer: &mut [u8]) -> Result<Option<()>, std::io::Error> {
    match log.read_exact(buffer) {
        Ok(()) => Ok(Some(())),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

/// What can be found only where pages of two files have come together, and what it is.
const CONTRADICTIONS: [(&str, &str); 5] = [
    (
        "SELECT count(*) || ' of ' || max(position) FROM event HAVING count(*) <> coalesce(max(position), 0)",
        "events are missing",
    ),
    (
        "SELECT id FROM record WHERE id < '~' AND revision IS NOT
             (SELECT revision FROM event WHERE client_id = id ORDER BY revision DESC LIMIT 1)",
        "a record is not of the revision of its last event",
    ),
    (
        "SELECT client_id FROM add_in WHERE client_id NOT IN (SELECT id FROM record)",
        "an add-in belongs to a client that is not there",
    ),
    (
        "SELECT client_id FROM secret WHERE client_id NOT IN (SELECT id FROM record)",
        "a secret belongs to a client that is not there",
    ),
    (
        "SELECT id FROM record WHERE id < '~' AND json_valid(body)
             AND coalesce(json_array_length(body, '$.secrets'), 0) <>
                 (SELECT count(*) FROM secret WHERE client_id = record.id)",
        "the secrets of a client are not those of its record",
    ),
];
const ATTEMPTS: usize = 3;
const NO_JOURNAL: &str = "another program has left a change half done: if it was made with the sqlite3 tool, open the file \
                          with that once, and switch it back to `PRAGMA journal_mode = WAL`; otherwise move this away";
