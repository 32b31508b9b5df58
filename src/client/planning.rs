//! What all plans have in common: what signs next, what is left, who used what, and what stands in the way (rule 9).

use super::last_uses::CountedUse;
use super::{
    CallingOff, Client, ClientDeletion, ClosingEarly, CommandContext, Decision, EndMove, LastUses, Obstacle,
    Plan, Refusal, SecretDeletion, SecretDisabling, SecretRemoval, SecretUse,
};
use crate::client::plan::sealed::Decide;
use crate::secret::Secret;
use crate::value::{Policy, SecretId, Timestamp};

impl Client {
    pub(super) fn plan<C>(
        &self,
        consequences: C,
        used: CountedUse,
        uses: &LastUses,
        obstacles: Vec<Obstacle>,
        at: Timestamp,
    ) -> Plan<C> {
        let (client_id, revision) = (self.id.clone(), self.revision);
        let CountedUse { believed: last_used, ahead: use_ahead } = used;
        let last_uses = self.secrets().filter_map(|secret| {
            Some(SecretUse { secret: secret.id(), at: uses.counted_of(secret, at).believed? })
        });
        let last_uses = last_uses.collect();
        Plan { client_id, revision, at, consequences, last_used, use_ahead, last_uses, obstacles }
    }

    /// Returns who signs and what is left at `t`, now and with `next` in place of this client.
    pub(super) fn removal(&self, secret: SecretId, next: &Self, t: Timestamp) -> SecretRemoval {
        SecretRemoval {
            secret,
            signs: self.signing_at(t).secret(),
            signs_next: next.signing_at(t).secret(),
            valid_left: next.valid_at(t).map(Secret::id).collect(),
        }
    }

    /// Returns the latest use of any of these secrets, as seen at `now`.
    pub(super) fn used(
        &self,
        secrets: impl IntoIterator<Item = SecretId>,
        uses: &LastUses,
        now: Timestamp,
    ) -> CountedUse {
        let secrets = secrets.into_iter().filter_map(|id| self.secret(id));
        secrets.map(|secret| uses.counted_of(secret, now)).fold(CountedUse::default(), CountedUse::max)
    }

    /// Returns the obstacles of a command after which, at `t`, no secret is valid any longer, or none that can sign (rule 9).
    pub(super) fn nothing_left(&self, next: &Self, t: Timestamp) -> Vec<Obstacle> {
        let mut obstacles = Vec::new();
        if self.valid_at(t).next().is_some() && next.valid_at(t).next().is_none() {
            obstacles.push(Obstacle::LastValid);
        }
        if self.signers_at(t).next().is_some() && next.signers_at(t).next().is_none() {
            obstacles.push(Obstacle::LastThatSigns);
        }
        obstacles
    }
}

impl CountedUse {
    /// Returns the obstacle of a use that is too recent for a secret that stops working at `end` (rules 9 and 21).
    pub(super) fn stands_in_the_way(&self, end: Timestamp, policy: &Policy) -> Option<Obstacle> {
        let until = self.believed?.saturating_add(policy.retire_after());
        (end < until).then_some(Obstacle::UsedRecently { until })
    }
}

/// Makes the consequences of a command decide it anew, with what the plan is about.
macro_rules! decided {
    ($($consequences:ident => |$plan:ident| $decide:ident($($about:expr),*), $secret:expr;)*) => {$(
        impl Decide for $consequences {
            fn decide_again(
                &self,
                client: &Client,
                uses: &LastUses,
                context: &CommandContext<'_>,
            ) -> Result<(Plan<Self>, Decision), Refusal> {
                let $plan = self;
                client.$decide($($about,)* uses, context)
            }

            fn secret_id(&self) -> Option<SecretId> {
                let $plan = self;
                $secret
            }
        }
    )*};
}

decided! {
    SecretDeletion => |plan| decide_deletion(plan.deletes.secret), Some(plan.deletes.secret);
    SecretDisabling => |plan| decide_disabling(plan.disables.secret), Some(plan.disables.secret);
    CallingOff => |plan| decide_calling_off(plan.calls_off.secret), Some(plan.calls_off.secret);
    ClosingEarly => |plan| decide_closing(plan.closes.secret), Some(plan.closes.secret);
    EndMove => |plan| decide_end(plan.moves.secret, plan.until), Some(plan.moves.secret);
    ClientDeletion => |_plan| decide_client_deletion(), None;
}
