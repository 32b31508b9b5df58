//! `Seller`: the client IDs of one seller, as the seller or an operator sees them (rule 15).
//!
//! Lists and look-ups go through the view, which shows no client ID of another seller.

use std::fmt;
use std::ops::Range;

use crate::client::{Client, CommandContext, NewSecret};
use crate::entropy::EntropyError;
use crate::registry::manage::applied::{Applied, hand_over_one};
use crate::registry::manage::view::View;
use crate::registry::{ClientHandle, Error, Page, Registry, Snapshot};
use crate::review::{Expiry, Notice};
use crate::secret::{ClientSecret, Issued};
use crate::store::{ClientsBy, MemoryStore, Store};
use crate::store_error::StoreError;
use crate::value::secret_text::refuse_secret;
use crate::value::{
    Actor, AddInId, Availability, ClientDetails, ClientId, Field, FriendlyName, Lifetime, SellerId, Timestamp,
};

/// One seller's client IDs, and no others: registers them, finds them, lists them.
///
/// [`Registry::as_seller`] returns it for the seller. [`Operator::seller`](crate::Operator::seller) returns it for an operator
/// who acts on the seller's client IDs; the events then name the operator. The application must have authenticated the seller
/// or operator before.
///
/// ```
/// # use client_registry::*;
/// # #[pollster::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let contoso = Registry::in_memory().as_seller("contoso")?;
/// let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
/// let issued = contoso.register(details, Lifetime::OneYear).await?;
/// println!("deploy {}", issued.client_secret().expose()); // shown once
/// # Ok(()) }
/// ```
pub struct Seller<S = MemoryStore> {
    view: View<S>,
    seller: SellerId,
}

impl<S: Store> Seller<S> {
    pub(in crate::registry) fn new(registry: Registry<S>, actor: Actor, seller: SellerId) -> Self {
        Self { view: View { registry, actor, seller: Some(seller.clone()) }, seller }
    }

    /// Returns the seller's ID.
    ///
    /// ```
    /// # use client_registry::*;
    /// let contoso = Registry::in_memory().as_seller("contoso")?;
    /// assert_eq!(contoso.id().as_str(), "contoso");
    /// # Ok::<(), InvalidValue>(())
    /// ```
    #[must_use]
    pub fn id(&self) -> &SellerId {
        &self.seller
    }

    /// Registers a new client ID, offered worldwide, and issues its first client secret.
    ///
    /// A dropped call may leave a client ID whose client secret nobody has; [callers that go
    /// away](ClientHandle#callers-that-go-away) says how to keep a command from being dropped. Given again, the call is refused
    /// with [`Error::NameTaken`], which names the client ID and says when it was registered and that its secret was never used;
    /// [`client_named`](Self::client_named) finds it, too. Either [delete that client ID](ClientHandle::plan_client_deletion),
    /// which frees the name, and register again; or [add a secret](ClientHandle::add_secret) to it, and delete the first one.
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let contoso = Registry::in_memory().as_seller("contoso")?;
    /// let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// let issued = contoso.register(details, Lifetime::OneYear).await?;
    /// println!("{}: {}", issued.client_id(), issued.client_secret().expose());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// - [`Error::NameTaken`]: the seller has another client ID of this friendly name.
    /// - [`Refusal::RedirectNotAllowed`](crate::Refusal::RedirectNotAllowed): the policy does not allow the redirect URL.
    /// - [`Refusal::LifetimeTooLong`](crate::Refusal::LifetimeTooLong): the policy allows no such lifetime (rule 4).
    /// - [`Refusal::StartsInThePast`](crate::Refusal::StartsInThePast): the chosen start has passed.
    /// - [`Refusal::Invalid`](crate::Refusal::Invalid): the details or the label contain a client secret (rule 8), or the
    ///   validity is empty or overflows.
    /// - [`Error::Contention`], [`Error::KeyRetired`], [`Error::Entropy`], [`Error::Unavailable`], [`Error::Unresolved`]: as [for
    ///   every command](ClientHandle#errors-of-every-call).
    pub async fn register(&self, details: ClientDetails, lifetime: Lifetime) -> Result<Issued, Error> {
        self.register_with(details, Availability::Worldwide, NewSecret::lasting(lifetime)).await
    }

    /// Registers a new client ID with a chosen availability (rule 2), and issues its first client secret with a chosen label,
    /// purpose or start.
    ///
    /// A dropped call may leave the same behind as one of [`register`](Self::register).
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let contoso = Registry::in_memory().as_seller("contoso")?;
    /// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// let first = NewSecret::lasting(Lifetime::OneYear).for_purpose(Purpose::PasswordOnly);
    /// let issued = contoso.register_with(details, Availability::ChinaOnly, first).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`register`](Self::register).
    pub async fn register_with(
        &self,
        details: ClientDetails,
        availability: Availability,
        first: NewSecret,
    ) -> Result<Issued, Error> {
        let client_secret = self.view.registry.new_client_secret()?;
        let result = self.register_under_new_id(&details, availability, &first, &client_secret).await;
        hand_over_one(result, client_secret)
    }

