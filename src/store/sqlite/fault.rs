//! What goes wrong in the engine, in a row, or with a file, and what it means for the caller.

use std::error::Error;
use std::path::{Path, PathBuf};

use rusqlite::{ErrorCode, ffi};

use crate::store::CommitError;
use crate::store_error::{StoreError, StoreErrorKind};

/// Everything that goes wrong here.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("SQLite could not do it")]
    Engine(#[from] rusqlite::Error),
    #[error("{table}.{column} of {key} cannot be read")]
    Cell { table: &'static str, column: &'static str, key: String, source: Box<dyn Error + Send + Sync> },
    #[error(
        "a change to the table {table} had no effect: drop what changes it (SELECT type, name, sql FROM sqlite_schema \
         WHERE tbl_name = '{table}' AND type IN ('trigger', 'view'))"
    )]
    Swallowed { table: &'static str },
    #[error("{path:?}: {MOVED}")]
    Moved { path: PathBuf },
    #[error("{path:?}: {problem}")]
    File {
        path: PathBuf,
        problem: String,
        kind: StoreErrorKind,
        source: Option<Box<dyn Error + Send + Sync>>,
    },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Fault {
    /// Something is the matter with a file, and this is what to do about it.
    pub(super) fn file(path: &Path, kind: StoreErrorKind, problem: impl Into<String>) -> Self {
        Self::File { path: path.to_owned(), problem: problem.into(), kind, source: None }
    }

    /// The same, with what lies behind it.
    pub(super) fn because(self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        match self {
            Self::File { path, problem, kind, .. } => {
                Self::File { path, problem, kind, source: Some(cause.into()) }
            }
            other => other,
        }
    }

    /// Something is wrong with how a file was named or with what it may be used for: trying again does not help.
    pub(super) fn misconfigured(path: &Path, problem: impl Into<String>) -> Self {
        Self::file(path, StoreErrorKind::Misconfigured, problem)
    }

    /// Tells whether the file that was opened no longer stands under its name.
    pub(super) fn is_of_moved_file(&self) -> bool {
        matches!(self, Self::Moved { .. })
    }

    /// The same fault with the name of the file and what to do, where all that is known is that it could not be written to.
    pub(super) fn of_writing_to(self, path: &Path, max_size: Option<u64>) -> Self {
        match &self {
            Self::Engine(error) => not_written(error, path, max_size).unwrap_or(self),
            Self::Store(error) => match error.cause().and_then(|cause| cause.downcast_ref()) {
                Some(Self::Engine(error)) => not_written(error, path, max_size).unwrap_or(self),
                _ => self,
            },
            _ => self,
        }
    }

    /// Tells whether another connection may have more luck: the disk could not read, or the engine says that the file is
    /// damaged, which it also says where the disk could not read.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Engine(error) => {
                let (code, extended) = codes(error);
                is_damage(code) || code == Some(ErrorCode::SystemIoFailure) && !is_of_writing(extended)
            }
            Self::Store(error) => Self::may_pass_behind(error),
            _ => self.may_be_damage(),
        }
    }

    /// The same of what lies behind an error.
    pub(super) fn may_pass_behind(error: &StoreError) -> bool {
        behind(error).is_some_and(Self::may_pass)
    }

    /// Tells whether the engine says that the file is damaged.
    pub(super) fn may_be_damage(&self) -> bool {
        match self {
            Self::Engine(error) => is_damage(codes(error).0),
            Self::File { source: Some(source), .. } => {
                source.downcast_ref::<rusqlite::Error>().is_some_and(|error| is_damage(codes(error).0))
            }
            Self::Store(error) => behind(error).is_some_and(Self::may_be_damage),
            _ => false,
        }
    }

    /// Tells whether what was read is wrong, and not only the reading.
    pub(super) fn is_corruption(&self) -> bool {
        self.kind() == StoreErrorKind::Corrupt
    }

    pub(super) fn kind(&self) -> StoreErrorKind {
        match self {
            Self::Engine(error) => kind_of(error),
            Self::Cell { .. } => StoreErrorKind::Corrupt,
            Self::Swallowed { .. } | Self::Moved { .. } => StoreErrorKind::Misconfigured,
            Self::File { kind, .. } => *kind,
            Self::Store(error) => error.kind(),
        }
    }
}

