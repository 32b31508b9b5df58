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
    /// The number of clients that were in the store already, from an import that was interrupted.
    pub found: u64,
    /// The number of events of these clients.
    pub events: u64,
}

/// The reason why a registry was not imported. What was written stays in the store: the same import again continues there. The
/// store does not open before an import is complete.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The stream is not an export, or it ends too early. Take another copy of the export, or make a new one.
    #[error("the export cannot be used: {0}")]
    Malformed(Box<dyn std::error::Error + Send + Sync>),
    /// The stream was edited: pieces were changed, left out, added or reordered. Take another copy of the export, or make a new
    /// one.
    #[error("the export was edited after it was made: take another copy of it, or make a new export")]
    Edited,
    /// The stream is an export of an older version, which carries no proof that it was not edited. Make a new export, or see
    /// [`accept_unauthenticated_exports`](crate::RegistryBuilder::accept_unauthenticated_exports).
    #[error(
        "the export is of an older version and carries no proof that it was not edited: make a new one, or let the builder \
         accept unauthenticated exports if nobody else could write to it"
    )]
    Unauthenticated,
    /// A client's events are not the ones that its record names, so the client was not imported. Make a new export, from a
    /// backup if [`Registry::check`](crate::Registry::check) reports the same.
    #[error("the trail of client {client_id} is broken: make a new export, or export a backup")]
    Trail {
        /// The client.
        client_id: ClientId,
        /// The place in the trail where it breaks.
        source: BrokenTrail,
    },
    /// The store has another state of a client than the export: it is in use, or belongs to another registry. Import into an
    /// empty store.
    #[error("the store has another state of client {client_id}: import into an empty store")]
    Differs {
        /// The client.
        client_id: ClientId,
    },
    /// The store belongs to another registry. Import into an empty store.
    #[error("the store belongs to another registry: import into an empty store")]
    OtherRegistry,
    /// The keyring does not fit the registry, or the filled store did not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The stream could not be read. Run the same import again: it continues where it stopped.
    #[error("the export could not be read: run the same import again, and it continues where it stopped")]
    Io(#[source] io::Error),
    /// The store failed. Run the same import again: it continues where it stopped.
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
