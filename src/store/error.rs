//! Why a commit was not acknowledged.

use super::IndexEntry;
use crate::store_error::StoreError;
use crate::value::{ClientId, Revision};

/// The reason why a commit was not acknowledged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
    /// A record is not what was expected. Nothing was written.
    #[error("record {record_id} is not what was expected")]
    Conflict {
        /// The ID of the first record that is not.
        record_id: Box<str>,
        /// The revision that was found, if there is a record.
        found: Option<Revision>,
    },
    /// Something that must belong to one client alone belongs to another. Nothing was written.
    #[error("{entry:?} belongs to client {by}")]
    Taken {
        /// The entry.
        entry: IndexEntry,
        /// The client that the entry belongs to.
        by: ClientId,
    },
    /// The store failed before it began: it cannot be reached, is full or may not be written to. Nothing was written, and
    /// nothing is under way.
    #[error("nothing was written")]
    NotWritten(#[source] StoreError),
    /// The store failed, and the commit may have been applied, or may still be. `?` converts every [`StoreError`] into this
    /// variant.
    #[error("the store did not say whether the commit was applied")]
    Failed(#[from] StoreError),
}
