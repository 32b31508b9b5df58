//! `Authenticated`: the client that a caller proved to be, and the secret that it presented.

use std::fmt;
use std::sync::Arc;

use crate::client::Client;
use crate::secret::Secret;
use crate::value::{Attributes, ClientId, SecretId, SellerId, Timestamp};

/// An authenticated client and the secret that it presented.
///
/// [`Registry::authenticate`](crate::Registry::authenticate) returns it. The value keeps the whole client of that moment in
/// memory: for a long session, copy what you need.
#[derive(Clone)]
pub struct Authenticated {
    client: Arc<Client>,
    secret: SecretId,
    at: Timestamp,
}

impl Authenticated {
    #[inline]
    pub(super) fn traced(client: Arc<Client>, secret: SecretId, at: Timestamp) -> Self {
        tracing::debug!(client_id = client.id().as_str(), secret = secret.number(), "authenticated");
        Self { client, secret, at }
    }

    /// Returns the client ID.
    #[must_use]
    pub fn client_id(&self) -> &ClientId {
        self.client().id()
    }

    /// Returns the seller that owns the client ID.
    #[must_use]
    pub fn owner(&self) -> &SellerId {
        self.client().owner()
    }

    /// Returns the ID of the presented secret.
    #[must_use]
    pub fn secret_id(&self) -> SecretId {
        self.secret
    }

    /// Returns the instant for which the answer holds (rule 19). It may be some milliseconds before
    /// [`Registry::now`](crate::Registry::now).
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Returns the attributes that the application attached to the client (rule 24).
    #[must_use]
    pub fn attributes(&self) -> &Attributes {
        self.client().attributes()
    }

    /// Returns whether the presented secret is the signing secret (rule 6).
    #[must_use]
    pub fn signs(&self) -> bool {
        self.client().signing_at(self.at).secret() == Some(self.secret)
    }

    /// Returns when the presented secret ends; `None` if it has no end.
    #[must_use]
    pub fn ends(&self) -> Option<Timestamp> {
        self.client().secret(self.secret).and_then(|secret| secret.validity().until())
    }

    /// Returns the newest valid secret that was added after the presented one, to which the add-in should change over; `None`
    /// if there is none.
    #[must_use]
    pub fn newer(&self) -> Option<SecretId> {
        self.client().valid_at(self.at).map(Secret::id).filter(|id| *id > self.secret).max()
    }

    fn client(&self) -> &Client {
        &self.client
    }
}

impl fmt::Debug for Authenticated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticated")
            .field("client_id", self.client_id())
            .field("secret_id", &self.secret)
            .field("at", &self.at)
            .field("signs", &self.signs())
            .field("ends", &self.ends())
            .field("newer", &self.newer())
            .finish_non_exhaustive()
    }
}
