//! Stores that stand between a registry and what keeps its records: one that keeps a copy of what is committed, one that counts
//! loads, one that keeps records and nothing else.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use client_registry::client::LastUses;
use client_registry::store::{
    Adopted, Changes, ClientsBy, Commit, CommitError, Committed, Cursor, Ending, Record, RecordId, Store,
    StoreError, StoreErrorKind, Use,
};
use client_registry::value::Revision;
use client_registry::{AddInId, ClientId, Timestamp};

use crate::forward::forward;

/// Keeps what was committed since the last time.
#[derive(Debug, Clone)]
pub struct Tap<S> {
    store: S,
    sent: Arc<Mutex<Vec<Commit>>>,
}

impl<S> Tap<S> {
    pub fn new(store: S) -> Self {
        Self { store, sent: Arc::default() }
    }

    pub fn store(&self) -> &S {
        &self.store
    }

    pub fn take(&self) -> Vec<Commit> {
        std::mem::take(&mut self.sent.lock().unwrap())
    }

    pub fn last(&self) -> Commit {
        self.take().pop().unwrap()
    }
}

impl<S: Store> Store for Tap<S> {
    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        self.sent.lock().unwrap().push(commit.clone());
        self.store.commit(commit).await
    }

    forward!(store: load history clients client_of ending changes latest adopt note_uses last_uses);
}

/// Counts the loads of records.
#[derive(Debug, Clone)]
pub struct Counted<S> {
    store: S,
    loads: Arc<AtomicU64>,
}

impl<S> Counted<S> {
    pub fn new(store: S) -> Self {
        Self { store, loads: Arc::default() }
    }

    pub fn loads(&self) -> u64 {
        self.loads.load(Ordering::Relaxed)
    }
}

impl<S: Store> Store for Counted<S> {
    async fn load(&self, id: RecordId<'_>) -> Result<Option<Record>, StoreError> {
        self.loads.fetch_add(1, Ordering::Relaxed);
        self.store.load(id).await
    }

    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        self.store.commit(commit).await
    }

    forward!(store: history clients client_of ending changes latest adopt note_uses last_uses);
}

/// Records by client ID, in a map like the memory store's: no indexes, no trails, no feed.
#[derive(Debug, Default)]
pub struct Bare(papaya::HashMap<ClientId, Record, foldhash::fast::RandomState>);

impl Store for Bare {
    async fn load(&self, id: RecordId<'_>) -> Result<Option<Record>, StoreError> {
        Ok(self.0.pin().get(id.as_str()).cloned())
    }

    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        for change in commit.changes() {
            let client_id = change.id().client_id().unwrap();
            self.0.pin().insert(client_id, change.record().clone());
        }
        Ok(())
    }

    async fn history(&self, _: &ClientId, _: Revision, _: usize) -> Result<Vec<Committed>, StoreError> {
        nothing()
    }

    async fn clients(
        &self,
        _: ClientsBy<'_>,
        _: Option<&ClientId>,
        _: usize,
    ) -> Result<Vec<ClientId>, StoreError> {
        nothing()
    }

    async fn client_of(&self, _: &AddInId) -> Result<Option<ClientId>, StoreError> {
        nothing()
    }

    async fn ending(&self, _: Timestamp, _: Option<&Ending>, _: usize) -> Result<Vec<Ending>, StoreError> {
        nothing()
    }

    async fn changes(&self, _: Option<&Cursor>, _: usize) -> Result<Changes, StoreError> {
        nothing()
    }

    async fn latest(&self) -> Result<Cursor, StoreError> {
        nothing()
    }

    async fn adopt(&self, _: &[Adopted]) -> Result<(), CommitError> {
        Ok(nothing()?)
    }

    async fn note_uses(&self, _: &[Use], _: Timestamp) -> Result<(), StoreError> {
        nothing()
    }

    async fn last_uses(&self, _: &ClientId) -> Result<LastUses, StoreError> {
        nothing()
    }
}

fn nothing<T>() -> Result<T, StoreError> {
    Err(StoreError::new(StoreErrorKind::Unavailable))
}
