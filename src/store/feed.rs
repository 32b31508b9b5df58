//! What a store answers of commits: a client's history, and the change feed of all clients.

use serde::Serialize;

use crate::event::EventText;
use crate::store::CommitId;
use crate::value::Revision;
use crate::value::redacted::redacted;

redacted! {
    /// A commit of one client, as its history tells it.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct Committed {
        /// The commit that made the revision.
        pub commit_id: CommitId,
        /// The revision that it made.
        pub revision: Revision,
        /// The texts of the events that tell what happened, in order.
        pub events: Vec<EventText>,
    }
}

redacted! {
    /// The position of a reader in the change feed. Opaque: only the store that gave it can tell what it means.
    #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
    #[serde(transparent)]
    pub struct Cursor(String);
}

impl Cursor {
    /// Returns a cursor with a text of the store's own, which only this store reads.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text that the store made the cursor from.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A piece of the change feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// The texts of the events that tell what happened, in order.
    pub events: Vec<EventText>,
    /// The cursor after the last of these events: pass it to the next call.
    pub cursor: Cursor,
}