/// Returns the fault behind an error of this store.
fn behind(error: &StoreError) -> Option<&Fault> {
    error.cause().and_then(|cause| cause.downcast_ref())
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Store(error) => error,
            fault => Self::with_source(fault.kind(), fault),
        }
    }
}

/// Whatever goes wrong before `COMMIT` is rolled back.
impl From<Fault> for CommitError {
    fn from(fault: Fault) -> Self {
        Self::NotWritten(fault.into())
    }
}

impl From<rusqlite::Error> for CommitError {
    fn from(error: rusqlite::Error) -> Self {
        Fault::from(error).into()
    }
}

/// What to do about an error of a write, if it is one.
fn not_written(error: &rusqlite::Error, path: &Path, max_size: Option<u64>) -> Option<Fault> {
    let problem = match codes(error) {
        (Some(ErrorCode::DiskFull), _) => match max_size {
            // The engine has one word for both.
            Some(limit) => format!(
                "the file has reached its limit of {limit} bytes, or its disk is full: raise \
                 `SqliteOptions::max_size`, or make room on the disk"
            ),
            None => "its disk is full: make room on it".to_owned(),
        },
        (_, ffi::SQLITE_IOERR_WRITE) => NOT_WRITABLE.to_owned(),
        (Some(ErrorCode::ReadOnly), _) => NO_LONGER_WRITABLE.to_owned(),
        _ => return None,
    };
    let cause = rusqlite::Error::SqliteFailure(*engine_error(error)?, None);
    Some(Fault::file(path, StoreErrorKind::ReadOnly, problem).because(cause))
}

/// Checks that one row was changed. A trigger or a view in the file can make the engine change none without an error.
pub(super) fn one_row(table: &'static str, changed: usize) -> Result<(), Fault> {
    if changed == 1 { Ok(()) } else { Err(Fault::Swallowed { table }) }
}

