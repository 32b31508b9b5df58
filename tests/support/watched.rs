//! A store that can be watched and made to fail.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use client_registry::client::LastUses;
use client_registry::store::{
    Commit, CommitError, MemoryStore, Record, RecordId, Store, StoreError, StoreErrorKind, Use,
};
use client_registry::{ClientId, Timestamp};

use super::forward::forward;

/// A memory store that counts, remembers what it was told to commit, fails and dawdles when told to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watched {
    memory: MemoryStore,
    pub(crate) knobs: Arc<Knobs>,
}

#[derive(Debug, Default)]
pub(crate) struct Knobs {
    /// No record can be loaded.
    pub(crate) load_fails: Switch,
    /// Commits fail and are not applied.
    pub(crate) commit_fails: Switch,
    /// Commits fail although they are applied.
    pub(crate) answer_is_lost: Switch,
    /// Last uses can be neither written nor read.
    pub(crate) uses_fail: Switch,
    /// Loads wait before they do anything.
    pub(crate) load_waits: Switch,
    /// Commits wait before they do anything.
    pub(crate) commit_waits: Switch,
    /// The writing of last uses waits before it does anything.
    pub(crate) note_waits: Switch,
    commits: Mutex<Vec<Commit>>,
    loads: AtomicUsize,
    notes: AtomicUsize,
    /// The last uses of this client cannot be written.
    pub(crate) uses_fail_of: Mutex<Option<ClientId>>,
    /// The clients whose last uses were to be written.
    pub(crate) noted: Mutex<BTreeSet<ClientId>>,
}

#[derive(Debug, Default)]
pub(crate) struct Switch(AtomicBool);

impl Switch {
    pub(crate) fn on(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    pub(crate) fn off(&self) {
        self.0.store(false, Ordering::SeqCst);
    }

    fn is_on(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    async fn wait(&self) {
        std::future::poll_fn(|_| if self.is_on() { Poll::Pending } else { Poll::Ready(()) }).await;
    }

    fn check(&self) -> Result<(), StoreError> {
        if self.is_on() { Err(StoreError::new(StoreErrorKind::Unavailable)) } else { Ok(()) }
    }
}

impl Watched {
    /// Everything that was to be committed so far.
    pub(crate) fn commits(&self) -> Vec<Commit> {
        self.knobs.commits.lock().unwrap().clone()
    }

    /// How often a record was asked for since the last call.
    pub(crate) fn loads(&self) -> usize {
        self.knobs.loads.swap(0, Ordering::SeqCst)
    }

    /// How often last uses were written.
    pub(crate) fn notes(&self) -> usize {
        self.knobs.notes.load(Ordering::SeqCst)
    }
}

impl Store for Watched {
    async fn load(&self, id: RecordId<'_>) -> Result<Option<Record>, StoreError> {
        self.knobs.loads.fetch_add(1, Ordering::SeqCst);
        self.knobs.load_waits.wait().await;
        self.knobs.load_fails.check()?;
        self.memory.load(id).await
    }

    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        self.knobs.commits.lock().unwrap().push(commit.clone());
        self.knobs.commit_waits.wait().await;
        self.knobs.commit_fails.check()?;
        self.memory.commit(commit).await?;
        Ok(self.knobs.answer_is_lost.check()?)
    }

    async fn note_uses(&self, uses: &[Use], believable_until: Timestamp) -> Result<(), StoreError> {
        self.knobs.notes.fetch_add(1, Ordering::SeqCst);
        self.knobs.note_waits.wait().await;
        self.knobs.noted.lock().unwrap().extend(uses.iter().map(|used| used.client_id.clone()));
        self.knobs.uses_fail.check()?;
        let failing = self.knobs.uses_fail_of.lock().unwrap().clone();
        if uses.iter().any(|used| Some(&used.client_id) == failing.as_ref()) {
            return Err(StoreError::new(StoreErrorKind::Unavailable));
        }
        self.memory.note_uses(uses, believable_until).await
    }

    async fn last_uses(&self, client_id: &ClientId) -> Result<LastUses, StoreError> {
        self.knobs.uses_fail.check()?;
        self.memory.last_uses(client_id).await
    }

    forward!(memory: history clients client_of ending changes latest adopt);
}
