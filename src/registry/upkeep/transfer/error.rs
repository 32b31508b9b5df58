//! The result of an import, and the errors of one.

use std::io;

use crate::event::BrokenTrail;
use crate::registry::upkeep::open::OpenError;
use crate::registry::upkeep::transfer::piece::Unreadable;
use crate::store_error::StoreError;
use crate::value::ClientId;
use crate::value::coded::coded;

/// The result of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ImportSummary {
    /// The number of clients, deleted ones included.
    pub clients: u64,
    /// The number of clients that were there already, from an import that was interrupted.
    pub found: u64,
    /// The number of their events.
    pub events: u64,
}

/// The reason why a registry was not imported. What was written stays: the same import again goes on where this one stopped. The
/// store does not open until an import is whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The stream is no export, or not a whole one.
    #[error("the export cannot be used: {0}")]
    Malformed(Box<dyn std::error::Error + Send + Sync>),
    /// The stream was edited: pieces were changed, left out, added or reordered.
    #[error("the export was edited after it was made: take another copy of it, or make a new export")]
    Edited,
    /// The stream is an export of an older version, which carries no proof that it was not edited.
    #[error(
        "the export is of an older version and carries no proof that it was not edited: make a new one, or let the builder \
         accept unauthenticated exports if nobody else could write to it"
    )]
    Unauthenticated,
    /// A client's events do not lead to its record.
    #[error("the trail of client {client_id} is broken")]
    Trail {
        /// The client.
        client_id: ClientId,
        /// Where it breaks.
        source: BrokenTrail,
    },
    /// The store has another state of a client than the export: it is in use, or belongs to another registry.
    #[error("the store has another state of client {client_id}: import into an empty store")]
    Differs {
        /// The client.
        client_id: ClientId,
    },
    /// The store belongs to another registry.
    #[error("the store belongs to another registry: import into an empty store")]
    OtherRegistry,
    /// The keyring does not fit the registry, or the filled store did not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The stream could not be read.
    #[error("the export could not be read")]
    Io(#[source] io::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

coded! {
    ImportError {
        Self::Malformed(_) => Invalid "malformed_export",
        Self::Edited => Invalid "export_edited",
        Self::Unauthenticated => Invalid "export_unauthenticated",
        Self::Trail { .. } => Invalid "broken_trail",
        Self::Differs { .. } => Conflict "client_differs",
        Self::OtherRegistry => Conflict "not_empty",
        Self::Io(_) => Unavailable "io",
        Self::Store(_) => Unavailable "unavailable",
        ;
        Self::Open(error) => error,
    }
}

impl From<Unreadable> for ImportError {
    fn from(unreadable: Unreadable) -> Self {
        match unreadable {
            Unreadable::Io(error) => Self::Io(error),
            Unreadable::Malformed(what) => Self::Malformed(what),
            Unreadable::Edited => Self::Edited,
            Unreadable::MissingKey(key_id) => OpenError::MissingKey { key_id }.into(),
        }
    }
}
