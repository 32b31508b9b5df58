//! `Operator`: every client ID, as an operator of the platform sees it.
//!
//! An operator may act for every seller; events name the operator. Reports over all sellers follow the store's index of ends.

use std::fmt;
use std::ops::Range;

use crate::client::{Client, CommandContext, ImportedClient, Refusal};
use crate::record::Opened;
use crate::registry::manage::view::View;
use crate::registry::{ClientHandle, Error, Outcome, Page, Registry, Seller, Snapshot};
use crate::review::{Expiry, Notice};
use crate::store::{ClientsBy, Ending, MemoryStore, Store};
use crate::value::secret_text::refuse_secret;
use crate::value::{Actor, AddInId, ClientId, Field, InvalidValue, SellerId, Timestamp};

/// An operator's view of the registry: every client ID of every seller. Events name the operator.
///
/// [`Registry::as_operator`] returns it. The application must have authenticated the operator before.
///
/// ```
/// # use client_registry::*;
/// # #[pollster::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let operator = Registry::in_memory().as_operator("ann")?;
/// let page = operator.clients(None, 100).await?;
/// println!("{} client IDs, {} of them unreadable", page.items().len(), page.unreadable().len());
/// # Ok(()) }
/// ```
pub struct Operator<S = MemoryStore> {
    pub(super) view: View<S>,
}

impl<S: Store> Operator<S> {
    pub(in crate::registry) fn new(registry: Registry<S>, actor: Actor) -> Self {
        Self { view: View { registry, actor, seller: None } }
    }

