//! Taking out of use: planned deletion and disabling of a secret, emergency deletion, deletion of the client (rules 9, 10, 12
//! and 13).
//!
//! The planned ways show their consequences and refuse while an obstacle stands in the way. The emergency deletion asks nothing
//! and never waits, since the client secret is in the wrong hands. Both leave the verifier behind, so that a deleted client
//! secret cannot come back.

use super::draft::Draft;
use super::tombstone::condemn;
use super::{Client, CommandContext, Decision, LastUses, NewSecret, Refusal, Revocation};
use crate::client::{ClientDeletion, Plan, SecretDeletion, SecretDisabling};
use crate::event::Fact;
use crate::secret::{ClientSecret, Secret};
use crate::value::SecretId;

/// The outcome of the replacement that an emergency deletion asked for. The deletion itself is made in any case.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Replacement {
    /// No replacement was asked for.
    NotRequested,
    /// The replacement was added in the same commit.
    Added(SecretId),
    /// The replacement was refused. Add a secret that the rules allow.
    Refused(Refusal),
}

impl Client {
    /// Plans the deletion of a secret (rule 9): returns its consequences and obstacles, and changes nothing.
    ///
    /// # Errors
    /// - [`Refusal::UnknownSecret`]: the client has no such secret.
    /// - [`Refusal::UnknownClient`], [`Refusal::ClockBehind`]: the actor may not change this client, or not under this clock
    ///   (rules 15 and 19).
    pub fn plan_deletion(
        &self,
        secret: SecretId,
        uses: &LastUses,
        context: &CommandContext<'_>,
    ) -> Result<Plan<SecretDeletion>, Refusal> {
        self.decide_deletion(secret, uses, context).map(|(plan, _)| plan)
    }

    /// Plans the disabling of a secret (rule 12). A recent use is no obstacle, since disabling can be undone.
    ///
    /// # Errors
    /// - [`Refusal::UnknownSecret`]: the client has no such secret.
    /// - [`Refusal::UnknownClient`], [`Refusal::ClockBehind`]: the actor may not change this client, or not under this clock
    ///   (rules 15 and 19).
    pub fn plan_disabling(
        &self,
        secret: SecretId,
        uses: &LastUses,
        context: &CommandContext<'_>,
    ) -> Result<Plan<SecretDisabling>, Refusal> {
        self.decide_disabling(secret, uses, context).map(|(plan, _)| plan)
    }

    /// Plans the deletion of the client ID (rule 13). The plan has no obstacles; it shows the consequences, so that a user can
    /// decide.
    ///
    /// # Errors
    /// [`Refusal::UnknownClient`], [`Refusal::ClockBehind`]: the actor may not change this client, or not under this clock
    /// (rules 15 and 19).
    pub fn plan_client_deletion(
        &self,
        uses: &LastUses,
        context: &CommandContext<'_>,
    ) -> Result<Plan<ClientDeletion>, Refusal> {
        self.decide_client_deletion(uses, context).map(|(plan, _)| plan)
    }

    /// Deletes a secret at once and marks it as compromised (rules 9 and 10), without a plan, whatever obstacles there are, and
    /// whatever the clock reads.
    ///
    /// It can add a replacement in the same commit. If the rules do not allow the replacement, the deletion is made without it. A
    /// secret that was deleted before is marked as compromised; one that is marked already stays as it is.
    ///
    /// # Errors
    /// - [`Refusal::UnknownSecret`]: the client never had the secret, or no longer remembers it.
    /// - [`Refusal::UnknownClient`]: the actor may not see the client.
    pub fn delete_in_emergency(
        &self,
        secret: SecretId,
        replacement: Option<(&NewSecret, &ClientSecret)>,
        context: &CommandContext<'_>,
    ) -> Result<(Decision, Replacement), Refusal> {
        self.delete_and_forget(secret, replacement, 0, context)
    }

