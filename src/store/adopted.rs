//! `Adopted`: a client that moves between stores.

use crate::record::Record;
use crate::store::{Committed, Index};

/// A client that moves in from another store.
#[derive(Debug, Clone)]
pub struct Adopted {
    record: Record,
    index: Index,
    history: Vec<Committed>,
}

impl Adopted {
    /// Puts a record together with its lookup entries and the history that led to it.
    #[must_use]
    pub fn new(record: Record, index: Index, history: Vec<Committed>) -> Self {
        Self { record, index, history }
    }

    /// Returns the record to keep.
    #[must_use]
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// Returns the lookup entries of the client.
    #[must_use]
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// Returns every commit so far, in order.
    #[must_use]
    pub fn history(&self) -> &[Committed] {
        &self.history
    }
}
