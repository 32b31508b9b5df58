//! `HandOver`: client secrets between the command that issued them and the one page that shows them (rule 8).
//!
//! A command answers a browser with a redirect, so that a reload does not give it again. In between, the client secret waits here, in
//! memory alone, for the session that asked for it. It is taken once, and wiped when it is dropped. What nobody takes is dropped after
//! a while.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use client_registry::clock::Clock;
use client_registry::{ClientId, Issued, SecretId};
use tower_sessions::session::Id;

/// Client secrets that wait to be shown.
#[derive(Debug)]
pub struct HandOver {
    clock: Arc<dyn Clock>,
    waiting: Mutex<HashMap<Key, Waiting>>,
}

/// The session, the client ID and the secret. An ID of a secret is never used again, so there is one value at most for a key, ever.
type Key = (Id, ClientId, SecretId);

#[derive(Debug)]
struct Waiting {
    issued: Issued,
    since: Duration,
}

impl HandOver {
    /// Returns an empty one.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, waiting: Mutex::default() }
    }

    /// Keeps a client secret for a session.
    pub fn keep(&self, session: Id, issued: Issued) {
        let since = self.clock.monotonic();
        let key = (session, issued.client_id().clone(), issued.secret_id());
        let mut waiting = self.waiting();
        waiting.retain(|_, one| since.saturating_sub(one.since) < KEPT);
        waiting.insert(key, Waiting { issued, since });
    }

    /// Takes a client secret, the first time that its session asks for it.
    pub fn take(&self, session: Id, client_id: &ClientId, secret: SecretId) -> Option<Issued> {
        let now = self.clock.monotonic();
        let taken = self.waiting().remove(&(session, client_id.clone(), secret))?;
        (now.saturating_sub(taken.since) < KEPT).then_some(taken.issued)
    }

    /// Says whether a client secret waits to be shown to a session.
    pub fn waits(&self, session: Id, client_id: &ClientId, secret: SecretId) -> bool {
        let now = self.clock.monotonic();
        let waiting = self.waiting();
        let found = waiting.get(&(session, client_id.clone(), secret));
        found.is_some_and(|one| now.saturating_sub(one.since) < KEPT)
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<Key, Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a client secret waits.
const KEPT: Duration = Duration::from_secs(15 * 60);
