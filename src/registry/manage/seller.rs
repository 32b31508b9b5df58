//! The registry as one seller, or somebody acting for it, sees it (rule 15).

use std::fmt;
use std::ops::Range;

use crate::client::{Client, CommandContext, NewSecret};
use crate::entropy::EntropyError;
use crate::registry::manage::command::{Applied, hand_over_one};
use crate::registry::manage::view::View;
use crate::registry::{ClientHandle, ClientPage, Error, Registry, ReportPage, Snapshot};
use crate::review::{Expiry, Notice};
use crate::secret::{ClientSecret, Issued};
use crate::store::{ClientsBy, MemoryStore, Store};
use crate::store_error::StoreError;
use crate::value::secret_text::refuse_secret;
use crate::value::{
    Actor, AddInId, Availability, ClientDetails, ClientId, Field, FriendlyName, Lifetime, SellerId, Timestamp,
};

/// A seller's own client IDs, and no others.
pub struct Seller<S = MemoryStore> {
    view: View<S>,
    seller: SellerId,
}

impl<S: Store> Seller<S> {
    pub(in crate::registry) fn new(registry: Registry<S>, actor: Actor, seller: SellerId) -> Self {
        Self { view: View { registry, actor, seller: Some(seller.clone()) }, seller }
    }

    /// The seller's ID.
    #[must_use]
    pub fn id(&self) -> &SellerId {
        &self.seller
    }

    /// Registers a client ID and issues its first client secret.
    ///
    /// A call that is dropped may leave a client ID whose client secret nobody has; see [`ClientHandle`] for callers that go
    /// away, and how to keep a command from being dropped. Given again, it is then refused with [`Error::NameTaken`], which
    /// names the client ID and says when it was registered and that its secret was never used;
    /// [`client_named`](Self::client_named) finds it too. [Delete the client ID](ClientHandle::plan_client_deletion), after
    /// which the name is free, and register again; or [add a secret](ClientHandle::add_secret) to it and delete the first
    /// one.
    ///
    /// # Errors
    /// [`Error::NameTaken`], or a [`Refusal`](crate::Refusal) as by [`Client::register`].
    pub async fn register(&self, details: ClientDetails, lifetime: Lifetime) -> Result<Issued, Error> {
        self.register_with(details, Availability::Worldwide, NewSecret::lasting(lifetime)).await
    }

    /// Registers a client ID of a given availability (rule 2) and issues its first client secret, with a label, a purpose or a
    /// start of its own.
    ///
    /// # Errors
    /// As [`register`](Self::register).
    pub async fn register_with(
        &self,
        details: ClientDetails,
        availability: Availability,
        first: NewSecret,
    ) -> Result<Issued, Error> {
        let client_secret = self.view.registry.new_client_secret()?;
        let result = self.try_register(&details, availability, &first, &client_secret).await;
        hand_over_one(result, client_secret)
    }

    /// One client ID, to be managed. Nothing is looked up as yet.
    #[must_use]
    pub fn client(&self, client_id: &ClientId) -> ClientHandle<S> {
        ClientHandle::new(self.view.clone(), client_id.clone())
    }

    /// The client ID of a friendly name, in whatever spelling has the same key (rule 15).
    ///
    /// # Errors
    /// [`Error::Refused`] when the text is not a friendly name; [`Error::Unavailable`].
    pub async fn client_named(&self, friendly_name: &str) -> Result<Option<Snapshot>, Error> {
        let key = FriendlyName::parse(friendly_name)?.key();
        refuse_secret(Field::FriendlyName, friendly_name)?;
        let by = ClientsBy::Name(&self.seller, &key);
        let page = self.view.page(by, None, 1).await?;
        // The index is a hint: what it leads to is checked against the record.
        let is_it = |found: &Snapshot| found.client().details().friendly_name().key() == key;
        let found = page.clients.into_iter().find(is_it);
        match page.unreadable.into_iter().next() {
            // Whether it has the name, nobody can tell.
            Some(unreadable) if found.is_none() => Err(StoreError::from(unreadable).into()),
            _ => Ok(found),
        }
    }

    /// The client ID that an add-in uses, if it is one of this seller's (rule 1).
    ///
    /// # Errors
    /// [`Error::Unavailable`]
    pub async fn client_of(&self, add_in: &AddInId) -> Result<Option<Snapshot>, Error> {
        self.view.client_of(add_in).await
    }

    /// This seller's client IDs in the order of their IDs, after one of them, at most `limit`. One that cannot be read is
    /// [named](ClientPage::unreadable) beside the others.
    ///
    /// # Errors
    /// [`Error::Unavailable`]
    pub async fn clients(&self, after: Option<&ClientId>, limit: usize) -> Result<ClientPage, Error> {
        self.view.page(ClientsBy::Seller(&self.seller), after, limit).await
    }

    /// What ends within a span of time, from its start on and before its end: whatever ended in it already, too. Of this
    /// seller's client IDs after one of them, at most `limit` (at most 1,000), so that the lines are in the order of their
    /// ends within a page. An empty or reversed span has no lines.
    ///
    /// # Errors
    /// [`Error::Unavailable`]
    pub async fn expiry_report(
        &self,
        ends: &Range<Timestamp>,
        after: Option<&ClientId>,
        limit: usize,
    ) -> Result<ReportPage<Expiry, ClientId>, Error> {
        self.view.expiries_of(&self.seller, ends, after, limit).await
    }

    /// The notices that fall due within a window of time, as [`Operator::due_notices`](crate::Operator::due_notices) gives
    /// them for everybody. Of this seller's client IDs after one of them, at most `limit` (at most 1,000).
    ///
    /// # Errors
    /// [`Error::Unavailable`]
    pub async fn due_notices(
        &self,
        window: &Range<Timestamp>,
        after: Option<&ClientId>,
        limit: usize,
    ) -> Result<ReportPage<Notice, ClientId>, Error> {
        self.view.notices_of(&self.seller, window, after, limit).await
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
            let id = self.view.registry.new_client_id()?;
            let register = |context: &CommandContext<'_>| {
                let (id, owner, details) = (id.clone(), self.seller.clone(), details.clone());
                Client::register(id, owner, details, availability, first, client_secret, context)
            };
            if let Some(applied) = self.view.create("register", register).await? {
                return Ok(applied);
            }
        }
        Err(EntropyError::new("the same client ID came up twice").into())
    }
}

impl<S: Store> fmt::Debug for Seller<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seller")
            .field("actor", &self.view.actor)
            .field("seller", &self.seller)
            .finish_non_exhaustive()
    }
}
