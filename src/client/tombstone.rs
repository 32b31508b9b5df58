//! What outlives a secret and a client: the verifiers that stay dead (rule 10), and the tombstone (rule 13).

use std::fmt;

use serde::Serialize;

use super::chain::Chain;
use super::gathered::gathered;
use super::{
    Change, Client, ClientState, CommandContext, Decision, Refusal, admit, admit_in_emergency, changed_at,
};
use crate::event::{EventHash, Fact};
use crate::secret::Verifier;
use crate::value::redacted::redacted;
use crate::value::{ClientId, Revision, SecretId, SellerId, Timestamp};

redacted! {
    /// What became of a secret that is remembered.
    ///
    /// Exhaustive on purpose: an operator is alarmed by the one and not by the other.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Revocation {
        /// It was deleted in calm.
        Deleted,
        /// It is in the wrong hands: whoever presents it is not the add-in.
        Compromised,
    }
}

impl fmt::Display for Revocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Deleted => "deleted",
            Self::Compromised => "compromised",
        })
    }
}

/// The verifier of a secret that must not come back.
#[derive(Debug)]
pub(crate) struct Remembered {
    pub(super) secret: SecretId,
    pub(super) fate: Revocation,
    pub(super) verifier: Verifier,
}

impl Remembered {
    pub(super) fn secret_and_fate(&self) -> (SecretId, Revocation) {
        (self.secret, self.fate)
    }

    pub(super) fn carry(&self) -> Self {
        Self { secret: self.secret, fate: self.fate, verifier: self.verifier.carry() }
    }
}

/// What is left of a client ID that was deleted (rule 13). The ID is never used again.
#[derive(Debug)]
pub struct Tombstone {
    id: ClientId,
    owner: SellerId,
    revision: Revision,
    changed_at: Timestamp,
    head: EventHash,
    remembered: Vec<Remembered>,
}

impl Tombstone {
    /// What is left of `client`, with everything it remembers.
    pub(super) fn of(client: Client) -> Self {
        Self {
            id: client.id,
            owner: client.owner,
            revision: client.revision,
            changed_at: client.changed_at,
            head: client.head,
            remembered: client.remembered,
        }
    }

    /// What was kept of it.
    pub(super) fn kept(
        id: ClientId,
        owner: SellerId,
        revision: Revision,
        changed_at: Timestamp,
        head: EventHash,
        remembered: Vec<Remembered>,
    ) -> Self {
        Self { id, owner, revision, changed_at, head, remembered }
    }

    /// The client ID.
    #[must_use]
    pub fn id(&self) -> &ClientId {
        &self.id
    }

    /// The seller that owned it, who may still read its trail.
    #[must_use]
    pub fn owner(&self) -> &SellerId {
        &self.owner
    }

    /// Counts its commits.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// When it was deleted or last changed since.
    #[must_use]
    pub fn changed_at(&self) -> Timestamp {
        self.changed_at
    }

    /// The hash of its latest event.
    #[must_use]
    pub fn head(&self) -> EventHash {
        self.head
    }

    /// The secrets that are remembered, so that they stay dead (rule 10).
    pub fn remembered(&self) -> impl ExactSizeIterator<Item = (SecretId, Revocation)> + '_ {
        self.remembered.iter().map(Remembered::secret_and_fate)
    }

    pub(super) fn candidates(&self) -> &[Remembered] {
        &self.remembered
    }

    /// Marks a deleted secret compromised (rule 10), as [`Client::mark_compromised`] does.
    ///
    /// # Errors
    /// [`Refusal::UnknownSecret`] when it is not remembered.
    pub fn mark_compromised(
        &self,
        secret: SecretId,
        context: &CommandContext<'_>,
    ) -> Result<Decision, Refusal> {
        admit(&self.owner, self.changed_at, context)?;
        self.delete_in_emergency(secret, context)
    }

    /// Marks a deleted secret compromised without waiting for a clock (rule 9), as [`Client::delete_in_emergency`] does.
    ///
    /// # Errors
    /// [`Refusal::UnknownSecret`] when it is not remembered.
    pub fn delete_in_emergency(
        &self,
        secret: SecretId,
        context: &CommandContext<'_>,
    ) -> Result<Decision, Refusal> {
        let now = admit_in_emergency(&self.owner, self.changed_at, context)?;
        let mut remembered = gathered(self.remembered.iter().map(Remembered::carry));
        if !condemn(&mut remembered, secret)? {
            return Ok(Decision::Unchanged);
        }
        let mut chain = Chain::after(self.id.clone(), self.revision, self.head, context.actor, now);
        chain.record(Fact::SecretCompromised { secret }, None);
        let next = Self {
            id: self.id.clone(),
            owner: self.owner.clone(),
            revision: chain.revision(),
            changed_at: changed_at(self.changed_at, context, now),
            head: chain.head(),
            remembered,
        };
        let events = chain.into_events();
        Ok(Decision::Changed(Box::new(Change { next: ClientState::Deleted(next), events, added: vec![] })))
    }
}

/// Remembers the verifier of a secret that goes; past the limit the one of that fate that went longest ago is
/// forgotten.
pub(super) fn remember(
    remembered: &mut Vec<Remembered>,
    secret: SecretId,
    fate: Revocation,
    verifier: Verifier,
) {
    let max = match fate {
        Revocation::Deleted => MAX_DELETED,
        Revocation::Compromised => MAX_COMPROMISED,
    };
    let like_it = || remembered.iter().filter(|one| one.fate == fate);
    let oldest = like_it().next().filter(|_| like_it().count() >= max).map(|one| one.secret);
    let latest = Remembered { secret, fate, verifier };
    let kept = remembered.iter().filter(|one| Some(one.secret) != oldest).map(Remembered::carry);
    *remembered = gathered(kept.chain([latest]));
}

/// Turns a remembered deleted secret into a compromised one. `false` when it is one already.
pub(super) fn condemn(remembered: &mut Vec<Remembered>, secret: SecretId) -> Result<bool, Refusal> {
    let found = remembered.iter().find(|one| one.secret == secret);
    let Remembered { fate, verifier, .. } = found.ok_or(Refusal::UnknownSecret { secret })?;
    if *fate == Revocation::Compromised {
        return Ok(false);
    }
    let verifier = verifier.carry();
    *remembered = gathered(remembered.iter().filter(|one| one.secret != secret).map(Remembered::carry));
    remember(remembered, secret, Revocation::Compromised, verifier);
    Ok(true)
}

/// How many deleted secrets a client remembers (rule 10).
const MAX_DELETED: usize = 16;
/// How many compromised secrets a client remembers (rule 10).
const MAX_COMPROMISED: usize = 64;
