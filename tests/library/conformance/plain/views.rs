//! The books as a store sees them: as they are, or as it remembers them.

use std::ops::Deref;
use std::sync::MutexGuard;

use super::{Books, Plain, lock};
use crate::conformance::faults::Fault;

/// The books of a place, or what a store takes for them.
pub(super) enum View<'a> {
    Now(MutexGuard<'a, Books>),
    Then(Books),
}

impl Deref for View<'_> {
    type Target = Books;

    fn deref(&self) -> &Books {
        match self {
            Self::Now(books) => books,
            Self::Then(books) => books,
        }
    }
}

impl Plain {
    pub(super) fn books(&self) -> MutexGuard<'_, Books> {
        lock(&self.disk.books)
    }

    /// How many rows are read at most.
    pub(super) fn page(&self, limit: usize) -> usize {
        if self.fault == Fault::PagesHaveAThousand { limit.min(1000) } else { limit }
    }

    /// The books as they are, or, for a store that has this fault, as it saw them last.
    pub(super) fn view(&self, fault: Fault) -> View<'_> {
        let is_from_memory = self.fault == fault || self.fault == Fault::LoadingBringsUpToDate;
        if is_from_memory { View::Then(lock(&self.seen).clone()) } else { self.own_view() }
    }

    /// The books as they are, or, for a store that keeps pages, as it saw them last if it is asked for what comes after a place.
    pub(super) fn page_of(&self, fault: Fault, is_after: bool) -> View<'_> {
        let is_kept = is_after && self.fault == Fault::PagesFromMemory;
        self.view(if is_kept { Fault::PagesFromMemory } else { fault })
    }

    /// The books as they are, or as a store takes them to be that a dropped call has left behind.
    pub(super) fn own_view(&self) -> View<'_> {
        let behind = lock(&self.behind).clone();
        behind.map_or_else(|| View::Now(self.books()), View::Then)
    }

    pub(super) fn see(&self, books: &Books) {
        if self.fault.is_from_memory() {
            *lock(&self.seen) = books.clone();
        }
    }
}
