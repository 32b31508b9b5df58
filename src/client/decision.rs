//! The result of a command: nothing to do, or the next value of the client with its events.
//!
//! A decision has no effect by itself. The shell that takes it apart has to commit the value and the events together (rule 16).

use super::ClientState;
use crate::event::Event;
use crate::value::SecretId;

/// The result of a command.
#[derive(Debug)]
#[must_use = "nothing has changed until the decision is committed"]
pub enum Decision {
    /// Nothing is to be done: the client is already as the command asks.
    Unchanged,
    /// The next value of the client, and its events.
    Changed(Box<Change>),
}

/// The next value of a client, with the events that lead to it. Either both are committed, or neither (rule 16).
#[derive(Debug)]
pub struct Change {
    pub(super) next: ClientState,
    pub(super) events: Vec<Event>,
    pub(super) added: Vec<SecretId>,
}

impl Decision {
    /// Returns the change, if there is one.
    #[must_use]
    pub fn change(self) -> Option<Box<Change>> {
        match self {
            Self::Unchanged => None,
            Self::Changed(change) => Some(change),
        }
    }
}

impl Change {
    /// Returns the next value.
    #[must_use]
    pub fn next(&self) -> &ClientState {
        &self.next
    }

    /// Returns the events, in order.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Returns the secrets that were added.
    #[must_use]
    pub fn added(&self) -> &[SecretId] {
        &self.added
    }

    /// Takes the change apart into the next value and the events.
    #[must_use]
    pub fn into_parts(self) -> (ClientState, Vec<Event>) {
        (self.next, self.events)
    }
}
