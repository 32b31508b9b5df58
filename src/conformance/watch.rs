//! The calls that are under way, so that the report of a case that does not end can name them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::client::LastUses;
use crate::conformance::Factory;
use crate::record::{Record, RecordId};
use crate::store::{Adopted, Changes, ClientsBy, Commit, CommitError, Committed, Cursor, Ending, Store, Use};
use crate::store_error::StoreError;
use crate::value::{AddInId, ClientId, Revision, Timestamp};

/// A watched store of a factory.
pub(super) type Open<F> = Watched<<F as Factory>::Store>;

/// A store whose calls are counted while they are under way.
#[derive(Debug)]
pub(super) struct Watched<S> {
    store: S,
    calls: Arc<Calls>,
}

/// The calls of a case that are under way.
#[derive(Debug, Default)]
pub(super) struct Calls {
    /// The number of calls of each name that have begun and not ended.
    counts: Mutex<BTreeMap<&'static str, usize>>,
    /// Where the case is, in words.
    at: Mutex<String>,
}

/// A call that has begun. It ends when this is dropped, also if its future is dropped.
pub(super) struct Call<'a> {
    calls: &'a Calls,
    name: &'static str,
}

impl Calls {
    pub(super) fn begin(&self, name: &'static str) -> Call<'_> {
        *self.counts().entry(name).or_default() += 1;
        Call { calls: self, name }
    }

    /// Sets where the case is from now on.
    pub(super) fn is_at(&self, at: &str) {
        at.clone_into(&mut lock(&self.at));
    }

    fn counts(&self) -> MutexGuard<'_, BTreeMap<&'static str, usize>> {
        lock(&self.counts)
    }
}

/// The names of the calls that are under way, and where the case is.
impl fmt::Display for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.counts();
        let mut separator = "";
        for (name, count) in counts.iter().filter(|(_, count)| **count > 0) {
            write!(f, "{separator}`{name}`")?;
            if *count > 1 {
                write!(f, " ({count} times)")?;
            }
            separator = ", ";
        }
        if separator.is_empty() {
            f.write_str("none")?;
        }
        let at = lock(&self.at);
        if at.is_empty() { Ok(()) } else { write!(f, ", {at}") }
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if let Some(count) = self.calls.counts().get_mut(self.name) {
            *count = count.saturating_sub(1);
        }
    }
}

impl<S> Watched<S> {
    pub(super) fn new(store: S, calls: &Arc<Calls>) -> Self {
        Self { store, calls: Arc::clone(calls) }
    }

    pub(super) fn into_inner(self) -> S {
        self.store
    }
}

impl<S: Store> Store for Watched<S> {
    async fn load(&self, id: RecordId<'_>) -> Result<Option<Record>, StoreError> {
        let _call = self.calls.begin("load");
        self.store.load(id).await
    }

    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        let _call = self.calls.begin("commit");
        self.store.commit(commit).await
    }

    async fn history(
        &self,
        client_id: &ClientId,
        after: Revision,
        limit: usize,
    ) -> Result<Vec<Committed>, StoreError> {
        let _call = self.calls.begin("history");
        self.store.history(client_id, after, limit).await
    }

    async fn clients(
        &self,
        by: ClientsBy<'_>,
        after: Option<&ClientId>,
        limit: usize,
    ) -> Result<Vec<ClientId>, StoreError> {
        let _call = self.calls.begin("clients");
        self.store.clients(by, after, limit).await
    }

    async fn client_of(&self, add_in: &AddInId) -> Result<Option<ClientId>, StoreError> {
        let _call = self.calls.begin("client_of");
        self.store.client_of(add_in).await
    }

    async fn ending(
        &self,
        before: Timestamp,
        after: Option<&Ending>,
        limit: usize,
    ) -> Result<Vec<Ending>, StoreError> {
        let _call = self.calls.begin("ending");
        self.store.ending(before, after, limit).await
    }

    async fn changes(&self, after: Option<&Cursor>, limit: usize) -> Result<Changes, StoreError> {
        let _call = self.calls.begin("changes");
        self.store.changes(after, limit).await
    }

    async fn latest(&self) -> Result<Cursor, StoreError> {
        let _call = self.calls.begin("latest");
        self.store.latest().await
    }

    async fn adopt(&self, clients: &[Adopted]) -> Result<(), CommitError> {
        let _call = self.calls.begin("adopt");
        self.store.adopt(clients).await
    }

    async fn note_uses(&self, uses: &[Use], believable_until: Timestamp) -> Result<(), StoreError> {
        let _call = self.calls.begin("note_uses");
        self.store.note_uses(uses, believable_until).await
    }

    async fn last_uses(&self, client_id: &ClientId) -> Result<LastUses, StoreError> {
        let _call = self.calls.begin("last_uses");
        self.store.last_uses(client_id).await
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