    /// Returns a view of one seller's client IDs. Commands through it are the operator's: events name the operator, not the
    /// seller.
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let operator = Registry::in_memory().as_operator("ann")?;
    /// let contoso = operator.seller("contoso")?;
    /// let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// contoso.register(details, Lifetime::OneYear).await?; // the event names ann
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`InvalidValue`] if the text is not a seller's ID (1 to 128 printable ASCII characters without spaces), or is a client
    /// secret (rule 8).
    pub fn seller(&self, seller: impl AsRef<str>) -> Result<Seller<S>, InvalidValue> {
        let seller = SellerId::parse(seller.as_ref())?;
        refuse_secret(Field::SellerId, seller.as_str())?;
        Ok(Seller::new(self.view.registry.clone(), self.view.actor.clone(), seller))
    }

    /// Returns a handle to one client ID of any seller, to look at it and to change it. Nothing is looked up yet.
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let operator = Registry::in_memory().as_operator("ann")?;
    /// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// # let issued = operator.seller("contoso")?.register(details, Lifetime::OneYear).await?;
    /// let calendar = operator.client(issued.client_id());
    /// println!("{:?}", calendar.review().await?);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn client(&self, client_id: &ClientId) -> ClientHandle<S> {
        ClientHandle::new(self.view.clone(), client_id.clone())
    }

    /// Finds the client ID that an add-in uses (rule 1); `None` if it uses none.
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let operator = Registry::in_memory().as_operator("ann")?;
    /// # use client_registry::AddInId;
    /// let found = operator.client_of(&AddInId::parse("addin-17")?).await?;
    /// assert!(found.is_none());
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

    /// Lists the client IDs of all sellers in the order of their IDs. A page has at most `limit` of them (at most 1,000), and
    /// begins after the ID `after`. Deleted ones are left out. A client that cannot be read is named in [`Page::unreadable`].
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let operator = Registry::in_memory().as_operator("ann")?;
    /// for found in operator.clients(None, 100).await?.items() {
    ///     println!("{} of {}", found.client().id(), found.client().owner());
    /// }
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
        self.view.page(ClientsBy::All, after, limit).await
    }

    /// Reports the secrets of all sellers that end within a span of time, including those that have ended already. The span
    /// includes its start and not its end; an empty or reversed one has no items. A page has at most `limit` items (at most
    /// 1,000), in the order of their ends, after the end `after`.
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let operator = Registry::in_memory().as_operator("ann")?;
    /// let page = operator.expiry_report(&(Timestamp::MIN..Timestamp::MAX), None, 100).await?;
    /// for expiry in page.items() {
    ///     println!("{} {} secret {}", expiry.ends, expiry.client_id, expiry.secret);
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the store does not answer.
    pub async fn expiry_report(
        &self,
        ends: &Range<Timestamp>,
        after: Option<&Ending>,
        limit: usize,
    ) -> Result<Page<Expiry, Ending>, Error> {
        self.view.expiries(ends, after, limit).await
    }

    /// Returns the notices of all sellers that fall due within a window of time. A notice falls due 90, 60, 30, 15, 7 and 1
    /// days before a secret ends ([`Notice::DAYS`]). A page is about at most `limit` secrets (at most 1,000), in the order of
    /// their ends, after the end `after`; all notices about one secret are on one page.
    ///
    /// A window includes its start and not its end; an empty or reversed one has no notices. Keep the end of each window, and
    /// begin the next window there: then each notice is given once, however long the windows are. A long window has several
    /// notices about one secret, of which the last is the most urgent. Let a window end a minute or more ago: then it misses no
    /// secret that is added on a node whose clock is behind (rule 19).
    ///
    /// A notice is left out if the secret was disabled or not yet valid when the notice fell due, or if only after that instant
    /// the end was decided or the client ID was transferred; see [`Client::notices`].
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let operator = Registry::in_memory().as_operator("nightly-job")?;
    /// # let (kept, now) = (Timestamp::MIN, Timestamp::MAX);
    /// let window = kept..now; // where the last window ended; then keep `now`
    /// let mut after = None;
    /// loop {
    ///     let page = operator.due_notices(&window, after.as_ref(), 100).await?;
    ///     for notice in page.items() {
    ///         println!("{}: secret {} ends in {}", notice.expiry.owner, notice.expiry.secret, notice.days);
    ///     }
    ///     after = page.next().cloned();
    ///     if after.is_none() {
    ///         break;
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the store does not answer.
    pub async fn due_notices(
        &self,
        window: &Range<Timestamp>,
        after: Option<&Ending>,
        limit: usize,
    ) -> Result<Page<Notice, Ending>, Error> {
        self.view.notices(window, after, limit).await
    }

    /// Imports a client ID with its secrets and add-ins (rule 18). The same import again changes nothing.
    ///
    /// A dropped call may have imported the client ID: give it again, or [delete the client
    /// ID](ClientHandle::plan_client_deletion), which is then never used again.
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let operator = Registry::in_memory().as_operator("ann")?;
    /// # use client_registry::client::{ImportedClient, ImportedSecret};
    /// # use client_registry::{secret::KeyEncoding, value::Validity};
    /// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// # let validity = Validity::new("2026-01-01T00:00:00Z".parse::<Timestamp>()?, None)?;
    /// let secret = ImportedSecret::new(ClientSecret::parse("8f3kd02-Lx91mq+Zt7wTavRe")?, validity, KeyEncoding::Utf8);
    /// let (id, owner) = (ClientId::parse("calendar-app")?, SellerId::parse("contoso")?);
    /// let calendar = ImportedClient::new(id, owner, details, Availability::Worldwide).with_secret(secret);
    /// assert_eq!(operator.import(calendar).await?, Outcome::Changed);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// - [`Error::NameTaken`], [`Error::AddInTaken`]: another client ID has the friendly name or an add-in.
    /// - [`Refusal::ClientExists`], [`Refusal::SecretExists`]: the client ID or a client secret exists in the registry and
    ///   differs from the import.
    /// - [`Refusal::ClientDeleted`], [`Refusal::Remembered`]: the client ID or a client secret was deleted and cannot be
    ///   imported again (rules 10 and 13).
    /// - [`Refusal::Weak`]: a client secret is easy to guess.
    /// - [`Refusal::Invalid`]: a client secret cannot be decoded as its key encoding says, or a public value contains a client
    ///   secret.
    /// - [`Refusal::NamedTwice`]: the import names a secret twice, or more than one that signs today.
    /// - [`Refusal::TooManySecrets`], [`Refusal::TooManyAddIns`]: the import has more secrets that have not ended than the
    ///   policy allows, or more than 256 add-ins.
    /// - [`Refusal::AvailabilityDiffers`]: an add-in has another availability than the client ID (rule 2).
    /// - [`Refusal::RedirectNotAllowed`]: the policy does not allow the scheme of the redirect URL.
    /// - [`Refusal::CannotSign`], [`Refusal::NotValidThen`]: the secret that is marked as signing today is for passwords only,
    ///   or not valid now.
    /// - [`Error::Contention`], [`Error::KeyRetired`], [`Error::Unavailable`], [`Error::Unresolved`]: as [for every
    ///   command](ClientHandle#errors-of-every-call).
    pub async fn import(&self, imported: ImportedClient) -> Result<Outcome, Error> {
        // Another caller may import it between the look-up and the commit: then it is there the second time.
        for _ in 0..2 {
            match self.view.find(imported.id()).await? {
                Some(opened) => {
                    let Opened::Active(live) = &opened else {
                        return Err(Refusal::ClientDeleted.into());
                    };
                    live.import_again(&imported, &self.view.context(&opened))?;
                    return Ok(Outcome::Unchanged);
                }
                None => {
                    let import = |context: &CommandContext<'_>| Client::import(&imported, context);
                    if self.view.create("import", import).await?.is_some() {
                        return Ok(Outcome::Changed);
                    }
                }
            }
        }
        Err(Error::Contention { attempts: 2 })
    }
}

impl<S: Store> fmt::Debug for Operator<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operator").field("actor", &self.view.actor).finish_non_exhaustive()
    }
}
