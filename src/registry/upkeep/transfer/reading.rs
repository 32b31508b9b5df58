//! `Reading`: one client of a stream, as far as it has been read. Its events must lead to its record (rule 16).

use crate::client::LastUses;
use crate::event::{BrokenTrail, Event, EventHash, EventText};
use crate::record::{Opened, Record};
use crate::registry::upkeep::transfer::error::ImportError;
use crate::store::{CommitId, Committed};
use crate::value::{Revision, SecretId, Timestamp};

/// A client as far as it has been read.
pub(super) struct Reading {
    pub(super) record: Record,
    pub(super) opened: Opened,
    pub(super) history: Vec<Committed>,
    /// The hash of the last event.
    pub(super) head: EventHash,
    pub(super) uses: LastUses,
}

impl Reading {
    pub(super) fn begin(record: Record, opened: Opened) -> Self {
        Self { record, opened, history: Vec::new(), head: EventHash::START, uses: LastUses::default() }
    }

    /// Takes the next commit, whose revision must follow.
    pub(super) fn commit(&mut self, commit_id: CommitId, revision: Revision) -> Result<(), ImportError> {
        let last = self.history.last().map_or(Revision::ZERO, |last| last.revision);
        if revision != last.next() || revision > self.opened.revision() {
            return Err(self.broken(BrokenTrail::Head));
        }
        self.history.push(Committed { commit_id, revision, events: Vec::new() });
        Ok(())
    }

    /// Takes the next event of the last commit, which must follow the event before.
    pub(super) fn event(&mut self, text: EventText) -> Result<(), ImportError> {
        let event = Event::parse(&text)?;
        let position = self.history.iter().map(|committed| committed.events.len()).sum();
        let broken = self.broken(BrokenTrail::At { position });
        let Some(committed) = self.history.last_mut() else {
            return Err(broken);
        };
        let follows = event.previous() == self.head
            && event.client_id() == self.opened.client_id()
            && event.revision() == committed.revision;
        if !follows || committed.events.len() == MAX_EVENTS {
            return Err(broken);
        }
        self.head = event.hash();
        committed.events.push(text);
        Ok(())
    }

    /// Notes the use of a secret, if the client has it.
    pub(super) fn used(&mut self, secret: SecretId, at: Timestamp) {
        if self.opened.client().is_ok_and(|client| client.secret(secret).is_some()) {
            self.uses.note(secret, at);
        }
    }

    pub(super) fn broken(&self, source: BrokenTrail) -> ImportError {
        ImportError::Trail { client_id: self.opened.client_id().clone(), source }
    }
}

/// More events than any command makes.
const MAX_EVENTS: usize = 4096;
