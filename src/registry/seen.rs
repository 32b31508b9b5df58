//! `Seen`: the newest record that this node saw of each client, so that an older one put in its place is noticed.
//!
//! An older record has a lower revision. A store also sees records that it never committed: of two commits for one revision it
//! keeps one, and an attacker may put the other in its place later. The hash of the latest event tells the two apart. The
//! memory is bounded: a client that was pushed out is believed anew.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::event::EventHash;
use crate::record::RecordId;
use crate::value::Revision;

/// The newest records of the clients that were seen last.
pub(super) struct Seen {
    newest: quick_cache::sync::Cache<String, Arc<Mutex<Newest>>>,
    /// Counts how often everything was forgotten.
    generation: AtomicU64,
}

/// The newest record of a client: its revision, and the hash of its latest event.
#[derive(Clone, Copy)]
struct Newest {
    revision: Revision,
    head: EventHash,
}

impl Seen {
    pub(super) fn new() -> Self {
        Self { newest: quick_cache::sync::Cache::new(CAPACITY), generation: AtomicU64::new(0) }
    }

    /// The lowest revision that a look-up that begins now may find.
    pub(super) fn of(&self, id: RecordId<'_>) -> Revision {
        self.newest.get(id.as_str()).map_or(Revision::ZERO, |newest| lock(&newest).revision)
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    pub(super) fn clear(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
        self.newest.clear();
    }

    /// Notes a record that was read. Returns `false` if another record of the same revision was seen.
    pub(super) fn note(&self, id: RecordId<'_>, revision: Revision, head: EventHash) -> bool {
        let newest = self.newest(id);
        let mut newest = lock(&newest);
        if newest.revision < revision {
            *newest = Newest { revision, head };
        }
        newest.revision != revision || newest.head == head
    }

    /// Notes a record that was committed. It is right whatever was read.
    pub(super) fn made(&self, id: RecordId<'_>, revision: Revision, head: EventHash) {
        let newest = self.newest(id);
        let mut newest = lock(&newest);
        if newest.revision <= revision {
            *newest = Newest { revision, head };
        }
    }

    fn newest(&self, id: RecordId<'_>) -> Arc<Mutex<Newest>> {
        let nothing = || Newest { revision: Revision::ZERO, head: EventHash::START };
        let make = || Ok::<_, std::convert::Infallible>(Arc::new(Mutex::new(nothing())));
        let Ok(newest) = self.newest.get_or_insert_with(id.as_str(), make);
        newest
    }
}

fn lock(newest: &Mutex<Newest>) -> MutexGuard<'_, Newest> {
    newest.lock().unwrap_or_else(PoisonError::into_inner)
}

/// About 150 bytes each.
const CAPACITY: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_record_of_the_same_revision_is_noticed_and_what_was_committed_is_right() {
        let seen = Seen::new();
        let id = RecordId::of_presented("calendar-app").unwrap();
        let [one, other] = ["1", "2"].map(|digit| digit.repeat(64).parse::<EventHash>().unwrap());
        let [first, second] = [1, 2].map(Revision::new);
        assert!(seen.note(id, first, one) && seen.note(id, first, one));
        assert!(!seen.note(id, first, other));
        assert!(seen.note(id, second, other));
        // An older one that was read meanwhile is refused by its revision.
        assert!(seen.note(id, first, other));
        assert_eq!(seen.of(id), second);
        seen.made(id, first, one);
        assert!(seen.note(id, second, other));
        seen.made(id, second, one);
        assert!(seen.note(id, second, one) && !seen.note(id, second, other));
        seen.clear();
        assert_eq!(seen.of(id), Revision::ZERO);
        assert!(seen.note(id, first, other));
    }
}
