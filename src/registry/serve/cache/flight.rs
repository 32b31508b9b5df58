//! `Flights`: loads that are under way, each shared by all callers that ask for the same client meanwhile.
//!
//! Any caller that is woken drives a load, so a load depends on none of them: a caller that is dropped, or that is polled once
//! and then left alone, holds up no other. When the last caller has gone, the load is dropped. A load is never dropped or polled
//! while the map is locked: it is a store's future and may call back.

use std::any::Any;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::Shared;

use crate::clock::ClockReading;
use crate::record::Opened;
use crate::store_error::StoreError;

/// The result of a load.
pub(super) type Found = Result<Option<Opened>, StoreError>;

/// The loads that are under way, by client. A load that was [detached](Self::detach) goes on for the callers that wait for it
/// already, and no other caller joins it.
#[derive(Default)]
pub(super) struct Flights {
    by_key: Mutex<ByKey>,
}

type ByKey = HashMap<String, Boarding, foldhash::fast::RandomState>;

/// A load that can be joined, and how many callers wait for it.
struct Boarding {
    flight: Flight,
    seats: usize,
}

#[derive(Clone)]
struct Flight {
    /// When the load was sent, or a little earlier.
    sent: ClockReading,
    load: Shared<Load>,
    verdict: Arc<OnceLock<Verdict>>,
}

/// A load borrows nothing, since it may outlive the caller that began it.
type Load = Pin<Box<dyn Future<Output = Result<Arc<Found>, Panic>> + Send>>;

/// The judgement of the first caller that sees the end of a load, for all callers.
#[derive(Clone, Copy)]
struct Verdict {
    was_fresh: bool,
    was_overtaken: bool,
}

/// What every caller that waits for a load is told.
pub(super) struct Landed {
    pub(super) found: Arc<Found>,
    pub(super) sent: ClockReading,
    /// The load was fresh when it landed.
    pub(super) was_fresh: bool,
    /// The load was detached before it landed.
    pub(super) was_overtaken: bool,
}

impl Flights {
    /// Joins the load of a client, or begins one, unless `begin` finds that there is no need. A load that would be too late if it
    /// landed now is not joined: the callers that wait for it are told so when it lands.
    pub(super) fn join<'a, K, F>(
        &'a self,
        key: &'a str,
        is_in_time: impl FnOnce(ClockReading) -> bool,
        begin: impl FnOnce() -> Result<(ClockReading, F), K>,
    ) -> Result<Seat<'a>, K>
    where
        F: Future<Output = Found> + Send + 'static,
    {
        let mut by_key = self.lock();
        let joined = by_key.get_mut(key).filter(|boarding| is_in_time(boarding.flight.sent));
        let (flight, late) = match joined {
            Some(boarding) => {
                boarding.seats += 1;
                (boarding.flight.clone(), None)
            }
            None => {
                let (sent, load) = begin()?;
                let flight = Flight::new(sent, load);
                let boarding = Boarding { flight: flight.clone(), seats: 1 };
                (flight, by_key.insert(key.to_owned(), boarding))
            }
        };
        drop(by_key);
        if let Some(Boarding { flight: late, .. }) = &late {
            late.verdict.get_or_init(|| Verdict { was_fresh: false, was_overtaken: false });
        }
        drop(late);
        Ok(Seat { flights: self, key, flight })
    }

    /// Lets no caller join the load of a client any longer, and runs `and` before another load can begin.
    pub(super) fn detach(&self, key: &str, and: impl FnOnce()) {
        let mut by_key = self.lock();
        let gone = by_key.remove(key);
        and();
        drop(by_key);
        // Not while the map is locked: the load is a store's future, and this may be its last owner.
        drop(gone);
    }

    /// Detaches all loads, and runs `and` before another load can begin.
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

impl Flight {
    fn new(sent: ClockReading, load: impl Future<Output = Found> + Send + 'static) -> Self {
        let load = async move {
            let found = AssertUnwindSafe(load).catch_unwind().await;
            found.map(Arc::new).map_err(|payload| Panic(Arc::new(Mutex::new(Some(payload)))))
        };
        let load: Load = Box::pin(load);
        Self { sent, load: load.shared(), verdict: Arc::default() }
    }

    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.verdict, &other.verdict)
    }
}

/// The place of one caller in a load.
pub(super) struct Seat<'a> {
    flights: &'a Flights,
    key: &'a str,
    flight: Flight,
}

impl Seat<'_> {
    /// Waits for the load, and drives it where no other caller does. The first caller that sees its end calls `land` with the time
    /// at which it was sent, its result, and whether it can still be joined. `land` returns whether it was fresh, and all callers
    /// are told. The load cannot be detached, and no other begun, meanwhile. Returns `None` when the load panicked; one of the
    /// callers panics with it.
    pub(super) async fn landed(
        &mut self,
        land: impl FnOnce(ClockReading, &Found, bool) -> bool,
    ) -> Option<Landed> {
        let found = match (&mut self.flight.load).await {
            Ok(found) => found,
            Err(panic) => {
                drop(self.remove(&mut self.flights.lock()));
                panic.go_on_once();
                return None;
            }
        };
        let sent = self.flight.sent;
        let Verdict { was_fresh, was_overtaken } = *self.flight.verdict.get_or_init(|| {
            let mut by_key = self.flights.lock();
            let boarding = self.remove(&mut by_key);
            let was_fresh = land(sent, &found, boarding.is_some());
            drop(by_key);
            Verdict { was_fresh, was_overtaken: boarding.is_none() }
        });
        Some(Landed { found, sent, was_fresh, was_overtaken })
    }

    /// Takes the load out, if it is the one that can be joined.
    fn remove(&self, by_key: &mut ByKey) -> Option<Boarding> {
        let is_this = by_key.get(self.key).is_some_and(|other| other.flight.is(&self.flight));
        if is_this { by_key.remove(self.key) } else { None }
    }
}

/// The last caller to leave takes the load along.
impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut by_key = self.flights.lock();
        let gone = match by_key.get_mut(self.key) {
            Some(boarding) if boarding.flight.is(&self.flight) => {
                boarding.seats -= 1;
                if boarding.seats == 0 { by_key.remove(self.key) } else { None }
            }
            _ => None,
        };
        drop(by_key);
        drop(gone);
    }
}

/// A load that panicked, with what it panicked with until one caller has taken that.
#[derive(Clone)]
struct Panic(Arc<Mutex<Option<Box<dyn Any + Send>>>>);

impl Panic {
    /// Panics in the first caller that asks.
    fn go_on_once(&self) {
        let payload = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(payload) = payload {
            resume_unwind(payload);
        }
    }
}
