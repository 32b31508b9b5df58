//! Instants: whole milliseconds. What comes in finer is truncated, so that every store orders instants alike.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Months, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An instant in whole milliseconds, within chrono's calendar.
///
/// Made from a [`DateTime<Utc>`], truncated towards the past; a leap second counts as the second after it. Written as
/// RFC 3339 in UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The last instant of the calendar.
    pub const MAX: Self = Self(DateTime::<Utc>::MAX_UTC.timestamp_millis());
    /// The first instant of the calendar.
    pub const MIN: Self = Self(DateTime::<Utc>::MIN_UTC.timestamp_millis());

    /// Milliseconds since 1970-01-01T00:00:00Z, negative before.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// The instant this many milliseconds after 1970-01-01T00:00:00Z, or `None` outside the calendar.
    #[must_use]
    pub fn from_millis(millis: i64) -> Option<Self> {
        (Self::MIN.0..=Self::MAX.0).contains(&millis).then_some(Self(millis))
    }

    /// The same instant for chrono.
    #[must_use]
    pub fn to_datetime(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// The instant `duration` later, in whole milliseconds, or `None` outside the calendar.
    #[must_use]
    pub fn checked_add(self, duration: Duration) -> Option<Self> {
        let millis = i64::try_from(duration.as_millis()).ok()?;
        Self::from_millis(self.0.checked_add(millis)?)
    }

    /// The instant `duration` later, or the end of the calendar.
    #[must_use]
    pub fn saturating_add(self, duration: Duration) -> Self {
        self.checked_add(duration).unwrap_or(Self::MAX)
    }

    /// The instant `duration` earlier, in whole milliseconds, or `None` outside the calendar.
    #[must_use]
    pub fn checked_sub(self, duration: Duration) -> Option<Self> {
        let millis = i64::try_from(duration.as_millis()).ok()?;
        Self::from_millis(self.0.checked_sub(millis)?)
    }

    /// The time from `earlier` to this instant; zero if it is not earlier.
    #[must_use]
    pub fn saturating_since(self, earlier: Self) -> Duration {
        let millis = self.0.saturating_sub(earlier.0);
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }

    /// The same day and time `years` later; 29 February becomes 28 February (rule 4).
    pub(super) fn checked_add_years(self, years: u32) -> Option<Self> {
        let months = Months::new(years.checked_mul(12)?);
        self.to_datetime().checked_add_months(months).map(Self::from)
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(instant: DateTime<Utc>) -> Self {
        // A leap second reads as up to 1,999 milliseconds, which at the very end leaves the calendar.
        Self(instant.timestamp_millis().min(Self::MAX.0))
    }
}

/// What a clock says, at most the end of the calendar. One that says it is before 1970 has not been set yet: 1970.
impl From<SystemTime> for Timestamp {
    fn from(instant: SystemTime) -> Self {
        let since = instant.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(0).saturating_add(since)
    }
}

impl From<Timestamp> for DateTime<Utc> {
    fn from(instant: Timestamp) -> Self {
        instant.to_datetime()
    }
}

impl FromStr for Timestamp {
    type Err = chrono::ParseError;

    /// Parses RFC 3339. A year of more than four digits has a sign, as in what is written here.
    fn from_str(text: &str) -> Result<Self, chrono::ParseError> {
        // Not one of these characters is outside ASCII; chrono would take U+2212 for a minus sign.
        let text = if text.is_ascii() { text } else { "not ASCII" };
        DateTime::parse_from_rfc3339(text).map(|instant| instant.to_utc().into()).or_else(|error| {
            // chrono's lenient form is for far years alone, and for one spelling of them.
            let far = DateTime::<Utc>::from_str(text).ok().map(Self::from);
            far.filter(|far| far.to_string() == text).ok_or(error)
        })
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::value::text::deserialize(deserializer, Self::from_str)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.to_datetime().to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
