//! Following the change feed: for the cache, for an audit export, for notices.
//!
//! The feed bounds how late a revocation reaches this node. So a feed that cannot be read, or begins anew, never makes a client in
//! memory last longer: in doubt everything in memory is dropped.

use std::convert::Infallible;
use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use crate::clock::{Clock, ClockReading};
use crate::event::{Event, EventText};
use crate::registry::Registry;
use crate::registry::serve::cache::Cache;
use crate::store::{Changes, Cursor, MemoryStore, Store};
use crate::store_error::{StoreError, StoreErrorKind, with_sources};

/// A reader of the change feed. [`Registry::follow`] and [`Registry::follow_from_now`] give one.
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
    cursor: Option<Cursor>,
}

impl<S: Store> Registry<S> {
    /// Returns a reader of the change feed after a cursor; from the first event with `None`.
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

    /// Returns a reader of the change feed from now on.
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
    /// [`StoreError`] when the store does not answer.
    pub async fn follow_from_now(&self) -> Result<Follower<S>, StoreError> {
        let cursor = self.inner.store.latest().await?;
        Ok(self.follow(Some(cursor)))
    }

    /// Keeps the clients in this node's memory fresh by following the change feed. A change on another node is known here after
    /// `wait`, and not only when [`Freshness`](crate::Freshness) runs out; clients that do not change are not loaded again.
    ///
    /// It begins at the end of the feed and with an empty memory: clients that were loaded before are dropped. The future never
    /// ends. Drop it at any time, and call the method again at any time.
    ///
    /// `wait` is called between polls with the longest time until the next one: a quarter of the freshness, and at most 30 s. It
    /// may return sooner, for example when a hint says that there is something to read. With a runtime's timer it is
    /// `registry.keep_fresh(tokio::time::sleep)`; with hints from PostgreSQL, `registry.keep_fresh(|at_most| hints.wait(at_most))`.
    ///
    /// It also writes the last uses that this node has noted, at least once a minute, so that plans of other nodes know of them
    /// (rule 9); even where there is nothing to keep fresh.
    ///
    /// A store that does not answer, or has lost the place in the feed, is asked again; a warning is logged when that begins and
    /// once a minute.
    ///
    /// ```
    /// # use client_registry::Registry;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # let registry = Registry::in_memory();
    /// tokio::spawn(async move { registry.keep_fresh(tokio::time::sleep).await });
    /// # }
    /// ```
    pub async fn keep_fresh<F>(&self, wait: impl Fn(Duration) -> F + Send + Sync) -> Infallible
    where
        F: Future + Send,
    {
        // Side by side: a store that is slow to write delays no revocation.
        let mut following = pin!(self.keep_following(wait));
        let mut writing = pin!(self.keep_writing());
        poll_fn(|context| match writing.as_mut().poll(context) {
            Poll::Ready(never) => match never {},
            Poll::Pending => following.as_mut().poll(context),
        })
        .await
    }

    /// Writes last uses now and then. Poll it whenever [`keep_following`](Self::keep_following) is polled, which wakes up often
    /// enough for both.
    async fn keep_writing(&self) -> Infallible {
        let clock = &*self.inner.clock;
        let (mut written, mut warned) = (ClockReading::of(clock), None::<ClockReading>);
        loop {
            poll_fn(|_| match written.age(clock) >= WRITE_AFTER {
                true => Poll::Ready(()),
                false => Poll::Pending,
            })
            .await;
            written = ClockReading::of(clock);
            if let Err(error) = self.flush_last_uses().await
                && warned.is_none_or(|last| last.age(clock) >= WARN_AGAIN)
            {
                warned = Some(ClockReading::of(clock));
                tracing::warn!(why = with_sources(&error), "last uses cannot be written");
            }
        }
    }

    async fn keep_following<F>(&self, wait: impl Fn(Duration) -> F + Send + Sync) -> Infallible
    where
        F: Future + Send,
    {
        let clock = &*self.inner.clock;
        let (mut unreadable, mut lost) = (OnceAMinute::default(), OnceAMinute::default());
        // Kept when the store fails: events that passed meanwhile come afterwards, or are reported as lost.
        let mut following = None;
        loop {
            // Where nothing is in memory there is nothing to keep fresh.
            let cache = self.inner.cache.as_ref().filter(|cache| !cache.freshness().limit().is_zero());
            let pause = match cache {
                None => MAX_PAUSE,
                Some(cache) => {
                    let Err(error) = self.follow_for(cache, &mut following, &mut unreadable, &wait).await;
                    let why = || with_sources(&error);
                    if error.kind() != StoreErrorKind::CursorLost {
                        if unreadable.is_due(clock) {
                            tracing::warn!(why = why(), "the change feed cannot be read");
                        }
                    } else if following.take().is_some_and(|following| following.has_drained) {
                        // A backup was restored, or another server is the primary now: nothing that was seen counts.
                        if lost.is_due(clock) {
                            let what = "the change feed begins anew: everything kept in memory is dropped";
                            tracing::warn!(why = why(), "{what}");
                        }
                        self.forget();
                    } else if lost.is_due(clock) {
                        // The feed has vouched for nothing yet, so there is nothing to forget.
                        let what = "the change feed cannot be followed: what is kept in memory lasts as long as its freshness";
                        tracing::warn!(why = why(), "{what}");
                    }
                    pause(cache)
                }
            };
            drop(wait(pause).await);
        }
    }

