//! Looking at one client: its state, its findings, its trail (rule 16).
//!
//! Nothing here changes anything. A trail is read no further than a client can have gone, since a store is not trusted.

use tracing::Instrument;

use crate::client::Refusal;
use crate::event::{Event, EventHash};
use crate::registry::{ClientHandle, Error, Snapshot};
use crate::review::Finding;
use crate::store::Store;
use crate::store_error::tampered;
use crate::value::Revision;

/// # Looking at the client
impl<S: Store> ClientHandle<S> {
    /// Returns the client as it is now, with the last uses of its secrets.
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let contoso = Registry::in_memory().as_seller("contoso")?;
    /// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// # let issued = contoso.register(details, Lifetime::OneYear).await?;
    /// # let calendar = contoso.client(issued.client_id());
    /// let snapshot = calendar.snapshot().await?;
    /// assert_eq!(snapshot.signing().secret(), Some(issued.secret_id()));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Only the [errors of every call](Self#errors-of-every-call).
    pub async fn snapshot(&self) -> Result<Snapshot, Error> {
        let looked = async {
            let opened = self.view.load(&self.client_id).await?;
            self.view.look_at(&opened).await?.ok_or_else(|| Refusal::ClientDeleted.into())
        };
        looked.instrument(self.span("snapshot")).await
    }

    /// Returns the findings of a review: what does not work now, what will stop working, and what could be better. The most
    /// severe finding comes first; see [`Client::review`](crate::client::Client::review).
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let contoso = Registry::in_memory().as_seller("contoso")?;
    /// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// # let issued = contoso.register(details, Lifetime::OneYear).await?;
    /// # let calendar = contoso.client(issued.client_id());
    /// for finding in calendar.review().await? {
    ///     println!("{finding}");
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Only the [errors of every call](Self#errors-of-every-call).
    pub async fn review(&self) -> Result<Vec<Finding>, Error> {
        let snapshot = self.snapshot().await?;
        Ok(snapshot.review())
    }

    /// Returns a part of the client's trail: the events of the commits after a revision, of at most `limit` commits (at most
    /// 1,000). Begin with [`Revision::ZERO`], and continue with the revision of the last event that was returned. An empty
    /// answer means that the trail ends there. The trail of a deleted client stays readable (rule 16).
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let contoso = Registry::in_memory().as_seller("contoso")?;
    /// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// # let issued = contoso.register(details, Lifetime::OneYear).await?;
    /// # let calendar = contoso.client(issued.client_id());
    /// # use client_registry::value::Revision;
    /// for event in calendar.trail(Revision::ZERO, 100).await? {
    ///     println!("{} {}: {:?}", event.at(), event.actor(), event.fact());
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// - [`Refusal::UnknownClient`]: the client ID does not exist, or the actor may not see it (rule 15).
    /// - [`Error::Unavailable`]: the store did not answer, or what it holds cannot be used. The kind is
    ///   [`Tampered`](crate::store::StoreErrorKind::Tampered) if the store holds events that this crate did not write.
    pub async fn trail(&self, after: Revision, limit: usize) -> Result<Vec<Event>, Error> {
        let limit = limit.clamp(1, MAX_COMMITS);
        let read = async {
            self.view.load(&self.client_id).await?;
            let commits = self.view.registry.history(&self.client_id, after, limit).await?;
            let texts = commits.iter().flat_map(|commit| &commit.events);
            let events: Vec<_> = texts.map(Event::parse).collect::<Result<_, _>>()?;
            match events.iter().all(|event| *event.client_id() == self.client_id) {
                true => Ok(events),
                false => Err(tampered("the trail of one client has events of another").into()),
            }
        };
        read.instrument(self.span("trail")).await
    }

    /// Returns the hash of the client's latest event. It comes from the sealed record, so it cannot be forged in the store. It
    /// is there after the client's deletion, too (rule 16).
    ///
    /// A third party that holds the trail and this hash can prove, without this crate, that no event was left out, edited or
    /// added: see [`check_trail`](crate::event::check_trail).
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let contoso = Registry::in_memory().as_seller("contoso")?;
    /// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// # let issued = contoso.register(details, Lifetime::OneYear).await?;
    /// # let calendar = contoso.client(issued.client_id());
    /// # use client_registry::value::Revision;
    /// let trail = calendar.trail(Revision::ZERO, 100).await?;
    /// assert_eq!(trail.last().map(Event::hash), Some(calendar.head().await?));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// - [`Refusal::UnknownClient`]: the client ID does not exist, or the actor may not see it (rule 15).
    /// - [`Error::Unavailable`]: the store did not answer, or what it holds cannot be used.
    pub async fn head(&self) -> Result<EventHash, Error> {
        let looked = async { Ok(self.view.load(&self.client_id).await?.head()) };
        looked.instrument(self.span("head")).await
    }
}

/// The most commits of a trail that are read at once.
const MAX_COMMITS: usize = 1000;
