//! Looking a record up in memory, by the bytes of its ID.

use std::hash::{Hash, Hasher};

use foldhash::fast::RandomState;
use papaya::{Equivalent, HashMapRef, LocalGuard};

use crate::record::{Opened, Record, RecordId};
use crate::value::ClientId;

/// The records, by the IDs of their clients.
pub(super) type Records = papaya::HashMap<Key, Record, RandomState>;

/// A look into the records of a memory store that began between two commits. Look up one client with it, since a commit may begin while
/// it is held. What is found stays where it is.
pub(crate) struct WholeCommits<'a> {
    pub(super) records: HashMapRef<'a, Key, Record, RandomState, LocalGuard<'a>>,
}

impl WholeCommits<'_> {
    /// Returns the live client of an ID, or that there is none: without counting references. `None` if its record is sealed.
    #[inline(always)]
    pub(crate) fn find(&self, id: RecordId<'_>) -> Option<Option<&Opened>> {
        match self.records.get(&Sought(id.as_bytes())) {
            Some(record) => record.as_live().map(Some),
            None => Some(None),
        }
    }
}

/// A client ID as the map keeps it: hashed by its bytes.
#[derive(PartialEq, Eq)]
pub(super) struct Key(pub(super) ClientId);

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.as_bytes().hash(state);
    }
}

/// The bytes of a client ID to look up, which are compared with one where it lies.
#[derive(Hash)]
pub(super) struct Sought<'a>(pub(super) &'a [u8]);

impl Equivalent<Key> for Sought<'_> {
    #[inline]
    fn equivalent(&self, key: &Key) -> bool {
        key.0.is(self.0)
    }
}
