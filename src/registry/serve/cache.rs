//! `Cache`: opened clients in memory, with a stated limit to how stale they can be.
//!
//! An entry is fresh until [`Freshness`] after its own load was sent, or after the latest poll that drained the change feed was
//! sent, and never for longer than the [limit](crate::RegistryBuilder::reload_after) after which it is loaded again whatever the
//! feed says. After that the store is asked; if it does not answer, the caller is neither let in nor denied.
//!
//! A client that this node commits leaves the cache before the commit is sent and again before it is acknowledged; one that
//! another node commits leaves it when its event passes. A load enters only if its client was not taken out since the load began.
//! Traffic never makes an entry last longer. Each of these is a bound on how late a revocation can be: touch them with care.

mod flight;

use std::hash::BuildHasher;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use self::flight::{Flights, Found, Landed};
use crate::clock::{Clock, ClockReading};
use crate::record::{Opened, RecordId};
use crate::store::Commit;
use crate::store_error::{StoreError, StoreErrorKind};

/// The freshness of a node: the longest time for which it may authenticate, sign and verify with a client that has changed
/// since. It is 5 seconds unless configured otherwise.
///
/// A change takes effect at once on the node that made it, and within this time on every other node, whatever the network does.
/// A node that follows the feed ([`Registry::keep_fresh`](crate::Registry::keep_fresh)) learns of changes earlier and asks the
/// store less often. Commands always read the store.
///
/// ```
/// # use client_registry::{Freshness, Registry};
/// # use std::time::Duration;
/// let builder = Registry::builder().freshness(Freshness::within(Duration::from_secs(1)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Freshness(Duration);

impl Freshness {
    /// Returns a freshness of at most this long. With zero every call asks the store. A value between zero and 100 milliseconds
    /// is refused when the registry is [opened](crate::RegistryBuilder::open): no store reliably answers that fast, and an
    /// answer that comes too late authenticates nobody.
    #[must_use]
    pub fn within(limit: impl Into<Duration>) -> Self {
        Self(limit.into())
    }

    /// Returns the longest time.
    #[must_use]
    pub fn limit(self) -> Duration {
        self.0
    }

    pub(in crate::registry) fn is_too_short(self) -> bool {
        !self.0.is_zero() && self.0 < SHORTEST
    }
}

impl Default for Freshness {
    fn default() -> Self {
        Self(Duration::from_secs(5))
    }
}

pub(in crate::registry) struct Cache {
    freshness: Freshness,
    /// How long after its load an entry is loaded again, whatever polls say.
    reload_after: Duration,
    clients: quick_cache::sync::Cache<String, Entry>,
    /// Client IDs that do not exist, so that asking for them again costs the store nothing. Apart and few, so that they push no
    /// client out.
    unknown: quick_cache::sync::Cache<String, Age>,
    flights: Flights,
    /// When the latest poll that drained the feed was sent.
    drained: RwLock<Option<ClockReading>>,
}

#[derive(Clone)]
struct Entry {
    opened: Opened,
    age: Age,
}

/// The age of a load.
#[derive(Debug, Clone, Copy)]
struct Age {
    /// When the load was sent.
    loaded: ClockReading,
    /// After how many seconds it is loaded again, whatever polls say.
    lasts: u32,
}

impl Cache {
    pub(in crate::registry) fn new(freshness: Freshness, reload_after: Duration, capacity: usize) -> Self {
        Self {
            freshness,
            reload_after,
            clients: quick_cache::sync::Cache::new(capacity.max(1)),
            unknown: quick_cache::sync::Cache::new(UNKNOWN),
            flights: Flights::default(),
            drained: RwLock::new(None),
        }
    }

    pub(in crate::registry) fn freshness(&self) -> Freshness {
        self.freshness
    }

    /// The fresh entry of a client, or the fresh knowledge that there is none.
    #[inline]
    pub(in crate::registry) fn fresh(&self, id: RecordId<'_>, clock: &dyn Clock) -> Option<Option<Opened>> {
        let key = id.as_str();
        if self.freshness.limit().is_zero() {
            return None;
        }
        if let Some(entry) = self.clients.get(key) {
            if self.is_fresh(&entry.age, clock) {
                return Some(Some(entry.opened));
            }
            self.clients.remove_if(key, |entry| !self.is_fresh(&entry.age, clock));
        }
        self.is_unknown(key, clock).then_some(None)
    }

    /// The client of an ID, at most as stale as promised. Callers that miss the same client share one load.
    pub(in crate::registry) async fn get<F>(
        &self,
        id: RecordId<'_>,
        clock: &dyn Clock,
        load: impl Fn() -> F + Send,
    ) -> Found
    where
        F: Future<Output = Found> + Send + 'static,
    {
        if self.freshness.limit().is_zero() {
            return load().await;
        }
        let key = id.as_str();
        for _ in 0..LOOKS {
            let landed = {
                // A load may have landed since this caller looked.
                let begin = || match self.fresh(id, clock) {
                    Some(found) => Err(found),
                    None => Ok((ClockReading::of(clock), load())),
                };
                let is_in_time = |sent| self.is_fresh(&Age { loaded: sent, lasts: self.lasts(key) }, clock);
                let mut seat = match self.flights.join(key, is_in_time, begin) {
                    Ok(seat) => seat,
                    Err(found) => return Ok(found),
                };
                seat.landed(|sent, found, is_joined| self.land(key, sent, found, is_joined, clock)).await
            };
            let Some(Landed { found, sent, was_fresh, was_overtaken }) = landed else {
                continue;
            };
            match &*found {
                Err(error) => return Err(error.share()),
                Ok(found) if self.is_young(&sent, clock) => return Ok(found.clone()),
                Ok(_) => {}
            }
            // The load may have been fresh when it landed. The cache tells whether it still is, or whether there is a later one.
            if let Some(found) = self.fresh(id, clock) {
                return Ok(found);
            }
            if !was_fresh && !was_overtaken {
                break;
            }
        }
        Err(StoreError::with_source(
            StoreErrorKind::Unavailable,
            "the answers of the store take longer than the freshness allows",
        ))
    }

