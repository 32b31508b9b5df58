//! The error of a store: what kind of failure it is, what lies behind it, what to do next.
//!
//! [`StoreErrorKind`] is what callers decide by; the cause is for people. `Display` prints both, the whole chain of causes
//! included, since a log line or a ticket often has nothing else; so `source` returns nothing, and no reporter prints a cause
//! twice. The causes never hold a client secret: stores see none.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

/// The error of a store.
///
/// Printed, it says what failed, why, and what to do next: `the store cannot be reached: connection refused; try again later`.
pub struct StoreError(
    /// One word: what is returned beside an error is copied as often as it is handed on.
    Arc<Parts>,
);

struct Parts {
    kind: StoreErrorKind,
    cause: Option<Arc<dyn Error + Send + Sync>>,
}

impl StoreError {
    /// Returns an error of this kind.
    #[must_use]
    pub fn new(kind: StoreErrorKind) -> Self {
        Self(Arc::new(Parts { kind, cause: None }))
    }

    /// Returns an error of this kind with its cause.
    #[must_use]
    pub fn with_source(kind: StoreErrorKind, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(Arc::new(Parts { kind, cause: Some(Arc::from(source.into())) }))
    }

    /// Returns the kind of the error: what the caller can do about it.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.0.kind
    }

    /// Returns the cause, for instance to look for the error type of a database driver with `downcast_ref`.
    ///
    /// `Display` prints the cause already, so [`source`](Error::source) does not return it.
    #[must_use]
    pub fn cause(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        self.0.cause.as_deref()
    }

    /// Returns the same error for another caller that waited for the same answer.
    pub(crate) fn share(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, todo) = self.kind().in_words();
        match self.cause() {
            Some(cause) => write!(f, "{what}: {}; {todo}", with_sources(cause)),
            None => write!(f, "{what}: {todo}"),
        }
    }
}

/// Prints the kind and the words: a `main` that returns the error prints this, and an administrator reads it.
impl fmt::Debug for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreError({:?}): {self}", self.0.kind)
    }
}

impl Error for StoreError {}

/// The kinds of [`StoreError`]: what the caller can do about one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The store cannot be reached, or did not answer in time: try again later.
    Unavailable,
    /// The store is set up wrongly (its address, its schema, a permission, a password): fix that before retrying.
    Misconfigured,
    /// The store can be read but not written: its disk is full, or it was opened read-only.
    ReadOnly,
    /// The store holds data that cannot be read: restore it from a backup.
    Corrupt,
    /// The store holds a record or an event that differs from what was written: it was changed in the store. Find out by whom,
    /// and restore it from a backup.
    Tampered,
    /// The store holds a record that is older than one that this node has seen, or another record of the same revision: a
    /// backup was restored, or an attacker put it back. If a backup was restored, restart every process that uses the registry.
    RolledBack,
    /// A record is sealed under a key that the keyring lacks: add the key to the keyring.
    MissingKey,
    /// The data was written by a newer version of this crate or of the store: upgrade this node.
    NewerFormat,
    /// The record belongs to an in-memory registry, which has no keyring: a durable store must not keep it.
    NotSealed,
    /// The store does not know the cursor: read again from the first event.
    CursorLost,
    /// An earlier attempt may still be in progress, and nothing since has settled it: try again later.
    InDoubt,
}

impl StoreErrorKind {
    /// Returns whether the error is about what was read, so that reading something else may succeed.
    pub(crate) fn is_about_what_was_read(self) -> bool {
        matches!(
            self,
            Self::Corrupt
                | Self::Tampered
                | Self::RolledBack
                | Self::MissingKey
                | Self::NewerFormat
                | Self::NotSealed
        )
    }

    /// Returns what happened and what to do next. A cause is printed between the two.
    fn in_words(self) -> (&'static str, &'static str) {
        match self {
            Self::Unavailable => ("the store cannot be reached", "try again later"),
            Self::Misconfigured => ("the store is not set up correctly", "fix that before retrying"),
            Self::ReadOnly => {
                ("the store cannot be written", "make room on its disk, or open it for writing")
            }
            Self::Corrupt => ("the store holds data that cannot be read", "restore it from a backup"),
            Self::Tampered => (
                "data in the store was changed after it was written",
                "check the store and restore it from a backup",
            ),
            Self::RolledBack => (
                "a record in the store is older than one seen before",
                "if a backup was restored, restart every process that uses the registry",
            ),
            Self::MissingKey => {
                ("a record is sealed under a key that the keyring lacks", "add the key to the keyring")
            }
            Self::NewerFormat => ("the data was written by a newer version", "upgrade this one"),
            Self::NotSealed => {
                ("a record of an in-memory registry cannot be stored", "open the registry with a keyring")
            }
            Self::InDoubt => ("an earlier attempt may still be in progress", "try again later"),
            Self::CursorLost => ("the store does not know the cursor", "read again from the first event"),
        }
    }
}

impl fmt::Display for StoreErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, todo) = self.in_words();
        write!(f, "{what}: {todo}")
    }
}

/// Returns an error and all its sources in one line.
pub(crate) fn with_sources(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        words.push_str(": ");
        words.push_str(&error.to_string());
        next = error.source();
    }
    words
}

/// Returns the error for a record or an event that differs from what was written.
pub(crate) fn tampered(what: &'static str) -> StoreError {
    StoreError::with_source(StoreErrorKind::Tampered, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[test]
    fn what_lies_behind_an_error_can_be_told_by_its_type() {
        let error =
            StoreError::with_source(StoreErrorKind::Unavailable, io::Error::other("the cable is cut"));
        for error in [&error, &error.share()] {
            let cause = error.cause().and_then(|cause| cause.downcast_ref::<io::Error>());
            assert_eq!(cause.map(ToString::to_string).as_deref(), Some("the cable is cut"));
        }
    }

    #[test]
    fn an_error_prints_what_happened_why_and_what_to_do_and_each_of_it_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("no connection")]
        struct NoConnection(#[source] io::Error);

        let error = NoConnection(io::Error::other("the cable is cut"));
        let error = StoreError::with_source(StoreErrorKind::Unavailable, error);
        let words = "the store cannot be reached: no connection: the cable is cut; try again later";
        assert_eq!(error.to_string(), words);
        assert_eq!(with_sources(&error), words);
        assert_eq!(format!("{error:?}"), format!("StoreError(Unavailable): {words}"));
        let error = StoreError::new(StoreErrorKind::Misconfigured);
        assert_eq!(error.to_string(), "the store is not set up correctly: fix that before retrying");
    }
}
