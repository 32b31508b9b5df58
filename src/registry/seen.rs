//! The newest revision that was seen of each client: an older record that is put back is noticed (section 4).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::event::Revision;
use crate::record::RecordId;

/// Remembers the clients that were seen last, a bounded number of them.
pub(super) struct Seen {
    revisions: quick_cache::sync::Cache<String, Arc<AtomicU64>>,
    /// Counts how often everything was forgotten.
    generation: AtomicU64,
}

impl Seen {
    pub(super) fn new() -> Self {
        Self { revisions: quick_cache::sync::Cache::new(CAPACITY), generation: AtomicU64::new(0) }
    }

    /// The revision that a look-up which begins now must at least find.
    pub(super) fn of(&self, id: RecordId<'_>) -> Revision {
        let seen = self.revisions.get(id.as_str());
        Revision::new(seen.map_or(0, |revision| revision.load(Ordering::Acquire)))
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    pub(super) fn clear(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
        self.revisions.clear();
    }

    pub(super) fn note(&self, id: RecordId<'_>, revision: Revision) {
        let make = || Ok::<_, std::convert::Infallible>(Arc::default());
        let Ok(seen) = self.revisions.get_or_insert_with(id.as_str(), make);
        seen.fetch_max(revision.number(), Ordering::AcqRel);
    }
}

/// About 100 bytes each.
const CAPACITY: usize = 100_000;
