//! What one actor sees of a registry (rule 15). Sellers, operators and client handles are faces of it.

use std::fmt;
use std::sync::Arc;

use tracing::Instrument;

use crate::client::{CommandContext, Refusal};
use crate::record::Opened;
use crate::registry::manage::trace;
use crate::registry::{ClientPage, Error, Registry, Snapshot, Unreadable};
use crate::store::{ClientsBy, Store};
use crate::value::secret_text::refuse_secret;
use crate::value::{Actor, AddInId, ClientId, Field, SellerId};

/// A registry, an actor, and the seller whose client IDs it is about, if it is about one seller's alone.
pub(in crate::registry) struct View<S> {
    pub(in crate::registry) registry: Registry<S>,
    pub(in crate::registry) actor: Actor,
    pub(in crate::registry) seller: Option<SellerId>,
}

impl<S: Store> View<S> {
    /// Whether this is the view of somebody who may see what `owner` owns.
    pub(in crate::registry) fn shows(&self, owner: &SellerId) -> bool {
        self.actor.may_act_for(owner) && self.seller.as_ref().is_none_or(|seller| seller == owner)
    }

    /// What there is under a client ID, as far as this view shows it.
    pub(in crate::registry) async fn find(&self, client_id: &ClientId) -> Result<Option<Opened>, Error> {
        let opened = self.registry.load(client_id).await?;
        Ok(opened.filter(|opened| self.shows(opened.owner())))
    }

    /// The same for a command: what is another seller's does not exist.
    pub(in crate::registry) async fn load(&self, client_id: &ClientId) -> Result<Opened, Error> {
        self.find(client_id).await?.ok_or_else(|| Refusal::UnknownClient.into())
    }

    /// What a command about this client is decided by, at this moment.
    pub(in crate::registry) fn context(&self, opened: &Opened) -> CommandContext<'_> {
        let context = self.deciding_anew();
        if let Opened::Active(live) = opened
            && live.client().is_ahead_of(context.now)
        {
            self.registry.warn_of_lag(live.client(), context.now);
        }
        context
    }

    /// What a command about a client that is not there yet is decided by.
    pub(in crate::registry) fn deciding_anew(&self) -> CommandContext<'_> {
        CommandContext { actor: &self.actor, policy: self.registry.policy(), now: self.registry.now() }
    }

    /// A client with its last uses, unless it was deleted.
    pub(in crate::registry) async fn look_at(&self, opened: &Opened) -> Result<Option<Snapshot>, Error> {
        let Opened::Active(live) = opened else {
            return Ok(None);
        };
        let inner = &self.registry.inner;
        let mut uses = inner.uses.of(&inner.store, opened.client_id(), &*inner.clock).await?;
        uses.retain(|secret| live.client().secret(secret).is_some());
        Ok(Some(Snapshot::new(Arc::clone(live), self.registry.instant_of(live.client()), uses)))
    }

    /// The client that an add-in belongs to. Indexes are hints: what they lead to is checked against the record.
    pub(in crate::registry) async fn client_of(&self, add_in: &AddInId) -> Result<Option<Snapshot>, Error> {
        self.try_client_of(add_in).instrument(trace::span("client_of", &self.actor, None)).await
    }

    async fn try_client_of(&self, add_in: &AddInId) -> Result<Option<Snapshot>, Error> {
        refuse_secret(Field::AddInId, add_in.as_str())?;
        let mut asked = None;
        // An add-in that moves between the two look-ups is not where the first one said: ask again, until the index says
        // the same twice.
        for _ in 0..ATTEMPTS {
            let client_id = self.registry.inner.store.client_of(add_in).await?;
            let Some(id) = client_id.filter(|id| asked.as_ref() != Some(id)) else {
                return Ok(None);
            };
            let Some(opened) = self.find(&id).await? else {
                return Ok(None);
            };
            if opened.client().is_ok_and(|client| client.add_ins().contains(add_in)) {
                return self.look_at(&opened).await;
            }
            asked = Some(id);
        }
        Err(Error::Contention { attempts: ATTEMPTS })
    }

    /// A page of clients.
    pub(in crate::registry) async fn page(
        &self,
        by: ClientsBy<'_>,
        after: Option<&ClientId>,
        limit: usize,
    ) -> Result<ClientPage, Error> {
        self.try_page(by, after, limit).instrument(trace::span("clients", &self.actor, None)).await
    }

    async fn try_page(
        &self,
        by: ClientsBy<'_>,
        after: Option<&ClientId>,
        limit: usize,
    ) -> Result<ClientPage, Error> {
        let limit = limit.clamp(1, MAX_PAGE);
        let ids = self.registry.inner.store.clients(by, after, limit).await?;
        let next = if ids.len() == limit { ids.last().cloned() } else { None };
        let (mut clients, mut unreadable) = (Vec::with_capacity(ids.len()), Vec::new());
        for id in &ids {
            match self.show(id).await? {
                Ok(found) => clients.extend(found),
                Err(error) => unreadable.push(error),
            }
        }
        Ok(ClientPage { clients, unreadable, next })
    }

    /// What a list shows of a client that it leads to: nothing of a deleted one, or where this view does not show it. The
    /// inner error is about this client alone, and no reason to show nothing of the others.
    pub(in crate::registry) async fn show(
        &self,
        client_id: &ClientId,
    ) -> Result<Result<Option<Snapshot>, Unreadable>, Error> {
        let shown = async {
            match self.find(client_id).await? {
                Some(opened) => self.look_at(&opened).await,
                None => Ok(None),
            }
        };
        match shown.await {
            Ok(found) => Ok(Ok(found)),
            Err(Error::Unavailable(error)) if error.kind().is_about_what_was_read() => {
                Ok(Err(Unreadable::new(client_id, &error)))
            }
            Err(error) => Err(error),
        }
    }
}

impl<S> Clone for View<S> {
    fn clone(&self) -> Self {
        Self { registry: self.registry.clone(), actor: self.actor.clone(), seller: self.seller.clone() }
    }
}

impl<S> fmt::Debug for View<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View")
            .field("actor", &self.actor)
            .field("seller", &self.seller)
            .finish_non_exhaustive()
    }
}

/// How often an add-in is followed that moves while it is looked for.
const ATTEMPTS: usize = 16;
/// The most clients on one page.
const MAX_PAGE: usize = 1000;
