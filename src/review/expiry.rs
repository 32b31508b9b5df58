//! What ends when, and the notices that are due before it does.
//!
//! A notice is due [`Notice::DAYS`] before a secret ends. It belongs to the one window of time in which it is due; windows are
//! half-open, so a caller that continues where the last window ended gets each notice once, however long or short the windows
//! are. Nothing is stored here: the caller keeps one instant.
//!
//! A notice reminds people of what they may have forgotten. So there is none for a moment at which the secret was not valid
//! yet, and none for a moment before the end was decided: before the secret was added, enabled again (rule 12) or replaced by a
//! rotation (rule 11), or its end was moved (rule 21). What was due before a client ID was transferred is the old seller's
//! (rule 22). The owner of a new secret of ten days is told 7 days and 1 day before its end, not at once about 90, 60,
//! 30 and 15.

use std::ops::Range;
use std::time::Duration;

use serde::Serialize;

use crate::client::{Client, LastUses};
use crate::secret::{Purpose, Secret, SecretState};
use crate::value::{Attributes, ClientId, Days, FriendlyName, Label, SecretId, SellerId, Timestamp};

/// A secret that ends, with its attributes: a line of an expiry report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Expiry {
    /// The first instant at which it is no longer valid (rule 4).
    pub ends: Timestamp,
    /// The seller that owns the client ID.
    pub owner: SellerId,
    /// The client ID.
    pub client_id: ClientId,
    /// The friendly name of the client ID.
    pub friendly_name: FriendlyName,
    /// The attributes of the client (rule 24).
    pub attributes: Attributes,
    /// The secret.
    pub secret: SecretId,
    /// The label of the secret.
    pub label: Option<Label>,
    /// The purpose of the secret.
    pub purpose: Purpose,
    /// The state of the secret at the instant of the report.
    pub state: SecretState,
    /// Whether it was the signing secret at that instant (rule 6).
    pub signs: bool,
    /// When it was last used, as far as is known (rule 9).
    pub last_used: Option<Timestamp>,
    /// The secret that takes its place: one that is valid when this one ends and for more than a day after, and that can
    /// sign if this one can. Of several, it is the one that signs at that moment, or else the newest.
    pub successor: Option<SecretId>,
    /// The secret that a rotation replaced it with (rule 11): then its end is intended. `None` if that secret was deleted since:
    /// then nothing takes its place by intention.
    pub replaced_by: Option<SecretId>,
}

/// A notice to the owner of a secret that it ends in a number of days. Each is given once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Notice {
    /// When the notice was due.
    pub due: Timestamp,
    /// The time before the end of the secret at which the notice was due: one of [`Notice::DAYS`]. If the caller asks late, the
    /// secret may have ended already: see [`Expiry::state`].
    pub days: Days,
    /// The secret that ends, as it was when the caller asked.
    pub expiry: Expiry,
}

impl Notice {
    /// The times before the end of a secret at which a notice is due: 90, 60, 30, 15, 7 and 1 days of 24 hours.
    pub const DAYS: [Days; 6] =
        [Days::new(90), Days::new(60), Days::new(30), Days::new(15), Days::new(7), Days::new(1)];

    /// Returns the spans in which secrets end whose notices are due within a window, in order and without overlaps. They are
    /// cut off at the end of the calendar.
    pub(crate) fn ends_within(window: &Range<Timestamp>) -> Vec<Range<Timestamp>> {
        let mut spans: Vec<Range<Timestamp>> = Vec::with_capacity(Self::DAYS.len());
        for days in Self::DAYS.into_iter().rev().map(Duration::from) {
            let span = window.start.saturating_add(days)..window.end.saturating_add(days);
            match spans.last_mut() {
                Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
                _ => spans.push(span),
            }
        }
        spans
    }
}

impl Client {
    /// Returns the secrets that end within a span, ended and disabled ones included, in the order of their ends, as seen at
    /// `t`. `t` is an instant as [`instant`](Self::instant) returns it.
    #[must_use]
    pub fn expiries(&self, ends: &Range<Timestamp>, uses: &LastUses, t: impl Into<Timestamp>) -> Vec<Expiry> {
        let t = t.into();
        let mut expiries: Vec<_> = self
            .secrets()
            .filter_map(|secret| self.expiry(secret, uses, t))
            .filter(|expiry| ends.contains(&expiry.ends))
            .collect();
        expiries.sort_by_key(|expiry| expiry.ends);
        expiries
    }

