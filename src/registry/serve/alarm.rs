//! `Alarms`: warnings that an operator must hear, each at most once a minute (rule 10).
//!
//! An attacker who can present a compromised secret can present it a thousand times a second. The log gets the alarm once a
//! minute, with the number of those that were kept back. Memory is bounded whatever the number of clients, and no alarm is
//! heard twice within a minute: both must hold after any change here.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::{Clock, ClockReading};
use crate::log::ALARM;
use crate::record::RecordId;
use crate::store_error::{StoreError, StoreErrorKind};
use crate::value::{SecretId, Timestamp};

/// The kind of an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Compromised,
    ClockBehind,
    Store(StoreErrorKind),
}

/// The alarms of a registry, each of them about one client.
#[derive(Default)]
pub(in crate::registry) struct Alarms(Mutex<Bells>);

/// The alarms that were heard within the last interval. Each is in one of two maps, so that none is heard twice in it; the older
/// map goes when the newer one is as old as the interval. Alarms beyond the room of a map are counted, and not heard one by one.
#[derive(Default)]
struct Bells {
    current: HashMap<(Kind, String), Bell>,
    earlier: HashMap<(Kind, String), Bell>,
    /// When the current map was begun.
    since: Option<ClockReading>,
    /// The number of alarms beyond the room, and when the log was last told of them.
    beyond: u64,
    told: Option<ClockReading>,
}

struct Bell {
    rang: ClockReading,
    kept_back: u64,
}

impl Alarms {
    /// Warns that a compromised client secret was presented.
    pub(in crate::registry) fn compromised(
        &self,
        client_id: &str,
        secret: Option<SecretId>,
        clock: &dyn Clock,
    ) {
        if let Some(kept_back) = self.rings(Kind::Compromised, client_id, clock) {
            let secret = secret.map(SecretId::number);
            tracing::warn!(target: ALARM, client_id, secret, kept_back, "a compromised client secret was presented");
        }
    }

    /// Warns that the clock is more than a minute behind a client's last change (rule 19).
    pub(in crate::registry) fn clock_behind(
        &self,
        client_id: &str,
        changed_at: Timestamp,
        now: Timestamp,
        clock: &dyn Clock,
    ) {
        if let Some(kept_back) = self.rings(Kind::ClockBehind, client_id, clock) {
            tracing::warn!(
                target: ALARM,
                client_id,
                %changed_at,
                clock = %now,
                kept_back,
                "the clock is more than a minute behind the client's last change"
            );
        }
    }

    /// Reports that the store holds what was not written there. A store that does not answer is no alarm: the caller gets the
    /// error.
    #[cold]
    pub(in crate::registry) fn store(&self, id: RecordId<'_>, error: &StoreError, clock: &dyn Clock) {
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
            tracing::error!(target: ALARM, record = id.as_str(), %error, kept_back, "a record cannot be used");
        }
    }

    /// Returns the number of alarms that were kept back since the last one, if this one is to be heard.
    fn rings(&self, kind: Kind, about: &str, clock: &dyn Clock) -> Option<u64> {
        let now = ClockReading::of(clock);
        let mut bells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bells.turn(now);
        let rings = bells.ring((kind, about.to_owned()), now);
        let beyond = bells.beyond(now);
        drop(bells);
        if let Some(kept_back) = beyond {
            tracing::warn!(target: ALARM, kept_back, "there are more alarms than the log is told of one by one");
        }
        rings
    }
}

impl Bells {
    /// Forgets the alarms that may be heard again.
    fn turn(&mut self, now: ClockReading) {
        if self.since.is_some_and(|since| now.since(&since) < INTERVAL) {
            return;
        }
        self.since = Some(now);
        let current = std::mem::take(&mut self.current);
        let gone = std::mem::replace(&mut self.earlier, current);
        // The number that was kept back is told the next time, as long as there is room for it.
        for (key, bell) in gone.into_iter().filter(|(_, bell)| bell.kept_back > 0) {
            match self.earlier.len() < REMEMBERED {
                true => drop(self.earlier.entry(key).or_insert(bell)),
                false => self.beyond = self.beyond.saturating_add(bell.kept_back),
            }
        }
    }

