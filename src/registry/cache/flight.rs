//! Loads that are under way, each shared by all who ask for the same client meanwhile.
//!
//! A load is driven by whichever of them is woken, so that it depends on none of them: a caller that is dropped, or that is
//! polled once and then left alone, holds up nobody. When the last of them has gone, the load goes as well.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::task::{Context, Poll, Wake, Waker};

use crate::clock::Reading;
use crate::record::Opened;
use crate::store::StoreError;

/// What a load comes to.
pub(super) type Found = Result<Option<Opened>, StoreError>;

/// A load. It borrows nothing, since it may outlive the caller that began it.
pub(super) type Load = Pin<Box<dyn Future<Output = Found> + Send>>;

/// The loads that are under way, by the client that they load. One that was [detached](Self::detach) is under way for those who
/// wait for it already, and for nobody else.
#[derive(Default)]
pub(super) struct Flights {
    by_key: Mutex<ByKey>,
}

type ByKey = HashMap<String, Boarding, foldhash::fast::RandomState>;

/// A load that can be joined, and how many have joined it.
struct Boarding {
    flight: Arc<Flight>,
    seats: usize,
}

struct Flight {
    /// When the load was sent, or a little earlier.
    sent: Reading,
    progress: Mutex<Progress>,
    /// Whether somebody found it locked and went to sleep.
    missed: AtomicBool,
    wakers: Arc<Wakers>,
}

enum Progress {
    /// With the seat that drove it last. Only that one drives it without having been woken by it.
    UnderWay(Load, Option<usize>),
    Landed(Landed),
}

/// What all who wait for a load are told.
#[derive(Clone)]
pub(super) struct Landed {
    pub(super) found: Arc<Found>,
    pub(super) sent: Reading,
    /// Whether it was fresh when it landed.
    pub(super) was_fresh: bool,
    /// Whether it was detached before it landed.
    pub(super) was_overtaken: bool,
}

impl Flights {
    /// Joins the load of a client, or begins one, unless `begin` finds that there is no need.
    pub(super) fn join<'a, K>(
        &'a self,
        key: &'a str,
        begin: impl FnOnce() -> Result<(Reading, Load), K>,
    ) -> Result<Seat<'a>, K> {
        let mut by_key = self.lock();
        let flight = match by_key.get_mut(key) {
            Some(boarding) => {
                boarding.seats += 1;
                Arc::clone(&boarding.flight)
            }
            None => {
                let (sent, load) = begin()?;
                let flight = Arc::new(Flight {
                    sent,
                    progress: Mutex::new(Progress::UnderWay(load, None)),
                    missed: AtomicBool::new(false),
                    wakers: Arc::default(),
                });
                by_key.insert(key.to_owned(), Boarding { flight: Arc::clone(&flight), seats: 1 });
                flight
            }
        };
        drop(by_key);
        let number = flight.wakers.seat();
        Ok(Seat { flights: self, key, flight, number })
    }

    /// Lets nobody join the load of a client any longer, and does something else before anybody can begin another one.
    pub(super) fn detach(&self, key: &str, and: impl FnOnce()) {
        let mut by_key = self.lock();
        let gone = by_key.remove(key);
        and();
        drop(by_key);
        // Not while it is locked: a load is a store's, and this may be the last to let go of it.
        drop(gone);
    }

    /// The same for all loads.
    pub(super) fn detach_all(&self, and: impl FnOnce()) {
        let mut by_key = self.lock();
        let gone = std::mem::take(&mut *by_key);
        and();
        drop(by_key);
        drop(gone);
    }

    fn lock(&self) -> MutexGuard<'_, ByKey> {
        self.by_key.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of one caller in a load.
pub(super) struct Seat<'a> {
    flights: &'a Flights,
    key: &'a str,
    flight: Arc<Flight>,
    number: usize,
}

