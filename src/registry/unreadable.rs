//! `Unreadable`: a client that a list leads to and that cannot be shown. Lists show the others all the same.

use std::fmt;

use serde::Serialize;

use crate::store_error::{StoreError, StoreErrorKind, with_sources};
use crate::value::ClientId;

/// A client that cannot be shown, because what the store holds of it cannot be read or was changed.
///
/// [`Page::unreadable`](crate::registry::Page::unreadable) names such clients beside the items. The pages of the modules
/// `store::sqlite` and `store::postgres` say how an administrator looks at a damaged row, and how to put it back or take it
/// out.
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

    /// Returns the client ID under which the list names it.
    #[must_use]
    pub fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// Returns the kind of the error, which says what to do about it.
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
