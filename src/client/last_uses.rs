//! When the secrets of a client were last used (rule 9).
//!
//! A use is noted with the clock of the node that saw it, and that clock may be wrong. A time that cannot be believed must not
//! block a deletion for years, so it never counts, is reported apart, and gives way to the next use that is noted.

use std::collections::BTreeMap;

use super::believable_until;
use crate::secret::{Origin, Secret};
use crate::value::{SecretId, Timestamp};

/// The times at which the secrets of a client were last used. The store keeps them apart from the client's record, so commands
/// take them as an argument; `LastUses::default()` has none.
///
/// A secret is used when it authenticates, and when it is presented and refused because it has ended or is disabled (rule 9).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LastUses(BTreeMap<SecretId, Timestamp>);

impl LastUses {
    /// Notes a use. Of two uses the later one is kept.
    pub fn note(&mut self, secret: SecretId, at: Timestamp) {
        self.0.entry(secret).and_modify(|last| *last = (*last).max(at)).or_insert(at);
    }

    /// Returns when the secret was last used; `None` if no use is known.
    #[must_use]
    pub fn of(&self, secret: SecretId) -> Option<Timestamp> {
        self.0.get(&secret).copied()
    }

    /// Returns when the secret counts as last used, as seen at `t`: the later of the noted use and its import, without times that
    /// cannot be believed (rule 9).
    pub(crate) fn counted_of(&self, secret: &Secret, t: Timestamp) -> CountedUse {
        let imported_at = match secret.origin() {
            Origin::Generated => None,
            Origin::Imported { .. } => Some(secret.added_at()),
        };
        let both = || self.of(secret.id()).into_iter().chain(imported_at);
        let is_believed = |at: &Timestamp| *at <= believable_until(t);
        CountedUse {
            believed: both().filter(is_believed).max(),
            ahead: both().filter(|at| !is_believed(at)).max(),
        }
    }

    /// Merges `other` into this: the later time is kept, but a time in `self` after `believable_until` is replaced.
    pub(crate) fn extend_believing(&mut self, other: &Self, believable_until: Timestamp) {
        for (secret, at) in other.iter() {
            if self.of(secret).is_some_and(|known| believable_until < known) {
                self.set(secret, at);
            }
            self.note(secret, at);
        }
    }

    /// Replaces every time after `believable_until` with `at`.
    pub(crate) fn bring_back(&mut self, believable_until: Timestamp, at: Timestamp) {
        for noted in self.0.values_mut().filter(|noted| believable_until < **noted) {
            *noted = at;
        }
    }

    pub(crate) fn set(&mut self, secret: SecretId, at: Timestamp) {
        self.0.insert(secret, at);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (SecretId, Timestamp)> {
        self.0.iter().map(|(secret, at)| (*secret, *at))
    }

    pub(crate) fn retain(&mut self, keep: impl Fn(SecretId) -> bool) {
        self.0.retain(|secret, _| keep(*secret));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The time at which a secret counts as last used, as seen at some instant (rule 9).
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct CountedUse {
    pub(crate) believed: Option<Timestamp>,
    /// A time more than a minute after the instant: a clock was wrong when it was noted, or is wrong now.
    pub(crate) ahead: Option<Timestamp>,
}

impl CountedUse {
    /// Returns the later time of each kind.
    pub(super) fn max(self, other: Self) -> Self {
        Self { believed: self.believed.max(other.believed), ahead: self.ahead.max(other.ahead) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(number: u32, at: i64) -> LastUses {
        let mut uses = LastUses::default();
        uses.note(SecretId::new(number).unwrap(), Timestamp::from_millis(at).unwrap());
        uses
    }

    #[test]
    fn rule_09_only_what_cannot_be_believed_gives_way() {
        let believable_until = Timestamp::from_millis(1_000).unwrap();
        for (known, kept) in [(400, 500), (900, 900), (1_000, 1_000), (1_001, 500)] {
            let mut uses = used(1, known);
            uses.extend_believing(&used(1, 500), believable_until);
            assert_eq!(uses, used(1, kept), "{known}");
        }
    }

    #[test]
    fn rule_09_only_what_cannot_be_believed_is_brought_back() {
        let [believable_until, now] = [1_000, 500].map(|at| Timestamp::from_millis(at).unwrap());
        for (known, kept) in [(400, 400), (1_000, 1_000), (1_001, 500)] {
            let mut uses = used(1, known);
            uses.bring_back(believable_until, now);
            assert_eq!(uses, used(1, kept), "{known}");
        }
    }

    /// What has no use left is dropped from memory.
    #[test]
    fn uses_are_empty_once_none_is_retained() {
        let mut uses = used(1, 500);
        uses.retain(|secret| secret.number() == 1);
        assert!(!uses.is_empty());
        uses.retain(|secret| secret.number() != 1);
        assert!(uses.is_empty());
    }
}
