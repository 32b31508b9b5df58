//! How a plain store is opened, crashed, copied and spoilt.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use client_registry::conformance::{Factory, Skip, Spoil};
use client_registry::store::StoreError;

use super::{Books, Disk, Plain, Plainly, lock, next_number};
use crate::conformance::faults::Fault;

impl Factory for Plainly {
    type Place = Arc<Disk>;
    type Store = Plain;

    fn place(&self) -> Arc<Disk> {
        let books = Books { mark: next_number(), ..Books::default() };
        Arc::new(Disk {
            books: Mutex::new(books),
            written: Mutex::default(),
            failing: Mutex::default(),
            clock_is_behind: AtomicBool::default(),
        })
    }

    fn open(&self, place: &Arc<Disk>) -> Result<Plain, StoreError> {
        if self.0 == Fault::OpeningMendsTheEnd {
            let found = lock(&place.books).clone();
            (0..100).for_each(|_| std::thread::yield_now());
            *lock(&place.books) = found;
        }
        Ok(Plain {
            disk: Arc::clone(place),
            fault: self.0,
            waits: self.1,
            cache: Mutex::default(),
            is_busy: Mutex::default(),
            turns: Mutex::default(),
            line: Mutex::default(),
            late: Mutex::default(),
            behind: Mutex::default(),
            connections: AtomicU64::default(),
            has_failed: AtomicBool::default(),
            opened: next_number(),
            seen: Mutex::new(lock(&place.books).clone()),
        })
    }

    fn crash(&self, _: &Arc<Disk>, store: Plain) -> Result<(), Skip> {
        if let Some(written) = lock(&store.disk.written).take() {
            *lock(&store.disk.books) = written;
        }
        Ok(())
    }

    fn share(&self) -> Result<(), Skip> {
        Ok(())
    }

    fn step_clock_back(&self, place: &Arc<Disk>, _: Duration) -> Result<(), Skip> {
        place.clock_is_behind.store(true, Ordering::Relaxed);
        if self.0 == Fault::NumbersAreTimes {
            let mut books = lock(&place.books);
            books.numbered = books.numbered.saturating_sub(3);
        }
        Ok(())
    }

    fn copy(&self, from: &Arc<Disk>, to: &Arc<Disk>) -> Result<(), Skip> {
        *lock(&to.books) = lock(&from.books).clone();
        Ok(())
    }

    fn fail_flush(&self, place: &Arc<Disk>, after: usize) -> Result<(), Skip> {
        let mut failing = lock(&place.failing);
        match after {
            usize::MAX => failing.clear(),
            after => drop(failing.insert(after)),
        }
        Ok(())
    }

    fn spoil(&self, place: &Arc<Disk>, what: Spoil<'_>) -> Result<(), Skip> {
        let mut books = lock(&place.books);
        match what {
            Spoil::Record(id) => books.records.get_mut(id.as_str()).unwrap().truncate(20),
            Spoil::History(id) => {
                books.trails.get_mut(id).unwrap()[0].events.truncate(20);
                books.feed[0].1.truncate(20);
            }
            _ => return Err(Skip::because("there is no such thing")),
        }
        Ok(())
    }
}
