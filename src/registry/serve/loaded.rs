//! `LoadedClient`: a client that was loaded ahead, for callers that cannot wait for a store.
//!
//! It authenticates without a future, and is as stale as the [`Freshness`](crate::Freshness) allows and no staler: past that it
//! lets nobody in and denies nobody.

use std::fmt;

use crate::client::Reason;
use crate::clock::ClockReading;
use crate::record::{Opened, RecordId};
use crate::registry::serve::access::{NOBODY, record_of};
use crate::registry::serve::authenticated::Authenticated;
use crate::registry::serve::denied::AccessError;
use crate::registry::{Freshness, Registry};
use crate::store::{MemoryStore, Store};
use crate::store_error::{StoreError, StoreErrorKind};

/// A client that was [loaded](Registry::load_client) in advance. It authenticates callers without a future: in code that is not
/// `async`, or that must not wait for a store.
///
/// It answers for as long as the registry's [`Freshness`] allows, counted from the start of the load. After that it answers
/// [`AccessError::Unavailable`]: load the client again before then. It does not see a change that is made after the load, on
/// this node or on another one. In a registry in memory it answers for 5 seconds, the default freshness. With a freshness of
/// zero it never answers.
///
/// The example of [`Registry::load_client`] shows it.
pub struct LoadedClient<S = MemoryStore> {
    registry: Registry<S>,
    /// The ID to hash with, whether there is such a client or not.
    hashed_with: Box<[u8]>,
    opened: Option<Opened>,
    nobody: Reason,
    loaded: ClockReading,
}

impl<S: Store> Registry<S> {
    /// Loads a client in advance, so that its callers are authenticated later [without waiting](LoadedClient::authenticate).
    ///
    /// The client ID does not need to be well formed or to exist. Loading an unknown one succeeds, and each authentication is
    /// then denied.
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let registry = Registry::in_memory();
    /// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// # let issued = registry.as_seller("contoso")?.register(details, Lifetime::OneYear).await?;
    /// let calendar = registry.load_client(issued.client_id().as_str()).await?;
    /// let who = calendar.authenticate(issued.client_secret().expose())?; // not a future
    /// assert_eq!(who.secret_id(), issued.secret_id());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`StoreError`] if the store did not answer.
    pub async fn load_client(&self, client_id: &str) -> Result<LoadedClient<S>, StoreError> {
        let loaded = ClockReading::of(&*self.inner.clock);
        let record_id = record_of(client_id, self.inner.policy.secret_prefix());
        let opened = match record_id {
            Ok(id) => self.load_record(id).await?,
            Err(_) => None,
        };
        Ok(LoadedClient {
            registry: self.clone(),
            hashed_with: record_id.as_ref().map_or(NOBODY, RecordId::as_bytes).into(),
            opened,
            nobody: record_id.err().unwrap_or(Reason::UnknownClient),
            loaded,
        })
    }
}

impl<S: Store> LoadedClient<S> {
    /// Checks a client secret as it came from the network, as [`Registry::authenticate`] does. It is a use (rule 9).
    ///
    /// # Errors
    /// - [`AccessError::Denied`]: the client secret does not match.
    /// - [`AccessError::Unavailable`]: the client was loaded longer ago than the freshness allows. Load it again.
    pub fn authenticate(&self, client_secret: &str) -> Result<Authenticated, AccessError> {
        if !self.is_fresh() {
            let why = "the client was loaded longer ago than the freshness allows: load it again";
            return Err(StoreError::with_source(StoreErrorKind::Unavailable, why).into());
        }
        self.registry.let_in(self.opened.as_ref(), &self.hashed_with, self.nobody, client_secret)
    }

    /// Returns whether the client is still fresh enough to answer.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        let inner = &self.registry.inner;
        let freshness = inner.cache.as_ref().map_or(Freshness::default(), |cache| cache.freshness());
        self.loaded.age(&*inner.clock) < freshness.limit()
    }
}

impl<S> fmt::Debug for LoadedClient<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadedClient")
            .field("client_id", &self.opened.as_ref().map(Opened::client_id))
            .finish_non_exhaustive()
    }
}
