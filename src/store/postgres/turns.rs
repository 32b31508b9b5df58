//! Changes of one client take turns, within a node: one of them has a connection, the others wait without one.
//!
//! A client whose row another transaction holds keeps one connection waiting, and not all of them: other clients' changes go on.
//! Between nodes the server's own lock decides.
//!
//! An emergency goes first: the others wait for their turn at a gate that lets through one at a time, so that an emergency has at
//! most one of them before it, however many there are.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// Whose turn it is, for each client that has changes under way.
#[derive(Debug, Default)]
pub(super) struct Turns {
    lines: Mutex<HashMap<Box<str>, Arc<Line>>>,
}

/// Those who wait for their turn of one client.
#[derive(Debug)]
struct Line {
    turn: Arc<Semaphore>,
    /// What is no emergency comes through here, one at a time, and waits on for the turn.
    gate: Semaphore,
}

/// A turn of some clients, until it is dropped; or a place in their lines.
pub(super) struct Turn<'a> {
    turns: &'a Turns,
    taken: Vec<Taken>,
}

struct Taken {
    id: Box<str>,
    line: Option<Arc<Line>>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Turns {
    /// Waits for the turn of these clients, first come first served, emergencies before others; `None` when it does not come in
    /// time.
    pub(super) async fn take(
        &self,
        mut ids: Vec<&str>,
        is_urgent: bool,
        deadline: Instant,
    ) -> Option<Turn<'_>> {
        // In one order everywhere, so that two do not wait for each other.
        ids.sort_unstable();
        ids.dedup();
        let mut turn = Turn { turns: self, taken: Vec::with_capacity(ids.len()) };
        for id in ids {
            let line = self.line(id);
            turn.taken.push(Taken { id: id.into(), line: Some(Arc::clone(&line)), permit: None });
            let _through = match is_urgent {
                true => None,
                false => Some(timeout_at(deadline, line.gate.acquire()).await.ok()?.ok()?),
            };
            let permit = timeout_at(deadline, Arc::clone(&line.turn).acquire_owned()).await.ok()?.ok()?;
            if let Some(last) = turn.taken.last_mut() {
                last.permit = Some(permit);
            }
        }
        Some(turn)
    }

    fn line(&self, id: &str) -> Arc<Line> {
        let mut lines = self.lines();
        if let Some(line) = lines.get(id) {
            return Arc::clone(line);
        }
        let line = Arc::new(Line { turn: Arc::new(Semaphore::new(1)), gate: Semaphore::new(1) });
        lines.insert(id.into(), Arc::clone(&line));
        line
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<Box<str>, Arc<Line>>> {
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
            let turn = turns.take(vec!["a", "b", "a"], false, Instant::now()).await.unwrap();
            assert!(turns.take(vec!["b"], false, soon).await.is_none());
            let other = turns.take(vec!["c"], false, soon).await.unwrap();
            assert_eq!(turns.lines().len(), 3);
            // A call that waits is not forgotten.
            let mut waiting = Box::pin(turns.take(vec!["a"], false, Instant::now() + Duration::from_secs(9)));
            assert!(futures_poll(&mut waiting).await.is_none());
            drop(turn);
            assert!(futures_poll(&mut waiting).await.unwrap().is_some());
            drop((waiting, other));
            assert!(turns.lines().is_empty());
        });
    }

    #[test]
    fn an_emergency_has_at_most_one_of_the_others_before_it() {
        runtime().block_on(async {
            let turns = Turns::default();
            let late = Instant::now() + Duration::from_secs(9);
            let take = |is_urgent| Box::pin(turns.take(vec!["a"], is_urgent, late));
            let turn = take(false).await.unwrap();
            let mut others = [take(false), take(false), take(false), take(false)];
            for other in &mut others {
                assert!(futures_poll(other).await.is_none());
            }
            let mut emergencies = [take(true), take(true), take(true)];
            for emergency in &mut emergencies {
                assert!(futures_poll(emergency).await.is_none());
            }
            let [first, second, third, dropped] = &mut others;
            drop(turn);
            let turn = futures_poll(first).await.unwrap().unwrap();
            assert!(futures_poll(second).await.is_none(), "it is at the turn, behind the emergencies");
            drop(turn);
            // One that has gone holds nobody up.
            let [one, gone, another] = emergencies;
            drop(gone);
            for mut emergency in [one, another] {
                assert!(futures_poll(second).await.is_none());
                drop(futures_poll(&mut emergency).await.unwrap().unwrap());
            }
            drop(futures_poll(second).await.unwrap().unwrap());
            assert!(futures_poll(dropped).await.is_none());
            drop(futures_poll(third).await.unwrap().unwrap());
            drop(futures_poll(dropped).await.unwrap().unwrap());
            drop(others);
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
