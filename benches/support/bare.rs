//! A store that keeps records and nothing else: no indexes, no trails, no feed.

use client_registry::client::LastUses;
use client_registry::store::{
    Adopted, Changes, ClientsBy, Commit, CommitError, Committed, Cursor, Ending, Record, RecordId, Store,
    StoreError, StoreErrorKind, Use,
};
use client_registry::value::Revision;
use client_registry::{AddInId, ClientId, Timestamp};

/// Records by client ID, in a map like the memory store's.
#[derive(Debug, Default)]
pub(crate) struct Bare(papaya::HashMap<ClientId, Record, foldhash::fast::RandomState>);

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
        unreachable!("nobody follows it")
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
