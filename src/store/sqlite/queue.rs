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

    /// Waits for what is next: something alone, or at most so much of what may be taken together and waits in a row. Emergencies
    /// are taken together only with emergencies; the flag says whether they are. `None` once the queue is closed and empty.
    pub(super) fn next(&self, most: usize, shares: impl Fn(&J) -> bool) -> Option<(Vec<J>, bool)> {
        let mut waiting = self.waiting();
        loop {
            let Waiting { urgent, others, is_closed } = &mut *waiting;
            let is_urgent = !urgent.is_empty();
            let queue = if is_urgent { urgent } else { others };
            if !queue.is_empty() {
                let together = queue.iter().take(most).take_while(|job| shares(job)).count();
                return Some((queue.drain(..together.max(1)).collect(), is_urgent));
            }
            if *is_closed {
                return None;
            }
            waiting = self.came.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Puts back what was taken, in front of what waits; also after the queue was closed.
    pub(super) fn put_back(&self, jobs: Vec<J>, is_urgent: bool) {
        if jobs.is_empty() {
            return;
        }
        let mut waiting = self.waiting();
        let queue = if is_urgent { &mut waiting.urgent } else { &mut waiting.others };
        jobs.into_iter().rev().for_each(|job| queue.push_front(job));
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

    /// What is above 100 is taken alone.
    fn taken(queue: &Queue<i32>) -> Vec<Vec<i32>> {
        let next = || queue.next(3, |job| *job < 100).map(|(jobs, _)| jobs);
        std::iter::from_fn(next).collect()
    }

    fn queue(jobs: &[(i32, bool)]) -> Queue<i32> {
        let queue = Queue::new();
        jobs.iter().for_each(|(job, is_urgent)| queue.push(*job, *is_urgent).unwrap());
        queue
    }

    #[test]
    fn emergencies_come_first_and_others_in_their_order() {
        let queue = queue(&[(1, false), (2, false), (3, true), (4, false), (5, true)]);
        queue.close();
        assert_eq!(queue.push(6, true), Err(6));
        assert_eq!(taken(&queue), [vec![3, 5], vec![1, 2, 4]]);
    }

    #[test]
    fn what_waits_in_a_row_is_taken_together_and_no_more_than_allowed() {
        let queue = queue(&[1, 2, 3, 4, 101, 102, 5, 6, 103, 7].map(|job| (job, false)));
        queue.close();
        let expected = [vec![1, 2, 3], vec![4], vec![101], vec![102], vec![5, 6], vec![103], vec![7]];
        assert_eq!(taken(&queue), expected);
    }

    #[test]
    fn what_is_put_back_comes_before_what_waits_and_after_emergencies() {
        let queue = queue(&[(101, false), (102, false), (3, false), (4, true)]);
        let batch = queue.next(3, |_| true).unwrap();
        assert_eq!(batch, (vec![4], true));
        let (batch, is_urgent) = queue.next(2, |_| true).unwrap();
        queue.push(5, true).unwrap();
        queue.close();
        queue.put_back(batch, is_urgent);
        assert_eq!(taken(&queue), [vec![5], vec![101], vec![102], vec![3]]);
    }

    #[test]
    fn nothing_is_left_in_a_queue_that_nobody_takes_from() {
        let queue = queue(&[(1, false), (2, true)]);
        assert_eq!(queue.abandon(), [2, 1]);
        assert_eq!(queue.push(3, false), Err(3));
        assert_eq!(queue.next(1, |_| true), None);
    }
}
