//! What ends when, and the notices that are due before it does.
//!
//! A notice falls due [`Notice::DAYS`] before a secret ends. It belongs to the one window of time that its moment lies in;
//! windows are half-open, so whoever goes on where the last window ended gives each notice once, however long or short
//! the windows are. Nothing about that is stored here: the caller keeps one instant.
//!
//! A notice is for somebody who might have forgotten. So there is none for a moment at which the secret was not valid
//! yet, nor for one that had passed when somebody decided the end: when the secret was added, enabled again (rule 12), or
//! replaced by a rotation (rule 11). Whoever adds a secret of ten days is told 7 days and a day before, not at once about
//! 90, 60, 30 and 15.

use std::ops::Range;
use std::time::Duration;

use serde::Serialize;

use crate::client::{Client, LastUses};
use crate::secret::{Purpose, Secret, SecretState};
use crate::value::redacted::redacted;
use crate::value::{ClientId, Days, FriendlyName, Label, SecretId, SellerId, Timestamp};

redacted! {
    /// A secret that ends, with what one wants to know about it: a line of an expiry report.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    #[non_exhaustive]
    pub struct Expiry {
        /// The first instant at which it is no longer valid (rule 4).
        pub ends: Timestamp,
        /// Whose it is.
        pub owner: SellerId,
        /// The client ID.
        pub client_id: ClientId,
        /// The client ID's friendly name.
        pub friendly_name: FriendlyName,
        /// The secret.
        pub secret: SecretId,
        /// What somebody called it.
        pub label: Option<Label>,
        /// What it is good for.
        pub purpose: Purpose,
        /// What it was when it was looked at.
        pub state: SecretState,
        /// Whether it was the signing secret then (rule 6).
        pub signs: bool,
        /// When it was last used, as far as is known (rule 9).
        pub last_used: Option<Timestamp>,
        /// What takes its place: a secret that is valid when this one ends and for more than a day after, and can sign if this
        /// one can. The one that signs at that moment, else the newest.
        pub successor: Option<SecretId>,
        /// What a rotation replaced it with (rule 11): then its end is on purpose.
        pub replaced_by: Option<SecretId>,
    }
}

redacted! {
    /// A secret ends in so many days: something to be told to its owner, once.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    #[non_exhaustive]
    pub struct Notice {
        /// When it fell due.
        pub due: Timestamp,
        /// How long before the end that is: one of [`Notice::DAYS`]. Asked for late, it may be about what has ended:
        /// [`Expiry::state`] says so.
        pub days: Days,
        /// What ends, as it was when the notice was asked for.
        pub expiry: Expiry,
    }
}

impl Notice {
    /// How long before the end of a secret there is a notice, in days of 24 hours.
    pub const DAYS: [Days; 6] =
        [Days::new(90), Days::new(60), Days::new(30), Days::new(15), Days::new(7), Days::new(1)];

    /// The spans of time in which secrets end whose notices fall due within a window: in order, apart from one another.
    /// Beyond the calendar they are cut off.
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
    /// The secrets that end within a span of time, as seen at `t`, in the order of their ends. Ended and disabled ones are
    /// among them. `t` is an instant as [`instant`](Self::instant) gives it.
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

    /// The notices that fall due within a window of time, in the order of the secrets' ends; of one secret in the order in
    /// which they fall due, so that the last one is the most urgent. What they say of a secret is as seen at `t`.
    ///
    /// None about a disabled secret. One about a secret that a rotation replaced says so.
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

    /// The line about a secret, if it ends.
    pub(crate) fn expiry(&self, secret: &Secret, uses: &LastUses, t: Timestamp) -> Option<Expiry> {
        Some(Expiry {
            ends: secret.validity().until()?,
            owner: self.owner().clone(),
            client_id: self.id().clone(),
            friendly_name: self.details().friendly_name().clone(),
            secret: secret.id(),
            label: secret.label().cloned(),
            purpose: secret.purpose(),
            state: secret.state_at(t),
            signs: self.signing_at(t).secret() == Some(secret.id()),
            last_used: uses.of(secret.id()),
            successor: self.successor(secret),
            replaced_by: secret.replaced_by(),
        })
    }

    /// The notices about a secret that fall due within a window, in the order in which they do.
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

    /// What takes a secret's place when it ends; see [`Expiry::successor`].
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

    /// Since when a secret is valid, its end being what it is now: a rotation that shortened it came with what replaced
    /// it. If that one has been deleted since, a notice may come for a moment just before the rotation.
    fn end_stands_since(&self, secret: &Secret) -> Timestamp {
        let replaced_at = secret.replaced_by().and_then(|by| self.secret(by)).map(Secret::added_at);
        secret.valid_since().max(replaced_at.unwrap_or(Timestamp::MIN))
    }
}

/// Secrets whose ends lie no further apart than this end together: neither takes the other's place.
pub(crate) const TOGETHER: Duration = Duration::from_secs(24 * 60 * 60);
