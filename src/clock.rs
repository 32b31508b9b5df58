//! Time, as a parameter (rule 19).
//!
//! Nothing else in the crate, and no store, reads a clock. A registry has one [`Clock`]: [`SystemClock`] unless configured
//! otherwise, and [`ManualClock`] in tests, so that a test of what next year brings takes no time.
//! [`RegistryBuilder::clock`](crate::RegistryBuilder::clock) sets it.
//!
//! ```
//! use client_registry::clock::ManualClock;
//! use client_registry::{Days, Registry, Timestamp};
//!
//! let clock = ManualClock::new(Timestamp::parse("2026-03-01T09:00:00Z")?.to_datetime());
//! let registry = Registry::builder().clock(clock.clone()).in_memory();
//! clock.advance(Days::new(365));
//! # Ok::<(), client_registry::InvalidValue>(())
//! ```

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use chrono::{DateTime, Utc};

use crate::value::Timestamp;

/// The clock of a registry: a wall clock, by which rules are decided, and a monotonic clock, which measures how old something is.
///
/// A request reads them, so all must be cheap and must not block.
pub trait Clock: std::fmt::Debug + Send + Sync + 'static {
    /// Returns the reading of the wall clock. It may jump, also backwards.
    fn wall(&self) -> Timestamp;

    /// Returns the time since some fixed instant of this process. It never runs backwards.
    fn monotonic(&self) -> Duration;

    /// Returns a reading of the wall clock that may be some milliseconds old, if that costs less. It is never later than
    /// [`wall`](Self::wall) would be. A registry judges a client by it when it authenticates, signs, verifies, or answers
    /// [`is_alive`](crate::Registry::is_alive); everything else reads `wall` (rule 19).
    #[inline]
    fn recent_wall(&self) -> Timestamp {
        self.wall()
    }
}

/// A reading of both clocks, which tells later how long ago it was made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClockReading {
    wall: Timestamp,
    monotonic: Duration,
}

impl ClockReading {
    pub(crate) fn of(clock: &dyn Clock) -> Self {
        Self { wall: clock.wall(), monotonic: clock.monotonic() }
    }

    /// Returns the time since the reading, by the clock that shows more: a monotonic clock may stop while the machine is
    /// suspended.
    pub(crate) fn age(&self, clock: &dyn Clock) -> Duration {
        Self::of(clock).since(self)
    }

    /// Returns the time from an earlier reading to this one, by the clock that shows more.
    pub(crate) fn since(&self, earlier: &Self) -> Duration {
        self.wall.saturating_since(earlier.wall).max(self.monotonic.saturating_sub(earlier.monotonic))
    }
}

/// Measures how long something has waited, by the operating system's monotonic clock. No rule is decided by it.
#[cfg(feature = "sqlite")]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch(Instant);

#[cfg(feature = "sqlite")]
impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// The clock of the operating system.
///
/// On Linux, requests read the kernel's coarse clock, which takes a third of the time. It advances with the timer tick, every 1 to 10
/// milliseconds, and may stand still longer while a virtual machine gets no processor. A secret may start or end that much later than
/// its validity says. To judge requests by the exact clock, wrap this one in a [`Clock`] that passes on `wall` and `monotonic` only.
#[derive(Debug)]
pub struct SystemClock {
    started: Instant,
}

impl SystemClock {
    /// Returns the clock of this machine.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    pub fn new() -> Self {
        Self { started: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    fn wall(&self) -> Timestamp {
        SystemTime::now().into()
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }

    #[cfg(target_os = "linux")]
    #[inline]
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    fn recent_wall(&self) -> Timestamp {
        use nix::time::{ClockId, clock_gettime};

        // Where the kernel lacks that clock, the exact one is read.
        let Ok(now) = clock_gettime(ClockId::CLOCK_REALTIME_COARSE) else { return self.wall() };
        let since = u64::try_from(now.tv_sec()).ok().zip(u32::try_from(now.tv_nsec()).ok());
        let (secs, nanos) = since.unwrap_or_default();
        Timestamp::since_1970(secs, nanos / 1_000_000)
    }
}

/// A clock that stands still until it is moved: for tests, and to try out what next year brings.
///
/// Clones show the same time.
///
/// ```
/// # use client_registry::clock::{Clock, ManualClock};
/// # use client_registry::{Days, Timestamp};
/// let clock = ManualClock::new(Timestamp::parse("2026-03-01T09:00:00Z")?.to_datetime());
/// let hand = clock.clone();
/// hand.advance(Days::new(30));
/// assert_eq!(clock.wall(), Timestamp::parse("2026-03-31T09:00:00Z")?);
/// # Ok::<(), client_registry::InvalidValue>(())
/// ```
#[derive(Debug, Clone)]
pub struct ManualClock {
    hands: Arc<Mutex<Hands>>,
}

#[derive(Debug, Clone, Copy)]
struct Hands {
    wall: Timestamp,
    monotonic: Duration,
}

impl ManualClock {
    /// Returns a clock that shows `wall`.
    #[must_use]
    pub fn new(wall: DateTime<Utc>) -> Self {
        Self { hands: Arc::new(Mutex::new(Hands { wall: wall.into(), monotonic: Duration::ZERO })) }
    }

    /// Advances both clocks, at most to the end of the calendar.
    pub fn advance(&self, by: impl Into<Duration>) {
        let by = by.into();
        self.change(|hands| {
            hands.wall = hands.wall.saturating_add(by);
            hands.monotonic = hands.monotonic.saturating_add(by);
        });
    }

    /// Sets only the wall clock, as an administrator or a time server does.
    pub fn set_wall(&self, wall: DateTime<Utc>) {
        let wall = wall.into();
        self.change(|hands| hands.wall = wall);
    }

    fn change(&self, change: impl FnOnce(&mut Hands)) {
        change(&mut self.hands.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn read(&self) -> Hands {
        *self.hands.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn wall(&self) -> Timestamp {
        self.read().wall
    }

    fn monotonic(&self) -> Duration {
        self.read().monotonic
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Right after a tick the reading for requests is the exact one, up to what it takes to read both; it is never ahead.
    #[test]
    fn rule_19_the_reading_for_requests_is_a_recent_one() {
        let clock = SystemClock::new();
        let begun = clock.monotonic();
        let (mut last, mut ticks) = (clock.recent_wall(), 0);
        let (mut behind, mut ahead) = (Duration::MAX, Duration::MAX);
        // Another program may have the processor between the two readings, or the clock be set: not at each tick.
        while ticks < 10 {
            let (recent, after) = (clock.recent_wall(), clock.wall());
            if recent != last {
                (last, ticks) = (recent, ticks + 1);
                behind = behind.min(after.saturating_since(recent));
                ahead = ahead.min(recent.saturating_since(after));
            }
            assert!(clock.monotonic() - begun < Duration::from_secs(30), "{ticks} ticks");
        }
        assert!(behind <= Duration::from_millis(10) && ahead.is_zero(), "{behind:?} {ahead:?}");
    }
}