    /// Drops everything that this node keeps of the store in memory: opened clients, and the revisions that it saw. Call it after
    /// a backup was restored, where [`keep_fresh`](Self::keep_fresh) does not find out by itself.
    ///
    /// ```
    /// # use client_registry::Registry;
    /// # let registry = Registry::in_memory();
    /// registry.forget(); // a backup was restored under the running process
    /// ```
    pub fn forget(&self) {
        if let Some(protection) = &self.inner.protection {
            protection.forget();
        }
        if let Some(cache) = &self.inner.cache {
            cache.clear();
        }
    }

    /// Follows the feed until the store fails, from the place that was reached or from now on.
    async fn follow_for<F>(
        &self,
        cache: &Cache,
        following: &mut Option<Following<S>>,
        unreadable: &mut OnceAMinute,
        wait: &(impl Fn(Duration) -> F + Send + Sync),
    ) -> Result<Infallible, StoreError>
    where
        F: Future + Send,
    {
        let clock = &*self.inner.clock;
        let Following { follow, has_drained } = match following {
            Some(following) => following,
            None => {
                let follow = self.follow_from_now().await?;
                following.insert(Following { follow, has_drained: false })
            }
        };
        loop {
            let sent = ClockReading::of(clock);
            let Changes { events, cursor } = follow.changes(PAGE).await?;
            take_out(cache, &events, unreadable, clock);
            follow.cursor = Some(cursor);
            if events.len() < PAGE {
                if !std::mem::replace(has_drained, true) {
                    // Loads that are sent from now on see everything before the cursor; later events are going to pass. Clients
                    // that were loaded before may have changed in between.
                    cache.clear();
                }
                cache.drained(sent);
                drop(wait(pause(cache)).await);
            }
        }
    }
}

/// A reader of the feed for the cache.
struct Following<S> {
    follow: Follower<S>,
    /// It has reached the end of the feed once, and so vouches for what is in memory.
    has_drained: bool,
}

/// A warning that is not repeated for a minute.
#[derive(Default)]
struct OnceAMinute(Option<ClockReading>);

impl OnceAMinute {
    fn is_due(&mut self, clock: &dyn Clock) -> bool {
        let is_due = self.0.as_ref().is_none_or(|last| last.age(clock) >= WARN_AGAIN);
        if is_due {
            self.0 = Some(ClockReading::of(clock));
        }
        is_due
    }
}

impl<S: Store> Follower<S> {
    /// Returns the next events: at most `limit` (at least 1). A short answer contains every commit that was acknowledged before the
    /// call; an empty one means that there is nothing more for now. A client's events come in the order of its trail.
    ///
    /// The feed says what the store says. To prove that no event was added to or left out of a client's trail,
    /// [check](crate::event::check_trail) the trail against the [head](crate::ClientHandle::head) that its record vouches for.
    ///
    /// # Errors
    /// [`StoreError`]; the cursor stays where it was, unless the kind is `Tampered`:
    /// - [`StoreErrorKind::CursorLost`]: the store does not know the cursor, as after a restored backup. Begin anew, and expect
    ///   events that you have had.
    /// - [`StoreErrorKind::NewerFormat`]: a newer version of this crate wrote the next event.
    /// - [`StoreErrorKind::Tampered`]: the next event is not what was written. It is reported once; then the cursor is behind it, so
    ///   that the events of other clients go on. [`check`](Registry::check) says whose event it is.
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
    async fn changes(&self, limit: usize) -> Result<Changes, StoreError> {
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

/// The time between two polls.
fn pause(cache: &Cache) -> Duration {
    (cache.freshness().limit() / 4).clamp(Duration::from_millis(1), MAX_PAUSE)
}

/// Takes the clients of events out of the cache, or everything if an event does not tell its client.
fn take_out(cache: &Cache, events: &[EventText], unreadable: &mut OnceAMinute, clock: &dyn Clock) {
    let mut last = None;
    for event in events {
        match event.client_id() {
            // Events in a row are often about one client.
            Some(client_id) if last.as_ref() == Some(&client_id) => {}
            Some(client_id) => {
                cache.take_out((&client_id).into());
                last = Some(client_id);
            }
            None => {
                if unreadable.is_due(clock) {
                    let what =
                        "an event of the change feed cannot be read: everything kept in memory is dropped";
                    tracing::warn!("{what}");
                }
                cache.clear();
                last = None;
            }
        }
    }
}

/// How many events are read at once.
const PAGE: usize = 1000;
const WARN_AGAIN: Duration = Duration::from_secs(60);
/// How long last uses wait before they are written: with one more pause, at most a minute.
const WRITE_AFTER: Duration = Duration::from_secs(30);
const MAX_PAUSE: Duration = Duration::from_secs(30);
