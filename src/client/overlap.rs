//! The overlap of a rotation: calling the rotation off, and closing it early (rule 11).
//!
//! A rotation takes from each secret that it replaces its end and its scheduled promotions. Both are kept beside the secret, so
//! that calling the rotation off can give them back: from then on the client signs and authenticates as if it had never been
//! rotated.

use super::draft::Draft;
use super::{
    Client, CommandContext, ConfirmError, Decision, Held, LastUses, Plan, Promotion, Refusal, Revocation,
};
use crate::client::{CallingOff, ClosingEarly};
use crate::event::Fact;
use crate::secret::Secret;
use crate::value::{SecretId, Timestamp, Validity};

/// What a rotation took from a secret that it replaced (rule 11).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GivenUp {
    /// The end that it had. There is none once its end was moved since: then that stays.
    pub(crate) end: Option<End>,
    /// Its promotions that were scheduled then, and that no later command would have replaced or withdrawn.
    pub(crate) promotions: Vec<Promotion>,
}

/// The validity with the end that a secret had, and when that end was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) validity: Validity,
    pub(crate) set_at: Option<Timestamp>,
}

impl Client {
    /// Plans to call off the rotation that issued `new_secret` (rule 11). That secret is deleted, and the secrets that it
    /// replaced and that still run get back their former ends and scheduled promotions.
    ///
    /// The obstacles are those of a [deletion](Self::plan_deletion); the secrets that get back their ends count as valid.
    ///
    /// # Errors
    /// - [`Refusal::NotUnderway`]: no secret that it replaced still runs.
    /// - [`Refusal::CannotCallOff`]: an older version of this crate made the rotation, and did not keep the former ends.
    /// - [`Refusal::UnknownSecret`]: the client has no such secret.
    /// - [`Refusal::UnknownClient`], [`Refusal::ClockBehind`]: the actor may not change this client, or not under this clock
    ///   (rules 15 and 19).
    pub fn plan_calling_off(
        &self,
        new_secret: SecretId,
        uses: &LastUses,
        context: &CommandContext<'_>,
    ) -> Result<Plan<CallingOff>, Refusal> {
        self.decide_calling_off(new_secret, uses, context).map(|(plan, _)| plan)
    }

    /// Calls off a rotation at once, if its [plan](Self::plan_calling_off) has no obstacles.
    ///
    /// # Errors
    /// - [`ConfirmError::Obstructed`]: the plan has obstacles. It holds the plan.
    /// - [`ConfirmError::Failed`]: one of the errors of [`plan_calling_off`](Self::plan_calling_off).
    pub fn call_off(
        &self,
        new_secret: SecretId,
        uses: &LastUses,
        context: &CommandContext<'_>,
    ) -> Result<Decision, ConfirmError<CallingOff>> {
        let (plan, decision) = self.decide_calling_off(new_secret, uses, context)?;
        plan.unobstructed(decision)
    }

    /// Plans to close the overlap of a rotation early (rule 11): the secrets that `new_secret` replaced end now.
    ///
    /// The obstacles are those of [moving an end](Self::plan_end) to now.
    ///
    /// # Errors
    /// - [`Refusal::NotUnderway`]: no secret that it replaced still runs.
    /// - [`Refusal::Invalid`]: a replaced secret began in this millisecond, so its validity would be empty (rule 4).
    /// - [`Refusal::UnknownSecret`]: the client has no such secret.
    /// - [`Refusal::UnknownClient`], [`Refusal::ClockBehind`]: the actor may not change this client, or not under this clock
    ///   (rules 15 and 19).
    pub fn plan_closing(
        &self,
        new_secret: SecretId,
        uses: &LastUses,
        context: &CommandContext<'_>,
    ) -> Result<Plan<ClosingEarly>, Refusal> {
        self.decide_closing(new_secret, uses, context).map(|(plan, _)| plan)
    }

    /// Closes the overlap of a rotation at once, if its [plan](Self::plan_closing) has no obstacles.
    ///
    /// # Errors
    /// - [`ConfirmError::Obstructed`]: the plan has obstacles. It holds the plan.
    /// - [`ConfirmError::Failed`]: one of the errors of [`plan_closing`](Self::plan_closing).
    pub fn close_early(
        &self,
        new_secret: SecretId,
        uses: &LastUses,
        context: &CommandContext<'_>,
    ) -> Result<Decision, ConfirmError<ClosingEarly>> {
        let (plan, decision) = self.decide_closing(new_secret, uses, context)?;
        plan.unobstructed(decision)
    }

    /// Returns the promotions that rotations under way hold back.
    pub(super) fn held_back(&self) -> impl Iterator<Item = &Promotion> {
        self.secrets
            .iter()
            .filter_map(|held| held.given_up.as_deref())
            .flat_map(|given_up| &given_up.promotions)
    }