impl Seat<'_> {
    /// Waits for the load, and drives it where nobody else does. Whoever completes it calls `land` with when it was sent, what
    /// it came to, and whether it can still be joined, and all are told what `land` makes of it; nobody can detach it or begin
    /// another one meanwhile. `None` when it never lands, since it panicked in the hands of another caller.
    pub(super) async fn landed(
        &self,
        land: impl Fn(Reading, Found, bool) -> Landed + Send + Sync,
    ) -> Option<Landed> {
        std::future::poll_fn(|context| self.poll(context, &land)).await
    }

    fn poll(
        &self,
        context: &Context<'_>,
        land: &impl Fn(Reading, Found, bool) -> Landed,
    ) -> Poll<Option<Landed>> {
        let flight = &*self.flight;
        // Noted before the load is looked at, so that nothing goes by in between.
        flight.wakers.note(self.number, context.waker());
        for _ in 0..2 {
            let _woken = IfItPanics(&flight.wakers);
            match flight.progress.try_lock() {
                Ok(progress) => return self.drive(progress, land).map(Some),
                Err(TryLockError::Poisoned(_)) => {
                    drop(self.remove(&mut self.flights.lock()));
                    return Poll::Ready(None);
                }
                // Somebody else drives it at this moment, and sees this afterwards or has let go of it already.
                Err(TryLockError::WouldBlock) => {
                    flight.missed.swap(true, Ordering::SeqCst);
                    fence(Ordering::SeqCst);
                }
            }
        }
        Poll::Pending
    }

    fn drive(
        &self,
        mut progress: MutexGuard<'_, Progress>,
        land: &impl Fn(Reading, Found, bool) -> Landed,
    ) -> Poll<Landed> {
        let flight = &*self.flight;
        let (load, driver) = match &mut *progress {
            Progress::Landed(landed) => return Poll::Ready(landed.clone()),
            Progress::UnderWay(load, driver) => (load, driver),
        };
        let is_due = flight.wakers.is_due.swap(false, Ordering::SeqCst);
        if !is_due && driver.is_some_and(|driver| driver != self.number) {
            return Poll::Pending;
        }
        *driver = Some(self.number);
        let all = Waker::from(Arc::clone(&flight.wakers));
        match load.as_mut().poll(&mut Context::from_waker(&all)) {
            Poll::Ready(found) => {
                let mut by_key = self.flights.lock();
                let boarding = self.remove(&mut by_key);
                let landed = land(flight.sent, found, boarding.is_some());
                drop(by_key);
                let load = std::mem::replace(&mut *progress, Progress::Landed(landed.clone()));
                drop(progress);
                drop(load);
                flight.wakers.forget(self.number);
                flight.wakers.wake_all();
                Poll::Ready(landed)
            }
            Poll::Pending => {
                drop(progress);
                fence(Ordering::SeqCst);
                if flight.missed.swap(false, Ordering::SeqCst) {
                    flight.wakers.wake_all();
                }
                Poll::Pending
            }
        }
    }

    /// Takes the load out, if it is the one that is under way for everybody.
    fn remove(&self, by_key: &mut ByKey) -> Option<Boarding> {
        let is_this = by_key.get(self.key).is_some_and(|other| Arc::ptr_eq(&other.flight, &self.flight));
        if is_this { by_key.remove(self.key) } else { None }
    }
}

/// The last one to leave takes the load along.
impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut by_key = self.flights.lock();
        let gone = match by_key.get_mut(self.key) {
            Some(boarding) if Arc::ptr_eq(&boarding.flight, &self.flight) => {
                boarding.seats -= 1;
                if boarding.seats == 0 { by_key.remove(self.key) } else { None }
            }
            _ => None,
        };
        drop(by_key);
        drop(gone);
        self.flight.wakers.forget(self.number);
        // Where it is locked, somebody else drives it.
        if let Ok(mut progress) = self.flight.progress.try_lock()
            && let Progress::UnderWay(_, driver) = &mut *progress
            && *driver == Some(self.number)
        {
            *driver = None;
        }
    }
}

/// Those who wait for a load: all are woken whenever it can go on, since any of them may have stopped asking.
#[derive(Default)]
struct Wakers {
    by_seat: Mutex<Vec<Option<Waker>>>,
    /// Whether the load has woken them, and nobody has driven it since.
    is_due: AtomicBool,
}

impl Wakers {
    /// A place for one more.
    fn seat(&self) -> usize {
        let mut by_seat = self.lock();
        by_seat.push(None);
        by_seat.len() - 1
    }

    fn note(&self, number: usize, waker: &Waker) {
        let waker = waker.clone();
        let replaced = self.lock().get_mut(number).map(|seat| seat.replace(waker));
        // Not while it is locked: a waker may hold a task that holds a seat here.
        drop(replaced);
    }

    fn forget(&self, number: usize) {
        let gone = self.lock().get_mut(number).map(Option::take);
        drop(gone);
    }

    fn wake_all(&self) {
        let wakers: Vec<_> = self.lock().iter_mut().filter_map(Option::take).collect();
        wakers.into_iter().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Option<Waker>>> {
        self.by_seat.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Wakers {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_due.store(true, Ordering::SeqCst);
        self.wake_all();
    }
}

/// Wakes the others when a load panics: they find it poisoned, and look for themselves.
struct IfItPanics<'a>(&'a Wakers);

impl Drop for IfItPanics<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.wake_all();
        }
    }
}
