//! `Trail`: a client's trail, followed commit by commit and compared with the record (rule 16).

use std::collections::BTreeSet;

use crate::event::{Event, EventHash, Fact};
use crate::record::Opened;
use crate::registry::upkeep::check::discrepancy::DiscrepancyKind;
use crate::store::Committed;
use crate::store_error::StoreError;
use crate::value::{AddInId, ClientId, Revision};

/// A trail as far as it was followed.
pub(super) struct Trail {
    pub(super) revision: Revision,
    pub(super) head: EventHash,
    pub(super) events: u64,
    pub(super) broken: Option<Revision>,
    /// The error of the first event that cannot be read.
    pub(super) unreadable: Option<StoreError>,
    /// The trail goes on after the record.
    pub(super) longer: bool,
    /// The add-ins that the client ever had.
    pub(super) add_ins: BTreeSet<AddInId>,
}

impl Trail {
    pub(super) fn take(&mut self, client_id: &ClientId, committed: &Committed) {
        let mut follows = committed.revision == self.revision.next() && !committed.events.is_empty();
        for text in &committed.events {
            match Event::parse(text) {
                Ok(event) => {
                    follows &= self.is_followed_by(client_id, committed.revision, &event);
                    if let Fact::AddInAssociated { add_in } | Fact::AddInMovedIn { add_in, .. } = event.fact()
                    {
                        self.add_ins.insert(add_in.clone());
                    }
                }
                Err(error) => {
                    self.unreadable.get_or_insert(error);
                }
            }
            self.head = text.hash();
            self.events += 1;
        }
        if !follows {
            self.broken.get_or_insert(committed.revision);
        }
        self.revision = committed.revision;
    }

    /// What is wrong with the trail, compared with the record.
    pub(super) fn fault(&mut self, record: &Opened) -> Option<DiscrepancyKind> {
        if let Some(error) = self.unreadable.take() {
            return Some(DiscrepancyKind::Trail(error));
        }
        if let Some(at) = self.broken {
            return Some(DiscrepancyKind::BrokenTrail { at });
        }
        if self.longer {
            return Some(DiscrepancyKind::OlderThanTrail);
        }
        if self.revision < record.revision() {
            return Some(DiscrepancyKind::TrailCutShort);
        }
        (self.head != record.head()).then_some(DiscrepancyKind::BrokenTrail { at: record.revision() })
    }

    fn is_followed_by(&self, client_id: &ClientId, revision: Revision, event: &Event) -> bool {
        event.previous() == self.head && event.client_id() == client_id && event.revision() == revision
    }
}

impl Default for Trail {
    fn default() -> Self {
        Self {
            revision: Revision::ZERO,
            head: EventHash::START,
            events: 0,
            broken: None,
            unreadable: None,
            longer: false,
            add_ins: BTreeSet::new(),
        }
    }
}
