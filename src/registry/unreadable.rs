//! `Unreadable`: a client that a list leads to and that cannot be shown. Lists show the others all the same.

use std::fmt;

use serde::Serialize;

use crate::store_error::{StoreError, StoreErrorKind, with_sources};
use crate::value::ClientId;

/// A client that cannot be shown, because what the store holds of it cannot be read or was changed.
///
/// A page names such a client beside those that are sound. The page of the store's module says how to look at such a row
/// and how to take it out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unreadable {
    client_id: ClientId,
    #[serde(rename = "code")]
    kind: StoreErrorKind,
    #[serde(rename = "message")]
    why: String,
}

impl Unreadable {
    pub(super) fn new(client_id: &ClientId, error: &StoreError) -> Self {
        Self { client_id: client_id.clone(), kind: error.kind(), why: with_sources(error) }
    }

    /// Returns the client's ID, as the list has it.
    #[must_use]
    pub fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// Returns what can be done about it.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    /// Returns why it cannot be read, in words for a log.
    #[must_use]
    pub fn why(&self) -> &str {
        &self.why
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "client {}: {}", self.client_id, self.why)
    }
}

impl From<Unreadable> for StoreError {
    fn from(unreadable: Unreadable) -> Self {
        Self::with_source(unreadable.kind, unreadable.to_string())
    }
}
