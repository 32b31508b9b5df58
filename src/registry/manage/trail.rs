//! Reading a client's commits, no more of them than a store may answer with (rule 16).

use crate::registry::Registry;
use crate::store::{Committed, MAX_EVENTS, Store};
use crate::store_error::{StoreError, tampered};
use crate::value::{ClientId, Revision};

impl<S: Store> Registry<S> {
    /// A client's commits after a revision, at most `limit`.
    pub(in crate::registry) async fn history(
        &self,
        client_id: &ClientId,
        after: Revision,
        limit: usize,
    ) -> Result<Vec<Committed>, StoreError> {
        let commits = self.inner.store.history(client_id, after, limit).await?;
        if commits.len() > limit || commits.iter().any(|commit| commit.events.len() > MAX_EVENTS) {
            return Err(tampered("a trail with more events than a client can have had"));
        }
        Ok(commits)
    }
}
