//! What a ring holds at one time, and which of its client secrets a call tries first.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::state::History;
use super::{Credentials, RingState, SharedSecret, SignatureMismatch, Slot};
use crate::clock::{Clock, ClockReading};
use crate::secret::MacKey;
use crate::value::{ClientId, Timestamp};

/// The client secrets of a ring. They are replaced together, so that no call mixes two pairs.
pub(super) struct Keys {
    pub(super) client_id: ClientId,
    pub(super) primary: Arc<Held>,
    pub(super) secondary: Option<Arc<Held>>,
    /// When the platform last refused the primary client secret and accepted the secondary one, unless it has accepted the
    /// primary one since. Shared by all keys that hold the same two client secrets.
    fell_back: Arc<Mutex<Option<ClockReading>>>,
}

/// A client secret with its history.
pub(super) struct Held {
    pub(super) secret: SharedSecret,
    /// Shared by all that hold a client secret of the same text.
    history: Arc<History>,
}

impl Held {
    pub(super) fn new(secret: SharedSecret, now: Timestamp) -> Arc<Self> {
        Arc::new(Self { secret, history: Arc::new(History::since(now)) })
    }

    /// Returns whether both are the same client secret, in whichever key encoding.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.history, &other.history)
    }
}

impl Keys {
    pub(super) fn new(client_id: ClientId, primary: Arc<Held>, secondary: Option<Arc<Held>>) -> Arc<Self> {
        Arc::new(Self { client_id, primary, secondary, fell_back: Arc::default() })
    }

    /// Returns what holds a client secret from now on. One that is held already keeps its history, and its end unless it is told
    /// another one.
    pub(super) fn hold(&self, mut secret: SharedSecret, now: Timestamp) -> Arc<Held> {
        let same = self.held().find(|held| held.secret.is(&secret));
        let Some(held) = same.or_else(|| self.held().find(|held| held.secret.has_text_of(&secret))) else {
            return Held::new(secret, now);
        };
        secret.until = secret.until.or(held.secret.until);
        if same.is_some() && secret.until == held.secret.until {
            return Arc::clone(held);
        }
        Arc::new(Held { secret, history: Arc::clone(&held.history) })
    }

    /// Returns the keys that follow these, or `None` if they hold the same. Which one worked last is remembered if the two client
    /// secrets are the same.
    pub(super) fn next(&self, primary: Arc<Held>, secondary: Option<Arc<Held>>) -> Option<Arc<Self>> {
        let same_secondary = |same: fn(&Arc<Held>, &Arc<Held>) -> bool| match (&self.secondary, &secondary) {
            (Some(one), Some(other)) => same(one, other),
            (one, other) => one.is_none() && other.is_none(),
        };
        if Arc::ptr_eq(&self.primary, &primary) && same_secondary(Arc::ptr_eq) {
            return None;
        }
        let fell_back = match self.primary.is(&primary) && same_secondary(|one, other| one.is(other)) {
            true => Arc::clone(&self.fell_back),
            false => Arc::default(),
        };
        Some(Arc::new(Self { client_id: self.client_id.clone(), primary, secondary, fell_back }))
    }

    /// Lets what is held begin at a reading of another clock.
    pub(super) fn begin(&self, now: Timestamp) {
        self.held().for_each(|held| held.history.begin(now));
    }

    /// Returns whose key `made` recognises as the one that was signed with.
    pub(super) fn verify(
        &self,
        made: impl Fn(&MacKey) -> bool,
        clock: &dyn Clock,
    ) -> Result<Slot, SignatureMismatch> {
        let matches = |held: &Held| made(&held.secret.mac_key);
        let slot = if matches(&self.primary) {
            Slot::Primary
        } else if self.secondary.as_deref().is_some_and(matches) {
            Slot::Secondary
        } else {
            return Err(SignatureMismatch);
        };
        self.at(slot).history.verified(clock.wall());
        Ok(slot)
    }

    pub(super) fn order(&self, clock: &dyn Clock) -> [Slot; 2] {
        match self.secondary_first_for(clock) {
            Some(_) => [Slot::Secondary, Slot::Primary],
            None => [Slot::Primary, Slot::Secondary],
        }
    }

    /// Returns for how long the secondary client secret is still tried first, if it is.
    fn secondary_first_for(&self, clock: &dyn Clock) -> Option<Duration> {
        let fell_back = *self.fell_back();
        let left = TRIES_PRIMARY_AGAIN.checked_sub(fell_back?.age(clock))?;
        (!left.is_zero()).then_some(left)
    }

    /// Remembers that the platform accepted a client secret. The next try of the primary one is postponed when it is refused
    /// again, not when the secondary one continues to work.
    pub(super) fn accepted(&self, slot: Slot, other_was_refused: bool, clock: &dyn Clock) {
        self.at(slot).history.accepted(clock.wall());
        let mut fell_back = self.fell_back();
        match slot {
            Slot::Primary => *fell_back = None,
            Slot::Secondary if other_was_refused => *fell_back = Some(ClockReading::of(clock)),
            Slot::Secondary => {}
        }
    }

    /// Remembers that the platform answered *invalid client*.
    pub(super) fn refused(&self, slot: Slot, clock: &dyn Clock) {
        self.at(slot).history.refused(clock.wall());
    }

    pub(super) fn state(&self, clock: &dyn Clock) -> RingState {
        let at = clock.wall();
        let secondary_first_for = self.secondary_first_for(clock);
        let state = |held: &Held| held.history.state(held.secret.until);
        RingState {
            client_id: self.client_id.clone(),
            at,
            tried_first: if secondary_first_for.is_some() { Slot::Secondary } else { Slot::Primary },
            tried_first_until: secondary_first_for.map(|left| at.saturating_add(left)),
            primary: state(&self.primary),
            secondary: self.secondary.as_deref().map(state),
        }
    }

    pub(super) fn credentials(self: &Arc<Self>, slot: Slot) -> Credentials {
        Credentials { keys: Arc::clone(self), slot }
    }

    /// Returns what is held in a place; in place of a secondary client secret that is not there, the primary one.
    pub(super) fn at(&self, slot: Slot) -> &Held {
        let secondary = self.secondary.as_ref().filter(|_| slot == Slot::Secondary);
        secondary.unwrap_or(&self.primary)
    }

    fn held(&self) -> impl Iterator<Item = &Arc<Held>> {
        std::iter::once(&self.primary).chain(&self.secondary)
    }

    fn fell_back(&self) -> MutexGuard<'_, Option<ClockReading>> {
        self.fell_back.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long the secondary client secret is tried first at most (rule 17).
const TRIES_PRIMARY_AGAIN: Duration = Duration::from_secs(60 * 60);