    /// Returns a handle to one client ID, to look at it and to change it. Nothing is looked up yet.
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let contoso = Registry::in_memory().as_seller("contoso")?;
    /// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// # let issued = contoso.register(details, Lifetime::OneYear).await?;
    /// let calendar = contoso.client(issued.client_id());
    /// calendar.promote(issued.secret_id()).await?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn client(&self, client_id: &ClientId) -> ClientHandle<S> {
        ClientHandle::new(self.view.clone(), client_id.clone())
    }

    /// Finds the seller's client ID with a friendly name; `None` if there is none. Upper and lower case, and other spellings
    /// with the same [key](crate::value::FriendlyName::key), are the same name (rule 15).
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let contoso = Registry::in_memory().as_seller("contoso")?;
    /// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// # let issued = contoso.register(details, Lifetime::OneYear).await?;
    /// let found = contoso.client_named("Calendar").await?.expect("it is registered");
    /// assert_eq!(found.client().id(), issued.client_id());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// - [`Refusal::Invalid`](crate::Refusal::Invalid): the text is not a friendly name.
    /// - [`Error::Unavailable`]: the store did not answer, or the client that has the name cannot be read.
    pub async fn client_named(&self, friendly_name: &str) -> Result<Option<Snapshot>, Error> {
        let key = FriendlyName::parse(friendly_name)?.key();
        refuse_secret(Field::FriendlyName, friendly_name)?;
        let by = ClientsBy::Name(&self.seller, &key);
        let page = self.view.page(by, None, 1).await?;
        // The index is a hint: what it leads to is checked against the record.
        let is_it = |found: &Snapshot| found.client().details().friendly_name().key() == key;
        let found = page.items.into_iter().find(is_it);
        match page.unreadable.into_iter().next() {
            // The client that cannot be read may be the one that has the name.
            Some(unreadable) if found.is_none() => Err(StoreError::from(unreadable).into()),
            _ => Ok(found),
        }
    }

    /// Finds the client ID that an add-in uses (rule 1); `None` if it uses none, or one of another seller.
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let contoso = Registry::in_memory().as_seller("contoso")?;
    /// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// # let issued = contoso.register(details, Lifetime::OneYear).await?;
    /// # let calendar = contoso.client(issued.client_id());
    /// let add_in = AddIn::new("addin-17", Availability::Worldwide)?;
    /// calendar.associate(&add_in).await?;
    /// assert!(contoso.client_of(add_in.id()).await?.is_some());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// - [`Refusal::Invalid`](crate::Refusal::Invalid): the add-in's ID is a client secret (rule 8).
    /// - [`Error::Contention`]: the add-in moved to another client ID at each attempt to read it. Ask again.
    /// - [`Error::Unavailable`]: the store did not answer, or what it holds cannot be used.
    pub async fn client_of(&self, add_in: &AddInId) -> Result<Option<Snapshot>, Error> {
        self.view.client_of(add_in).await
    }

    /// Lists this seller's client IDs in the order of their IDs. A page has at most `limit` of them (at most 1,000), and begins
    /// after the ID `after`. Deleted ones are left out. A client that cannot be read is named in [`Page::unreadable`].
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let contoso = Registry::in_memory().as_seller("contoso")?;
    /// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// # let issued = contoso.register(details, Lifetime::OneYear).await?;
    /// let page = contoso.clients(None, 100).await?;
    /// assert_eq!(page.items().len(), 1);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the store does not answer.
    pub async fn clients(
        &self,
        after: Option<&ClientId>,
        limit: usize,
    ) -> Result<Page<Snapshot, ClientId>, Error> {
        self.view.page(ClientsBy::Seller(&self.seller), after, limit).await
    }

    /// Reports this seller's secrets that end within a span of time, including those that have ended already. The span includes
    /// its start and not its end; an empty or reversed one has no items. A page covers at most `limit` client IDs (at most
    /// 1,000) after the ID `after`; its items are in the order of their ends.
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let contoso = Registry::in_memory().as_seller("contoso")?;
    /// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// # let issued = contoso.register(details, Lifetime::OneYear).await?;
    /// let page = contoso.expiry_report(&(Timestamp::MIN..Timestamp::MAX), None, 100).await?;
    /// assert_eq!(page.items().len(), 1);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the store does not answer.
    pub async fn expiry_report(
        &self,
        ends: &Range<Timestamp>,
        after: Option<&ClientId>,
        limit: usize,
    ) -> Result<Page<Expiry, ClientId>, Error> {
        self.view.expiries_of(&self.seller, ends, after, limit).await
    }

    /// Returns this seller's notices that fall due within a window of time;
    /// [`Operator::due_notices`](crate::Operator::due_notices), which does so for all sellers, explains windows. A page covers
    /// at most `limit` client IDs (at most 1,000) after the ID `after`.
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let contoso = Registry::in_memory().as_seller("contoso")?;
    /// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// # let issued = contoso.register(details, Lifetime::OneYear).await?;
    /// let window = Timestamp::MIN..Timestamp::MAX;
    /// for notice in contoso.due_notices(&window, None, 100).await?.items() {
    ///     println!("secret {} ends in {}", notice.expiry.secret, notice.days);
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the store does not answer.
    pub async fn due_notices(
        &self,
        window: &Range<Timestamp>,
        after: Option<&ClientId>,
        limit: usize,
    ) -> Result<Page<Notice, ClientId>, Error> {
        self.view.notices_of(&self.seller, window, after, limit).await
    }

    async fn register_under_new_id(
        &self,
        details: &ClientDetails,
        availability: Availability,
        first: &NewSecret,
        client_secret: &ClientSecret,
    ) -> Result<Applied<()>, Error> {
        // A random ID is practically never taken; twice in a row, the random source is broken.
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