    /// As [`delete_in_emergency`](Self::delete_in_emergency), and forgets this many of the secrets that ended longest ago, for
    /// a record that has no room otherwise.
    pub(crate) fn delete_and_forget(
        &self,
        secret: SecretId,
        replacement: Option<(&NewSecret, &ClientSecret)>,
        forget: usize,
        context: &CommandContext<'_>,
    ) -> Result<(Decision, Replacement), Refusal> {
        let now = self.admit_in_emergency(context)?;
        let mut draft = Draft::of(self, context, now);
        let mut changed = self.secret(secret).is_some();
        if changed {
            draft.delete(secret, Revocation::Compromised);
        } else if condemn(&mut draft.client_mut().extras_mut().remembered, secret)? {
            draft.record(Fact::SecretCompromised { secret });
            changed = true;
        }
        let replacement = match replacement {
            None => Replacement::NotRequested,
            Some((new, client_secret)) => match draft.add_new(new, client_secret, context.policy, now) {
                Ok(added) => Replacement::Added(added),
                Err(refusal) => Replacement::Refused(refusal),
            },
        };
        changed |= matches!(replacement, Replacement::Added(_));
        if changed {
            draft.forget_longest_ended(forget);
        }
        let transition = if changed { draft.into() } else { Decision::Unchanged };
        Ok((transition, replacement))
    }

    /// Marks a deleted secret as compromised (rule 10). Doing it again changes nothing.
    ///
    /// # Errors
    /// - [`Refusal::NotDeleted`]: the secret has not been deleted.
    /// - [`Refusal::UnknownSecret`]: the client never had the secret, or no longer remembers it.
    pub fn mark_compromised(
        &self,
        secret: SecretId,
        context: &CommandContext<'_>,
    ) -> Result<Decision, Refusal> {
        let now = self.admit(context)?;
        if self.secret(secret).is_some() {
            return Err(Refusal::NotDeleted { secret });
        }
        let mut draft = Draft::of(self, context, now);
        if !condemn(&mut draft.client_mut().extras_mut().remembered, secret)? {
            return Ok(Decision::Unchanged);
        }
        draft.record(Fact::SecretCompromised { secret });
        Ok(draft.into())
    }

    pub(super) fn decide_deletion(
        &self,
        id: SecretId,
        uses: &LastUses,
        context: &CommandContext<'_>,
    ) -> Result<(Plan<SecretDeletion>, Decision), Refusal> {
        let now = self.admit(context)?;
        self.known(id)?;
        let mut draft = Draft::of(self, context, now);
        draft.delete(id, Revocation::Deleted);
        let removal = self.removal(id, draft.client(), now);
        let used = self.used([id], uses, now);
        let mut obstacles = self.nothing_left(draft.client(), now);
        obstacles.extend(used.stands_in_the_way(now, context.policy));
        let plan = self.plan(SecretDeletion { deletes: removal }, used, uses, obstacles, now);
        Ok((plan, draft.into()))
    }

    pub(super) fn decide_disabling(
        &self,
        id: SecretId,
        uses: &LastUses,
        context: &CommandContext<'_>,
    ) -> Result<(Plan<SecretDisabling>, Decision), Refusal> {
        let now = self.admit(context)?;
        let is_disabled = self.known(id)?.disabled_since().is_some();
        let mut draft = Draft::of(self, context, now);
        if !is_disabled {
            draft.disable(id, now);
        }
        let removal = self.removal(id, draft.client(), now);
        let obstacles = self.nothing_left(draft.client(), now);
        let used = self.used([id], uses, now);
        let plan = self.plan(SecretDisabling { disables: removal }, used, uses, obstacles, now);
        let transition = if is_disabled { Decision::Unchanged } else { draft.into() };
        Ok((plan, transition))
    }

    pub(super) fn decide_client_deletion(
        &self,
        uses: &LastUses,
        context: &CommandContext<'_>,
    ) -> Result<(Plan<ClientDeletion>, Decision), Refusal> {
        let now = self.admit(context)?;
        let consequences = ClientDeletion {
            friendly_name: self.details.friendly_name().clone(),
            add_ins: self.add_ins().to_vec(),
            valid_secrets: self.valid_at(now).map(Secret::id).collect(),
        };
        let used = self.used(self.secrets().map(Secret::id), uses, now);
        let plan = self.plan(consequences, used, uses, Vec::new(), now);

        let mut draft = Draft::of(self, context, now);
        // The secrets that have not ended come last: if there are more than are remembered, the ended ones are forgotten.
        let mut secrets: Vec<_> = self.secrets().collect();
        secrets.sort_by_key(|secret| (!secret.validity().has_ended(now), secret.id()));
        for secret in secrets {
            draft.delete(secret.id(), Revocation::Deleted);
        }
        draft.client_mut().extras_mut().add_ins.clear();
        draft.record(Fact::ClientDeleted {
            friendly_name: self.details.friendly_name().clone(),
            add_ins: self.add_ins().to_vec(),
        });
        Ok((plan, Decision::Changed(Box::new(draft.finish_deleted()))))
    }
}
