//! Opened clients kept in memory, with a stated limit to how stale they can be (section 5).
//!
//! An entry is fresh until [`Freshness`] after its own load was sent, or after the latest poll was sent that drained the
//! change feed. Past it the store is asked; if the store does not answer, nobody is let in and nobody denied. What this
//! node commits is gone from here before it is sent and again before it is acknowledged; what others commit goes when its
//! event passes. A load enters only if nothing went by since it began. Traffic never makes an entry last longer.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::Duration;

use crate::clock::{Clock, Reading};
use crate::record::{Opened, RecordId};
use crate::store::{Commit, StoreError, StoreErrorKind};

/// How stale what authenticates, signs and verifies can be: within 5 seconds, unless set.
///
/// That is how long a change takes at most until every node knows of it, whatever the network does; on the node that made
/// it there is no delay. A node that follows the feed ([`Registry::keep_fresh`](crate::Registry::keep_fresh)) hears sooner
/// and asks less. Commands always look at the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Freshness(Duration);

impl Freshness {
    /// At most this stale. Zero asks the store every time.
    #[must_use]
    pub fn within(limit: impl Into<Duration>) -> Self {
        Self(limit.into())
    }

    /// The limit.
    #[must_use]
    pub fn limit(self) -> Duration {
        self.0
    }
}

impl Default for Freshness {
    fn default() -> Self {
        Self(Duration::from_secs(5))
    }
}

pub(super) struct Cache {
    freshness: Freshness,
    clients: quick_cache::sync::Cache<String, Entry>,
    /// Client IDs that nobody has, so that asking for them again and again costs the store nothing. Apart and few, so that
    /// they push nobody out.
    unknown: quick_cache::sync::Cache<String, Reading>,
    /// Counts what was taken out, so that a load can tell whether something went by.
    taken_out: AtomicU64,
    drained: RwLock<Option<Drained>>,
    /// The latest load that found no store, for those who waited for it.
    failed: Mutex<Option<Failed>>,
}

/// A load that found no store.
struct Failed {
    key: String,
    at: Reading,
    kind: StoreErrorKind,
}

#[derive(Clone)]
struct Entry {
    opened: Opened,
    /// When its load was sent.
    loaded: Reading,
}

/// The latest poll that drained the feed.
#[derive(Clone, Copy)]
struct Drained {
    /// When it was sent.
    sent: Reading,
    /// Since when the feed is followed without a gap: nothing can be said of what was loaded before.
    since: Reading,
}

impl Cache {
    pub(super) fn new(freshness: Freshness, capacity: usize) -> Self {
        Self {
            freshness,
            clients: quick_cache::sync::Cache::new(capacity.max(1)),
            unknown: quick_cache::sync::Cache::new(UNKNOWN),
            taken_out: AtomicU64::new(0),
            drained: RwLock::new(None),
            failed: Mutex::new(None),
        }
    }

    pub(super) fn freshness(&self) -> Freshness {
        self.freshness
    }

    /// What there is under an ID, at most as stale as promised. Those who miss the same client share one load.
    pub(super) async fn get<F>(
        &self,
        id: RecordId<'_>,
        clock: &dyn Clock,
        load: impl Fn() -> F,
    ) -> Result<Option<Opened>, StoreError>
    where
        F: Future<Output = Result<Option<Opened>, StoreError>> + Send,
    {
        if self.freshness.limit().is_zero() {
            return load().await;
        }
        let key = id.as_str();
        let asked = Reading::of(clock);
        for _ in 0..LOADS {
            if let Some(entry) = self.clients.get(key) {
                if self.is_fresh(&entry.loaded, clock) {
                    return Ok(Some(entry.opened));
                }
                self.clients.remove_if(key, |entry| !self.is_fresh(&entry.loaded, clock));
            }
            if self.is_unknown(key, clock) {
                return Ok(None);
            }
            let guard = match self.clients.get_value_or_guard_async(key).await {
                // Somebody else's load. It may have been sent long before it was answered, and may not be kept.
                Ok(entry) if self.is_young(&entry.loaded, clock) => return Ok(Some(entry.opened)),
                Ok(_) => continue,
                Err(guard) => guard,
            };
            // Somebody may have looked while this one waited.
            if self.is_unknown(key, clock) {
                return Ok(None);
            }
            if let Some(kind) = self.failed_since(key, &asked) {
                return Err(StoreError::with_source(
                    kind,
                    "so heard somebody who asked for the same at this time",
                ));
            }
            let loaded = Reading::of(clock);
            let before = self.taken_out.load(Ordering::SeqCst);
            let found = load().await;
            // What was on its way for so long that it is no longer fresh lets nobody in. Polls vouch for what they have
            // carried no event of.
            let went_by = self.taken_out.load(Ordering::SeqCst) != before;
            let is_fresh =
                if went_by { self.is_young(&loaded, clock) } else { self.is_fresh(&loaded, clock) };
            if found.is_ok() && !is_fresh {
                continue;
            }
            match found {
                Ok(Some(opened)) => {
                    // Refused if the client was taken out in between.
                    let _ = guard.insert(Entry { opened: opened.clone(), loaded });
                    return Ok(Some(opened));
                }
                Ok(None) => {
                    self.unknown.insert(key.to_owned(), loaded);
                    if self.taken_out.load(Ordering::SeqCst) != before {
                        self.unknown.remove(key);
                    }
                    return Ok(None);
                }
                Err(error) => {
                    if error.kind() == StoreErrorKind::Unavailable {
                        let failed =
                            Failed { key: key.to_owned(), at: Reading::of(clock), kind: error.kind() };
                        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(failed);
                    }
                    return Err(error);
                }
            }
        }
        Err(StoreError::with_source(
            StoreErrorKind::Unavailable,
            "its answers take longer than they are fresh",
        ))
    }

