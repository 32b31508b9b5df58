//! `Registry::keep_fresh`: follows the change feed for the cache, and writes last uses.
//!
//! The feed bounds how late a revocation reaches this node. So a feed that cannot be read, or begins anew, never makes a client in
//! memory last longer: in doubt everything in memory is dropped.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use crate::clock::{Clock, ClockReading};
use crate::event::EventText;
use crate::registry::Registry;
use crate::registry::serve::cache::Cache;
use crate::registry::serve::follow::Follower;
use crate::registry::walk::PAGE;
use crate::store::{Changes, Store};
use crate::store_error::{StoreError, StoreErrorKind, with_sources};

impl<S: Store> Registry<S> {
    /// Keeps the clients in this node's memory fresh by following the change feed, and writes last uses. Run it on every node:
    /// a change that was made on another node takes effect here with the next poll, and not only when the
    /// [`Freshness`](crate::Freshness) runs out. Clients that do not change are not loaded again.
    ///
    /// It begins at the end of the feed and with an empty memory: clients that were loaded before are dropped. The future never
    /// completes. It may be dropped, and the method called again, at any time.
    ///
    /// Between two polls it calls `wait` with the longest time until the next poll: a quarter of the freshness, and at most 30
    /// seconds. `wait` may return earlier, for example when a hint says that there is something to read. With the timer of a
    /// runtime, call `registry.keep_fresh(tokio::time::sleep)`; with hints from PostgreSQL, `registry.keep_fresh(|at_most|
    /// hints.wait(at_most))`.
    ///
    /// At least once a minute it writes the last uses that this node has noted, so that plans of other nodes know of them (rule
    /// 9). It does so with a freshness of zero and in memory, too.
    ///
    /// If the store does not answer, or has lost the place in the feed, it is asked again. A warning is logged the first time
    /// and then once a minute.
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

    /// Drops everything that this node remembers of the store: the clients in memory, and the revisions that it has seen. Call
    /// it after a backup was restored under a running process that does not run [`keep_fresh`](Self::keep_fresh), which notices
    /// a restored backup by itself.
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

/// How long a warning is not repeated.
const WARN_AGAIN: Duration = Duration::from_secs(60);
/// How long last uses wait before they are written: with one more pause, at most a minute.
const WRITE_AFTER: Duration = Duration::from_secs(30);
/// The longest time between two polls.
const MAX_PAUSE: Duration = Duration::from_secs(30);
