//! Transferring a client ID to another seller (rule 22).

use super::draft::Draft;
use super::{Client, CommandContext, Decision, Refusal};
use crate::event::Fact;
use crate::value::SellerId;

impl Client {
    /// Transfers the client ID to another seller, with its add-ins, secrets and trail (rule 22). Only an operator can. The same
    /// seller again changes nothing.
    ///
    /// # Errors
    /// [`Refusal::OperatorsOnly`] if the actor is a seller.
    pub fn transfer(&self, to: &SellerId, context: &CommandContext<'_>) -> Result<Decision, Refusal> {
        let now = self.admit(context)?;
        if !context.actor.is_operator() {
            return Err(Refusal::OperatorsOnly);
        }
        if *to == self.owner {
            return Ok(Decision::Unchanged);
        }
        let mut draft = Draft::of(self, context, now);
        let client = draft.client_mut();
        let from = std::mem::replace(&mut client.owner, to.clone());
        client.extras_mut().transferred_at = Some(now);
        draft.record(Fact::ClientTransferred { from, to: to.clone() });
        Ok(draft.into())
    }
}