    /// Takes a client out: whoever asks from now on asks the store, and a load that is under way does not enter.
    pub(super) fn take_out(&self, id: RecordId<'_>) {
        self.taken_out.fetch_add(1, Ordering::SeqCst);
        self.clients.remove(id.as_str());
        self.unknown.remove(id.as_str());
    }

    /// Takes out whom a commit is about, now and when what is answered is dropped: once the outcome is known, or once
    /// nobody waits for it any more.
    pub(super) fn committing<'a>(&'a self, commit: &'a Commit) -> Committing<'a> {
        let committing = Committing { cache: self, commit };
        committing.take_out();
        committing
    }

    /// Takes everything out.
    pub(super) fn clear(&self) {
        self.taken_out.fetch_add(1, Ordering::SeqCst);
        *self.drained.write().unwrap_or_else(PoisonError::into_inner) = None;
        self.clients.clear();
        self.unknown.clear();
    }

    /// Notes that a poll which was sent at `sent` drained the feed, which is followed since `since`.
    pub(super) fn drained(&self, sent: Reading, since: Reading) {
        *self.drained.write().unwrap_or_else(PoisonError::into_inner) = Some(Drained { sent, since });
    }

    fn is_unknown(&self, key: &str, clock: &dyn Clock) -> bool {
        match self.unknown.get(key) {
            Some(loaded) if self.is_fresh(&loaded, clock) => true,
            Some(_) => {
                self.unknown.remove_if(key, |loaded| !self.is_fresh(loaded, clock));
                false
            }
            None => false,
        }
    }

    /// Whether it is fresh by itself, whatever polls say.
    fn is_young(&self, loaded: &Reading, clock: &dyn Clock) -> bool {
        loaded.age(clock) < self.freshness.limit()
    }

    /// Whether what is kept is fresh.
    #[inline]
    fn is_fresh(&self, loaded: &Reading, clock: &dyn Clock) -> bool {
        let limit = self.freshness.limit();
        let now = Reading::of(clock);
        if now.since(loaded) < limit {
            return true;
        }
        let drained = *self.drained.read().unwrap_or_else(PoisonError::into_inner);
        drained.is_some_and(|drained| loaded.is_after(&drained.since) && now.since(&drained.sent) < limit)
    }

    /// Why the load failed that somebody waited for, who asked at this time.
    fn failed_since(&self, key: &str, asked: &Reading) -> Option<StoreErrorKind> {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed
            .as_ref()
            .filter(|failed| failed.key == key && failed.at.is_after(asked))
            .map(|failed| failed.kind)
    }
}

/// A commit under way.
pub(super) struct Committing<'a> {
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

/// How many clients are kept unless the builder says otherwise; one with two secrets takes about a kilobyte.
pub(super) const CLIENTS: usize = 100_000;
/// How often a client is looked up anew that was found and is stale by then, by whosever load.
const LOADS: usize = 16;
/// How many client IDs that nobody has are kept.
const UNKNOWN: usize = 10_000;

#[cfg(test)]
mod tests;
