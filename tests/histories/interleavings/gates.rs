//! Gates: the points at which a command stops and lets the test say who goes next.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use client_registry::store::{Commit, CommitError, DynStore, Record, RecordId, Store, StoreError};

use crate::support::forward;

/// Which gates are closed. Clones are the same gates.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gates(Arc<Closed>);

#[derive(Debug, Default)]
struct Closed {
    between_calls: AtomicBool,
    in_store: AtomicBool,
    after_commit: AtomicBool,
}

impl Gates {
    /// Nobody stops anywhere: for setting up and for looking at what came out.
    pub(crate) fn open(&self) {
        self.set(false, false, false);
    }

    /// Commands stop between calls only: every call is one step.
    pub(crate) fn close_between_calls(&self) {
        self.set(true, false, false);
    }

    /// Commands stop before each `load` and each `commit`.
    pub(crate) fn close_in_store(&self) {
        self.set(false, true, false);
    }

    /// And once more when a commit was applied and nobody has heard of it.
    pub(crate) fn close_after_commit_too(&self) {
        self.set(false, true, true);
    }

    pub(crate) fn between_calls(&self) -> Gate {
        Gate(self.0.between_calls.load(Ordering::Relaxed))
    }

    pub(crate) fn in_store(&self) -> Gate {
        Gate(self.0.in_store.load(Ordering::Relaxed))
    }

    fn after_commit(&self) -> Gate {
        Gate(self.0.after_commit.load(Ordering::Relaxed))
    }

    fn set(&self, between_calls: bool, in_store: bool, after_commit: bool) {
        self.0.between_calls.store(between_calls, Ordering::Relaxed);
        self.0.in_store.store(in_store, Ordering::Relaxed);
        self.0.after_commit.store(after_commit, Ordering::Relaxed);
    }
}

/// Pending once where it is closed.
pub(crate) struct Gate(bool);

impl Future for Gate {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        match std::mem::take(&mut self.0) {
            true => Poll::Pending,
            false => Poll::Ready(()),
        }
    }
}

/// A store with gates before `load` and around `commit`.
#[derive(Debug, Clone)]
pub(crate) struct Gated {
    store: DynStore,
    gates: Gates,
}

impl Gated {
    pub(crate) fn new(store: impl Store, gates: Gates) -> Self {
        let store = DynStore::new(store);
        Self { store, gates }
    }
}

impl Store for Gated {
    async fn load(&self, id: RecordId<'_>) -> Result<Option<Record>, StoreError> {
        self.gates.in_store().await;
        self.store.load(id).await
    }

    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        self.gates.in_store().await;
        let answer = self.store.commit(commit).await;
        self.gates.after_commit().await;
        answer
    }

    forward!(store: history clients client_of ending changes latest adopt note_uses last_uses);
}
