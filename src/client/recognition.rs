//! Recognising a presented client secret (rules 5 and 10).
//!
//! Every candidate is compared, whatever was found before: which of them matched, or whether any did, shows in no
//! amount of work.

use subtle::ConditionallySelectable;

use super::tombstone::Remembered;
use super::{Client, Held, Refusal, Revocation, Tombstone};
use crate::secret::{ClientSecret, Secret, Verifier};
use crate::value::SecretId;

/// What a presented client secret turned out to be.
#[derive(Clone, Copy)]
pub(crate) enum Recognition<'a> {
    /// One of the client's secrets, valid or not.
    Held(&'a Held),
    /// One that stays dead.
    Remembered(SecretId, Revocation),
    /// Nothing that the client ever had, as far as it remembers.
    Unknown,
}

impl Client {
    /// Returns the verifier of a secret of this client.
    pub(crate) fn verifier_of(&self, client_secret: &ClientSecret) -> Verifier {
        self.prefix.of_secret(&self.id, client_secret)
    }

    /// Hashes what a caller presented.
    #[inline]
    pub(crate) fn hash(&self, client_secret: &str) -> Verifier {
        self.prefix.of_presented(self.id.as_bytes(), client_secret)
    }

    /// Compares with everything that the client has or remembers.
    #[inline]
    pub(crate) fn recognise(&self, presented: &Verifier) -> Recognition<'_> {
        let held = find(self.secrets.iter().map(|held| &held.verifier), presented);
        let remembered = recall(self.candidates(), presented);
        match held.and_then(|position| self.secrets.get(position)) {
            Some(held) => Recognition::Held(held),
            None => remembered,
        }
    }

    /// The secret with this verifier. A value that was deleted stays dead (rule 10).
    pub(crate) fn holder_of(&self, verifier: &Verifier) -> Result<Option<&Secret>, Refusal> {
        match self.recognise(verifier) {
            Recognition::Held(held) => Ok(Some(&held.secret)),
            Recognition::Remembered(secret, revocation) => Err(Refusal::Remembered { secret, revocation }),
            Recognition::Unknown => Ok(None),
        }
    }
}

impl Tombstone {
    /// Hashes what a caller presented.
    pub(crate) fn hash(&self, client_secret: &str) -> Verifier {
        self.prefix().of_presented(self.id().as_bytes(), client_secret)
    }

    /// Compares with everything that outlives the client.
    pub(crate) fn recognise(&self, presented: &Verifier) -> Recognition<'static> {
        recall(self.candidates(), presented)
    }
}

#[inline]
fn recall(remembered: &[Remembered], presented: &Verifier) -> Recognition<'static> {
    let found = find(remembered.iter().map(|remembered| &remembered.verifier), presented);
    match found.and_then(|position| remembered.get(position)) {
        Some(remembered) => Recognition::Remembered(remembered.secret, remembered.revocation),
        None => Recognition::Unknown,
    }
}

/// The position of the match, found without branching on any comparison.
#[inline]
fn find<'a>(candidates: impl IntoIterator<Item = &'a Verifier>, presented: &Verifier) -> Option<usize> {
    let mut found = u32::MAX;
    for (position, candidate) in (0u32..).zip(candidates) {
        found.conditional_assign(&position, candidate.matches(presented));
    }
    usize::try_from(found).ok().filter(|_| found != u32::MAX)
}
