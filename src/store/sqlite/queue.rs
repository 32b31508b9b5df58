//! What waits for the thread that writes: emergencies first, everything else in the order in which it came.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A queue that one thread takes from.
#[derive(Debug)]
pub(super) struct Queue<J> {
    waiting: Mutex<Waiting<J>>,
    came: Condvar,
}

#[derive(Debug)]
struct Waiting<J> {
    urgent: VecDeque<J>,
    others: VecDeque<J>,
    is_closed: bool,
}

impl<J> Queue<J> {
    pub(super) fn new() -> Self {
        let waiting = Waiting { urgent: VecDeque::new(), others: VecDeque::new(), is_closed: false };
        Self { waiting: Mutex::new(waiting), came: Condvar::new() }
    }

    /// Puts something in; gives it back when the queue is closed.
    pub(super) fn push(&self, job: J, is_urgent: bool) -> Result<(), J> {
        let mut waiting = self.waiting();
        if waiting.is_closed {
            return Err(job);
        }
        let queue = if is_urgent { &mut waiting.urgent } else { &mut waiting.others };
        queue.push_back(job);
        drop(waiting);
        self.came.notify_one();
        Ok(())
    }

    /// Waits for what is next. `None` once the queue is closed and empty.
    pub(super) fn next(&self) -> Option<J> {
        let mut waiting = self.waiting();
        loop {
            if let Some(job) = waiting.urgent.pop_front() {
                return Some(job);
            }
            if let Some(job) = waiting.others.pop_front() {
                return Some(job);
            }
            if waiting.is_closed {
                return None;
            }
            waiting = self.came.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes nothing more in. What waits is still given out.
    pub(super) fn close(&self) {
        self.waiting().is_closed = true;
        self.came.notify_all();
    }

    /// Takes nothing more in, and answers with what is still in it.
    pub(super) fn abandon(&self) -> Vec<J> {
        self.close();
        let mut waiting = self.waiting();
        let Waiting { urgent, others, .. } = &mut *waiting;
        urgent.drain(..).chain(others.drain(..)).collect()
    }

    /// Nothing that could panic happens while this is locked.
    fn waiting(&self) -> MutexGuard<'_, Waiting<J>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emergencies_come_first_and_others_in_their_order() {
        let queue = Queue::new();
        for (job, is_urgent) in [(1, false), (2, false), (3, true), (4, false), (5, true)] {
            queue.push(job, is_urgent).unwrap();
        }
        queue.close();
        assert_eq!(queue.push(6, true), Err(6));
        let taken: Vec<_> = std::iter::from_fn(|| queue.next()).collect();
        assert_eq!(taken, [3, 5, 1, 2, 4]);
    }

    #[test]
    fn nothing_is_left_in_a_queue_that_nobody_takes_from() {
        let queue = Queue::new();
        queue.push(1, false).unwrap();
        queue.push(2, true).unwrap();
        assert_eq!(queue.abandon(), [2, 1]);
        assert_eq!(queue.push(3, false), Err(3));
        assert_eq!(queue.next(), None);
    }
}
