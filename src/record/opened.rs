//! A record that was opened: the live client, or the tombstone of a deleted one.

use std::sync::Arc;

use crate::client::{Client, ClientState, Refusal, Tombstone};
use crate::event::EventHash;
use crate::value::{ClientId, Revision, SellerId, Timestamp};

/// The client or the tombstone that a client ID refers to, shared. Cloning is cheap.
#[derive(Clone)]
pub(crate) enum Opened {
    Active(Arc<Client>),
    Deleted(Arc<Tombstone>),
}

impl Opened {
    pub(crate) fn new(state: ClientState) -> Self {
        match state {
            ClientState::Active(client) => Self::Active(Arc::new(client)),
            ClientState::Deleted(tombstone) => Self::Deleted(Arc::new(tombstone)),
        }
    }

    /// Returns the client, unless it was deleted.
    pub(crate) fn client(&self) -> Result<&Client, Refusal> {
        match self {
            Self::Active(client) => Ok(client),
            Self::Deleted(_) => Err(Refusal::ClientDeleted),
        }
    }

    pub(crate) fn client_id(&self) -> &ClientId {
        match self {
            Self::Active(client) => client.id(),
            Self::Deleted(tombstone) => tombstone.id(),
        }
    }

    pub(crate) fn owner(&self) -> &SellerId {
        match self {
            Self::Active(client) => client.owner(),
            Self::Deleted(tombstone) => tombstone.owner(),
        }
    }

    pub(crate) fn revision(&self) -> Revision {
        match self {
            Self::Active(client) => client.revision(),
            Self::Deleted(tombstone) => tombstone.revision(),
        }
    }

    pub(crate) fn changed_at(&self) -> Timestamp {
        match self {
            Self::Active(client) => client.changed_at(),
            Self::Deleted(tombstone) => tombstone.changed_at(),
        }
    }

    /// Returns the hash of the latest event (rule 16).
    pub(crate) fn head(&self) -> EventHash {
        match self {
            Self::Active(client) => client.head(),
            Self::Deleted(tombstone) => tombstone.head(),
        }
    }
}
