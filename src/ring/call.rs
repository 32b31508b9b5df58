//! One call to the platform: what it presents, and how an attempt fails.

use std::fmt;
use std::sync::Arc;

use super::Slot;
use super::keys::Keys;
use crate::secret::ClientSecret;
use crate::value::ClientId;

/// The credentials for one call to the platform.
#[derive(Clone)]
pub struct Credentials {
    pub(super) keys: Arc<Keys>,
    pub(super) slot: Slot,
}

impl Credentials {
    /// Returns the client ID.
    #[must_use]
    pub fn client_id(&self) -> &ClientId {
        &self.keys.client_id
    }

    /// Returns the client secret.
    #[must_use]
    pub fn client_secret(&self) -> &ClientSecret {
        &self.keys.at(self.slot).secret.client_secret
    }

    /// Returns which of the two client secrets it is.
    #[must_use]
    pub fn slot(&self) -> Slot {
        self.slot
    }
}

/// The error of an attempt to call the platform.
///
/// Exhaustive on purpose: the caller decides which of the two it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallError<E> {
    /// The platform answered *invalid client*: the other client secret may work.
    InvalidClient(E),
    /// Any other error: the other client secret would not help.
    Failed(E),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("client_id", self.client_id())
            .field("slot", &self.slot)
            .finish_non_exhaustive()
    }
}
