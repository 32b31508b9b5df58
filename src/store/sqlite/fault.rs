//! What goes wrong in the engine, in a row, or with a file, and what it means for the caller.

use std::error::Error;
use std::fmt::Display;
use std::path::{Path, PathBuf};

use rusqlite::{ErrorCode, Row, Rows};

use crate::store::{CommitError, StoreError, StoreErrorKind};

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
    #[error("{}: {problem}", path.display())]
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

    /// Tells whether the file that was opened no longer stands under its name.
    pub(super) fn is_of_moved_file(&self) -> bool {
        matches!(self, Self::File { kind: StoreErrorKind::Misconfigured, .. })
    }

    fn kind(&self) -> StoreErrorKind {
        match self {
            Self::Engine(error) => kind_of(error),
            Self::Cell { .. } => StoreErrorKind::Corrupt,
            Self::Swallowed { .. } => StoreErrorKind::Misconfigured,
            Self::File { kind, .. } => *kind,
            Self::Store(error) => error.kind(),
        }
    }
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

/// What an error of `COMMIT` itself says about the outcome.
///
/// The page that makes a commit one is the last to be written; what follows is the flush. So where a write failed there
/// is no commit in the log; after a failed flush there is, and whether the disk has it nobody knows.
pub(super) fn failed_commit(error: rusqlite::Error) -> CommitError {
    let (code, extended) = codes(&error);
    let is_certain = matches!(
        code,
        Some(ErrorCode::DiskFull | ErrorCode::ReadOnly | ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    ) || extended == rusqlite::ffi::SQLITE_IOERR_WRITE;
    let fault = Fault::from(error);
    if is_certain { fault.into() } else { CommitError::Failed(fault.into()) }
}

fn kind_of(error: &rusqlite::Error) -> StoreErrorKind {
    match codes(error) {
        (_, rusqlite::ffi::SQLITE_IOERR_WRITE) => StoreErrorKind::ReadOnly,
        (Some(ErrorCode::ReadOnly | ErrorCode::DiskFull), _) => StoreErrorKind::ReadOnly,
        // An error of no kind is one of a statement that does not fit the tables; a constraint that is violated is one
        // that was looked at before.
        (
            Some(
                ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::ConstraintViolation
                | ErrorCode::TooBig
                | ErrorCode::Unknown,
            ),
            _,
        ) => StoreErrorKind::Corrupt,
        (Some(_), _) => StoreErrorKind::Unavailable,
        (None, _) => StoreErrorKind::Corrupt,
    }
}

fn codes(error: &rusqlite::Error) -> (Option<ErrorCode>, i32) {
    match error.sqlite_error() {
        Some(error) => (Some(error.code), error.extended_code),
        None => (None, 0),
    }
}

/// The next row of a table, in which there may be a value that is longer than any that was written there.
pub(super) fn next<'a>(
    rows: &'a mut Rows<'_>,
    table: &'static str,
    column: &'static str,
    key: &dyn Display,
) -> Result<Option<&'a Row<'a>>, Fault> {
    rows.next().map_err(|error| match error.sqlite_error_code() {
        Some(ErrorCode::TooBig) => {
            Fault::Cell { table, column, key: key.to_string(), source: Box::new(error) }
        }
        _ => error.into(),
    })
}

/// The values of a row, each of which may be one that cannot be read.
pub(super) struct Cells<'a> {
    pub(super) row: &'a Row<'a>,
    pub(super) table: &'static str,
    pub(super) key: &'a dyn Display,
}

impl<'a> Cells<'a> {
    pub(super) fn text(&self, position: usize, column: &'static str) -> Result<&'a str, Fault> {
        let value = self.row.get_ref(position)?;
        value.as_str().map_err(|error| self.unreadable(column, error))
    }

    pub(super) fn bytes<const N: usize>(
        &self,
        position: usize,
        column: &'static str,
    ) -> Result<[u8; N], Fault> {
        let bytes = self.blob(position, column)?;
        bytes.try_into().map_err(|error| self.unreadable(column, error))
    }

    pub(super) fn blob(&self, position: usize, column: &'static str) -> Result<&'a [u8], Fault> {
        let value = self.row.get_ref(position)?;
        value.as_blob().map_err(|error| self.unreadable(column, error))
    }

    pub(super) fn number<T>(&self, position: usize, column: &'static str) -> Result<T, Fault>
    where
        T: TryFrom<i64, Error: Into<Box<dyn Error + Send + Sync>>>,
    {
        let value = self.row.get_ref(position)?;
        let number = value.as_i64().map_err(|error| self.unreadable(column, error))?;
        number.try_into().map_err(|error| self.unreadable(column, error))
    }

    pub(super) fn unreadable(
        &self,
        column: &'static str,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Fault {
        Fault::Cell { table: self.table, column, key: self.key.to_string(), source: source.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::ffi;

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
            (ffi::SQLITE_ERROR, StoreErrorKind::Corrupt),
        ] {
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            assert_eq!(kind_of(&error), kind, "{code}");
        }
    }
}
