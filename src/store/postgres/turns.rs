//! Changes of one client take turns, within a node: one of them has a connection, the others wait without one.
//!
//! A client whose row another transaction holds keeps one connection waiting, and not all of them: other clients' changes go on.
//! Between nodes the server's own lock decides.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// Whose turn it is, for each client that has changes under way.
#[derive(Debug, Default)]
pub(super) struct Turns {
    lines: Mutex<HashMap<Box<str>, Arc<Semaphore>>>,
}

/// A turn of some clients, until it is dropped; or a place in their lines.
pub(super) struct Turn<'a> {
    turns: &'a Turns,
    taken: Vec<Taken>,
}

struct Taken {
    id: Box<str>,
    line: Option<Arc<Semaphore>>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Turns {
    /// Waits for the turn of these clients, first come first served; `None` when it does not come in time.
    pub(super) async fn take(&self, mut ids: Vec<&str>, deadline: Instant) -> Option<Turn<'_>> {
        // In one order everywhere, so that two do not wait for each other.
        ids.sort_unstable();
        ids.dedup();
        let mut turn = Turn { turns: self, taken: Vec::with_capacity(ids.len()) };
        for id in ids {
            let line = self.line(id);
            turn.taken.push(Taken { id: id.into(), line: Some(Arc::clone(&line)), permit: None });
            let permit = timeout_at(deadline, line.acquire_owned()).await.ok()?.ok()?;
            if let Some(last) = turn.taken.last_mut() {
                last.permit = Some(permit);
            }
        }
        Some(turn)
    }

    fn line(&self, id: &str) -> Arc<Semaphore> {
        let mut lines = self.lines();
        if let Some(line) = lines.get(id) {
            return Arc::clone(line);
        }
        let line = Arc::new(Semaphore::new(1));
        lines.insert(id.into(), Arc::clone(&line));
        line
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<Box<str>, Arc<Semaphore>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        for taken in &mut self.taken {
            drop(taken.permit.take());
            drop(taken.line.take());
            let mut lines = self.turns.lines();
            // A call that waits holds the line as well, and the next one gets it under the lock.
            if lines.get(&taken.id).is_some_and(|line| Arc::strong_count(line) == 1) {
                lines.remove(&taken.id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
    }

    #[test]
    fn one_at_a_time_and_nothing_is_left_behind() {
        runtime().block_on(async {
            let turns = Turns::default();
            let soon = Instant::now() + Duration::from_millis(1);
            let turn = turns.take(vec!["a", "b", "a"], Instant::now()).await.unwrap();
            assert!(turns.take(vec!["b"], soon).await.is_none());
            let other = turns.take(vec!["c"], soon).await.unwrap();
            assert_eq!(turns.lines().len(), 3);
            // A call that waits is not forgotten.
            let mut waiting = Box::pin(turns.take(vec!["a"], Instant::now() + Duration::from_secs(9)));
            assert!(futures_poll(&mut waiting).await.is_none());
            drop(turn);
            assert!(futures_poll(&mut waiting).await.unwrap().is_some());
            drop((waiting, other));
            assert!(turns.lines().is_empty());
        });
    }

    /// What a future says when it is polled once.
    async fn futures_poll<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        std::future::poll_fn(|context| {
            std::task::Poll::Ready(match std::pin::Pin::new(&mut *future).poll(context) {
                std::task::Poll::Ready(output) => Some(output),
                std::task::Poll::Pending => None,
            })
        })
        .await
    }
}
