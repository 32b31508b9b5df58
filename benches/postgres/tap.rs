//! `Tap`: a store that keeps a copy of every commit that goes through it.

use std::sync::{Arc, Mutex};

use client_registry::store::{Commit, CommitError, Store};

use crate::forward::forward;

/// A store that keeps the commits it is sent.
#[derive(Debug, Clone)]
pub(crate) struct Tap<S> {
    pub(crate) store: S,
    pub(crate) sent: Arc<Mutex<Vec<Commit>>>,
}

impl<S: Store> Tap<S> {
    pub(crate) fn new(store: S) -> Self {
        Self { store, sent: Arc::default() }
    }
}

impl<S: Store> Store for Tap<S> {
    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        self.sent.lock().unwrap().push(commit.clone());
        self.store.commit(commit).await
    }

    forward!(store: load history clients client_of ending changes latest adopt note_uses last_uses);
}
