//! Rule 6 a second time, written from its text alone: nothing is derived ahead, nothing is ever thrown away, and every
//! answer reads the whole list of facts.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use client_registry::{SecretId, Timestamp};

/// What happened, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts(Vec<Fact>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fact {
    /// A secret was added at an instant.
    Added {
        secret: SecretId,
        at: Timestamp,
        from: Timestamp,
        until: Option<Timestamp>,
        signs: bool,
    },
    /// A rotation lets it end earlier and takes back what was scheduled.
    Replaced {
        secret: SecretId,
        at: Timestamp,
        until: Timestamp,
    },
    Disabled {
        secret: SecretId,
    },
    Enabled {
        secret: SecretId,
        at: Timestamp,
    },
    Deleted {
        secret: SecretId,
    },
    /// From an instant on it should sign: now, if that is when it was made.
    Promoted {
        secret: SecretId,
        made: Timestamp,
        from: Timestamp,
    },
    /// What was scheduled at `at` was taken back.
    Withdrawn {
        secret: SecretId,
        at: Timestamp,
    },
}

/// Which secret signs, and for which of the rule's two sentences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signer {
    Promoted(SecretId),
    ValidLongest(SecretId, Timestamp),
    Nothing,
}

/// How the rule is read: right, or wrong in one place, to show that a wrong reading is noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    Right,
    NewestWins,
    EnablingIgnored,
    FirstPromotionWins,
    PromotionOutlivesDisabling,
    WithdrawalIgnored,
    EndIncluded,
    StartExcluded,
    PasswordsSign,
}

impl Signer {
    pub(crate) fn secret(self) -> Option<SecretId> {
        match self {
            Self::Promoted(secret) | Self::ValidLongest(secret, _) => Some(secret),
            Self::Nothing => None,
        }
    }
}

impl Facts {
    pub(crate) fn push(&mut self, fact: Fact) {
        self.0.push(fact);
    }

    /// The secrets that were added and not deleted.
    pub(crate) fn secrets(&self) -> Vec<SecretId> {
        let added = self.0.iter().filter_map(|fact| match *fact {
            Fact::Added { secret, .. } => Some(secret),
            _ => None,
        });
        added.filter(|&secret| !self.is_deleted(secret)).collect()
    }

    /// Rule 4: enabled, not deleted, and `from <= t < until`.
    pub(crate) fn is_valid(&self, secret: SecretId, t: Timestamp) -> bool {
        self.is_valid_by(Reading::Right, secret, t)
    }

    pub(crate) fn valid_at(&self, t: Timestamp) -> Vec<SecretId> {
        self.secrets().into_iter().filter(|&secret| self.is_valid(secret, t)).collect()
    }

    pub(crate) fn can_sign(&self, secret: SecretId) -> bool {
        self.0.iter().any(|fact| matches!(*fact, Fact::Added { secret: s, signs: true, .. } if s == secret))
    }

    pub(crate) fn is_disabled(&self, secret: SecretId) -> bool {
        let last = self.0.iter().rev().find(|fact| {
            matches!(**fact, Fact::Disabled { secret: s } | Fact::Enabled { secret: s, .. } if s == secret)
        });
        matches!(last, Some(Fact::Disabled { .. }))
    }

    pub(crate) fn start_of(&self, secret: SecretId) -> Option<Timestamp> {
        self.0.iter().find_map(|fact| match *fact {
            Fact::Added { secret: s, from, .. } if s == secret => Some(from),
            _ => None,
        })
    }

    pub(crate) fn end_of(&self, secret: SecretId) -> Option<Timestamp> {
        let ends = self.0.iter().filter_map(|fact| match *fact {
            Fact::Added { secret: s, until, .. } if s == secret => until,
            Fact::Replaced { secret: s, until, .. } if s == secret => Some(until),
            _ => None,
        });
        ends.min()
    }

    /// "The earliest `valid_since` (the latest of its adding, its `from` and its last enabling)."
    pub(crate) fn valid_since(&self, secret: SecretId) -> Option<Timestamp> {
        self.valid_since_by(Reading::Right, secret)
    }

    /// "The order of the later of its adding and its last enabling": the position of that fact.
    pub(crate) fn position(&self, secret: SecretId) -> Option<usize> {
        self.0.iter().rposition(|fact| {
            matches!(*fact, Fact::Added { secret: s, .. } | Fact::Enabled { secret: s, .. } if s == secret)
        })
    }