    pub(super) fn decide_calling_off(
        &self,
        new_secret: SecretId,
        uses: &LastUses,
        context: &CommandContext<'_>,
    ) -> Result<(Plan<CallingOff>, Decision), Refusal> {
        let now = self.admit(context)?;
        // One that has not started runs as well, by the clock before it was set back: every replaced secret had started.
        let restores = self.replaced(new_secret, |secret| !secret.validity.has_ended(now))?;
        for secret in &restores {
            if self.held(*secret).is_none_or(|held| held.given_up.is_none()) {
                return Err(Refusal::CannotCallOff { secret: *secret });
            }
        }
        let mut draft = Draft::of(self, context, now);
        draft.record(Fact::RotationCalledOff { secret: new_secret });
        for secret in &restores {
            draft.give_back(*secret);
        }
        draft.delete(new_secret, Revocation::Deleted);
        let used = self.used([new_secret], uses, now);
        let mut obstacles = self.nothing_left(draft.client(), now);
        obstacles.extend(used.stands_in_the_way(now, context.policy));
        let calls_off = self.removal(new_secret, draft.client(), now);
        let plan = self.plan(CallingOff { calls_off, restores }, used, uses, obstacles, now);
        Ok((plan, draft.into()))
    }

    pub(super) fn decide_closing(
        &self,
        new_secret: SecretId,
        uses: &LastUses,
        context: &CommandContext<'_>,
    ) -> Result<(Plan<ClosingEarly>, Decision), Refusal> {
        let now = self.admit(context)?;
        let ends = self.replaced(new_secret, |secret| secret.validity.runs(now))?;
        let mut draft = Draft::of(self, context, now);
        for secret in &ends {
            draft.end_at(*secret, now)?;
        }
        let used = self.used(ends.iter().copied(), uses, now);
        let mut obstacles = self.nothing_left(draft.client(), now);
        obstacles.extend(used.stands_in_the_way(now, context.policy));
        let closes = self.removal(new_secret, draft.client(), now);
        let plan = self.plan(ClosingEarly { closes, ends }, used, uses, obstacles, now);
        Ok((plan, draft.into()))
    }

    /// Returns those of the secrets that this one replaced that still run. While there is one, the rotation is under way.
    fn replaced(
        &self,
        new_secret: SecretId,
        runs: impl Fn(&Secret) -> bool,
    ) -> Result<Vec<SecretId>, Refusal> {
        self.known(new_secret)?;
        let running = self.secrets().filter(|secret| secret.replaced_by == Some(new_secret) && runs(secret));
        let running: Vec<_> = running.map(Secret::id).collect();
        if running.is_empty() { Err(Refusal::NotUnderway { secret: new_secret }) } else { Ok(running) }
    }
}

impl Held {
    /// Returns whether the secret has the end that a rotation set.
    pub(super) fn has_end_of_rotation(&self) -> bool {
        self.given_up.as_ref().is_some_and(|given_up| given_up.end.is_some())
    }
}

impl Draft {
    /// Replaces a secret by a rotation, and keeps what it gives up.
    pub(super) fn replace(&mut self, secret: SecretId, by: SecretId, overlap_ends: Timestamp) {
        let now = self.now();
        let is_scheduled = |p: &&Promotion| p.secret == secret && now < p.at;
        let promotions = self.client().promotions().iter().filter(is_scheduled).copied().collect();
        let held = self.held_mut(secret);
        let replaced = &mut held.secret;
        let end = End { validity: replaced.validity, set_at: replaced.end_set_at };
        held.given_up = Some(Box::new(GivenUp { end: Some(end), promotions }));
        replaced.validity = replaced.validity.ending_by(overlap_ends);
        replaced.replaced_by = Some(by);
        replaced.end_set_at = Some(now);
        let validity = replaced.validity;
        self.record(Fact::SecretReplaced { secret, by, validity });
        self.withdraw(secret);
    }

    /// Gives a replaced secret back what its rotation took.
    fn give_back(&mut self, secret: SecretId) {
        let held = self.held_mut(secret);
        held.secret.replaced_by = None;
        let Some(given_up) = held.given_up.take() else { return };
        let GivenUp { end, promotions } = *given_up;
        if let Some(End { validity, set_at }) = end {
            held.secret.validity = validity;
            held.secret.end_set_at = set_at;
        }
        let validity = held.secret.validity;
        self.record(Fact::SecretRestored { secret, validity });
        for promotion in promotions {
            self.client_mut().extras_mut().promotions.push(promotion);
            self.record(Fact::PromotionRestored { secret, from: promotion.at });
        }
        self.drop_outdone(secret);
    }

    /// Removes the promotions of a secret that would not be there without the rotation. Of three, the last one was made while the one
    /// before it was in force, if it was made last, and took the place of the first. Otherwise the first one was made last, under a
    /// clock that had been set back, and took the place of none.
    fn drop_outdone(&mut self, secret: SecretId) {
        let promotions = &mut self.client_mut().extras_mut().promotions;
        let of_it: Vec<_> = promotions.iter().filter(|p| p.secret == secret).copied().collect();
        let is_outdone = |first: &Promotion| {
            let later = || of_it.iter().filter(|p| p.order() > first.order());
            later().any(|last| {
                last.step > first.step && later().any(|p| p.order() < last.order() && p.step < last.step)
            })
        };
        promotions.retain(|p| p.secret != secret || !is_outdone(p));
    }
}