    fn ring(&mut self, key: (Kind, String), now: ClockReading) -> Option<u64> {
        let known = match self.current.get_mut(&key) {
            Some(bell) => Some(bell),
            None => self.earlier.get_mut(&key),
        };
        if let Some(bell) = known
            && now.since(&bell.rang) < INTERVAL
        {
            bell.kept_back = bell.kept_back.saturating_add(1);
            return None;
        }
        if self.current.len() >= REMEMBERED && !self.current.contains_key(&key) {
            self.beyond = self.beyond.saturating_add(1);
            return None;
        }
        let earlier = self.earlier.remove(&key);
        let before = self.current.insert(key, Bell { rang: now, kept_back: 0 }).or(earlier);
        Some(before.map_or(0, |bell| bell.kept_back))
    }

    /// Returns the number of alarms beyond the room, if the log is to be told.
    fn beyond(&mut self, now: ClockReading) -> Option<u64> {
        if self.beyond == 0 || self.told.is_some_and(|told| now.since(&told) < INTERVAL) {
            return None;
        }
        self.told = Some(now);
        Some(std::mem::take(&mut self.beyond))
    }
}

/// How long an alarm is not repeated.
const INTERVAL: Duration = Duration::from_secs(60);
/// How many alarms are heard one by one within that time.
const REMEMBERED: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    fn clock() -> ManualClock {
        ManualClock::new("2026-03-01T09:00:00Z".parse().unwrap())
    }

    /// Everything that 20,000 clients ring, over and over, each second of three minutes.
    #[test]
    fn however_many_clients_there_are_none_is_heard_twice_within_a_minute() {
        let (alarms, clock) = (Alarms::default(), clock());
        let mut heard: HashMap<usize, Vec<u64>> = HashMap::new();
        let (mut asked, mut told) = (0_u64, 0_u64);
        for second in (0..180).step_by(9) {
            for number in 0..20_000 {
                asked += 1;
                if let Some(kept_back) = alarms.rings(Kind::Compromised, &number.to_string(), &clock) {
                    heard.entry(number).or_default().push(second);
                    told += 1 + kept_back;
                }
            }
            clock.advance(Duration::from_secs(9));
        }
        for (number, seconds) in &heard {
            assert!(seconds.windows(2).all(|pair| pair[1] - pair[0] >= 60), "{number}: {seconds:?}");
        }
        assert!(heard.len() >= REMEMBERED, "{}", heard.len());
        let bells = alarms.0.lock().unwrap();
        assert!(bells.current.len() <= REMEMBERED && bells.earlier.len() <= REMEMBERED);
        assert!(told <= asked);
    }

    #[test]
    fn nothing_that_was_kept_back_is_lost_where_there_is_room() {
        let (alarms, clock) = (Alarms::default(), clock());
        let ring = |about: &str| alarms.rings(Kind::Compromised, about, &clock);
        assert_eq!(ring("a"), Some(0));
        for _ in 0..7 {
            assert_eq!(ring("a"), None);
        }
        // Of another kind, or about another client, it is another alarm.
        assert_eq!(alarms.rings(Kind::ClockBehind, "a", &clock), Some(0));
        for minute in 0..10 {
            clock.advance(INTERVAL);
            assert_eq!(ring("b"), Some(0), "minute {minute}");
        }
        assert_eq!(ring("a"), Some(7));
        clock.advance(INTERVAL);
        assert_eq!(ring("a"), Some(0));
    }

    #[test]
    fn the_log_is_told_once_a_minute_of_those_that_it_has_not_heard() {
        let (alarms, clock) = (Alarms::default(), clock());
        for number in 0..REMEMBERED {
            assert_eq!(alarms.rings(Kind::Compromised, &number.to_string(), &clock), Some(0));
        }
        let mut bells = alarms.0.lock().unwrap();
        let now = ClockReading::of(&clock);
        assert_eq!(bells.beyond(now), None);
        let key = |number: usize| (Kind::Compromised, format!("one more, {number}"));
        assert_eq!((bells.ring(key(1), now), bells.ring(key(2), now)), (None, None));
        assert_eq!(bells.beyond(now), Some(2));
        assert_eq!((bells.ring(key(3), now), bells.beyond(now)), (None, None));
        clock.advance(INTERVAL);
        let now = ClockReading::of(&clock);
        bells.turn(now);
        assert_eq!(bells.beyond(now), Some(1));
        assert_eq!(bells.ring(key(3), now), Some(0));
    }
}
