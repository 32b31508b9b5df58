//! The events of one commit, each with the hash of the one before (rule 16).

use crate::event::{Event, EventHash, Fact, Handover};
use crate::value::{Actor, ClientId, Revision, Timestamp};

/// The events of one commit, while they are recorded.
pub(super) struct Chain {
    client_id: ClientId,
    revision: Revision,
    head: EventHash,
    actor: Actor,
    at: Timestamp,
    events: Vec<Event>,
}

impl Chain {
    /// Begins the chain of the commit after `revision`; `head` is the hash of the last event before it.
    pub(super) fn after(
        client_id: ClientId,
        revision: Revision,
        head: EventHash,
        actor: &Actor,
        at: Timestamp,
    ) -> Self {
        Self { client_id, revision: revision.next(), head, actor: actor.clone(), at, events: Vec::new() }
    }

    pub(super) fn record(&mut self, fact: Fact, signing: Option<Handover>) {
        let (client_id, actor) = (self.client_id.clone(), self.actor.clone());
        let event = Event::new(client_id, self.revision, self.at, actor, fact, signing, self.head);
        self.head = event.hash();
        self.events.push(event);
    }

    pub(super) fn revision(&self) -> Revision {
        self.revision
    }

    pub(super) fn head(&self) -> EventHash {
        self.head
    }

    pub(super) fn into_events(self) -> Vec<Event> {
        self.events
    }
}