    /// Returns the notices that are due within a window, in the order of the secrets' ends. Those of one secret are in the
    /// order in which they are due, so the last one is the most urgent. They describe the secrets as seen at `t`.
    ///
    /// There is none about a disabled secret. One about a secret that a rotation replaced says so.
    #[must_use]
    pub fn notices(
        &self,
        window: &Range<Timestamp>,
        uses: &LastUses,
        t: impl Into<Timestamp>,
    ) -> Vec<Notice> {
        let t = t.into();
        let mut notices: Vec<_> =
            self.secrets().flat_map(|secret| self.notices_of(secret, window, uses, t)).collect();
        notices.sort_by_key(|notice| notice.expiry.ends);
        notices
    }

    /// Returns the line about a secret, if it ends.
    pub(crate) fn expiry(&self, secret: &Secret, uses: &LastUses, t: Timestamp) -> Option<Expiry> {
        Some(Expiry {
            ends: secret.validity().until()?,
            owner: self.owner().clone(),
            client_id: self.id().clone(),
            friendly_name: self.details().friendly_name().clone(),
            attributes: self.attributes().clone(),
            secret: secret.id(),
            label: secret.label().cloned(),
            purpose: secret.purpose(),
            state: secret.state_at(t),
            signs: self.signing_at(t).secret() == Some(secret.id()),
            last_used: uses.of(secret.id()),
            successor: self.successor(secret),
            replaced_by: self.replacement_of(secret),
        })
    }

    /// Returns the notices about a secret that are due within a window, in the order in which they are due.
    pub(crate) fn notices_of(
        &self,
        secret: &Secret,
        window: &Range<Timestamp>,
        uses: &LastUses,
        t: Timestamp,
    ) -> Vec<Notice> {
        if secret.disabled_since().is_some() {
            return Vec::new();
        }
        let Some(expiry) = self.expiry(secret, uses, t) else {
            return Vec::new();
        };
        let decided = self.end_stands_since(secret);
        Notice::DAYS
            .into_iter()
            .filter_map(|days| Some((days, expiry.ends.checked_sub(days.into())?)))
            .filter(|(_, due)| window.contains(due) && decided < *due)
            .map(|(days, due)| Notice { due, days, expiry: expiry.clone() })
            .collect()
    }

    /// Returns when the end of a secret was decided, the secret became valid, or the client ID was transferred, whichever came last
    /// (rules 21 and 22). A time after the client's last change does not count: it was noted under a clock that was ahead and has
    /// been set back since (rule 19), and would keep back every notice until that clock's time.
    fn end_stands_since(&self, secret: &Secret) -> Timestamp {
        let enabled_at = Some(secret.last_enabled.at);
        let noted = [Some(secret.added_at), enabled_at, secret.end_set_at, self.transferred_at()];
        let believed = noted.into_iter().flatten().filter(|at| *at <= self.changed_at());
        believed.fold(secret.validity.from(), Timestamp::max)
    }

    /// Returns the secret that takes this one's place when it ends; see [`Expiry::successor`].
    pub(crate) fn successor(&self, secret: &Secret) -> Option<SecretId> {
        let ends = secret.validity().until()?;
        let takes_over = |other: &&Secret| {
            other.is_valid_at(ends)
                && (other.purpose().signs() || !secret.purpose().signs())
                && other.validity().until().is_none_or(|until| until.saturating_since(ends) > TOGETHER)
        };
        let signing = self.signing_at(ends).secret();
        let successors = self.secrets().filter(takes_over).map(Secret::id);
        successors.max_by_key(|id| (Some(*id) == signing, *id))
    }
}

/// Secrets whose ends are no further apart than this end together: neither takes the place of the other.
pub(crate) const TOGETHER: Duration = Duration::from_secs(24 * 60 * 60);
