//! What somebody should be woken up for, and not woken up again for a minute (rule 10, section 4).
//!
//! Whoever can present a compromised secret can present it a thousand times a second; the log hears of it once a
//! minute, with how often it happened in between.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::{Clock, Reading};
use crate::id::SecretId;
use crate::record::RecordId;
use crate::store::{StoreError, StoreErrorKind};
use crate::validity::Timestamp;

/// Something that somebody should know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Compromised,
    ClockBehind,
    Store(StoreErrorKind),
}

/// The alarms of a registry, each of them about one client.
pub(super) struct Alarms(quick_cache::sync::Cache<(Kind, String), Arc<Mutex<Bell>>>);

#[derive(Default)]
struct Bell {
    rang: Option<Reading>,
    kept_back: u64,
}

impl Alarms {
    pub(super) fn new() -> Self {
        Self(quick_cache::sync::Cache::new(REMEMBERED))
    }

    /// A compromised client secret was presented.
    pub(super) fn compromised(&self, client_id: &str, secret: Option<SecretId>, clock: &dyn Clock) {
        if let Some(kept_back) = self.rings(Kind::Compromised, client_id, clock) {
            let secret = secret.map(SecretId::number);
            tracing::warn!(client_id, secret, kept_back, "a compromised client secret was presented");
        }
    }

    /// The clock is more than a minute behind a client's last change (rule 19).
    pub(super) fn clock_behind(
        &self,
        client_id: &str,
        changed_at: Timestamp,
        now: Timestamp,
        clock: &dyn Clock,
    ) {
        if let Some(kept_back) = self.rings(Kind::ClockBehind, client_id, clock) {
            tracing::warn!(
                client_id,
                %changed_at,
                clock = %now,
                kept_back,
                "the clock is more than a minute behind the client's last change"
            );
        }
    }

    /// The store holds what was not written there. Nothing is said of a store that does not answer: its caller hears it.
    #[cold]
    pub(super) fn store(&self, id: RecordId<'_>, error: &StoreError, clock: &dyn Clock) {
        let is_alarming = matches!(
            error.kind(),
            StoreErrorKind::Tampered
                | StoreErrorKind::RolledBack
                | StoreErrorKind::Corrupt
                | StoreErrorKind::MissingKey
                | StoreErrorKind::NewerFormat
        );
        if !is_alarming {
            return;
        }
        if let Some(kept_back) = self.rings(Kind::Store(error.kind()), id.as_str(), clock) {
            let source = std::error::Error::source(error).map(tracing::field::display);
            tracing::error!(record = id.as_str(), %error, source, kept_back, "a record cannot be used");
        }
    }

    /// Whether an alarm is to be heard, and how many were not since it last was.
    fn rings(&self, kind: Kind, about: &str, clock: &dyn Clock) -> Option<u64> {
        let make = || Ok::<_, std::convert::Infallible>(Arc::default());
        let Ok(bell) = self.0.get_or_insert_with(&(kind, about.to_owned()), make);
        let mut bell = bell.lock().unwrap_or_else(PoisonError::into_inner);
        if bell.rang.is_some_and(|last| last.age(clock) < INTERVAL) {
            bell.kept_back += 1;
            return None;
        }
        bell.rang = Some(Reading::of(clock));
        Some(std::mem::take(&mut bell.kept_back))
    }
}

/// How long an alarm is not heard again.
const INTERVAL: Duration = Duration::from_secs(60);
/// How many alarms are remembered. One that is forgotten is heard again.
const REMEMBERED: usize = 10_000;
