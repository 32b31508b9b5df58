//! `LastUseBuffer`: last uses on their way to the store, coalesced and apart from records (rule 9).
//!
//! Noting a use never delays or fails authenticating. A use stays in the buffer until the store has it, so that every reader sees
//! it at every moment: in the buffer, in the store or in both. A store that cannot be written to keeps no caller from reading.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::client::{Client, Held, LastUses, believable_until, is_due};
use crate::clock::Clock;
use crate::store::{Store, Use};
use crate::store_error::StoreError;
use crate::value::{ClientId, SecretId, Timestamp};

type Pending = HashMap<ClientId, LastUses, foldhash::fast::RandomState>;

/// The uses that were noted and not yet written: of each secret the latest.
pub(in crate::registry) struct LastUseBuffer {
    interval_millis: i64,
    /// Several shards, so that threads seldom wait for one another.
    shards: [Mutex<Pending>; SHARDS],
    hasher: foldhash::fast::RandomState,
    /// The shard that is written first next time.
    begin: AtomicUsize,
    /// When uses were last reported, so that a client that was loaded anew does not report them again. An entry that is pushed
    /// out costs one more write.
    reported: quick_cache::sync::Cache<(ClientId, SecretId), Timestamp>,
}

impl LastUseBuffer {
    pub(in crate::registry) fn new(interval: Duration) -> Self {
        Self {
            interval_millis: i64::try_from(interval.as_millis()).unwrap_or(i64::MAX),
            shards: Default::default(),
            hasher: foldhash::fast::RandomState::default(),
            begin: AtomicUsize::new(0),
            reported: quick_cache::sync::Cache::new(REPORTED),
        }
    }

    /// Notes a use of a secret, unless one was noted within the interval before.
    #[inline]
    pub(in crate::registry) fn note(&self, client: &Client, used: &Held, at: Timestamp) {
        if used.reported.note(at, self.interval_millis) {
            self.report(client.id(), used.secret.id(), at);
        }
    }

    #[cold]
    fn report(&self, client_id: &ClientId, secret: SecretId, at: Timestamp) {
        let key = (client_id.clone(), secret);
        let is_due = |last: Timestamp| is_due(at.as_millis(), last.as_millis(), self.interval_millis);
        if self.reported.get(&key).is_none_or(is_due) {
            self.reported.insert(key, at);
            let mut shard = lock(self.shard(client_id));
            let uses = shard.entry(client_id.clone()).or_default();
            if uses.of(secret).is_none_or(|noted| noted <= believable_until(at)) {
                uses.note(secret, at);
            } else {
                uses.set(secret, at);
            }
        }
    }

    /// The last uses of a client's secrets: those that the store knows, and those that it is yet to be told.
    pub(in crate::registry) async fn of<S: Store>(
        &self,
        store: &S,
        client_id: &ClientId,
        clock: &dyn Clock,
    ) -> Result<LastUses, StoreError> {
        // First the pending ones: what is written in between is in the store's answer.
        let mut pending = lock(self.shard(client_id)).get(client_id).cloned().unwrap_or_default();
        let mut uses = store.last_uses(client_id).await?;
        let now = clock.wall();
        pending.bring_back(believable_until(now), now);
        uses.extend_believing(&pending, believable_until(now));
        Ok(uses)
    }

    /// Writes the pending uses of one client.
    pub(in crate::registry) async fn flush_of<S: Store>(
        &self,
        store: &S,
        client_id: &ClientId,
        clock: &dyn Clock,
    ) -> Result<(), StoreError> {
        let shard = self.shard(client_id);
        let now = clock.wall();
        let pending = match lock(shard).get_mut(client_id) {
            None => return Ok(()),
            Some(uses) => {
                uses.bring_back(believable_until(now), now);
                uses_of((client_id, uses))
            }
        };
        self.write(store, shard, &pending, clock).await
    }

    /// Writes all pending uses. Uses that cannot be written keep others from being written only where writing fails twice: the next
    /// call then begins where this one stopped.
    pub(in crate::registry) async fn flush<S: Store>(
        &self,
        store: &S,
        clock: &dyn Clock,
    ) -> Result<(), StoreError> {
        let begin = self.begin.load(Ordering::Relaxed);
        let mut failed = None;
        for (position, shard) in self.shards.iter().enumerate().cycle().skip(begin).take(SHARDS) {
            // A use that was noted under a clock that was set back since happened by now at the latest.
            let now = clock.wall();
            let pending: Vec<_> = {
                let mut shard = lock(shard);
                shard.values_mut().for_each(|uses| uses.bring_back(believable_until(now), now));
                shard.iter().flat_map(uses_of).collect()
            };
            let Err(error) = self.write(store, shard, &pending, clock).await else { continue };
            if let Some(first) = failed.replace(error) {
                self.begin.store((position + 1) % SHARDS, Ordering::Relaxed);
                return Err(first);
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Writes some uses. One failure does not keep the rest from being written.
    async fn write<S: Store>(
        &self,
        store: &S,
        shard: &Mutex<Pending>,
        pending: &[Use],
        clock: &dyn Clock,
    ) -> Result<(), StoreError> {
        let mut failed = None;
        for some in pending.chunks(MAX_WRITE) {
            match store.note_uses(some, believable_until(clock.wall())).await {
                Ok(()) => {
                    let mut shard = lock(shard);
                    some.iter().for_each(|written| forget(&mut shard, written));
                }
                Err(error) => {
                    if let Some(first) = failed.replace(error) {
                        return Err(first);
                    }
                }
            }
        }
        failed.map_or(Ok(()), Err)
    }

    fn shard(&self, client_id: &ClientId) -> &Mutex<Pending> {
        let [first, ..] = &self.shards;
        let position = usize::try_from(self.hasher.hash_one(client_id) % SHARDS as u64).unwrap_or(0);
        self.shards.get(position).unwrap_or(first)
    }
}

/// Takes out a use that the store has been told, unless there was a later one since.
fn forget(shard: &mut Pending, written: &Use) {
    if let Some(uses) = shard.get_mut(&written.client_id) {
        if uses.of(written.secret) == Some(written.at) {
            uses.retain(|secret| secret != written.secret);
        }
        if uses.is_empty() {
            shard.remove(&written.client_id);
        }
    }
}

fn uses_of((client_id, uses): (&ClientId, &LastUses)) -> Vec<Use> {
    uses.iter().map(|(secret, at)| Use { client_id: client_id.clone(), secret, at }).collect()
}

fn lock(shard: &Mutex<Pending>) -> MutexGuard<'_, Pending> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

const SHARDS: usize = 16;
/// How many uses are written at once.
const MAX_WRITE: usize = 1000;
/// How many secrets' last reports are remembered; about 100 bytes each.
const REPORTED: usize = 100_000;
