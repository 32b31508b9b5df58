//! Which secret signs at an instant (rule 6), and the [`Timeline`] of who signs and which passwords work.
//!
//! The signing secret is computed from client and instant; no flag is stored that could contradict it. So there are never two,
//! there is one whenever a valid secret can sign, and deletion, expiry and disabling hand over without a write.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use crate::client::{Client, Held, Promotion};
use crate::secret::Secret;
use crate::value::{SecretId, Timestamp};

/// The secret that signs at an instant, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Signing {
    /// The secret was promoted (rule 7).
    Promoted {
        /// The signing secret.
        secret: SecretId,
        /// When its promotion took effect.
        since: Timestamp,
    },
    /// No promotion is in force, and the secret has been valid longest.
    ValidLongest {
        /// The signing secret.
        secret: SecretId,
        /// The instant since which it counts as valid; see [`Secret::valid_since`](crate::Secret::valid_since).
        since: Timestamp,
    },
    /// No valid secret can sign.
    Nothing,
}

impl Signing {
    /// Returns the signing secret, if there is one.
    #[must_use]
    pub fn secret(self) -> Option<SecretId> {
        match self {
            Self::Promoted { secret, .. } | Self::ValidLongest { secret, .. } => Some(secret),
            Self::Nothing => None,
        }
    }
}

impl fmt::Display for Signing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Promoted { secret, since } => write!(f, "secret {secret} signs (promoted as of {since})"),
            Self::ValidLongest { secret, since } => {
                write!(f, "secret {secret} signs (valid longest, since {since})")
            }
            Self::Nothing => f.write_str("no secret signs (none that can is valid)"),
        }
    }
}

/// The secret that signs from the last change of its client on, and the instant from which on another one may: when that secret
/// ends, another one starts that can sign, or a promotion takes effect. So signing looks at no secret but this one, however many
/// there are. It follows from the client, and is computed anew with each change.
#[derive(Clone, Copy)]
pub(super) struct Foreseen {
    position: usize,
    until: Timestamp,
}

impl Foreseen {
    /// Says nothing of any instant: while a client is being changed, and where nothing signs.
    pub(super) const NOTHING: Self = Self { position: 0, until: Timestamp::MIN };
}

impl Client {
    /// Returns the secret that signs at `t`, and why (rule 6).
    ///
    /// The latest promotion in force whose secret is valid at `t` and can sign decides; of two that begin at one instant, the
    /// one made last. If there is no such promotion, it is the secret that can sign and has been valid longest.
    #[must_use]
    pub fn signing_at(&self, t: impl Into<Timestamp>) -> Signing {
        let t = t.into();
        match self.promotion_at(t) {
            Some((promotion, _)) => Signing::Promoted { secret: promotion.secret(), since: promotion.at() },
            None => match self.valid_longest_at(t) {
                Some(Held { secret, .. }) => {
                    Signing::ValidLongest { secret: secret.id(), since: secret.valid_since() }
                }
                None => Signing::Nothing,
            },
        }
    }

    /// Returns the secret that signs at `t`, with its key.
    #[inline]
    pub(super) fn signer_at(&self, t: Timestamp) -> Option<&Held> {
        match self.changed_at <= t && t < self.foreseen.until {
            true => self.secrets.get(self.foreseen.position),
            false => self.find_signer_at(t),
        }
    }

    fn find_signer_at(&self, t: Timestamp) -> Option<&Held> {
        match self.promotion_at(t) {
            Some((_, promoted)) => Some(promoted),
            None => self.valid_longest_at(t),
        }
    }

    /// Returns who signs from the last change on, once the change is complete.
    pub(super) fn foresee(&self) -> Foreseen {
        let start = self.changed_at;
        let Some(signer) = self.find_signer_at(start) else { return Foreseen::NOTHING };
        let position = self.secrets.partition_point(|held| held.secret.id < signer.secret.id);
        let starts =
            self.secrets.iter().filter(|held| held.can_sign()).map(|held| held.secret.validity().from());
        let turns = starts.chain(self.promotions().iter().map(Promotion::at)).filter(|&at| start < at);
        let until = turns.chain(signer.secret.validity().until()).min().unwrap_or(Timestamp::MAX);
        Foreseen { position, until }
    }

    fn valid_longest_at(&self, t: Timestamp) -> Option<&Held> {
        self.able_at(t).min_by_key(|held| held.secret.seniority())
    }

