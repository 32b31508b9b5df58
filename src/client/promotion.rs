//! Promotions: the seller chooses which secret signs, now or from a later instant on (rule 7).
//!
//! A promotion names a secret that can sign and is valid at the chosen instant. It removes no other promotion; which one counts
//! is decided at the moment of signing (rule 6).

use super::draft::Draft;
use super::{Client, CommandContext, Decision, Refusal};
use crate::event::Fact;
use crate::value::{SecretId, Timestamp};

/// A promotion: from an instant on, a secret signs (rule 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Promotion {
    pub(super) secret: SecretId,
    pub(super) at: Timestamp,
    #[serde(skip)]
    pub(super) step: u64,
    /// It begins when the secrets that this one replaced have ended, and moves with the last of their ends (rule 21).
    #[serde(skip)]
    pub(super) follows: bool,
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
    /// - [`Refusal::UnknownSecret`]: the client has no such secret.
    /// - [`Refusal::CannotSign`]: the secret is for passwords only.
    /// - [`Refusal::NotValidThen`]: the secret is not valid now.
    /// - [`Refusal::KeyDropped`]: an older version of this crate removed its signing key.
    /// - [`Refusal::UnknownClient`], [`Refusal::ClockBehind`]: the actor may not change this client, or not under this clock
    ///   (rules 15 and 19).
    pub fn promote(&self, secret: SecretId, context: &CommandContext<'_>) -> Result<Decision, Refusal> {
        let now = self.admit(context)?;
        self.promotable(secret, now)?;
        // One that a rotation holds back may come back, and must not count as made later than this.
        let signs_whatever_comes_back = |promotion: &Promotion| {
            let in_force = self.held_back().filter(|other| other.at <= now);
            promotion.secret == secret && in_force.map(|other| other.order()).max() < Some(promotion.order())
        };
        if self.promotion_at(now).is_some_and(|(promotion, _)| signs_whatever_comes_back(promotion)) {
            return Ok(Decision::Unchanged);
        }
        let mut draft = Draft::of(self, context, now);
        draft.promote(secret, now);
        Ok(draft.into())
    }

    /// Schedules a promotion: the secret signs from the instant `at` on. It replaces an earlier scheduled promotion of this
    /// secret.
    ///
    /// Scheduling the same instant again changes nothing, unless another secret was scheduled for that instant since: of two
    /// promotions that begin at one instant, the one made last counts (rule 6). If `at` is now, this is
    /// [`promote`](Self::promote).
    ///
    /// # Errors
    /// Those of [`promote`](Self::promote), where [`Refusal::NotValidThen`] is about that instant, and [`Refusal::InThePast`]
    /// if the instant has passed.
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
        let all = self.promotions().iter().chain(self.held_back());
        let last_made = all.filter(|p| p.at == at).max_by_key(|p| p.step);
        if last_made.is_some_and(|last| last.secret == secret && self.promotions().contains(last)) {
            return Ok(Decision::Unchanged);
        }
        let mut draft = Draft::of(self, context, now);
        draft.promote(secret, at);
        Ok(draft.into())
    }

    /// Withdraws the scheduled promotion of a secret.
    ///
    /// # Errors
    /// [`Refusal::NothingScheduled`] if no promotion of the secret is scheduled, for instance because it has taken effect;
    /// [`Refusal::UnknownSecret`] if the client has no such secret.
    pub fn withdraw_promotion(
        &self,
        secret: SecretId,
        context: &CommandContext<'_>,
    ) -> Result<Decision, Refusal> {
        let now = self.admit(context)?;
        self.known(secret)?;
        if !self.promotions().iter().any(|promotion| promotion.secret == secret && promotion.at > now) {
            return Err(Refusal::NothingScheduled { secret });
        }
        let mut draft = Draft::of(self, context, now);
        draft.withdraw(secret);
        // A rotation that is called off must not bring back what was withdrawn since (rule 11). After a clock was set back there may be
        // one of either kind.
        if let Some(given_up) = &mut draft.held_mut(secret).given_up {
            given_up.promotions.retain(|promotion| promotion.at <= now);
        }
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

impl Draft {
    /// Lets a secret sign from `at` on (rule 7). A promotion from now on replaces the secret's promotion in force; a later one
    /// replaces its scheduled one and leaves the latest in force. So a secret never has more than two, although no other
    /// command removes any (rule 19).
    pub(super) fn promote(&mut self, secret: SecretId, at: Timestamp) {
        self.put_promotion(self.promotion(secret, at));
    }

    /// Returns a promotion made now.
    pub(super) fn promotion(&self, secret: SecretId, at: Timestamp) -> Promotion {
        Promotion { secret, at, step: self.client().steps, follows: false }
    }

    /// Puts a promotion in the place of those of its secret that it replaces, and records it.
    pub(super) fn put_promotion(&mut self, promotion: Promotion) {
        let (now, Promotion { secret, at, .. }) = (self.now(), promotion);
        // A rotation that is called off must not bring back what was replaced since (rule 11).
        let given_up = self.client().held(secret).and_then(|held| held.given_up.as_deref());
        let withheld = given_up.map_or(&[][..], |given_up| &given_up.promotions);
        let all = self.client().promotions().iter().filter(|p| p.secret == secret).chain(withheld);
        let withheld: Vec<_> = left_by(at, now, all.copied()).filter(|p| withheld.contains(p)).collect();
        if let Some(given_up) = &mut self.held_mut(secret).given_up {
            given_up.promotions = withheld;
        }

        let of_it = self.client().promotions().iter().filter(|p| p.secret == secret).copied();
        let stay: Vec<_> = left_by(at, now, of_it).collect();
        self.client_mut().extras_mut().promotions.retain(|p| p.secret != secret || stay.contains(p));
        self.client_mut().extras_mut().promotions.push(promotion);
        self.record(match at <= now {
            true => Fact::SecretPromoted { secret },
            false => Fact::PromotionScheduled { secret, from: at },
        });
    }

    /// Withdraws the scheduled promotions of a secret (rule 7): one, or two if a clock was set back.
    pub(super) fn withdraw(&mut self, secret: SecretId) {
        let now = self.now();
        self.withdraw_those(|p| p.secret == secret && p.at > now);
    }

    /// Withdraws certain promotions.
    pub(super) fn withdraw_those(&mut self, those: impl Fn(&Promotion) -> bool) {
        while let Some(position) = self.client().promotions().iter().position(&those) {
            let Promotion { secret, at, .. } = self.client_mut().extras_mut().promotions.remove(position);
            self.record(Fact::PromotionWithdrawn { secret, from: at });
        }
    }
}

/// Returns those promotions of a secret that stay when it is promoted as of `at`.
fn left_by(
    at: Timestamp,
    now: Timestamp,
    promotions: impl Iterator<Item = Promotion> + Clone,
) -> impl Iterator<Item = Promotion> {
    let in_force = promotions.clone().filter(move |p| p.at <= now);
    let latest = in_force.map(|p| p.order()).max().filter(|_| now < at);
    promotions.filter(move |p| match p.at <= now {
        true => latest == Some(p.order()),
        false => at <= now,
    })
}
