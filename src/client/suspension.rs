//! Suspending a client, and resuming it (rule 20).
//!
//! While a client is suspended, nothing of it authenticates, signs or verifies. All else goes on as if it were not: which secret
//! signs, what a plan says, what the timeline shows. So resuming needs no decision.

use serde::Serialize;

use super::draft::Draft;
use super::{Client, CommandContext, Decision, Refusal};
use crate::event::Fact;
use crate::value::{Actor, Timestamp};

/// The suspension of a client: when it began, and which actor suspended the client (rule 20).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Suspension {
    pub(super) since: Timestamp,
    pub(super) by: Actor,
}

impl Suspension {
    /// Returns when the client was suspended.
    #[must_use]
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// Returns the actor that suspended the client. Only an operator lifts an operator's suspension.
    #[must_use]
    pub fn by(&self) -> &Actor {
        &self.by
    }
}

impl Client {
    /// Suspends the client (rule 20). Doing it again changes nothing, except that an operator's suspension takes the place of a
    /// seller's.
    ///
    /// # Errors
    /// [`Refusal::UnknownClient`], [`Refusal::ClockBehind`]: the actor may not change this client, or not under this clock
    /// (rules 15 and 19).
    pub fn suspend(&self, context: &CommandContext<'_>) -> Result<Decision, Refusal> {
        let now = self.admit(context)?;
        let stands = |suspension: &Suspension| suspension.by.is_operator() || !context.actor.is_operator();
        if self.suspension().is_some_and(stands) {
            return Ok(Decision::Unchanged);
        }
        let mut draft = Draft::of(self, context, now);
        let suspension = Suspension { since: now, by: context.actor.clone() };
        draft.client_mut().extras_mut().suspension = Some(suspension);
        draft.record(Fact::ClientSuspended {});
        Ok(draft.into())
    }

    /// Resumes a suspended client (rule 20). Doing it again changes nothing.
    ///
    /// # Errors
    /// [`Refusal::SuspendedByOperator`] if an operator suspended the client and the actor is a seller.
    pub fn resume(&self, context: &CommandContext<'_>) -> Result<Decision, Refusal> {
        let now = self.admit(context)?;
        let Some(suspension) = self.suspension() else {
            return Ok(Decision::Unchanged);
        };
        if suspension.by.is_operator() && !context.actor.is_operator() {
            return Err(Refusal::SuspendedByOperator { since: suspension.since });
        }
        let mut draft = Draft::of(self, context, now);
        draft.client_mut().extras_mut().suspension = None;
        draft.record(Fact::ClientResumed {});
        Ok(draft.into())
    }
}
