//! A store that loses answers, and lets commits arrive when they were given up.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use client_registry::ClientId;
use client_registry::store::{
    Changes, ClientsBy, Commit, CommitError, Cursor, Record, RecordId, Store, StoreError, StoreErrorKind,
};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::support::forward::forward;

/// Something between a registry and its store. Clones share the wire.
#[derive(Debug, Clone)]
pub(crate) struct Unreliable<S> {
    store: S,
    wire: Arc<Mutex<Wire>>,
    fault: Fault,
}

#[derive(Debug)]
struct Wire {
    random: StdRng,
    /// Commits that were given up and have not arrived.
    late: Vec<Commit>,
    /// What there was under an ID before its latest change.
    before: HashMap<String, Record>,
    is_on: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// Sometimes answers with the record before the latest.
    Stale,
    /// Sometimes acknowledges a commit that it has not made.
    Forgetful,
}

/// What happens to a commit on its way.
enum Way {
    Smooth,
    NeverArrives,
    AnswerIsLost,
    ArrivesLate,
}

impl<S: Store + Clone> Unreliable<S> {
    pub(crate) fn new(store: S, seed: u64) -> Self {
        let random = StdRng::seed_from_u64(seed);
        let wire = Wire { random, late: vec![], before: HashMap::new(), is_on: false };
        Self { store, wire: Arc::new(Mutex::new(wire)), fault: Fault::None }
    }

    /// The planted fault: it answers with what was.
    pub(crate) fn stale(self) -> Self {
        Self { fault: Fault::Stale, ..self }
    }

    /// The planted fault: it acknowledges what it loses.
    pub(crate) fn forgetful(self) -> Self {
        Self { fault: Fault::Forgetful, ..self }
    }

    /// From now on it is unreliable.
    pub(crate) fn begin(&self) {
        self.wire.lock().unwrap().is_on = true;
    }

    fn chance(&self, percent: u32) -> bool {
        let mut wire = self.wire.lock().unwrap();
        wire.is_on && wire.random.random_range(0..100) < percent
    }

    /// Lets a commit arrive that was given up, now and then.
    async fn let_one_arrive(&self) {
        let late = {
            let mut wire = self.wire.lock().unwrap();
            let position = (!wire.late.is_empty())
                .then_some(wire.late.len())
                .map(|len| wire.random.random_range(0..len));
            let arrives = wire.random.random_range(0..100) < 20;
            position.filter(|_| arrives).map(|position| wire.late.swap_remove(position))
        };
        if let Some(commit) = late {
            let _ = self.store.commit(&commit).await;
        }
        std::thread::yield_now();
    }

    fn way(&self) -> Way {
        let mut wire = self.wire.lock().unwrap();
        if !wire.is_on {
            return Way::Smooth;
        }
        match wire.random.random_range(0..100) {
            0..15 => Way::NeverArrives,
            15..30 => Way::AnswerIsLost,
            30..45 => Way::ArrivesLate,
            _ => Way::Smooth,
        }
    }

    fn keep(&self, record: &Record) {
        self.wire.lock().unwrap().before.insert(record.id().as_str().to_owned(), record.clone());
    }
}

impl<S: Store + Clone> Store for Unreliable<S> {
    async fn load(&self, id: RecordId<'_>) -> Result<Option<Record>, StoreError> {
        self.let_one_arrive().await;
        if self.fault == Fault::Stale && self.chance(20) {
            let before = self.wire.lock().unwrap().before.get(id.as_str()).cloned();
            if before.is_some() {
                return Ok(before);
            }
        }
        self.store.load(id).await
    }

    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        self.let_one_arrive().await;
        if self.fault == Fault::Stale {
            for change in commit.changes() {
                if let Some(record) = self.store.load(change.id()).await? {
                    self.keep(&record);
                }
            }
        }
        if self.fault == Fault::Forgetful && self.chance(10) {
            return Ok(());
        }
        let lost = || CommitError::Failed(StoreError::new(StoreErrorKind::Unavailable));
        match self.way() {
            Way::Smooth => self.store.commit(commit).await,
            Way::NeverArrives => Err(lost()),
            Way::AnswerIsLost => {
                let _ = self.store.commit(commit).await;
                Err(lost())
            }
            Way::ArrivesLate => {
                self.wire.lock().unwrap().late.push(commit.clone());
                Err(lost())
            }
        }
    }

    async fn clients(
        &self,
        by: ClientsBy<'_>,
        after: Option<&ClientId>,
        limit: usize,
    ) -> Result<Vec<ClientId>, StoreError> {
        self.store.clients(by, after, limit).await
    }

    async fn changes(&self, after: Option<&Cursor>, limit: usize) -> Result<Changes, StoreError> {
        self.store.changes(after, limit).await
    }

    forward!(store: history client_of ending latest adopt note_uses last_uses);
}
