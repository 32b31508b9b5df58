//! The contract of [`Store`], each method by the file that carries it out.
//!
//! Other nodes get a hint of every change that is in the feed, after it was committed.

use super::batch::Batch;
use super::store::PostgresStore;
use crate::client::LastUses;
use crate::record::{Record, RecordId};
use crate::store::reach::Reach;
use crate::store::{Adopted, Changes, ClientsBy, Commit, CommitError, Committed, Cursor, Ending, Store, Use};
use crate::store_error::StoreError;
use crate::value::{AddInId, ClientId, Revision, Timestamp};

impl Store for PostgresStore {
    async fn load(&self, id: RecordId<'_>) -> Result<Option<Record>, StoreError> {
        self.load_record(id).await
    }

    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        let batch = Batch::of_commit(commit)?;
        self.write(&batch, commit.reach()).await?;
        if !batch.history.is_empty() {
            self.inner.hints.tell();
        }
        Ok(())
    }

    async fn history(
        &self,
        client_id: &ClientId,
        after: Revision,
        limit: usize,
    ) -> Result<Vec<Committed>, StoreError> {
        self.read_history(client_id, after, limit).await
    }

    async fn clients(
        &self,
        by: ClientsBy<'_>,
        after: Option<&ClientId>,
        limit: usize,
    ) -> Result<Vec<ClientId>, StoreError> {
        self.list_clients(by, after, limit).await
    }

    async fn client_of(&self, add_in: &AddInId) -> Result<Option<ClientId>, StoreError> {
        self.find_by_add_in(add_in).await
    }

    async fn ending(
        &self,
        before: Timestamp,
        after: Option<&Ending>,
        limit: usize,
    ) -> Result<Vec<Ending>, StoreError> {
        self.list_ending(before, after, limit).await
    }

    async fn changes(&self, after: Option<&Cursor>, limit: usize) -> Result<Changes, StoreError> {
        self.read_changes(after, limit).await
    }

    async fn latest(&self) -> Result<Cursor, StoreError> {
        self.read_latest().await
    }

    async fn adopt(&self, clients: &[Adopted]) -> Result<(), CommitError> {
        let batch = Batch::of_adopted(clients)?;
        self.write(&batch, Reach::Everything).await?;
        self.inner.hints.tell();
        Ok(())
    }

    async fn note_uses(&self, uses: &[Use], believable_until: Timestamp) -> Result<(), StoreError> {
        self.write_uses(uses, believable_until).await
    }

    async fn last_uses(&self, client_id: &ClientId) -> Result<LastUses, StoreError> {
        self.read_last_uses(client_id).await
    }
}
