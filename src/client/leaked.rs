//! Finding out whose a leaked client secret is, from one client or tombstone alone (rule 23).
//!
//! A text that leaked names no client, so it is hashed with the ID of every client there is. That is done for many texts at
//! once: a client costs one hash for each text, and a look into its few verifiers, which are sorted first.

use serde::Serialize;

use super::gathered::gathered;
use super::kept::possible_verifiers;
use super::tombstone::Remembered;
use super::{Client, Revocation, Tombstone};
use crate::secret::{SecretState, Verifier, VerifierPrefix};
use crate::value::{ClientId, SecretId, SellerId, Timestamp};

/// A leaked client secret: the client ID that it belongs to, and its state.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct LeakedSecret {
    /// The client ID that it belongs or belonged to.
    pub client_id: ClientId,
    /// The seller that owns or owned the client ID.
    pub owner: SellerId,
    /// The secret.
    pub secret: SecretId,
    /// The state of the secret when it was found.
    pub state: LeakedState,
}

/// The state of a leaked client secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LeakedState {
    /// It works as a password, or will when its client is resumed (rule 20).
    Valid,
    /// The start of its validity lies in the future.
    NotYetStarted,
    /// It is disabled, and can be enabled again.
    Disabled,
    /// Its validity has ended.
    Ended,
    /// It was deleted.
    Deleted,
    /// It was deleted and marked as compromised.
    Compromised,
}

impl LeakedState {
    /// Returns whether the secret works, or could work later: valid, not yet started or disabled. Such a secret has to be
    /// deleted.
    #[must_use]
    pub fn is_live(self) -> bool {
        matches!(self, Self::Valid | Self::NotYetStarted | Self::Disabled)
    }
}

impl Client {
    /// Returns the texts that are client secrets of this client: the position of each in `texts`, and the secret with its state
    /// at `t` (rule 23). Ended, disabled, deleted and compromised secrets are found too, as long as the client has or remembers
    /// them.
    ///
    /// The comparison does not take constant time. The texts have leaked already, and only operators search.
    #[must_use]
    pub fn find_leaked(&self, texts: &[&str], t: impl Into<Timestamp>) -> Vec<(usize, LeakedSecret)> {
        let t = t.into();
        let held = self.secrets.iter().map(|held| {
            let state = match held.secret.state_at(t) {
                SecretState::Valid => LeakedState::Valid,
                SecretState::NotYetStarted => LeakedState::NotYetStarted,
                SecretState::Disabled => LeakedState::Disabled,
                SecretState::Ended => LeakedState::Ended,
            };
            (&held.verifier, held.secret.id, state)
        });
        let candidates = held.chain(dead(self.candidates()));
        find(self.id(), self.owner(), candidates, texts, |text| self.hash(text))
    }
}

/// Returns whether one of these texts may be a client secret of the client or the tombstone that has this material. It is `true` for
/// each that is one, and all but never for any other: then the rest of the record need not be read.
pub(crate) fn may_hold(id: &ClientId, material: &[u8], texts: &[&str]) -> bool {
    let prefix = VerifierPrefix::of(id);
    let mut candidates = gathered(possible_verifiers(material).into_iter().map(Verifier::from_bytes));
    candidates.sort_unstable_by_key(Verifier::order);
    texts.iter().any(|text| {
        let order = prefix.of_presented(id.as_bytes(), text).order();
        candidates.binary_search_by_key(&order, Verifier::order).is_ok()
    })
}

impl Tombstone {
    /// Returns the texts that are client secrets which the deleted client remembers, as [`Client::find_leaked`] does.
    #[must_use]
    pub fn find_leaked(&self, texts: &[&str]) -> Vec<(usize, LeakedSecret)> {
        find(self.id(), self.owner(), dead(self.candidates()), texts, |text| self.hash(text))
    }
}

type Candidate<'a> = (&'a Verifier, SecretId, LeakedState);

fn dead(remembered: &[Remembered]) -> impl Iterator<Item = Candidate<'_>> {
    remembered.iter().map(|one| {
        let state = match one.revocation {
            Revocation::Deleted => LeakedState::Deleted,
            Revocation::Compromised => LeakedState::Compromised,
        };
        (&one.verifier, one.secret, state)
    })
}

fn find<'a>(
    client_id: &ClientId,
    owner: &SellerId,
    candidates: impl Iterator<Item = Candidate<'a>>,
    texts: &[&str],
    hash: impl Fn(&str) -> Verifier,
) -> Vec<(usize, LeakedSecret)> {
    let mut candidates: Vec<_> = candidates.collect();
    candidates.sort_unstable_by_key(|(verifier, ..)| verifier.order());
    let mut found = Vec::new();
    for (position, text) in texts.iter().enumerate() {
        let presented = hash(text);
        let first = candidates.partition_point(|(verifier, ..)| verifier.order() < presented.order());
        let like_it = candidates.iter().skip(first);
        let like_it = like_it.take_while(|(verifier, ..)| verifier.order() == presented.order());
        for (_, secret, state) in like_it.filter(|(verifier, ..)| verifier.matches(&presented).into()) {
            let (client_id, owner) = (client_id.clone(), owner.clone());
            found.push((position, LeakedSecret { client_id, owner, secret: *secret, state: *state }));
        }
    }
    found
}
