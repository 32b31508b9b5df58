//! The newest revision that was seen of each client: an older record that is put back is noticed (section 4).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::event::Revision;
use crate::record::RecordId;

/// Remembers the clients that were seen last, a bounded number of them.
pub(super) struct Seen(quick_cache::sync::Cache<String, Arc<AtomicU64>>);

impl Seen {
    pub(super) fn new() -> Self {
        Self(quick_cache::sync::Cache::new(CAPACITY))
    }

    /// The revision that a look-up which begins now must at least find.
    pub(super) fn of(&self, id: RecordId<'_>) -> Revision {
        let seen = self.0.get(id.as_str());
        Revision::new(seen.map_or(0, |revision| revision.load(Ordering::Acquire)))
    }

    pub(super) fn clear(&self) {
        self.0.clear();
    }

    pub(super) fn note(&self, id: RecordId<'_>, revision: Revision) {
        let make = || Ok::<_, std::convert::Infallible>(Arc::default());
        let Ok(seen) = self.0.get_or_insert_with(id.as_str(), make);
        seen.fetch_max(revision.number(), Ordering::AcqRel);
    }
}

/// About 100 bytes each.
const CAPACITY: usize = 100_000;
