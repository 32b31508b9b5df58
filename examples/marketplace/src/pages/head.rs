//! What the pages about a client ID show above all else: its ID and its friendly name.

use client_registry::store::DynStore;
use client_registry::{ClientHandle, ClientId, Snapshot};

use crate::failure::Failure;

/// A client ID and its name.
pub(crate) struct Head {
    pub(crate) id: ClientId,
    pub(crate) name: String,
}

impl Head {
    /// Looks a client ID up.
    pub(crate) async fn of(client: &ClientHandle<DynStore>) -> Result<Self, Failure> {
        Ok(Self::from(&client.snapshot().await?))
    }

    /// Returns the path of the page of a secret.
    pub(crate) fn secret(&self, secret: client_registry::SecretId) -> String {
        format!("/clients/{}/secrets/{secret}", self.id)
    }

    /// Returns the path of the summary.
    pub(crate) fn path(&self) -> String {
        format!("/clients/{}", self.id)
    }
}

impl From<&Snapshot> for Head {
    fn from(snapshot: &Snapshot) -> Self {
        let client = snapshot.client();
        Self { id: client.id().clone(), name: client.details().friendly_name().as_str().to_owned() }
    }
}
