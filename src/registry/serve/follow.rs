//! `Follower`: a reader of the change feed, for an audit export, for notices, for the cache.
//!
//! The feed is the store's word. A follower checks each event by itself; a trail is proved by its client's record.

use std::fmt;

use crate::event::Event;
use crate::registry::Registry;
use crate::store::{Changes, Cursor, MemoryStore, Store};
use crate::store_error::{StoreError, StoreErrorKind};

/// A reader of the change feed: the events of all clients, in the order of commits. [`Registry::follow`] and
/// [`Registry::follow_from_now`] return one.
///
/// ```
/// # use client_registry::*;
/// # pollster::block_on(async {
/// let registry = Registry::in_memory();
/// let mut follow = registry.follow(None);
/// # let details = ClientDetails::new("calendar app", "app.contoso.com", "https://app.contoso.com/done")?;
/// # let contoso = registry.as_seller("contoso")?;
/// # let issued = contoso.register(details, Lifetime::OneYear).await?;
/// loop {
///     let events = follow.next(100).await?;
///     for event in &events {
///         println!("{} {}: {:?}", event.at(), event.client_id(), event.fact());
///     }
///     // Keep the cursor together with what you made of the events: from there you go on after a restart.
///     let cursor = follow.cursor();
///     if events.is_empty() {
///         break; // or wait a moment, and go on
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
pub struct Follower<S = MemoryStore> {
    registry: Registry<S>,
    pub(super) cursor: Option<Cursor>,
}

impl<S: Store> Registry<S> {
    /// Returns a reader of the change feed that begins after a cursor, or at the first event with `None`.
    ///
    /// ```
    /// # use client_registry::Registry;
    /// # pollster::block_on(async {
    /// let mut follow = Registry::in_memory().follow(None);
    /// for event in follow.next(100).await? {
    ///     println!("{:?}", event.fact());
    /// }
    /// # Ok::<(), client_registry::store::StoreError>(())
    /// # }).unwrap();
    /// ```
    pub fn follow(&self, after: Option<Cursor>) -> Follower<S> {
        Follower { registry: self.clone(), cursor: after }
    }

    /// Returns a reader of the change feed that begins now: it returns the events of later commits only.
    ///
    /// ```
    /// # use client_registry::Registry;
    /// # pollster::block_on(async {
    /// let mut follow = Registry::in_memory().follow_from_now().await?;
    /// assert!(follow.next(100).await?.is_empty());
    /// # Ok::<(), client_registry::store::StoreError>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`StoreError`] if the store did not answer.
    pub async fn follow_from_now(&self) -> Result<Follower<S>, StoreError> {
        let cursor = self.inner.store.latest().await?;
        Ok(self.follow(Some(cursor)))
    }
}

impl<S: Store> Follower<S> {
    /// Returns the next events: at most `limit` of them (at least 1). An answer with fewer events contains every commit that
    /// was acknowledged before the call; an empty answer means that there are no more events for now. The events of one client
    /// come in the order of its trail.
    ///
    /// The feed is only as trustworthy as the store. To prove that no event was added to or left out of a client's trail,
    /// [check](crate::event::check_trail) the trail against its [head](crate::ClientHandle::head), which is in the sealed
    /// record.
    ///
    /// # Errors
    /// [`StoreError`]. The cursor stays where it was, unless the kind is `Tampered`:
    /// - [`StoreErrorKind::CursorLost`]: the store does not know the cursor, for example after a backup was restored. Begin
    ///   again with `None`, and expect events that you have read before.
    /// - [`StoreErrorKind::NewerFormat`]: a newer version of this crate wrote the next event.
    /// - [`StoreErrorKind::Tampered`]: the next event is not what was written. It is reported once, and the cursor moves past
    ///   it, so that the reader can continue. [`check`](Registry::check) says which client the event belongs to.
    /// - Other kinds: the store did not answer. Call it again.
    pub async fn next(&mut self, limit: usize) -> Result<Vec<Event>, StoreError> {
        let mut limit = limit.max(1);
        loop {
            let Changes { events: texts, cursor } = self.changes(limit).await?;
            let mut events = Vec::with_capacity(texts.len());
            let mut damaged = None;
            for text in &texts {
                match Event::parse(text) {
                    Ok(event) => events.push(event),
                    Err(error) => {
                        damaged = Some(error);
                        break;
                    }
                }
            }
            match damaged {
                None => {
                    self.cursor = Some(cursor);
                    return Ok(events);
                }
                // First the events before it. Only the store can tell the cursor between two events.
                Some(_) if !events.is_empty() => limit = events.len(),
                Some(error) if error.kind() == StoreErrorKind::Tampered => {
                    self.cursor = Some(self.changes(1).await?.cursor);
                    return Err(error);
                }
                Some(error) => return Err(error),
            }
        }
    }

    /// The texts of the next events. The cursor stays where it is.
    pub(super) async fn changes(&self, limit: usize) -> Result<Changes, StoreError> {
        self.registry.inner.store.changes(self.cursor.as_ref(), limit).await
    }

    /// Returns the cursor after the last event that was returned; `None` before the first.
    #[must_use]
    pub fn cursor(&self) -> Option<&Cursor> {
        self.cursor.as_ref()
    }
}

impl<S> fmt::Debug for Follower<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Follower").field("cursor", &self.cursor).finish_non_exhaustive()
    }
}
