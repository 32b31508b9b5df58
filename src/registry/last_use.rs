//! Last uses on their way to the store: coalesced, apart from records, never in the way of authenticating (rule 9).

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::client::LastUses;
use crate::id::{ClientId, SecretId};
use crate::record::LiveClient;
use crate::store::{Store, StoreError, Use};
use crate::validity::Timestamp;

type Pending = HashMap<(ClientId, SecretId), Timestamp, foldhash::fast::RandomState>;

/// The uses that have been noted and not yet been written. Of one secret only the latest.
pub(super) struct LastUseBuffer {
    interval_millis: i64,
    /// Several, so that threads seldom wait for one another.
    shards: [Mutex<Pending>; 16],
    hasher: BuildHasherDefault<std::hash::DefaultHasher>,
}

impl LastUseBuffer {
    pub(super) fn new(interval: Duration) -> Self {
        Self {
            interval_millis: i64::try_from(interval.as_millis()).unwrap_or(i64::MAX),
            shards: Default::default(),
            hasher: BuildHasherDefault::default(),
        }
    }

    /// Notes a use, unless one was noted within the interval before.
    #[inline]
    pub(super) fn note(&self, live: &LiveClient, secret: SecretId, at: Timestamp) {
        if live.should_report(secret, at, self.interval_millis) {
            self.put_back([Use { client_id: live.client().id().clone(), secret, at }]);
        }
    }

    /// Writes what is known of one client, and answers with everything that the store knows of it.
    pub(super) async fn of<S: Store>(&self, store: &S, client_id: &ClientId) -> Result<LastUses, StoreError> {
        let pending = {
            let mut shard = self.shard(client_id);
            let mine = shard.extract_if(|(id, _), _| id == client_id);
            mine.map(|((client_id, secret), at)| Use { client_id, secret, at }).collect()
        };
        self.write(store, pending).await?;
        store.last_uses(client_id).await
    }

    /// Writes everything.
    pub(super) async fn flush<S: Store>(&self, store: &S) -> Result<(), StoreError> {
        for shard in &self.shards {
            let pending = std::mem::take(&mut *lock(shard));
            let pending =
                pending.into_iter().map(|((client_id, secret), at)| Use { client_id, secret, at }).collect();
            self.write(store, pending).await?;
        }
        Ok(())
    }

    async fn write<S: Store>(&self, store: &S, uses: Vec<Use>) -> Result<(), StoreError> {
        if uses.is_empty() {
            return Ok(());
        }
        // Taken out before it is written, so put back also when this future is dropped half-way.
        let mut taken = Taken { buffer: self, uses };
        store.note_uses(&taken.uses).await?;
        taken.uses.clear();
        Ok(())
    }

    fn put_back(&self, uses: impl IntoIterator<Item = Use>) {
        for Use { client_id, secret, at } in uses {
            let mut shard = self.shard(&client_id);
            let last = shard.entry((client_id, secret)).or_insert(at);
            *last = at.max(*last);
        }
    }

    fn shard(&self, client_id: &ClientId) -> MutexGuard<'_, Pending> {
        let [first, ..] = &self.shards;
        let position = usize::try_from(self.hasher.hash_one(client_id) % 16).unwrap_or(0);
        lock(self.shards.get(position).unwrap_or(first))
    }
}

/// Uses that are being written.
struct Taken<'a> {
    buffer: &'a LastUseBuffer,
    uses: Vec<Use>,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.buffer.put_back(std::mem::take(&mut self.uses));
    }
}

fn lock(shard: &Mutex<Pending>) -> MutexGuard<'_, Pending> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
