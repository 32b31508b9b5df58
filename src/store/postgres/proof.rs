//! Proof that a commit lasts which was made, and not acknowledged.
//!
//! A commit whose wait for a synchronous standby was cut short is on the server, where every node sees it, and may be missing
//! where a standby takes over. Sent again it meets itself: a conflict, after which the history says that it was made. Before the
//! store says so it writes, in one statement that sees the commit: the log of that statement comes after the commit's, on the
//! same server and timeline, so that a standby which has the one has the other. If it comes back without a warning, standbys
//! have both.

use tokio_postgres::types::Type;

use super::batch::Batch;
use super::failure::{Failure, store_error};
use super::session::{Parameter, Session};
use super::store::PostgresStore;
use crate::store::CommitError;

impl PostgresStore {
    /// Makes sure that this commit, if it was made before, lasts. If that fails, its outcome stays unknown.
    pub(super) async fn prove(&self, session: &mut Session, batch: &Batch<'_>) -> Result<(), CommitError> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            match self.try_prove(session, batch).await {
                Ok(()) => return Ok(()),
                Err(failure) if failure.lost_a_race() && attempts < RACES => {}
                Err(failure) => return Err(CommitError::Failed(store_error(failure))),
            }
        }
    }

    async fn try_prove(&self, session: &mut Session, batch: &Batch<'_>) -> Result<(), Failure> {
        // What leaves no trail cannot be told from what others did: it is proved in any case.
        let ids: Vec<_> = batch.records.iter().map(|next| next.parts.id.as_str()).collect();
        let untold: &[_] = if batch.history.is_empty() { &ids } else { &[] };
        let clients: Vec<_> = batch.history.iter().map(|made| made.client_id).collect();
        let revisions: Vec<_> = batch.history.iter().map(|made| made.revision).collect();
        let commits: Vec<_> = batch.history.iter().map(|made| made.commit_id.as_slice()).collect();
        let parameters: [Parameter<'_>; 4] = [
            (&untold, Type::TEXT_ARRAY),
            (&clients, Type::TEXT_ARRAY),
            (&revisions, Type::INT8_ARRAY),
            (&commits, Type::BYTEA_ARRAY),
        ];
        session.write(&self.inner.writes.proof, &parameters).await.map(drop)
    }
}

/// The number of attempts, when other statements win.
const RACES: usize = 10;
