//! At the same time: an executor for one future, threads that begin together, futures that are polled in turns or not to
//! their end.

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

/// Polls on this thread, which parks in between.
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

/// Does everything at once, each on a thread of its own.
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

/// Polls all of them in turns, so that each goes one step before any goes two.
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

/// Pending once: whoever is polled in turns gives a turn away.
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

/// How a future is driven before it is dropped.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pace {
    /// Polled only when it asked for it.
    Patient,
    /// Polled again at once.
    Hasty,
}

/// Polls a future so many times and drops it. Answers its output if it had one by then.
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

/// Takes `slow` so many steps, then lets it stand still while `quick` goes on to its end; only where `quick` cannot do
/// without it does it go on too. Answers what `quick` came to, and leaves `slow` to be finished.
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
            // Whoever waits for the one that stands still would not be woken by it.
            thread::yield_now();
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    })
    .await
}

/// A future that may be left standing, with its output once it has one.
pub(super) struct Slow<'a> {
    future: Pinned<'a, ()>,
    done: bool,
}

impl<'a> Slow<'a> {
    pub(super) fn new(future: Pinned<'a, ()>) -> Self {
        Self { future, done: false }
    }

    /// Goes on to the end.
    pub(super) async fn finish(mut self) {
        if !self.done {
            self.future.as_mut().await;
        }
    }

    /// Goes one step on.
    pub(super) fn step(&mut self, cx: &mut Context<'_>) {
        self.done = self.done || self.future.as_mut().poll(cx).is_ready();
    }
}

/// A future with a waker of its own, as a task of its own has one.
pub(super) struct Apart<'a> {
    future: Pinned<'a, ()>,
    waker: Arc<OwnWaker>,
    done: bool,
}

#[derive(Default)]
struct OwnWaker {
    is_woken: AtomicBool,
    /// The waker of the task that polls.
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

    /// Polls it, woken or not.
    pub(super) fn step(&mut self, cx: &mut Context<'_>) {
        self.waker.task.lock().unwrap_or_else(PoisonError::into_inner).replace(cx.waker().clone());
        self.waker.is_woken.store(false, Ordering::Release);
        let waker = Waker::from(Arc::clone(&self.waker));
        self.done = self.done || self.future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready();
    }

    /// Polls it to its end, each time only after it was woken.
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
    Stop::failed(format!("something panicked: {}", in_words(panic)))
}

/// What a panic said.
pub(super) fn in_words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a word")
}

/// How often somebody who waits looks again before the one that stands still goes on.
const PATIENCE: usize = 2000;
