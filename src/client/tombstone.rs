//! What outlives a secret and a client: the remembered verifiers of deleted secrets (rule 10), and the tombstone (rule 13).
//!
//! A deleted client secret must not come back by an import, and presenting a compromised one raises an alarm. So verifiers are
//! kept after deletion, 16 of deleted and 64 of compromised secrets, the oldest forgotten first.

use std::fmt;
use std::iter::once_with;

use serde::Serialize;

use super::chain::Chain;
use super::context::{admit, admit_in_emergency, changed_at};
use super::gathered::gathered;
use super::{Change, Client, ClientState, CommandContext, Decision, Refusal};
use crate::event::{EventHash, Fact};
use crate::secret::{Verifier, VerifierPrefix};
use crate::value::{ClientId, Revision, SecretId, SellerId, Timestamp};

/// The way in which a remembered secret was revoked.
///
/// Exhaustive on purpose: only a compromised secret raises an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Revocation {
    /// It was deleted and is not marked as compromised.
    Deleted,
    /// It is marked as compromised: an attacker may have it.
    Compromised,
}

impl fmt::Display for Revocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Deleted => "deleted",
            Self::Compromised => "compromised",
        })
    }
}

/// The verifier of a deleted secret, which must not come back.
#[derive(Debug)]
pub(crate) struct Remembered {
    pub(super) secret: SecretId,
    pub(super) revocation: Revocation,
    pub(super) verifier: Verifier,
}

impl Remembered {
    pub(super) fn secret_and_revocation(&self) -> (SecretId, Revocation) {
        (self.secret, self.revocation)
    }

    pub(super) fn carry(&self) -> Self {
        Self { secret: self.secret, revocation: self.revocation, verifier: self.verifier.carry() }
    }
}

/// The tombstone of a deleted client ID: what is kept of it for ever, so that the ID is never used again and its trail stays
/// readable (rule 13).
#[derive(Debug)]
pub struct Tombstone {
    id: ClientId,
    owner: SellerId,
    revision: Revision,
    changed_at: Timestamp,
    head: EventHash,
    prefix: VerifierPrefix,
    remembered: Vec<Remembered>,
}

impl Tombstone {
    /// Returns the tombstone of `client`, with everything that it remembers.
    pub(super) fn of(client: Client) -> Self {
        Self {
            id: client.id,
            owner: client.owner,
            revision: client.revision,
            changed_at: client.changed_at,
            head: client.head,
            prefix: client.prefix,
            remembered: client.extras.map(|extras| extras.remembered).unwrap_or_default(),
        }
    }

    /// Returns a tombstone that was kept.
    pub(super) fn kept(
        id: ClientId,
        owner: SellerId,
        revision: Revision,
        changed_at: Timestamp,
        head: EventHash,
        remembered: Vec<Remembered>,
    ) -> Self {
        let prefix = VerifierPrefix::of(&id);
        Self { id, owner, revision, changed_at, head, prefix, remembered }
    }

    /// Returns the client ID.
    #[must_use]
    pub fn id(&self) -> &ClientId {
        &self.id
    }

    /// Returns the seller that owned the client ID and may still read its trail.
    #[must_use]
    pub fn owner(&self) -> &SellerId {
        &self.owner
    }

    /// Returns the revision, which counts the commits.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// Returns when the client was deleted, or when the tombstone was last changed.
    #[must_use]
    pub fn changed_at(&self) -> Timestamp {
        self.changed_at
    }

    /// Returns the hash of the latest event.
    #[must_use]
    pub fn head(&self) -> EventHash {
        self.head
    }

    /// Returns the secrets whose verifiers are kept, so that they cannot come back (rule 10).
    pub fn remembered(&self) -> impl ExactSizeIterator<Item = (SecretId, Revocation)> + '_ {
        self.remembered.iter().map(Remembered::secret_and_revocation)
    }

    pub(super) fn prefix(&self) -> &VerifierPrefix {
        &self.prefix
    }

    pub(super) fn candidates(&self) -> &[Remembered] {
        &self.remembered
    }

    /// Marks a deleted secret as compromised (rule 10), as [`Client::mark_compromised`] does.
    ///
    /// # Errors
    /// [`Refusal::UnknownSecret`] if the secret is not remembered.
    pub fn mark_compromised(
        &self,
        secret: SecretId,
        context: &CommandContext<'_>,
    ) -> Result<Decision, Refusal> {
        admit(&self.owner, self.changed_at, context)?;
        self.delete_in_emergency(secret, context)
    }

    /// Marks a deleted secret as compromised without waiting for a clock (rule 9), as [`Client::delete_in_emergency`] does.
    ///
    /// # Errors
    /// [`Refusal::UnknownSecret`] if the secret is not remembered.
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
            prefix: self.prefix,
            remembered,
        };
        let events = chain.into_events();
        Ok(Decision::Changed(Box::new(Change { next: ClientState::Deleted(next), events })))
    }
}

/// Remembers the verifier of a revoked secret. Beyond the limit, the oldest one that was revoked the same way is forgotten.
pub(super) fn remember(
    remembered: &mut Vec<Remembered>,
    secret: SecretId,
    revocation: Revocation,
    verifier: &Verifier,
) {
    let max = match revocation {
        Revocation::Deleted => MAX_DELETED,
        Revocation::Compromised => MAX_COMPROMISED,
    };
    let like_it = || remembered.iter().filter(|one| one.revocation == revocation);
    let oldest = like_it().next().filter(|_| like_it().count() >= max).map(|one| one.secret);
    let kept = remembered.iter().filter(|one| Some(one.secret) != oldest).map(Remembered::carry);
    let latest = once_with(|| Remembered { secret, revocation, verifier: verifier.carry() });
    *remembered = gathered(kept.chain(latest));
}

/// Marks a remembered secret as compromised. Returns `false` if it is marked already.
pub(super) fn condemn(remembered: &mut Vec<Remembered>, secret: SecretId) -> Result<bool, Refusal> {
    let found = remembered.iter().find(|one| one.secret == secret).map(|one| one.revocation);
    if found.ok_or(Refusal::UnknownSecret { secret })? == Revocation::Compromised {
        return Ok(false);
    }
    let before = std::mem::take(remembered);
    *remembered = gathered(before.iter().filter(|one| one.secret != secret).map(Remembered::carry));
    for one in before.iter().filter(|one| one.secret == secret) {
        remember(remembered, secret, Revocation::Compromised, &one.verifier);
    }
    Ok(true)
}

/// The number of deleted secrets that a client remembers (rule 10).
const MAX_DELETED: usize = 16;
/// The number of compromised secrets that a client remembers (rule 10).
const MAX_COMPROMISED: usize = 64;
