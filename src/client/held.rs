//! `Held`: a secret with everything that its client keeps of it.
//!
//! The secrets of a client lie side by side in one allocation that is filled once (rule 8), and what authenticating reads of one
//! lies together: that is what it waits for when a client is not in the processor's caches.

use std::sync::atomic::{AtomicI64, Ordering};

use super::overlap::GivenUp;
use crate::secret::{MacKey, Secret, Verifier};
use crate::value::Timestamp;

/// A secret with its verifier and its signing key.
pub(crate) struct Held {
    pub(crate) verifier: Verifier,
    pub(crate) secret: Secret,
    /// Present for every secret whose purpose signs, until it is deleted or forgotten (rule 19). Older versions removed the key
    /// of an ended secret.
    pub(crate) mac_key: Option<MacKey>,
    /// What the rotation that replaced it took from it (rule 11).
    pub(super) given_up: Option<Box<GivenUp>>,
    pub(crate) reported: LastReport,
}

impl Held {
    /// Returns whether the secret can sign at `t`: it is valid, its purpose signs, and its key is present. A record of an older
    /// version may lack the key of a secret that had ended by the clock of that time.
    pub(crate) fn can_sign_at(&self, t: Timestamp) -> bool {
        self.can_sign() && self.secret.is_valid_at(t)
    }

    /// Returns whether the secret can sign while it is valid.
    pub(super) fn can_sign(&self) -> bool {
        self.mac_key.is_some() && self.secret.purpose().signs()
    }

    /// Copies the secret for the next value of its client.
    pub(super) fn carry(&self) -> Self {
        Self {
            verifier: self.verifier.carry(),
            secret: self.secret.clone(),
            mac_key: self.mac_key.as_ref().map(MacKey::carry),
            given_up: self.given_up.clone(),
            reported: LastReport::default(),
        }
    }
}

/// When a use of a secret was last reported: a note that the shell keeps in this place. It decides nothing and belongs to no value of
/// a client. It only saves work, so that a secret in constant use is not reported constantly; losing one costs one more report.
pub(crate) struct LastReport(AtomicI64);

impl LastReport {
    /// Returns whether a use at `at` [is due](is_due) to be reported, and notes that it is. Of concurrent callers, one is told so.
    #[inline]
    pub(crate) fn note(&self, at: Timestamp, interval: i64) -> bool {
        let mut last = self.0.load(Ordering::Relaxed);
        while is_due(at.as_millis(), last, interval) {
            match self.0.compare_exchange(last, at.as_millis(), Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(found) => last = found,
            }
        }
        false
    }
}

impl Default for LastReport {
    fn default() -> Self {
        Self(AtomicI64::new(i64::MIN))
    }
}

/// Returns whether a use at `at` should be noted if the last one was at `last`, all in milliseconds: no use was noted within
/// the interval, or the last one lies so far ahead that it cannot be believed (rule 9).
#[inline]
pub(crate) fn is_due(at: i64, last: i64, interval: i64) -> bool {
    at >= last.saturating_add(interval) || last.saturating_sub(at) > MAX_LEAD_MILLIS
}

/// [`believable_until`](crate::client::believable_until) in milliseconds.
const MAX_LEAD_MILLIS: i64 = 60_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_09_a_use_is_due_after_the_interval_and_over_one_that_cannot_be_believed() {
        for (at, due) in [
            (1_299, false),
            (1_300, true),
            // The last one is ahead: as far as another clock may be, and further.
            (1_000 - MAX_LEAD_MILLIS, false),
            (999 - MAX_LEAD_MILLIS, true),
        ] {
            assert_eq!(is_due(at, 1_000, 300), due, "{at}");
        }
    }
}
