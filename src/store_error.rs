//! What a store answers where it cannot do what it was asked.

use std::sync::Arc;

use serde::Serialize;

use crate::value::redacted::redacted;

/// A store could not do what it was asked.
#[derive(Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl StoreError {
    /// An error of this kind.
    #[must_use]
    pub fn new(kind: StoreErrorKind) -> Self {
        Self { kind, source: None }
    }

    /// An error of this kind, with what lies behind it.
    #[must_use]
    pub fn with_source(
        kind: StoreErrorKind,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self { kind, source: Some(Arc::from(source.into())) }
    }

    /// What lies behind it, if that is of this type.
    #[cfg(feature = "sqlite")]
    pub(crate) fn cause<E: std::error::Error + 'static>(&self) -> Option<&E> {
        self.source.as_deref().and_then(|source| source.downcast_ref())
    }

    /// What the caller can do about it.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    /// The same error, for another caller who waited for the same answer.
    pub(crate) fn share(&self) -> Self {
        Self { kind: self.kind, source: self.source.clone() }
    }
}

impl std::fmt::Display for StoreError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.kind.fmt(f)
    }
}

/// By hand, since a derived one answers with the shared pointer, which is none of the types that a caller looks for.
impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

redacted! {
    /// What can be done about a [`StoreError`].
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
    #[serde(rename_all = "snake_case")]
    #[non_exhaustive]
    pub enum StoreErrorKind {
        /// It cannot be reached, or not in time: try again later.
        Unavailable,
        /// It cannot be used as it is set up, and trying again will not help: its address, its schema, a right, a password.
        Misconfigured,
        /// It can be read and not written: its disk is full, or it was opened that way.
        ReadOnly,
        /// Something in it cannot be read: restore it.
        Corrupt,
        /// A record in it is not what was written there: somebody changed it.
        Tampered,
        /// A record in it is older than one that was seen there, or another one of the same revision: somebody, or a restored backup, put it back.
        RolledBack,
        /// A record in it is under a key that the keyring has not.
        MissingKey,
        /// It was written by a newer version of this crate, or of the store.
        NewerFormat,
        /// The record is of a registry in memory, which has no keyring: nothing durable may keep it.
        NotSealed,
        /// It does not know the cursor: begin again from the first event.
        CursorLost,
        /// An earlier attempt may still be under way, and what came since says nothing of it: try again later.
        InDoubt,
    }
}

/// An error and what lies behind it, for a line of a log.
pub(crate) fn with_sources(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        words.push_str(": ");
        words.push_str(&error.to_string());
        next = error.source();
    }
    words
}

impl StoreErrorKind {
    /// Returns whether the error is about what was read, so that reading something else may well succeed.
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
}

impl std::fmt::Display for StoreErrorKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Unavailable => "the store cannot be reached or opened: see the source of this error, or try again later",
            Self::Misconfigured => {
                "the store cannot be used as it is set up: see the source of this error, and fix this before retrying"
            }
            Self::ReadOnly => "the store cannot be written to: make room, or open it for writing",
            Self::Corrupt => "something in the store cannot be read: see the source of this error, and restore a backup",
            Self::Tampered => "a record is not what was written: check the store and restore it from a backup",
            Self::RolledBack => {
                "a record is older than one seen before: if you restored a backup, restart what uses the registry"
            }
            Self::MissingKey => "a record is under a key that the keyring lacks: add the key",
            Self::NewerFormat => "it was written by a newer version: upgrade this one",
            Self::NotSealed => "a record of a registry in memory cannot be kept: open the registry with a keyring",
            Self::InDoubt => "an earlier attempt may still be under way: try again later",
            Self::CursorLost => "the store does not know the cursor: begin again from the first event",
        })
    }
}

/// A record or an event is not what was written.
pub(crate) fn tampered(what: &'static str) -> StoreError {
    StoreError::with_source(StoreErrorKind::Tampered, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error as _;
    use std::io;

    #[test]
    fn what_lies_behind_an_error_can_be_told_by_its_type() {
        let error =
            StoreError::with_source(StoreErrorKind::Unavailable, io::Error::other("the cable is cut"));
        for error in [&error, &error.share()] {
            let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
            assert_eq!(source.map(ToString::to_string).as_deref(), Some("the cable is cut"));
        }
    }
}
