//! A store in a process that dies at a chosen step: before the step is done, or after it was and before anybody heard.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use client_registry::client::LastUses;
use client_registry::store::{
    Adopted, Changes, ClientsBy, Commit, CommitError, Committed, Cursor, Ending, MemoryStore, Record,
    RecordId, Store, StoreError, StoreErrorKind, Use,
};
use client_registry::value::Revision;
use client_registry::{AddInId, ClientId, Timestamp};

/// A memory store that outlives the registry that uses it.
#[derive(Debug, Clone)]
pub(crate) struct Dying {
    pub(crate) memory: MemoryStore,
    left: Arc<AtomicUsize>,
    done_first: bool,
}

impl Dying {
    /// Dies at the step after `steps` of them.
    pub(crate) fn after(memory: MemoryStore, steps: usize, done_first: bool) -> Self {
        Self { memory, left: Arc::new(AtomicUsize::new(steps)), done_first }
    }

    async fn step<T>(&self, step: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        match self.count() {
            Step::Alive => step.await,
            Step::Last if self.done_first => step.await.and_then(|_| Err(dead())),
            Step::Last | Step::Dead => Err(dead()),
        }
    }

    async fn write(&self, step: impl Future<Output = Result<(), CommitError>>) -> Result<(), CommitError> {
        match self.count() {
            Step::Alive => step.await,
            Step::Last if self.done_first => step.await.and_then(|()| Err(dead().into())),
            Step::Last | Step::Dead => Err(dead().into()),
        }
    }

    fn count(&self) -> Step {
        match self
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| Some(left.saturating_sub(1)))
        {
            Ok(0) => Step::Dead,
            Ok(1) => Step::Last,
            _ => Step::Alive,
        }
    }
}

enum Step {
    Alive,
    Last,
    Dead,
}

fn dead() -> StoreError {
    StoreError::with_source(StoreErrorKind::Unavailable, "the process is dead")
}

impl Store for Dying {
    async fn load(&self, id: RecordId<'_>) -> Result<Option<Record>, StoreError> {
        self.step(self.memory.load(id)).await
    }

    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        self.write(self.memory.commit(commit)).await
    }

    async fn history(
        &self,
        client_id: &ClientId,
        after: Revision,
        limit: usize,
    ) -> Result<Vec<Committed>, StoreError> {
        self.step(self.memory.history(client_id, after, limit)).await
    }

    async fn clients(
        &self,
        by: ClientsBy<'_>,
        after: Option<&ClientId>,
        limit: usize,
    ) -> Result<Vec<ClientId>, StoreError> {
        self.step(self.memory.clients(by, after, limit)).await
    }

    async fn client_of(&self, add_in: &AddInId) -> Result<Option<ClientId>, StoreError> {
        self.step(self.memory.client_of(add_in)).await
    }

    async fn ending(
        &self,
        before: Timestamp,
        after: Option<&Ending>,
        limit: usize,
    ) -> Result<Vec<Ending>, StoreError> {
        self.step(self.memory.ending(before, after, limit)).await
    }

    async fn changes(&self, after: Option<&Cursor>, limit: usize) -> Result<Changes, StoreError> {
        self.step(self.memory.changes(after, limit)).await
    }

    async fn latest(&self) -> Result<Cursor, StoreError> {
        self.step(self.memory.latest()).await
    }

    async fn adopt(&self, clients: &[Adopted]) -> Result<(), CommitError> {
        self.write(self.memory.adopt(clients)).await
    }

    async fn note_uses(&self, uses: &[Use], believable_until: Timestamp) -> Result<(), StoreError> {
        self.step(self.memory.note_uses(uses, believable_until)).await
    }

    async fn last_uses(&self, client_id: &ClientId) -> Result<LastUses, StoreError> {
        self.step(self.memory.last_uses(client_id)).await
    }
}
