//! Concurrency for the cases: an executor for one future, threads that start together, and futures that are polled in turns, left
//! standing, or dropped.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{
    Thread, {self},
};

use crate::conformance::stop::{Checked, Stop};

/// Polls a future on this thread, and parks the thread in between.
pub(super) fn block_on<T: Future>(future: T) -> T::Output {
    struct Parked {
        thread: Thread,
        woken: AtomicBool,
    }

    impl Wake for Parked {
        fn wake(self: Arc<Self>) {
            self.woken.store(true, Ordering::Release);
            self.thread.unpark();
        }
    }

    let parked = Arc::new(Parked { thread: thread::current(), woken: AtomicBool::new(false) });
    let waker = Waker::from(Arc::clone(&parked));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        while !parked.woken.swap(false, Ordering::AcqRel) {
            thread::park();
        }
    }
}

pub(super) type Job<'a, T> = Box<dyn FnOnce() -> T + Send + 'a>;

/// Runs all jobs at the same time, each on its own thread.
pub(super) fn at_once<T: Send>(jobs: Vec<Job<'_, T>>) -> Checked<Vec<T>> {
    let start = Barrier::new(jobs.len());
    thread::scope(|scope| {
        let start = &start;
        let begin = |job: Job<'_, T>| {
            start.wait();
            job()
        };
        let threads: Vec<_> = jobs.into_iter().map(|job| scope.spawn(move || begin(job))).collect();
        let ended = threads.into_iter().map(thread::ScopedJoinHandle::join);
        ended.map(|end| end.map_err(|panic| panicked(&*panic))).collect()
    })
}

pub(super) type Pinned<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Polls all futures in turns, so that each takes one step before any takes two.
pub(super) async fn in_turns<T: Send>(futures: Vec<Pinned<'_, T>>) -> Vec<T> {
    let mut futures: Vec<_> = futures.into_iter().map(Slot::Pending).collect();
    poll_fn(|cx| {
        let mut all_done = true;
        for slot in &mut futures {
            if let Slot::Pending(future) = slot {
                match future.as_mut().poll(cx) {
                    Poll::Ready(output) => *slot = Slot::Done(output),
                    Poll::Pending => all_done = false,
                }
            }
        }
        if all_done { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    futures.into_iter().filter_map(Slot::done).collect()
}

enum Slot<'a, T> {
    Pending(Pinned<'a, T>),
    Done(T),
}

impl<T> Slot<'_, T> {
    fn done(self) -> Option<T> {
        match self {
            Self::Done(output) => Some(output),
            Self::Pending(_) => None,
        }
    }
}

/// Is pending once, so that the other futures that are polled in turns come first.
pub(super) async fn let_others() {
    let mut given = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut given, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// When a future is polled before it is dropped.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pace {
    /// Only when it was woken.
    Patient,
    /// At once, woken or not.
    Hasty,
}

/// Polls a future a number of times and drops it. Returns its output if it had finished by then.
pub(super) async fn dropped_after<T: Future + Send>(future: T, polls: usize, pace: Pace) -> Option<T::Output>
where
    T::Output: Send,
{
    let mut future = Box::pin(future);
    let mut left = polls;
    poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => {
                if let Pace::Hasty = pace {
                    cx.waker().wake_by_ref();
                }
                Poll::Pending
            }
        }
    })
    .await
}

/// Polls `slow` a number of times, then lets it stand still while `quick` runs to its end. If `quick` cannot finish without it,
/// `slow` goes on too. Returns the output of `quick`, and leaves `slow` to be finished.
pub(super) async fn overtaking<T: Send>(slow: &mut Slow<'_>, steps: usize, quick: Pinned<'_, T>) -> T {
    let mut quick = quick;
    let mut waited = 0;
    let mut steps = steps;
    poll_fn(|cx| {
        while steps > 0 {
            steps -= 1;
            slow.step(cx);
        }
        if let Poll::Ready(output) = quick.as_mut().poll(cx) {
            return Poll::Ready(output);
        }
        waited += 1;
        if waited > PATIENCE {
            slow.step(cx);
        }
        if waited <= PATIENCE {
            // A future that waits for the one that stands still is not woken by it.
            thread::yield_now();
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    })
    .await
}

/// A future that can be left standing.
pub(super) struct Slow<'a> {
    future: Pinned<'a, ()>,
    done: bool,
}

impl<'a> Slow<'a> {
    pub(super) fn new(future: Pinned<'a, ()>) -> Self {
        Self { future, done: false }
    }

    /// Runs it to its end.
    pub(super) async fn finish(mut self) {
        if !self.done {
            self.future.as_mut().await;
        }
    }

    /// Polls it once.
    pub(super) fn step(&mut self, cx: &mut Context<'_>) {
        self.done = self.done || self.future.as_mut().poll(cx).is_ready();
    }
}

/// A future with its own waker, as if it ran in its own task.
pub(super) struct Apart<'a> {
    future: Pinned<'a, ()>,
    waker: Arc<OwnWaker>,
    done: bool,
}

#[derive(Default)]
struct OwnWaker {
    is_woken: AtomicBool,
    /// The waker of the task that polls the future.
    task: Mutex<Option<Waker>>,
}

impl Wake for OwnWaker {
    fn wake(self: Arc<Self>) {
        self.is_woken.store(true, Ordering::Release);
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        task.into_iter().for_each(Waker::wake);
    }
}

impl<'a> Apart<'a> {
    pub(super) fn new(future: Pinned<'a, ()>) -> Self {
        Self { future, waker: Arc::default(), done: false }
    }

    /// Polls it once, woken or not.
    pub(super) fn step(&mut self, cx: &mut Context<'_>) {
        self.waker.task.lock().unwrap_or_else(PoisonError::into_inner).replace(cx.waker().clone());
        self.waker.is_woken.store(false, Ordering::Release);
        let waker = Waker::from(Arc::clone(&self.waker));
        self.done = self.done || self.future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready();
    }

    /// Runs it to its end, and polls it only after it was woken.
    pub(super) async fn finish(mut self) {
        poll_fn(|cx| {
            self.waker.task.lock().unwrap_or_else(PoisonError::into_inner).replace(cx.waker().clone());
            if !self.done && self.waker.is_woken.load(Ordering::Acquire) {
                self.step(cx);
            }
            if self.done { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

fn panicked(panic: &(dyn Any + Send)) -> Stop {
    Stop::failed(format!("a thread panicked: {}", in_words(panic)))
}

/// The message of a panic.
pub(super) fn in_words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

/// The number of polls of `quick` before `slow` goes on.
const PATIENCE: usize = 2000;
