//! A store that lags, leads in circles, lies in its lists, or is another one all of a sudden.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use client_registry::store::{
    Changes, ClientsBy, Commit, CommitError, Committed, Cursor, Ending, MemoryStore, Record, RecordId, Store,
    StoreError, StoreErrorKind,
};
use client_registry::value::{KeyId, Revision};
use client_registry::{ClientId, Timestamp};

use crate::support::forward::forward;

type AtHistory = Arc<dyn Fn(&ClientId) + Send + Sync>;

/// What is odd about a store.
#[derive(Default)]
pub(crate) struct State {
    /// Nobody answers.
    pub(crate) down: AtomicBool,
    /// A history never goes on.
    pub(crate) stuck: AtomicBool,
    /// A look-up has seen what there is, and does not say so yet.
    pub(crate) slow: AtomicBool,
    /// Nobody knows what becomes of a commit.
    pub(crate) doubtful: AtomicBool,
    /// A look-up waits before it looks.
    pub(crate) parked: AtomicBool,
    /// Of this client nothing can be read but the record.
    pub(crate) spoilt: Mutex<Option<ClientId>>,
    /// Runs whenever a node asks what ends.
    pub(crate) at_ending: Mutex<Option<Arc<dyn Fn() + Send + Sync>>>,
    /// Runs whenever a node asks for the history of a client.
    pub(crate) at_history: Mutex<Option<AtHistory>>,
    /// What is listed by key, instead of the truth.
    pub(crate) by_key: Mutex<Vec<(KeyId, ClientId)>>,
    /// What was put in its place.
    pub(crate) instead: Mutex<Option<MemoryStore>>,
}

#[derive(Clone)]
pub(crate) struct Odd {
    pub(crate) memory: MemoryStore,
    pub(crate) state: Arc<State>,
}

impl std::fmt::Debug for Odd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Odd")
    }
}

impl Odd {
    pub(crate) fn over(memory: MemoryStore) -> Self {
        Self { memory, state: Arc::default() }
    }

    fn now(&self) -> MemoryStore {
        self.state.instead.lock().unwrap().clone().unwrap_or_else(|| self.memory.clone())
    }
}

impl Store for Odd {
    async fn load(&self, id: RecordId<'_>) -> Result<Option<Record>, StoreError> {
        if self.state.down.load(SeqCst) {
            return Err(StoreError::new(StoreErrorKind::Unavailable));
        }
        std::future::poll_fn(|_| match self.state.parked.load(SeqCst) {
            true => Poll::Pending,
            false => Poll::Ready(()),
        })
        .await;
        let seen = self.now().load(id).await;
        std::future::poll_fn(|_| match self.state.slow.load(SeqCst) {
            true => Poll::Pending,
            false => Poll::Ready(()),
        })
        .await;
        seen
    }
    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        if self.state.doubtful.load(SeqCst) {
            return Err(CommitError::Failed(StoreError::new(StoreErrorKind::Unavailable)));
        }
        self.now().commit(commit).await
    }
    async fn history(
        &self,
        id: &ClientId,
        after: Revision,
        limit: usize,
    ) -> Result<Vec<Committed>, StoreError> {
        let hook = self.state.at_history.lock().unwrap().clone();
        if let Some(hook) = hook {
            hook(id);
        }
        if self.state.spoilt.lock().unwrap().as_ref() == Some(id) {
            return Err(StoreError::new(StoreErrorKind::Corrupt));
        }
        if self.state.stuck.load(SeqCst) {
            return self.now().history(id, Revision::ZERO, 1).await;
        }
        self.now().history(id, after, limit).await
    }
    async fn changes(&self, after: Option<&Cursor>, limit: usize) -> Result<Changes, StoreError> {
        if self.state.spoilt.lock().unwrap().is_some() {
            return Err(StoreError::new(StoreErrorKind::Corrupt));
        }
        self.now().changes(after, limit).await
    }
    async fn clients(
        &self,
        by: ClientsBy<'_>,
        after: Option<&ClientId>,
        limit: usize,
    ) -> Result<Vec<ClientId>, StoreError> {
        let lies = self.state.by_key.lock().unwrap().clone();
        if let (ClientsBy::Key(key_id), false) = (by, lies.is_empty()) {
            let found = lies.iter().filter(|(k, id)| k == key_id && after.is_none_or(|after| id > after));
            return Ok(found.map(|(_, id)| id.clone()).collect());
        }
        self.now().clients(by, after, limit).await
    }
    async fn ending(
        &self,
        before: Timestamp,
        after: Option<&Ending>,
        limit: usize,
    ) -> Result<Vec<Ending>, StoreError> {
        let hook = self.state.at_ending.lock().unwrap().clone();
        if let Some(hook) = hook {
            hook();
        }
        self.now().ending(before, after, limit).await
    }

    forward!(memory: client_of latest adopt note_uses last_uses);
}
