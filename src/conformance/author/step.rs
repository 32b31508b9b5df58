//! One change of one client, as it is written to the store under test.

use crate::event::EventText;
use crate::record::{Opened, Record, RecordId};
use crate::store::{Expected, Index, RecordChange};
use crate::value::{ClientId, Revision};

/// One change of one client, with the client after it.
#[derive(Clone)]
pub(in crate::conformance) struct Step {
    pub(super) opened: Opened,
    pub(super) change: RecordChange,
}

impl Step {
    pub(in crate::conformance) fn id(&self) -> &ClientId {
        self.opened.client_id()
    }

    pub(in crate::conformance) fn change(&self) -> &RecordChange {
        &self.change
    }

    pub(in crate::conformance) fn record(&self) -> &Record {
        self.change.record()
    }

    pub(in crate::conformance) fn record_id(&self) -> RecordId<'_> {
        self.change.id()
    }

    pub(in crate::conformance) fn index(&self) -> &Index {
        self.change.index()
    }

    pub(in crate::conformance) fn events(&self) -> &[EventText] {
        self.change.events()
    }

    pub(in crate::conformance) fn revision(&self) -> Revision {
        self.opened.revision()
    }

    pub(in crate::conformance) fn opened(&self) -> &Opened {
        &self.opened
    }

    /// The same change with another expectation.
    pub(in crate::conformance) fn expecting(&self, expected: Expected) -> Self {
        Self { opened: self.opened.clone(), change: RecordChange { expected, ..self.change.clone() } }
    }

    /// The same change with other lookup entries.
    pub(in crate::conformance) fn found_by(&self, index: Index) -> Self {
        Self { opened: self.opened.clone(), change: RecordChange { index, ..self.change.clone() } }
    }

    /// The same change with other texts instead of its events.
    pub(in crate::conformance) fn telling(&self, events: Vec<EventText>) -> Self {
        Self { opened: self.opened.clone(), change: RecordChange { events, ..self.change.clone() } }
    }
}