    /// Returns the secrets that are valid at `t` (rule 4): the passwords, in the order of their IDs.
    pub fn valid_at(&self, t: impl Into<Timestamp>) -> impl Iterator<Item = &Secret> + Clone {
        let t = t.into();
        self.secrets().filter(move |secret| secret.is_valid_at(t))
    }

    /// Returns the timeline: which secret signs and which passwords work, from the client's last change on.
    #[must_use]
    pub fn timeline(&self) -> Timeline {
        Timeline::of(self, self.changed_at())
    }

    /// Returns all secrets that can sign at `t`: the signing secret first, then by how long each has been valid.
    pub(super) fn all_signers_at(&self, t: Timestamp) -> Vec<&Held> {
        let first = self.signer_at(t).map(|held| held.secret.id);
        let mut signers: Vec<_> = self.able_at(t).collect();
        signers.sort_by_key(|held| (Some(held.secret.id) != first, held.secret.seniority()));
        signers
    }

    /// Returns the promotion that names the secret that signs at `t`, and that secret.
    pub(super) fn promotion_at(&self, t: Timestamp) -> Option<(&Promotion, &Held)> {
        let mut found: Option<(&Promotion, &Held)> = None;
        // Most often the one made last is the one, and its secret the only one that is looked up.
        for promotion in self.promotions().iter().rev().filter(|promotion| promotion.at() <= t) {
            if found.is_none_or(|(latest, _)| latest.order() < promotion.order())
                && let Some(held) = self.held(promotion.secret()).filter(|held| held.can_sign_at(t))
            {
                found = Some((promotion, held));
            }
        }
        found
    }
}

/// The timeline of a client: which secret signs and which passwords work, as intervals from its last change on.
///
/// The intervals follow one another without a gap, and each differs from the one before. The last one has no end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Timeline {
    spans: Vec<Span>,
}

/// An interval of a [`Timeline`], in which the signing secret and the passwords stay the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Span {
    from: Timestamp,
    until: Option<Timestamp>,
    signing: Signing,
    passwords: Vec<SecretId>,
}

impl Timeline {
    /// Returns the timeline of [`Client::timeline`], from another instant on.
    pub(crate) fn of(client: &Client, start: Timestamp) -> Self {
        let starts = client.secrets().map(|secret| secret.validity().from());
        let ends = client.secrets().filter_map(|secret| secret.validity().until());
        let promotions = client.promotions().iter().map(Promotion::at);
        let turns: BTreeSet<_> = starts.chain(ends).chain(promotions).filter(|&t| t > start).collect();

        let mut spans: Vec<Span> = Vec::with_capacity(turns.len() + 1);
        for from in std::iter::once(start).chain(turns) {
            let signing = client.signing_at(from);
            let passwords = client.valid_at(from).map(Secret::id).collect();
            match spans.last_mut() {
                Some(last) if last.signing == signing && last.passwords == passwords => {}
                last => {
                    if let Some(last) = last {
                        last.until = Some(from);
                    }
                    spans.push(Span { from, until: None, signing, passwords });
                }
            }
        }
        Self { spans }
    }

    /// Returns the intervals, in order. There is at least one.
    #[must_use]
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// Returns the interval that `t` lies in, or `None` before the client's last change.
    #[must_use]
    pub fn at(&self, t: impl Into<Timestamp>) -> Option<&Span> {
        let t = t.into();
        self.spans.iter().rfind(|span| span.from <= t)
    }
}

impl Span {
    /// Returns the first instant.
    #[must_use]
    pub fn from(&self) -> Timestamp {
        self.from
    }

    /// Returns the first instant of the next interval, or `None` for the last interval.
    #[must_use]
    pub fn until(&self) -> Option<Timestamp> {
        self.until
    }

    /// Returns the secret that signs, and why.
    #[must_use]
    pub fn signing(&self) -> Signing {
        self.signing
    }

    /// Returns the secrets that work as passwords, in the order of their IDs.
    #[must_use]
    pub fn passwords(&self) -> &[SecretId] {
        &self.passwords
    }
}

/// Prints one line per interval: its start, who signs and why, and which passwords work.
impl fmt::Display for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, span) in self.spans.iter().enumerate() {
            if position > 0 {
                writeln!(f)?;
            }
            write!(f, "from {}: {}; passwords:", span.from, span.signing)?;
            for secret in &span.passwords {
                write!(f, " {secret}")?;
            }
            if span.passwords.is_empty() {
                f.write_str(" none")?;
            }
        }
        Ok(())
    }
}
