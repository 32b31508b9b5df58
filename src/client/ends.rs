//! Moving the end of a secret while it has not come (rule 21).
//!
//! An end that is brought forward takes a password away, so it has a plan with obstacles, judged as of the new end. An end that
//! is put off takes nothing away: it only may not pass the end that the secret was issued with, or what the policy allows.

use super::draft::Draft;
use super::{
    Client, CommandContext, ConfirmError, Decision, EndMove, Held, LastUses, Plan, Promotion, Refusal,
};
use crate::event::Fact;
use crate::secret::Secret;
use crate::value::{Policy, SecretId, Timestamp};

impl Client {
    /// Plans to move the end of a secret (rule 21). The plan describes the client at the new end. There are no obstacles if the
    /// new end is later than the present one.
    ///
    /// # Errors
    /// - [`Refusal::AlreadyEnded`]: the secret has ended.
    /// - [`Refusal::InThePast`]: the new end has passed.
    /// - [`Refusal::EndTooLate`]: the new end is later than the one that the secret was issued with, or than the policy allows.
    /// - [`Refusal::Invalid`]: the new end is not after the start of the secret.
    /// - [`Refusal::UnknownSecret`]: the client has no such secret.
    /// - [`Refusal::UnknownClient`], [`Refusal::ClockBehind`]: the actor may not change this client, or not under this clock
    ///   (rules 15 and 19).
    pub fn plan_end(
        &self,
        secret: SecretId,
        until: impl Into<Timestamp>,
        uses: &LastUses,
        context: &CommandContext<'_>,
    ) -> Result<Plan<EndMove>, Refusal> {
        self.decide_end(secret, until.into(), uses, context).map(|(plan, _)| plan)
    }

    /// Moves the end of a secret at once, if its [plan](Self::plan_end) has no obstacles.
    ///
    /// Moving the end to the instant where it is already changes nothing, unless a rotation has set it: then the end stays
    /// there even if the rotation is called off.
    ///
    /// # Errors
    /// - [`ConfirmError::Obstructed`]: the plan has obstacles. It holds the plan.
    /// - [`ConfirmError::Failed`]: one of the errors of [`plan_end`](Self::plan_end).
    pub fn move_end(
        &self,
        secret: SecretId,
        until: impl Into<Timestamp>,
        uses: &LastUses,
        context: &CommandContext<'_>,
    ) -> Result<Decision, ConfirmError<EndMove>> {
        let (plan, decision) = self.decide_end(secret, until.into(), uses, context)?;
        plan.unobstructed(decision)
    }

    pub(super) fn decide_end(
        &self,
        id: SecretId,
        until: Timestamp,
        uses: &LastUses,
        context: &CommandContext<'_>,
    ) -> Result<(Plan<EndMove>, Decision), Refusal> {
        let now = self.admit(context)?;
        let secret = self.known(id)?;
        let before = secret.validity.until();
        if let Some(ended) = before.filter(|_| secret.validity.has_ended(now)) {
            return Err(Refusal::AlreadyEnded { secret: id, at: ended });
        }
        if until < now {
            return Err(Refusal::InThePast { at: until, now });
        }
        let is_later = before.is_some_and(|before| before < until);
        if let Some(latest) = latest_end(secret, context.policy).filter(|latest| is_later && *latest < until)
        {
            return Err(Refusal::EndTooLate { secret: id, latest: latest.max(before.unwrap_or(latest)) });
        }
        let mut draft = Draft::of(self, context, now);
        // An end that a rotation set is not yet this one: calling the rotation off would take it back.
        let is_moved = before != Some(until) || self.held(id).is_some_and(Held::has_end_of_rotation);
        if is_moved {
            draft.end_at(id, until)?;
        }
        let used = self.used([id], uses, now);
        let mut obstacles = self.nothing_left(draft.client(), until);
        if before.is_none_or(|before| until < before) {
            obstacles.extend(used.stands_in_the_way(until, context.policy));
        }
        let moves = self.removal(id, draft.client(), until);
        let plan = self.plan(EndMove { moves, until, before }, used, uses, obstacles, now);
        Ok((plan, if is_moved { draft.into() } else { Decision::Unchanged }))
    }
}

impl Draft {
    /// Moves the end of a secret, with the promotions that depend on it.
    pub(super) fn end_at(&mut self, secret: SecretId, until: Timestamp) -> Result<(), Refusal> {
        let now = self.now();
        let held = self.held_mut(secret);
        held.secret.validity = held.secret.validity.ending_at(Some(until))?;
        held.secret.end_set_at = Some(now);
        if let Some(given_up) = &mut held.given_up {
            given_up.end = None;
            given_up.promotions.retain(|promotion| promotion.at < until);
        }
        let (validity, by) = (held.secret.validity, held.secret.replaced_by);
        self.record(Fact::EndMoved { secret, validity });
        let ends_before = |p: &Promotion| p.secret == secret && now < p.at && until <= p.at;
        self.withdraw_those(ends_before);
        if let Some(by) = by {
            self.follow_the_ends(by);
        }
        Ok(())
    }

    /// Moves the promotion that waits until the replaced secrets have ended with the last of their ends. Others of its secret stay:
    /// nobody has asked for another one, and one that was in force before the clock was set back will be so again (rule 19).
    fn follow_the_ends(&mut self, by: SecretId) {
        let now = self.now();
        let client = self.client();
        let waits = |p: &&Promotion| p.secret == by && p.follows && now < p.at;
        let Some(waiting) = client.promotions().iter().find(waits).copied() else { return };
        let replaced = client.secrets().filter(|secret| secret.replaced_by == Some(by));
        let last = replaced.filter_map(|secret| secret.validity.until()).fold(now, Timestamp::max);
        if last == waiting.at {
            return;
        }
        if client.secret(by).is_some_and(|secret| secret.validity.runs(last)) {
            for promotion in self.client_mut().extras_mut().promotions.iter_mut().filter(|p| **p == waiting) {
                promotion.at = last;
            }
            self.record(match last <= now {
                true => Fact::SecretPromoted { secret: by },
                false => Fact::PromotionScheduled { secret: by, from: last },
            });
        } else {
            // It ends before those that it replaced.
            self.withdraw_those(|p| *p == waiting);
        }
    }
}

/// Returns the latest end that a secret may have: not past the one that it was issued with, nor what the policy allows.
fn latest_end(secret: &Secret, policy: &Policy) -> Option<Timestamp> {
    let allowed = policy.latest_end(secret.validity.from());
    [secret.issued_until, allowed].into_iter().flatten().min()
}
