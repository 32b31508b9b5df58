//! Reading the commits of a client (rule 16). A store that answers with more than was asked for, or with more events than a
//! command can make, is refused: what it sends is held in memory.

use crate::registry::Registry;
use crate::registry::walk::{PAGE, Walk};
use crate::store::{Committed, MAX_EVENTS, Store};
use crate::store_error::{StoreError, tampered};
use crate::value::{ClientId, Revision};

impl<S: Store> Registry<S> {
    /// The commits of a client after a revision, at most `limit`.
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

    /// The next page of the commits of a client.
    pub(in crate::registry) async fn next_commits(
        &self,
        walk: &mut Walk<Revision>,
        client_id: &ClientId,
    ) -> Result<Option<Vec<Committed>>, StoreError> {
        let load = |after: Option<Revision>| self.history(client_id, after.unwrap_or_default(), PAGE);
        walk.next(load, |committed| committed.revision).await
    }
}
