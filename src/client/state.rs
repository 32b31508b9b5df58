//! What a client ID refers to: a live client, or the tombstone of a deleted one (rule 13).
//!
//! What the two have in common is answered here, so that callers match only where the difference matters.

use super::{Client, Tombstone};
use crate::event::EventHash;
use crate::value::{ClientId, Revision, SellerId, Timestamp};

/// The state of a client ID: a client, or the tombstone of a deleted one.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "it is taken apart where it is made")]
pub enum ClientState {
    /// A client.
    Active(Client),
    /// The tombstone of a deleted client (rule 13).
    Deleted(Tombstone),
}

impl ClientState {
    /// Returns the client ID.
    #[must_use]
    pub fn id(&self) -> &ClientId {
        match self {
            Self::Active(client) => client.id(),
            Self::Deleted(tombstone) => tombstone.id(),
        }
    }

    /// Returns the seller that owns or owned the client ID.
    #[must_use]
    pub fn owner(&self) -> &SellerId {
        match self {
            Self::Active(client) => client.owner(),
            Self::Deleted(tombstone) => tombstone.owner(),
        }
    }

    /// Returns the revision, which counts the commits.
    #[must_use]
    pub fn revision(&self) -> Revision {
        match self {
            Self::Active(client) => client.revision(),
            Self::Deleted(tombstone) => tombstone.revision(),
        }
    }

    /// Returns when the client was last changed.
    #[must_use]
    pub fn changed_at(&self) -> Timestamp {
        match self {
            Self::Active(client) => client.changed_at(),
            Self::Deleted(tombstone) => tombstone.changed_at(),
        }
    }

    /// Returns the hash of the latest event.
    #[must_use]
    pub fn head(&self) -> EventHash {
        match self {
            Self::Active(client) => client.head(),
            Self::Deleted(tombstone) => tombstone.head(),
        }
    }

    /// Returns the client, unless it was deleted.
    #[must_use]
    pub fn active(&self) -> Option<&Client> {
        match self {
            Self::Active(client) => Some(client),
            Self::Deleted(_) => None,
        }
    }
}
