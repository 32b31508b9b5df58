//! `View`: the part of a registry that one actor sees (rule 15). Sellers, operators and client handles are faces of it.
//!
//! Everything that an actor reads goes through [`View::find`] or [`View::load`], which hide what belongs to another seller.
//! Indexes are hints: a client that an index leads to is checked against its record before it is shown.

use std::sync::Arc;

use tracing::Instrument;

use crate::client::{CommandContext, LastUses, Refusal};
use crate::record::Opened;
use crate::registry::manage::trace;
use crate::registry::{ATTEMPTS, Error, Page, Registry, Snapshot, Unreadable};
use crate::store::{ClientsBy, Store};
use crate::value::secret_text::refuse_secret;
use crate::value::{Actor, AddInId, ClientId, Field, SellerId};

/// A registry, an actor, and the seller to whose client IDs the view is limited, if it is limited to one.
pub(in crate::registry) struct View<S> {
    pub(in crate::registry) registry: Registry<S>,
    pub(in crate::registry) actor: Actor,
    pub(in crate::registry) seller: Option<SellerId>,
}

impl<S: Store> View<S> {
    /// Returns whether the view shows what `owner` owns.
    pub(in crate::registry) fn shows(&self, owner: &SellerId) -> bool {
        self.actor.may_act_for(owner) && self.seller.as_ref().is_none_or(|seller| seller == owner)
    }

    /// The client of an ID, or its tombstone, if the view shows it.
    pub(in crate::registry) async fn find(&self, client_id: &ClientId) -> Result<Option<Opened>, Error> {
        let opened = self.registry.load(client_id).await?;
        Ok(opened.filter(|opened| self.shows(opened.owner())))
    }

    /// The same, where absence is an error. A client of another seller does not exist.
    pub(in crate::registry) async fn load(&self, client_id: &ClientId) -> Result<Opened, Error> {
        self.find(client_id).await?.ok_or_else(|| Refusal::UnknownClient.into())
    }

    /// The context in which a command about this client is decided now.
    pub(in crate::registry) fn context(&self, opened: &Opened) -> CommandContext<'_> {
        let context = self.context_of_new();
        if let Opened::Active(live) = opened
            && live.is_ahead_of(context.now)
        {
            self.registry.warn_of_lag(live, context.now);
        }
        context
    }

    /// The context in which a command that makes a client is decided now.
    pub(in crate::registry) fn context_of_new(&self) -> CommandContext<'_> {
        CommandContext { actor: &self.actor, policy: self.registry.policy(), now: self.registry.now() }
    }

    /// A client with its last uses; `None` if it was deleted.
    pub(in crate::registry) async fn look_at(&self, opened: &Opened) -> Result<Option<Snapshot>, Error> {
        let Opened::Active(live) = opened else {
            return Ok(None);
        };
        let inner = &self.registry.inner;
        let mut uses = inner.uses.of(&inner.store, opened.client_id(), &*inner.clock).await?;
        uses.retain(|secret| live.secret(secret).is_some());
        let (at, policy) = (self.registry.instant_of(live), Arc::clone(&inner.policy));
        Ok(Some(Snapshot::new(Arc::clone(live), at, uses, policy)))
    }

    /// The last uses of a client's secrets. Ask only after the actor was let through (rule 15).
    pub(in crate::registry) async fn last_uses(&self, client_id: &ClientId) -> Result<LastUses, Error> {
        let inner = &self.registry.inner;
        // Written first, so that another node that confirms the plan judges by the same uses. Uses that cannot be written
        // are kept, and count here all the same.
        let _ = inner.uses.flush_of(&inner.store, client_id, &*inner.clock).await;
        Ok(inner.uses.of(&inner.store, client_id, &*inner.clock).await?)
    }

    /// The client that an add-in belongs to.
    pub(in crate::registry) async fn client_of(&self, add_in: &AddInId) -> Result<Option<Snapshot>, Error> {
        let found = async {
            refuse_secret(Field::AddInId, add_in.as_str())?;
            let mut asked = None;
            // An add-in may move between the two look-ups: ask again, until the index says the same twice.
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
        };
        found.instrument(trace::span("client_of", &self.actor, None)).await
    }

    /// A page of clients.
    pub(in crate::registry) async fn page(
        &self,
        by: ClientsBy<'_>,
        after: Option<&ClientId>,
        limit: usize,
    ) -> Result<Page<Snapshot, ClientId>, Error> {
        let looked = async {
            let limit = limit.clamp(1, MAX_PAGE);
            let ids = self.registry.inner.store.clients(by, after, limit).await?;
            let next = if ids.len() == limit { ids.last().cloned() } else { None };
            let (mut items, mut unreadable) = (Vec::with_capacity(ids.len()), Vec::new());
            for id in &ids {
                match self.show(id).await? {
                    Ok(found) => items.extend(found),
                    Err(error) => unreadable.push(error),
                }
            }
            Ok(Page { items, unreadable, next })
        };
        looked.instrument(trace::span("clients", &self.actor, None)).await
    }

    /// A client that a list leads to; `None` if it was deleted, or the view does not show it. The inner error is about this
    /// client alone: the others on the list are shown all the same.
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

/// The most clients on one page.
pub(in crate::registry) const MAX_PAGE: usize = 1000;
