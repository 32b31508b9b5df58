//! Promotions: the seller chooses which secret signs, now or from a later instant on (rule 7).
//!
//! A promotion names a secret that can sign and is valid at the chosen instant. It removes no other promotion; which one counts
//! is decided at the moment of signing (rule 6).

use super::draft::Draft;
use super::{Client, CommandContext, Decision, Refusal};
use crate::client::Signing;
use crate::value::{SecretId, Timestamp};

/// A promotion: from an instant on, a secret signs (rule 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Promotion {
    pub(super) secret: SecretId,
    pub(super) at: Timestamp,
    #[serde(skip)]
    pub(super) step: u64,
}

impl Promotion {
    /// Returns the secret that signs.
    #[must_use]
    pub fn secret(&self) -> SecretId {
        self.secret
    }

    /// Returns the instant from which it signs.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Orders promotions: the latest counts; of two that begin at one instant, the one made last (rule 6).
    pub(crate) fn order(&self) -> (Timestamp, u64) {
        (self.at, self.step)
    }
}

impl Client {
    /// Promotes a secret: it signs from now on, and the others remain passwords. Nothing changes if it signs by promotion
    /// already.
    ///
    /// # Errors
    /// A [`Refusal`] if the secret is unknown, cannot sign or is not valid now, or if its signing key is gone
    /// ([`Refusal::KeyDropped`]).
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

    /// Schedules a promotion: the secret signs from the instant `at` on. It replaces an earlier scheduled promotion of this
    /// secret.
    ///
    /// The same instant again changes nothing, unless another secret was scheduled for it since: of two promotions that begin at
    /// one instant the one made last counts (rule 6), so scheduling again is then a change with an event. If `at` is now, this is
    /// [`promote`](Self::promote).
    ///
    /// # Errors
    /// A [`Refusal`] if the secret is unknown, cannot sign or is not valid at that instant, if the instant has passed, or if the
    /// signing key is gone ([`Refusal::KeyDropped`]).
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

    /// Withdraws the scheduled promotion of a secret.
    ///
    /// # Errors
    /// [`Refusal::NothingScheduled`] if there is none, for instance because it has come into force.
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

    /// Refuses a secret that cannot sign or is not valid at that instant.
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
