//! A client's trail, followed commit by commit (rule 16).

use std::collections::BTreeSet;

use crate::event::{Event, EventHash, Fact};
use crate::store::Committed;
use crate::store_error::StoreError;
use crate::value::{AddInId, ClientId, Revision};

/// A trail as far as it was followed.
pub(super) struct Trail {
    pub(super) revision: Revision,
    pub(super) head: EventHash,
    pub(super) events: u64,
    pub(super) broken: Option<Revision>,
    /// Why the first event that cannot be read cannot.
    pub(super) unreadable: Option<StoreError>,
    pub(super) longer: bool,
    /// Those that it had at some time.
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
