//! What can go wrong between the store and its server, and what it proves.
//!
//! The one thing that must never be guessed is whether a commit may have been made: it was not when nothing was sent, and
//! when the server answered with an error of the kind after which it rolls back. Everything else is left open.

use std::error::Error;
use std::time::Duration;

use deadpool_postgres::{PoolError, TimeoutType};
use tokio_postgres::error::{DbError, Severity, SqlState};

use super::checks::{CARELESS, NO_PLACES, NOT_PRIMARY, READ_ONLY, REPLICA};
use crate::store::CommitError;
use crate::store_error::{StoreError, StoreErrorKind};

#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("the store in PostgreSQL must be used within a tokio runtime: call it in one")]
    NoRuntime,
    #[error("no connection was free within {0:?}: allow more of them, or wait longer")]
    NoneFree(Duration),
    #[error("no connection was made within {0:?}")]
    NotConnected(Duration),
    #[error("no connection could be made{}", connecting(.0))]
    Connecting(#[source] Box<PoolError>),
    #[error("the function that returns the password failed: correct what its own error says")]
    Password(#[source] Box<dyn Error + Send + Sync>),
    #[error(
        "other changes of this client were under way for {0:?}: try again, and look for a transaction that holds its row"
    )]
    OutOfTurn(Duration),
    #[error("{0}")]
    Misconfigured(String),
    #[error("the server did not answer within {within:?}")]
    NoAnswer { within: Duration, sent: bool },
    #[error("{}", said(source))]
    Server { sent: bool, source: tokio_postgres::Error },
    #[error(
        "the server stopped waiting for its synchronous standby: the commit is on this server, and may be missing where a \
         standby takes over"
    )]
    NotReplicated,
    #[error("{0}")]
    Unusable(&'static str),
    #[error("the server gave an answer that the store does not expect: {0}")]
    Senseless(Box<dyn Error + Send + Sync>),
    #[error("a row cannot be read: {place}")]
    Unreadable { place: &'static str, source: Box<dyn Error + Send + Sync> },
}

impl Failure {
    pub(super) fn unreadable(place: &'static str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unreadable { place, source: source.into() }
    }

    /// Returns the failure for an answer that the store does not expect, and that says nothing of what it keeps.
    pub(super) fn senseless(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Senseless(source.into())
    }

    pub(super) fn code(&self) -> Option<&SqlState> {
        self.answer().map(DbError::code)
    }

    /// Returns whether the same statement may succeed if it is sent again: the server made it lose against another one, and
    /// nothing was written.
    pub(super) fn lost_a_race(&self) -> bool {
        const RACES: [SqlState; 3] = [
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::UNIQUE_VIOLATION,
        ];
        self.code().is_some_and(|code| RACES.contains(code))
    }

    /// Returns whether the connection was lost, or none was made: another one may do.
    pub(super) fn is_of_the_connection(&self) -> bool {
        match self {
            Self::Server { source, .. } => source.as_db_error().is_none_or(|answer| !is_error(answer)),
            _ => false,
        }
    }

    /// Returns whether the statement was on its way when it happened.
    pub(super) fn was_sent(&self) -> bool {
        matches!(
            self,
            Self::Server { sent: true, .. }
                | Self::NoAnswer { sent: true, .. }
                | Self::NotReplicated
                | Self::Senseless(_)
                | Self::Unreadable { .. }
        )
    }

    /// Returns whether the server knows no such table, column or function.
    pub(super) fn is_unknown_there(&self) -> bool {
        const UNKNOWN: [SqlState; 6] = [
            SqlState::UNDEFINED_FUNCTION,
            SqlState::UNDEFINED_TABLE,
            SqlState::UNDEFINED_COLUMN,
            SqlState::UNDEFINED_OBJECT,
            SqlState::INVALID_SCHEMA_NAME,
            SqlState::FEATURE_NOT_SUPPORTED,
        ];
        self.code().is_some_and(|code| UNKNOWN.contains(code))
    }

    /// Returns whether it is certain that nothing was written, and that nothing is under way.
    fn proves_nothing_written(&self) -> bool {
        match self {
            Self::NoAnswer { sent, .. } => !sent,
            Self::Server { sent, source } => !sent || source.as_db_error().is_some_and(was_rolled_back),
            Self::Unreadable { .. } | Self::Senseless(_) | Self::NotReplicated => false,
            _ => true,
        }
    }

    /// Returns whether the server, or what it allows the role, has no connection to spare.
    pub(super) fn is_out_of_connections(&self) -> bool {
        self.code() == Some(&SqlState::TOO_MANY_CONNECTIONS)
    }

    /// Returns whether the change feed has no places left.
    pub(super) fn is_out_of_places(&self) -> bool {
        self.is_from(NO_PLACES)
    }

    fn kind(&self) -> StoreErrorKind {
        const READ_ONLY: [SqlState; 2] = [SqlState::READ_ONLY_SQL_TRANSACTION, SqlState::DISK_FULL];
        // For an administrator to mend. A backup that is restored instead loses what has been committed since.
        const MISCONFIGURED: [SqlState; 9] = [
            SqlState::INSUFFICIENT_PRIVILEGE,
            SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
            SqlState::INVALID_PASSWORD,
            SqlState::INVALID_CATALOG_NAME,
            SqlState::UNIQUE_VIOLATION,
            SqlState::UNDEFINED_TABLE,
            SqlState::UNDEFINED_COLUMN,
            SqlState::INVALID_SCHEMA_NAME,
            SqlState::INDEX_CORRUPTED,
        ];
        match self {
            Self::Unreadable { .. } => StoreErrorKind::Corrupt,
            Self::Unusable(_) => StoreErrorKind::ReadOnly,
            Self::NoRuntime | Self::Misconfigured(_) => StoreErrorKind::Misconfigured,
            Self::Connecting(error) if wants_tls(error) => StoreErrorKind::Misconfigured,
            _ if self.answer().is_some_and(is_of_files) => StoreErrorKind::Unavailable,
            _ => match self.code() {
                Some(code) if READ_ONLY.contains(code) => StoreErrorKind::ReadOnly,
                Some(code) if MISCONFIGURED.contains(code) => StoreErrorKind::Misconfigured,
                Some(code) if *code == SqlState::DATA_CORRUPTED => StoreErrorKind::Corrupt,
                Some(_) if CARELESS.iter().any(|(check, _)| self.is_from(check)) => StoreErrorKind::ReadOnly,
                _ => StoreErrorKind::Unavailable,
            },
        }
    }

    /// Returns whether a check in the statement did not hold, and said this.
    fn is_from(&self, check: &str) -> bool {
        self.answer().is_some_and(|answer| is_from(answer, check))
    }

    fn answer(&self) -> Option<&DbError> {
        match self {
            Self::Server { source, .. } => source.as_db_error(),
            Self::Connecting(error) => match &**error {
                PoolError::Backend(error) => error.as_db_error(),
                _ => None,
            },
            _ => None,
        }
    }
}

fn is_from(answer: &DbError, check: &str) -> bool {
    *answer.code() == SqlState::INVALID_TEXT_REPRESENTATION && answer.message().contains(check)
}

/// Returns whether the server failed to open, read or write a file, which the role can do nothing about. A file system that has
/// become read-only comes under the code of a missing right; where the error was raised tells them apart, in every language.
fn is_of_files(answer: &DbError) -> bool {
    const STORAGE: [&str; 8] =
        ["md.c", "fd.c", "slru.c", "xlog.c", "xlogreader.c", "relmapper.c", "relcache.c", "copydir.c"];
    *answer.code() == SqlState::IO_ERROR
        || *answer.code() == SqlState::UNDEFINED_FILE
        || (*answer.code() == SqlState::INSUFFICIENT_PRIVILEGE
            && answer.file().is_some_and(|file| STORAGE.contains(&file)))
}

/// Says what happened, and what to do where that is known.
fn said(error: &tokio_postgres::Error) -> &'static str {
    let Some(answer) = error.as_db_error() else {
        return "the connection was lost";
    };
    match *answer.code() {
        _ if is_of_files(answer) => {
            "the server cannot get at its own files: look at its disk, its file system and its log"
        }
        SqlState::INSUFFICIENT_PRIVILEGE => "the role lacks a right: grant it what `store::postgres` lists",
        SqlState::READ_ONLY_SQL_TRANSACTION => READ_ONLY,
        SqlState::UNDEFINED_TABLE | SqlState::UNDEFINED_COLUMN | SqlState::INVALID_SCHEMA_NAME => {
            "a table or a column of the schema is not there: look which database and schema the address leads to, and \
             whether it is being restored"
        }
        SqlState::UNIQUE_VIOLATION => {
            "rows of this client are in the way that its record does not know: run `Registry::check`, and see \
             `store::postgres` for how to take them out"
        }
        SqlState::INDEX_CORRUPTED => {
            "an index of the server is damaged, and not what it is an index of: REINDEX SCHEMA"
        }
        SqlState::DATA_CORRUPTED => "the server found damage in its files: look in its log",
        SqlState::LOCK_NOT_AVAILABLE => {
            "another transaction held a row or table for longer than the lock timeout: look for it in pg_locks and \
             pg_stat_activity, and try again"
        }
        _ if is_from(answer, NOT_PRIMARY) => REPLICA,
        _ => {
            let careless = CARELESS.iter().find(|(check, _)| is_from(answer, check));
            careless.map_or("the server refused", |(_, advice)| advice)
        }
    }
}