/// What an error of `COMMIT` itself says about the outcome.
///
/// The page that makes a commit one is the last to be written; what follows is the flush. So where a write failed there
/// is no commit in the log; after a failed flush there is, and whether the disk has it nobody knows.
pub(super) fn failed_commit(error: rusqlite::Error) -> CommitError {
    let (code, extended) = codes(&error);
    let is_certain = matches!(
        code,
        Some(ErrorCode::DiskFull | ErrorCode::ReadOnly | ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    ) || extended == ffi::SQLITE_IOERR_WRITE;
    let fault = Fault::from(error);
    if is_certain { fault.into() } else { CommitError::Failed(fault.into()) }
}

/// Only what was read and is wrong is damage: it is told to be restored from a backup.
fn kind_of(error: &rusqlite::Error) -> StoreErrorKind {
    match codes(error) {
        (_, ffi::SQLITE_IOERR_WRITE) => StoreErrorKind::ReadOnly,
        (Some(ErrorCode::ReadOnly | ErrorCode::DiskFull), _) => StoreErrorKind::ReadOnly,
        (Some(code), _) if is_damage(Some(code)) => StoreErrorKind::Corrupt,
        // What must be unique was looked up before: an index does not tell what is in its table.
        (
            Some(ErrorCode::ConstraintViolation),
            ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY,
        ) => StoreErrorKind::Corrupt,
        // Longer than anything that is ever written.
        (Some(ErrorCode::TooBig), _) => StoreErrorKind::Corrupt,
        // Any other constraint is one that was added later, and an error of no kind is one of a statement that does not
        // fit the tables: an operator, or a newer version, has changed them.
        (Some(ErrorCode::ConstraintViolation | ErrorCode::Unknown), _) => StoreErrorKind::Misconfigured,
        (Some(_), _) => StoreErrorKind::Unavailable,
        // A value of a type that the column cannot have, a row that must be there and is not.
        (None, _) => match error {
            rusqlite::Error::NulError(_) | rusqlite::Error::InvalidPath(_) => StoreErrorKind::Misconfigured,
            _ => StoreErrorKind::Corrupt,
        },
    }
}

fn is_damage(code: Option<ErrorCode>) -> bool {
    matches!(code, Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

fn is_of_writing(extended: i32) -> bool {
    matches!(
        extended,
        ffi::SQLITE_IOERR_WRITE
            | ffi::SQLITE_IOERR_FSYNC
            | ffi::SQLITE_IOERR_DIR_FSYNC
            | ffi::SQLITE_IOERR_TRUNCATE
            | ffi::SQLITE_IOERR_DELETE
    )
}

fn codes(error: &rusqlite::Error) -> (Option<ErrorCode>, i32) {
    match engine_error(error) {
        Some(error) => (Some(error.code), error.extended_code),
        None => (None, 0),
    }
}

fn engine_error(error: &rusqlite::Error) -> Option<&ffi::Error> {
    match error {
        // Of a statement, with its place.
        rusqlite::Error::SqlInputError { error, .. } => Some(error),
        other => other.sqlite_error(),
    }
}

const MOVED: &str = "the file was moved, replaced or deleted while it was open: put it back first, then open it again. \
                     Where there is no file, opening makes a new, empty registry, unless \
                     `RegistryBuilder::expect_registry` names the one that is expected";
const NOT_WRITABLE: &str = "it cannot be written to: make room on its disk, look at the quota and at the limit for the \
                            size of files, and see to the disk";
const NO_LONGER_WRITABLE: &str = "it can no longer be written to: mount its file system for writing, and give this user \
                                  the right to write to the file and to its directory";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outcome_of_a_commit_is_unknown_where_it_may_have_landed() {
        for (code, is_certain) in [
            (ffi::SQLITE_FULL, true),
            (ffi::SQLITE_IOERR_WRITE, true),
            (ffi::SQLITE_READONLY, true),
            (ffi::SQLITE_BUSY, true),
            (ffi::SQLITE_IOERR_FSYNC, false),
            (ffi::SQLITE_IOERR_DIR_FSYNC, false),
            (ffi::SQLITE_IOERR_SHMMAP, false),
            (ffi::SQLITE_IOERR, false),
            (ffi::SQLITE_NOMEM, false),
            (ffi::SQLITE_CORRUPT, false),
            (ffi::SQLITE_INTERRUPT, false),
        ] {
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            match failed_commit(error) {
                CommitError::NotWritten(_) => assert!(is_certain, "{code}"),
                CommitError::Failed(_) => assert!(!is_certain, "{code}"),
                other => panic!("{other}"),
            }
        }
    }

    #[test]
    fn a_kind_says_what_can_be_done() {
        for (code, kind) in [
            (ffi::SQLITE_FULL, StoreErrorKind::ReadOnly),
            (ffi::SQLITE_READONLY, StoreErrorKind::ReadOnly),
            (ffi::SQLITE_IOERR_WRITE, StoreErrorKind::ReadOnly),
            (ffi::SQLITE_IOERR_READ, StoreErrorKind::Unavailable),
            (ffi::SQLITE_BUSY, StoreErrorKind::Unavailable),
            (ffi::SQLITE_CORRUPT, StoreErrorKind::Corrupt),
            (ffi::SQLITE_NOTADB, StoreErrorKind::Corrupt),
            (ffi::SQLITE_IOERR_SHORT_READ, StoreErrorKind::Unavailable),
            (ffi::SQLITE_IOERR_FSYNC, StoreErrorKind::Unavailable),
            (ffi::SQLITE_CANTOPEN, StoreErrorKind::Unavailable),
            (ffi::SQLITE_NOMEM, StoreErrorKind::Unavailable),
            (ffi::SQLITE_INTERRUPT, StoreErrorKind::Unavailable),
            (ffi::SQLITE_SCHEMA, StoreErrorKind::Unavailable),
            (ffi::SQLITE_PROTOCOL, StoreErrorKind::Unavailable),
            (ffi::SQLITE_CONSTRAINT_UNIQUE, StoreErrorKind::Corrupt),
            (ffi::SQLITE_CONSTRAINT_PRIMARYKEY, StoreErrorKind::Corrupt),
            (ffi::SQLITE_CONSTRAINT_TRIGGER, StoreErrorKind::Misconfigured),
            (ffi::SQLITE_CONSTRAINT_CHECK, StoreErrorKind::Misconfigured),
            (ffi::SQLITE_ERROR, StoreErrorKind::Misconfigured),
        ] {
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            assert_eq!(kind_of(&error), kind, "{code}");
        }
    }
}
