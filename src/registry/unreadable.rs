//! What a list says of a client that it cannot show.

use std::fmt;

use serde::Serialize;

use crate::store_error::{StoreError, StoreErrorKind, with_sources};
use crate::value::ClientId;
use crate::value::redacted::redacted;

redacted! {
    /// A client that a list leads to and that cannot be shown, since what the store holds of it cannot be read or was changed.
    ///
    /// One such client is no reason to show nothing of the others: a page names it beside those that are sound. The operations
    /// page of the store says how to look at such a row and how to take it out.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct Unreadable {
        client_id: ClientId,
        kind: StoreErrorKind,
        why: String,
    }
}

impl Unreadable {
    pub(super) fn new(client_id: &ClientId, error: &StoreError) -> Self {
        Self { client_id: client_id.clone(), kind: error.kind(), why: with_sources(error) }
    }

    /// The client's ID, as the list has it.
    #[must_use]
    pub fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// What can be done about it.
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