    /// Keeps the result of a load unless its client was taken out since, and returns whether it was fresh. The client cannot be
    /// taken out meanwhile.
    fn land(&self, key: &str, sent: ClockReading, found: &Found, is_joined: bool, clock: &dyn Clock) -> bool {
        let age = Age { loaded: sent, lasts: self.lasts(key) };
        // A load that was on its way until it was stale lets nobody in. A poll vouches for every client that it carried no event
        // of.
        let was_fresh = if is_joined { self.is_fresh(&age, clock) } else { self.is_young(&sent, clock) };
        if is_joined && was_fresh {
            match found {
                Ok(Some(opened)) => {
                    self.clients.insert(key.to_owned(), Entry { opened: opened.clone(), age })
                }
                Ok(None) => self.unknown.insert(key.to_owned(), age),
                Err(_) => {}
            }
        }
        was_fresh
    }

    /// Takes a client out: callers ask the store from now on, and a load that is under way does not enter.
    pub(in crate::registry) fn take_out(&self, id: RecordId<'_>) {
        self.flights.detach(id.as_str(), || {
            self.clients.remove(id.as_str());
            self.unknown.remove(id.as_str());
        });
    }

    /// Takes out the clients of a commit, now and when the guard that is returned is dropped: once the outcome is known, or the
    /// caller has gone away.
    pub(in crate::registry) fn committing<'a>(&'a self, commit: &'a Commit) -> Committing<'a> {
        let committing = Committing { cache: self, commit };
        committing.take_out();
        committing
    }

    /// Takes everything out.
    pub(in crate::registry) fn clear(&self) {
        self.flights.detach_all(|| {
            *self.drained.write().unwrap_or_else(PoisonError::into_inner) = None;
            self.clients.clear();
            self.unknown.clear();
        });
    }

    /// Notes that a poll that was sent at `sent` drained the feed. It vouches for every entry: those from before the feed was
    /// followed were [cleared](Self::clear).
    pub(in crate::registry) fn drained(&self, sent: ClockReading) {
        *self.drained.write().unwrap_or_else(PoisonError::into_inner) = Some(sent);
    }

    fn is_unknown(&self, key: &str, clock: &dyn Clock) -> bool {
        match self.unknown.get(key) {
            Some(age) if self.is_fresh(&age, clock) => true,
            Some(_) => {
                self.unknown.remove_if(key, |age| !self.is_fresh(age, clock));
                false
            }
            None => false,
        }
    }

    /// Returns whether a load is fresh by itself, whatever polls say.
    fn is_young(&self, loaded: &ClockReading, clock: &dyn Clock) -> bool {
        loaded.age(clock) < self.freshness.limit()
    }

    /// Returns whether an entry is fresh.
    #[inline]
    fn is_fresh(&self, age: &Age, clock: &dyn Clock) -> bool {
        let limit = self.freshness.limit();
        let now = ClockReading::of(clock);
        let since = now.since(&age.loaded);
        if since < limit {
            return true;
        }
        let drained = *self.drained.read().unwrap_or_else(PoisonError::into_inner);
        since.as_secs() < u64::from(age.lasts) && drained.is_some_and(|sent| now.since(&sent) < limit)
    }

    /// How many seconds an entry lasts: up to a quarter less than the limit, so that clients that were loaded together are not
    /// loaded again together.
    fn lasts(&self, key: &str) -> u32 {
        let limit = u32::try_from(self.reload_after.as_secs()).unwrap_or(u32::MAX);
        let hash = foldhash::fast::FixedState::default().hash_one(key);
        let less = hash % (u64::from(limit / 4) + 1);
        limit - u32::try_from(less).unwrap_or(0)
    }
}

/// A commit under way.
pub(in crate::registry) struct Committing<'a> {
    cache: &'a Cache,
    commit: &'a Commit,
}

impl Committing<'_> {
    fn take_out(&self) {
        for change in self.commit.changes() {
            self.cache.take_out(change.id());
        }
    }
}

impl Drop for Committing<'_> {
    fn drop(&mut self) {
        self.take_out();
    }
}

/// How many clients are kept, unless configured otherwise; one with two secrets takes about a kilobyte.
pub(in crate::registry) const CLIENTS: usize = 100_000;
/// After how long an entry is loaded again, unless configured otherwise.
pub(in crate::registry) const RELOAD_AFTER: Duration = Duration::from_secs(600);
/// The shortest freshness besides zero.
const SHORTEST: Duration = Duration::from_millis(100);
/// How often one caller waits for a load that is overtaken by a change, or stale before the caller sees it.
const LOOKS: usize = 4;
/// How many unknown client IDs are kept.
const UNKNOWN: usize = 10_000;

#[cfg(test)]
mod tests;