    /// The promotions that were made and not withdrawn, with the position at which each was made.
    pub(crate) fn promotions(&self) -> Vec<(SecretId, Timestamp, usize)> {
        self.promotions_by(Reading::Right)
    }

    pub(crate) fn signing_at(&self, t: Timestamp) -> Signer {
        self.signing_by(Reading::Right, t)
    }

    /// Rule 6, by some reading of it.
    pub(crate) fn signing_by(&self, reading: Reading, t: Timestamp) -> Signer {
        let may_sign = |secret| {
            let of_purpose = self.can_sign(secret) || reading == Reading::PasswordsSign;
            of_purpose && self.is_valid_by(reading, secret, t)
        };
        let in_force = self.promotions_by(reading).into_iter().filter(|&(_, from, _)| from <= t);
        let in_force = in_force.filter(|&(secret, ..)| may_sign(secret));
        let named = match reading {
            Reading::FirstPromotionWins => in_force.min_by_key(|&(_, from, position)| (from, position)),
            _ => in_force.max_by_key(|&(_, from, position)| (from, position)),
        };
        if let Some((secret, ..)) = named {
            return Signer::Promoted(secret);
        }
        let rank =
            |secret: &SecretId| (self.valid_since_by(reading, *secret), self.position(*secret), *secret);
        let candidates = self.secrets().into_iter().filter(|&secret| may_sign(secret));
        let longest = match reading {
            Reading::NewestWins => candidates.max_by_key(rank),
            _ => candidates.min_by_key(rank),
        };
        match longest.and_then(|secret| Some((secret, self.valid_since_by(reading, secret)?))) {
            Some((secret, since)) => Signer::ValidLongest(secret, since),
            None => Signer::Nothing,
        }
    }

    /// "On request the platform signs with every valid secret that can, the signing one first."
    pub(crate) fn all_signers_at(&self, t: Timestamp) -> Vec<SecretId> {
        self.valid_at(t).into_iter().filter(|&secret| self.can_sign(secret)).collect()
    }

    fn is_deleted(&self, secret: SecretId) -> bool {
        self.0.contains(&Fact::Deleted { secret })
    }

    fn is_valid_by(&self, reading: Reading, secret: SecretId, t: Timestamp) -> bool {
        let has_started = self.start_of(secret).is_some_and(|from| match reading {
            Reading::StartExcluded => from < t,
            _ => from <= t,
        });
        let has_ended = self.end_of(secret).is_some_and(|until| match reading {
            Reading::EndIncluded => until < t,
            _ => until <= t,
        });
        has_started && !has_ended && !self.is_disabled(secret) && !self.is_deleted(secret)
    }

    fn valid_since_by(&self, reading: Reading, secret: SecretId) -> Option<Timestamp> {
        let instants = self.0.iter().filter_map(|fact| match *fact {
            Fact::Added { secret: s, at, from, .. } if s == secret => Some(at.max(from)),
            Fact::Enabled { secret: s, at } if s == secret && reading != Reading::EnablingIgnored => Some(at),
            _ => None,
        });
        instants.max()
    }

    fn promotions_by(&self, reading: Reading) -> Vec<(SecretId, Timestamp, usize)> {
        let made = self.0.iter().enumerate().filter_map(|(position, fact)| match *fact {
            Fact::Promoted { secret, made, from } => Some((secret, made, from, position)),
            _ => None,
        });
        let standing = made.filter(|&(secret, made, from, position)| {
            let is_scheduled = made < from;
            let after = self.0.iter().skip(position + 1);
            !after.into_iter().any(|later| match *later {
                Fact::Disabled { secret: s } => s == secret && reading != Reading::PromotionOutlivesDisabling,
                Fact::Deleted { secret: s } => s == secret,
                Fact::Withdrawn { secret: s, at } => {
                    s == secret && is_scheduled && at < from && reading != Reading::WithdrawalIgnored
                }
                Fact::Replaced { secret: s, at, .. } => s == secret && is_scheduled && at < from,
                // At most one is scheduled: scheduling again replaces it, as long as it has not come into force.
                Fact::Promoted { secret: s, made: again, from: next } => {
                    s == secret && is_scheduled && again < from && again < next
                }
                Fact::Added { .. } | Fact::Enabled { .. } => false,
            })
        });
        standing.map(|(secret, _, from, position)| (secret, from, position)).collect()
    }
}