fn connecting(error: &PoolError) -> &'static str {
    if wants_tls(error) {
        return ": the server, or the URL, asks for TLS: open the store with `connect_tls`";
    }
    match error {
        PoolError::Backend(error) if error.code() == Some(&SqlState::TOO_MANY_CONNECTIONS) => {
            ": the server, or what it allows the role, has none to spare"
        }
        PoolError::Backend(error) if error.as_db_error().is_some() => ": the server refused",
        PoolError::Backend(_) => {
            ": look at host and port of the URL, and percent-encode its user and password"
        }
        _ => "",
    }
}

/// Returns whether the server or the URL accepts encrypted connections only.
fn wants_tls(error: &PoolError) -> bool {
    let PoolError::Backend(error) = error else { return false };
    match error.as_db_error() {
        // `pg_hba.conf` lets nobody in without, which is said in the language of the server.
        Some(answer) => {
            *answer.code() == SqlState::INVALID_AUTHORIZATION_SPECIFICATION
                && answer.message().contains("no encryption")
        }
        None => error.to_string().contains("TLS"),
    }
}

/// Returns the error that a reader gets.
pub(super) fn store_error(failure: Failure) -> StoreError {
    StoreError::with_source(failure.kind(), failure)
}

/// Returns the error that a writer gets.
pub(super) fn commit_error(failure: Failure) -> CommitError {
    if failure.proves_nothing_written() {
        CommitError::NotWritten(store_error(failure))
    } else {
        CommitError::Failed(store_error(failure))
    }
}

pub(super) fn pool_failure(error: PoolError, within: Duration) -> Failure {
    match error {
        PoolError::Timeout(TimeoutType::Wait) => Failure::NoneFree(within),
        PoolError::Timeout(_) => Failure::NotConnected(within),
        error => Failure::Connecting(Box::new(error)),
    }
}

/// Returns whether the server rolls back after this answer. A session that is ended (`FATAL`) may have committed before it
/// answers; so may a distributed engine that says that it does not know (40003).
fn was_rolled_back(answer: &DbError) -> bool {
    const ROLLED_BACK: [&str; 12] = ["0A", "22", "23", "25", "26", "28", "3F", "40", "42", "53", "54", "55"];
    let code = answer.code().code();
    is_error(answer)
        && code != "40003"
        && (code == SqlState::QUERY_CANCELED.code()
            || ROLLED_BACK.iter().any(|class| code.starts_with(class)))
}

/// Returns whether an answer is an error of the statement, after which the session goes on.
pub(super) fn is_error(answer: &DbError) -> bool {
    match answer.parsed_severity() {
        Some(severity) => severity == Severity::Error,
        None => answer.severity() == "ERROR",
    }
}
