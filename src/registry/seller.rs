//! The registry as one seller, or somebody acting for it, sees it (rule 15).

use std::fmt;
use std::sync::Arc;

use super::command::{Applied, hand_over_one};
use super::{ClientHandle, ClientPage, Error, Registry, Snapshot};
use crate::client::{Client, Deciding, LastUses, NewSecret};
use crate::details::{Availability, ClientDetails, FriendlyName};
use crate::id::{Actor, AddInId, ClientId, SellerId};
use crate::record::{Form, Record};
use crate::secret::{ClientSecret, Issued};
use crate::store::{ClientsBy, MemoryStore, Store};
use crate::validity::Lifetime;

/// A seller's own client IDs, and no others.
pub struct Seller<S = MemoryStore> {
    registry: Registry<S>,
    actor: Actor,
    seller: SellerId,
}

impl<S: Store> Seller<S> {
    pub(super) fn new(registry: Registry<S>, actor: Actor, seller: SellerId) -> Self {
        Self { registry, actor, seller }
    }

    /// The seller's ID.
    #[must_use]
    pub fn id(&self) -> &SellerId {
        &self.seller
    }

    /// Registers a client ID and issues its first client secret.
    ///
    /// # Errors
    /// [`Error::NameTaken`], or a [`Refusal`](crate::Refusal) as by [`Client::register`].
    pub async fn register(
        &self,
        details: ClientDetails,
        availability: Availability,
        lifetime: Lifetime,
    ) -> Result<Issued, Error> {
        self.register_with(details, availability, NewSecret::lasting(lifetime)).await
    }

    /// Registers a client ID and issues its first client secret, about which there is more to say than its lifetime.
    ///
    /// # Errors
    /// As [`register`](Self::register).
    pub async fn register_with(
        &self,
        details: ClientDetails,
        availability: Availability,
        first: NewSecret,
    ) -> Result<Issued, Error> {
        let client_secret = self.registry.new_client_secret()?;
        let result = self.try_register(&details, availability, &first, &client_secret).await;
        hand_over_one(result, client_secret)
    }

    /// One client ID, to be managed. Nothing is looked up as yet.
    #[must_use]
    pub fn client(&self, client_id: &ClientId) -> ClientHandle<S> {
        ClientHandle::new(self.registry.clone(), self.actor.clone(), client_id.clone())
    }

    /// The client ID of a friendly name, in whatever spelling has the same key (rule 15).
    ///
    /// # Errors
    /// [`Error::Refused`] when the text is not a friendly name; [`Error::Unavailable`].
    pub async fn client_named(&self, friendly_name: &str) -> Result<Option<Snapshot>, Error> {
        let key = FriendlyName::parse(friendly_name)?.key();
        let by = ClientsBy::Name(&self.seller, &key);
        let found = self.registry.inner.store.clients(by, None, 1).await?;
        match found.first() {
            // The index is a hint: what it leads to is checked against the record.
            Some(id) => Ok(self
                .visible(id)
                .await?
                .filter(|found| found.client().details().friendly_name().key() == key)),
            None => Ok(None),
        }
    }

    /// The client ID that an add-in uses, if it is one of this seller's (rule 1).
    ///
    /// # Errors
    /// [`Error::Unavailable`]
    pub async fn client_of(&self, add_in: &AddInId) -> Result<Option<Snapshot>, Error> {
        match self.registry.inner.store.client_of(add_in).await? {
            Some(id) => {
                Ok(self.visible(&id).await?.filter(|found| found.client().add_ins().contains(add_in)))
            }
            None => Ok(None),
        }
    }

    /// This seller's client IDs in the order of their IDs, after one of them, at most `limit`.
    ///
    /// # Errors
    /// [`Error::Unavailable`]
    pub async fn clients(&self, after: Option<&ClientId>, limit: usize) -> Result<ClientPage, Error> {
        self.registry
            .page(ClientsBy::Seller(&self.seller), after, limit, |record| *record.owner() == self.seller)
            .await
    }

    async fn try_register(
        &self,
        details: &ClientDetails,
        availability: Availability,
        first: &NewSecret,
        client_secret: &ClientSecret,
    ) -> Result<Applied<()>, Error> {
        // A random ID that is taken is as good as impossible; twice in a row, the randomness is broken.
        for _ in 0..2 {
            let id = self.registry.new_client_id()?;
            let policy = self.registry.policy();
            let deciding = Deciding { actor: &self.actor, policy, now: self.registry.now() };
            let owner = self.seller.clone();
            let transition =
                Client::register(id, owner, details.clone(), availability, first, client_secret, &deciding)?;
            if let Some(applied) = self.registry.create(&self.actor, transition).await? {
                return Ok(applied);
            }
        }
        Err(Error::Entropy(crate::entropy::EntropyError::new("the same client ID came up twice")))
    }

    async fn visible(&self, client_id: &ClientId) -> Result<Option<Snapshot>, Error> {
        let is_ours = |record: &Record| *record.owner() == self.seller;
        match self.registry.load(client_id).await?.filter(is_ours) {
            Some(record) => self.registry.look_at(&record).await,
            None => Ok(None),
        }
    }
}

impl<S: Store> Registry<S> {
    /// A page of clients, those that `wanted` says so of.
    pub(super) async fn page(
        &self,
        by: ClientsBy<'_>,
        after: Option<&ClientId>,
        limit: usize,
        wanted: impl Fn(&Record) -> bool + Send + Sync,
    ) -> Result<ClientPage, Error> {
        let limit = limit.clamp(1, MAX_PAGE);
        let ids = self.inner.store.clients(by, after, limit).await?;
        let next = if ids.len() == limit { ids.last().cloned() } else { None };
        let mut clients = Vec::with_capacity(ids.len());
        for id in &ids {
            if let Some(record) = self.load(id).await?.filter(&wanted) {
                clients.extend(self.look_at(&record).await?);
            }
        }
        Ok(ClientPage { clients, next })
    }

    /// The client of a record with its last uses, unless it was deleted.
    pub(super) async fn look_at(&self, record: &Record) -> Result<Option<Snapshot>, Error> {
        let Form::Active(live) = record.form() else {
            return Ok(None);
        };
        let uses: LastUses = self.inner.uses.of(&self.inner.store, live.client().id()).await?;
        Ok(Some(Snapshot::new(Arc::clone(live), self.instant_of(live.client()), uses)))
    }
}

impl<S: Store> fmt::Debug for Seller<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seller")
            .field("actor", &self.actor)
            .field("seller", &self.seller)
            .finish_non_exhaustive()
    }
}

/// The most clients on one page.
const MAX_PAGE: usize = 1000;
