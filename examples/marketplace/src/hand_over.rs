//! `HandOver`: client secrets between the command that issued them and the one page that shows them (rule 8).
//!
//! A command answers a browser with a redirect, so that a reload does not give it again. In between, the client secret waits here, in
//! memory alone, for the session that asked for it. It is taken once, and wiped when it is dropped. What nobody takes is dropped when its
//! session ends, or after a while.

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
        self.waiting().insert(key, Waiting { issued, since });
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

    /// Drops what has waited too long.
    pub fn sweep(&self) {
        let now = self.clock.monotonic();
        self.waiting().retain(|_, one| now.saturating_sub(one.since) < KEPT);
    }

    /// Drops all that waits for a session, which has ended.
    pub fn forget(&self, session: Id) {
        self.waiting().retain(|(of, _, _), _| *of != session);
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<Key, Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a client secret waits.
const KEPT: Duration = Duration::from_secs(15 * 60);

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use client_registry::clock::{Clock, ManualClock};
    use client_registry::{ClientDetails, Issued, Lifetime, Registry, Timestamp};
    use tower_sessions::session::Id;

    use super::{HandOver, KEPT};

    async fn issued() -> Issued {
        let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done").unwrap();
        let contoso = Registry::in_memory().as_seller("contoso").unwrap();
        contoso.register(details, Lifetime::OneYear).await.unwrap()
    }

    #[tokio::test]
    async fn a_client_secret_is_taken_once_by_its_session_while_it_lasts_and_waits_no_longer() {
        let now = Timestamp::parse("2026-03-01T09:00:00Z").unwrap().to_datetime();
        let clock = Arc::new(ManualClock::new(now));
        let hand_over = HandOver::new(Arc::clone(&clock) as Arc<dyn Clock>);
        let (mine, other, issued) = (Id(1), Id(2), issued().await);
        let (id, secret) = (issued.client_id().clone(), issued.secret_id());
        hand_over.keep(mine, issued);
        assert!(hand_over.take(other, &id, secret).is_none() && !hand_over.waits(other, &id, secret));
        assert!(hand_over.waits(mine, &id, secret));
        assert!(hand_over.take(mine, &id, secret).is_some());
        assert!(hand_over.take(mine, &id, secret).is_none());

        for ends in ["the session", "the time", "the sweep"] {
            let issued = self::issued().await;
            let (id, secret) = (issued.client_id().clone(), issued.secret_id());
            hand_over.keep(mine, issued);
            match ends {
                "the session" => hand_over.forget(mine),
                "the time" => clock.advance(KEPT),
                _ => {
                    clock.advance(KEPT - Duration::from_secs(1));
                    hand_over.sweep();
                    assert!(hand_over.waits(mine, &id, secret));
                    clock.advance(Duration::from_secs(1));
                    hand_over.sweep();
                    assert!(hand_over.waiting().is_empty());
                }
            }
            assert!(hand_over.take(mine, &id, secret).is_none(), "{ends}");
        }
    }
}
