//! The state of a ring: which client secret works, since when, until when, as far as is known.
//!
//! What is known of a client secret belongs to it, not to its place: it comes along when the primary client secret becomes the secondary
//! one.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use super::Slot;
use crate::value::{ClientId, Timestamp};

/// The state of a [`SecretRing`](crate::SecretRing) at an instant, to be shown to an operator. It holds no client secret.
///
/// ```
/// # use client_registry::ring::{CallError, Slot};
/// # use client_registry::*;
/// # pollster::block_on(async {
/// # let [old, new] = ["0123456789 abcdefghijklm", "abcdefghijklm 0123456789"].map(|text| ClientSecret::parse(text).unwrap());
/// # let ring = SecretRing::new("calendar-app".parse()?, new, Some(old.into()));
/// # ring.call(async |credentials| match credentials.slot() {
/// #     Slot::Primary => Err(CallError::InvalidClient(())),
/// #     Slot::Secondary => Ok(()),
/// # }).await.unwrap();
/// // After the platform refused the primary client secret, and accepted the secondary one:
/// let state = ring.state();
/// assert_eq!(state.tried_first, Slot::Secondary);
/// assert!(state.primary.last_refused.is_some());
/// assert!(state.secondary.is_some_and(|secondary| secondary.works_since.is_some()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RingState {
    /// The client ID.
    pub client_id: ClientId,
    /// The instant of this state, by the clock of the ring.
    pub at: Timestamp,
    /// The client secret that the next call tries first.
    pub tried_first: Slot,
    /// The instant from which the primary client secret is tried first again, if the secondary one is tried first now (rule
    /// 17); `None` otherwise.
    pub tried_first_until: Option<Timestamp>,
    /// The state of the primary client secret.
    pub primary: SlotState,
    /// The state of the secondary client secret; `None` if there is none.
    pub secondary: Option<SlotState>,
}

/// The state of one client secret of a ring. Every instant is a reading of the ring's clock, except the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SlotState {
    /// When the ring received the client secret, in whichever place.
    pub held_since: Timestamp,
    /// When the platform first accepted the client secret after it last refused it; `None` if it has never accepted it, or has refused it
    /// since.
    pub works_since: Option<Timestamp>,
    /// When a call last succeeded with the client secret.
    pub last_accepted: Option<Timestamp>,
    /// When the platform last answered *invalid client* to the client secret.
    pub last_refused: Option<Timestamp>,
    /// When the client secret last verified a message of the platform.
    pub last_verified: Option<Timestamp>,
    /// The end of the client secret, if the ring was [told](crate::ring::SharedSecret::ending).
    pub until: Option<Timestamp>,
}

/// What a ring has seen of one client secret.
pub(super) struct History {
    calls: Mutex<Calls>,
    /// In milliseconds. It lies apart, since verifying takes no lock for it.
    verified: AtomicI64,
}

#[derive(Clone, Copy)]
struct Calls {
    held_since: Timestamp,
    works_since: Option<Timestamp>,
    accepted: Option<Timestamp>,
    refused: Option<Timestamp>,
}

impl History {
    pub(super) fn since(now: Timestamp) -> Self {
        let calls = Calls { held_since: now, works_since: None, accepted: None, refused: None };
        Self { calls: Mutex::new(calls), verified: AtomicI64::new(NEVER) }
    }

    /// Lets the history begin at a reading of another clock.
    pub(super) fn begin(&self, now: Timestamp) {
        self.calls().held_since = now;
    }

    pub(super) fn accepted(&self, now: Timestamp) {
        let mut calls = self.calls();
        calls.works_since.get_or_insert(now);
        calls.accepted = Some(now);
    }

    pub(super) fn refused(&self, now: Timestamp) {
        let mut calls = self.calls();
        calls.works_since = None;
        calls.refused = Some(now);
    }

    pub(super) fn verified(&self, now: Timestamp) {
        // Threads that verify at the same time would take the cache line from each other with every store.
        if self.verified.load(Ordering::Relaxed) != now.as_millis() {
            self.verified.store(now.as_millis(), Ordering::Relaxed);
        }
    }

    pub(super) fn state(&self, until: Option<Timestamp>) -> SlotState {
        let Calls { held_since, works_since, accepted, refused } = *self.calls();
        SlotState {
            held_since,
            works_since,
            last_accepted: accepted,
            last_refused: refused,
            last_verified: Timestamp::from_millis(self.verified.load(Ordering::Relaxed)),
            until,
        }
    }

    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Outside the calendar.
const NEVER: i64 = i64::MIN;
