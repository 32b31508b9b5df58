//! Choosing which secret signs (rule 7).

use super::draft::Draft;
use super::{Client, CommandContext, Decision, Refusal};
use crate::client::Signing;
use crate::value::{SecretId, Timestamp};

impl Client {
    /// Lets a secret sign from now on. The others stay passwords. If it signs by promotion already, nothing changes.
    ///
    /// # Errors
    /// A [`Refusal`] when the secret is unknown, cannot sign, or is not valid now; [`Refusal::KeyDropped`].
    pub fn promote(&self, secret: SecretId, context: &CommandContext<'_>) -> Result<Decision, Refusal> {
        let now = self.admit(context)?;
        self.promotable(secret, now)?;
        if matches!(self.signing_at(now), Signing::Promoted { secret: signing, .. } if signing == secret) {
            return Ok(Decision::Unchanged);
        }
        let mut draft = Draft::of(self, context, now);
        draft.promote(secret, now);
        Ok(draft.into())
    }

    /// Lets a secret sign from an instant on. A promotion of this secret that was scheduled before is replaced. The
    /// same instant again changes nothing, unless another secret was scheduled for that instant since: of two that begin at
    /// one instant the one made last counts (rule 6), so that scheduling again is a change, with an event. Now is the same as
    /// [`promote`](Self::promote).
    ///
    /// # Errors
    /// A [`Refusal`] when the secret is unknown, cannot sign, or is not valid at that instant, or when it has passed;
    /// [`Refusal::KeyDropped`].
    pub fn schedule_promotion(
        &self,
        secret: SecretId,
        at: impl Into<Timestamp>,
        context: &CommandContext<'_>,
    ) -> Result<Decision, Refusal> {
        let at = at.into();
        let now = self.admit(context)?;
        if at < now {
            return Err(Refusal::InThePast { at, now });
        }
        if at == now {
            return self.promote(secret, context);
        }
        self.promotable(secret, at)?;
        let last_made = self.promotions.iter().filter(|p| p.at == at).max_by_key(|p| p.step);
        if last_made.is_some_and(|promotion| promotion.secret == secret) {
            return Ok(Decision::Unchanged);
        }
        let mut draft = Draft::of(self, context, now);
        draft.promote(secret, at);
        Ok(draft.into())
    }

    /// Takes back the scheduled promotion of a secret.
    ///
    /// # Errors
    /// [`Refusal::NothingScheduled`] when there is none, above all because it has come into force.
    pub fn withdraw_promotion(
        &self,
        secret: SecretId,
        context: &CommandContext<'_>,
    ) -> Result<Decision, Refusal> {
        let now = self.admit(context)?;
        self.known(secret)?;
        if !self.promotions.iter().any(|promotion| promotion.secret == secret && promotion.at > now) {
            return Err(Refusal::NothingScheduled { secret });
        }
        let mut draft = Draft::of(self, context, now);
        draft.withdraw(secret);
        Ok(draft.into())
    }

    /// The secret must be able to sign and be valid at that instant.
    pub(super) fn promotable(&self, id: SecretId, at: Timestamp) -> Result<(), Refusal> {
        let secret = self.known(id)?;
        if !secret.purpose().signs() {
            return Err(Refusal::CannotSign);
        }
        if !secret.is_valid_at(at) {
            return Err(Refusal::NotValidThen { at });
        }
        match self.held(id).is_some_and(|held| held.can_sign_at(at)) {
            true => Ok(()),
            false => Err(Refusal::KeyDropped { secret: id }),
        }
    }
}
