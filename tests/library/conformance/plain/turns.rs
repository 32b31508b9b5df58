//! Waiting: for a lock, for a turn, and for others who are let in between. What a call holds
//! when it is dropped stays held, if the fault says so.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};

use client_registry::store::StoreError;

use super::{Plain, Waits, lock};
use crate::conformance::faults::Fault;

impl Plain {
    /// Lets others go first, where a careful store holds its lock.
    pub(super) async fn gap(&self, fault: Fault) {
        if self.fault == fault {
            self.pause(3).await;
        }
    }

    pub(super) async fn pause(&self, times: usize) {
        match self.waits {
            Waits::Awaiting => Pause(times).await,
            Waits::Blocking => (0..100 * (times - 1)).for_each(|_| std::thread::yield_now()),
        }
    }

    /// Takes a lock that a call of one method does not give back when it is dropped, or a turn that comes to calls in the
    /// order in which they asked, also to those that are dropped.
    pub(super) async fn hold(&self, fault: Fault) -> Option<Turn<'_>> {
        if self.fault.holds_what_it_dropped() && *lock(&self.is_busy) {
            match self.waits {
                Waits::Awaiting => std::future::pending().await,
                Waits::Blocking => loop {
                    std::thread::park();
                },
            }
        }
        if fault == Fault::DroppedLoadHolds && self.fault == Fault::DroppedLoadsKeepConnections {
            let most = 16;
            std::future::poll_fn(|_| match self.connections.load(Ordering::Relaxed) < most {
                true => Poll::Ready(()),
                false => Poll::Pending,
            })
            .await;
            self.connections.fetch_add(1, Ordering::Relaxed);
            Pause(1).await;
            self.connections.fetch_sub(1, Ordering::Relaxed);
        }
        if self.fault == fault {
            *lock(&self.is_busy) = true;
            Pause(1).await;
            *lock(&self.is_busy) = false;
        }
        match self.fault {
            Fault::TurnsComeToTheDropped => {
                let ticket = lock(&self.turns).take();
                std::future::poll_fn(|cx| lock(&self.turns).poll(ticket, cx)).await;
                Some(Turn::InOrder(&self.turns))
            }
            Fault::OneIsWokenWhoMayBeGone => {
                std::future::poll_fn(|cx| lock(&self.line).poll(cx)).await;
                Some(Turn::InLine(&self.line))
            }
            _ => None,
        }
    }

    /// Begins a look-up. What a failed flush has not written is written again first, so that nothing is shown that a crash
    /// would take back.
    pub(super) async fn begin(&self, fault: Fault) -> Result<Option<Turn<'_>>, StoreError> {
        let turn = self.hold(fault).await;
        if self.fault != Fault::ShowsWhatIsNotFlushed {
            self.make_up_for_failures()?;
        }
        Ok(turn)
    }
}

/// Whose turn it is.
#[derive(Debug, Default)]
pub(super) struct Turns {
    taken: u64,
    served: u64,
    waiting: Vec<Waker>,
}

/// Who holds a lock, and who waits for it.
#[derive(Debug, Default)]
pub(super) struct Line {
    is_held: bool,
    waiting: VecDeque<Waker>,
}

/// Passed on when it is dropped.
pub(super) enum Turn<'a> {
    /// A ticket whose turn had not come when its call was dropped is not passed on.
    InOrder(&'a Mutex<Turns>),
    /// One who waits is woken, and no other one if that one is gone.
    InLine(&'a Mutex<Line>),
}

impl Line {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.is_held {
            self.waiting.push_back(cx.waker().clone());
            return Poll::Pending;
        }
        self.is_held = true;
        Poll::Ready(())
    }
}

impl Turns {
    fn take(&mut self) -> u64 {
        self.taken += 1;
        self.taken - 1
    }

    fn poll(&mut self, ticket: u64, cx: &mut Context<'_>) -> Poll<()> {
        if ticket == self.served {
            return Poll::Ready(());
        }
        self.waiting.push(cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        match self {
            Self::InOrder(turns) => {
                let mut turns = lock(turns);
                turns.served += 1;
                turns.waiting.drain(..).for_each(Waker::wake);
            }
            Self::InLine(line) => {
                let mut line = lock(line);
                line.is_held = false;
                line.waiting.pop_front().into_iter().for_each(Waker::wake);
            }
        }
    }
}

/// Pending so many times.
struct Pause(usize);

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.0 == 0 {
            return Poll::Ready(());
        }
        self.0 -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
