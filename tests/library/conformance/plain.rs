//! A store that keeps the contract in the plainest way, everything in lists behind one lock, and breaks it in one point
//! when told so.

mod adoptions;
mod checks;
mod commits;
mod factory;
mod feed;
mod flushes;
mod lists;
mod records;
mod turns;
mod uses;
mod views;
mod writing;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use client_registry::client::LastUses;
use client_registry::store::{
    Adopted, Changes, ClientsBy, Commit, CommitError, CommitId, Committed, Cursor, Ending, EventText, Index,
    Record, RecordId, Store, StoreError, StoreErrorKind, Use,
};
use client_registry::value::Revision;
use client_registry::{AddInId, ClientId, SecretId, Timestamp};

use crate::conformance::faults::Fault;
use turns::{Line, Turns};

/// Makes plain stores with one fault.
pub(crate) struct Plainly(pub(crate) Fault, pub(crate) Waits);

/// How a store waits, and so where others come in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waits {
    /// By awaiting.
    Awaiting,
    /// By keeping its thread.
    Blocking,
}

/// What outlives a store.
#[derive(Debug)]
pub(crate) struct Disk {
    books: Mutex<Books>,
    /// What a crash leaves, where that is something else: it was not flushed, or the flush failed.
    written: Mutex<Option<Books>>,
    /// For each flush that is to fail, how many come before it.
    failing: Mutex<BTreeSet<usize>>,
    clock_is_behind: AtomicBool,
}

#[derive(Debug)]
pub(crate) struct Plain {
    disk: Arc<Disk>,
    fault: Fault,
    waits: Waits,
    /// What a store remembers that should not.
    cache: Mutex<BTreeMap<String, Record>>,
    /// What a dropped call has left.
    is_busy: Mutex<bool>,
    turns: Mutex<Turns>,
    line: Mutex<Line>,
    late: Mutex<Vec<Commit>>,
    /// What this store believes, where a dropped call has left it behind what is written.
    behind: Mutex<Option<Books>>,
    /// How many calls have a connection.
    connections: AtomicU64,
    /// Whether a flush of this very store has failed.
    has_failed: AtomicBool,
    opened: u64,
    /// What this store has seen: the books as they were when it was opened or wrote last.
    seen: Mutex<Books>,
}

#[derive(Debug, Clone, Default)]
struct Books {
    mark: u64,
    records: BTreeMap<String, Vec<u8>>,
    indexes: BTreeMap<ClientId, Index>,
    trails: BTreeMap<ClientId, Vec<Stretch>>,
    /// Each event with its number.
    feed: Vec<(u64, String)>,
    numbered: u64,
    /// What tells the event of a number from one that had it before an older copy was put back.
    tags: BTreeMap<u64, u64>,
    /// Numbers that have been given out, and whose events are not there yet.
    under_way: BTreeSet<u64>,
    uses: BTreeMap<(ClientId, SecretId), Timestamp>,
}

#[derive(Debug, Clone)]
struct Stretch {
    commit_id: CommitId,
    revision: Revision,
    events: String,
}

/// One change, whether it is committed or adopted.
struct Write<'a> {
    record: &'a Record,
    index: &'a Index,
    history: Vec<Committed>,
    is_adopted: bool,
}

fn writes(commit: &Commit) -> Vec<Write<'_>> {
    let write = |change: &'_ client_registry::store::RecordChange| {
        history_of(commit.id(), change.record().revision(), change.events())
    };
    let changes = commit.changes().iter();
    changes
        .map(|change| Write {
            record: change.record(),
            index: change.index(),
            history: write(change),
            is_adopted: false,
        })
        .collect()
}

fn history_of(commit_id: CommitId, revision: Revision, events: &[EventText]) -> Vec<Committed> {
    let committed = Committed { commit_id, revision, events: events.to_vec() };
    Some(committed).filter(|committed| !committed.events.is_empty()).into_iter().collect()
}

fn decode<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::with_source(StoreErrorKind::Corrupt, error))
}

/// Each method has its body in the file for its subject, with the faults that it can have.
impl Store for Plain {
    async fn load(&self, id: RecordId<'_>) -> Result<Option<Record>, StoreError> {
        self.look_up(id).await
    }

    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        self.carry_out(commit).await
    }

    async fn history(
        &self,
        client_id: &ClientId,
        after: Revision,
        limit: usize,
    ) -> Result<Vec<Committed>, StoreError> {
        self.trail_of(client_id, after, limit).await
    }

    async fn clients(
        &self,
        by: ClientsBy<'_>,
        after: Option<&ClientId>,
        limit: usize,
    ) -> Result<Vec<ClientId>, StoreError> {
        self.listed(by, after, limit).await
    }

    async fn client_of(&self, add_in: &AddInId) -> Result<Option<ClientId>, StoreError> {
        self.holder(add_in).await
    }

    async fn ending(
        &self,
        before: Timestamp,
        after: Option<&Ending>,
        limit: usize,
    ) -> Result<Vec<Ending>, StoreError> {
        self.ended(before, after, limit).await
    }

    async fn changes(&self, after: Option<&Cursor>, limit: usize) -> Result<Changes, StoreError> {
        self.news(after, limit).await
    }

    async fn latest(&self) -> Result<Cursor, StoreError> {
        self.end_of_news().await
    }

    async fn adopt(&self, clients: &[Adopted]) -> Result<(), CommitError> {
        self.take_in(clients).await
    }

    async fn note_uses(&self, uses: &[Use], believable_until: Timestamp) -> Result<(), StoreError> {
        self.take_note(uses, believable_until).await
    }

    async fn last_uses(&self, client_id: &ClientId) -> Result<LastUses, StoreError> {
        self.noted(client_id).await
    }
}

fn start(text: &str, bytes: usize) -> &[u8] {
    &text.as_bytes()[..bytes.min(text.len())]
}

fn cut(id: &ClientId, bytes: usize) -> ClientId {
    ClientId::parse(&id.as_str()[..bytes.min(id.as_str().len())]).unwrap()
}

fn next_number() -> u64 {
    static NUMBERS: AtomicU64 = AtomicU64::new(1);
    NUMBERS.fetch_add(1, Ordering::Relaxed)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
