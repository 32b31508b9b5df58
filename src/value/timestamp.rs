//! Instants in whole milliseconds.
//!
//! Finer instants are truncated when they come in, so that every store orders them alike. The text form is stored in records
//! and events: it must not change.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Months, NaiveDate, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::value::{Field, InvalidValue, Problem};

/// An instant in whole milliseconds, in the years -262143 to 262142 (the calendar of chrono).
///
/// A [`DateTime<Utc>`] converts into it, truncated to the millisecond before; a leap second counts as the second after it. A
/// [`SystemTime`] converts as well, so `Timestamp::from(SystemTime::now())` is now. The text form is RFC 3339 in UTC with three
/// decimals.
///
/// To add days, convert [`Days`](crate::Days) into a [`Duration`]:
///
/// ```
/// # use client_registry::{Days, Timestamp};
/// let start = Timestamp::parse("2026-03-01T09:00:00Z")?;
/// let week_later = start.saturating_add(Days::new(7).into());
/// assert_eq!(week_later.to_string(), "2026-03-08T09:00:00.000Z");
/// assert_eq!(week_later.checked_sub(Days::new(7).into()), Some(start));
/// assert_eq!(week_later.saturating_since(start), Days::new(7).into());
/// # Ok::<(), client_registry::InvalidValue>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(
    /// The milliseconds since 1970, with the sign bit flipped: ordered as they are, and never zero within the calendar, so that an
    /// optional instant takes no more room.
    NonZeroU64,
);

impl Timestamp {
    /// The last instant of the calendar.
    pub const MAX: Self = Self::of(DateTime::<Utc>::MAX_UTC.timestamp_millis());
    /// The first instant of the calendar.
    pub const MIN: Self = Self::of(DateTime::<Utc>::MIN_UTC.timestamp_millis());

    const fn of(millis: i64) -> Self {
        match NonZeroU64::new(millis.cast_unsigned() ^ SIGN) {
            Some(ordered) => Self(ordered),
            None => Self(NonZeroU64::MIN),
        }
    }

    /// Returns the instant so many seconds and milliseconds (less than 1,000) after 1970-01-01T00:00:00Z, at most the end of the
    /// calendar. No arithmetic of 128 bits: a clock is read for every request.
    #[inline]
    pub(crate) fn since_1970(secs: u64, millis: u32) -> Self {
        match i64::try_from(secs) {
            Ok(secs) if secs < Self::MAX.as_secs() => Self::of(secs * 1000 + i64::from(millis)),
            _ => Self::MAX,
        }
    }

    /// Parses an RFC 3339 timestamp, such as `2026-03-01T09:00:00Z`. A year of more than four digits needs a sign, as `Display`
    /// writes it.
    ///
    /// # Errors
    /// [`InvalidValue`] if the text is not such a timestamp or lies outside the calendar.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        if let Some(instant) = Self::of_own_form(text) {
            return Ok(instant);
        }
        let invalid = |problem| InvalidValue::new(Field::Timestamp, problem);
        // chrono takes U+2212 for a minus sign.
        if let Some(at) = text.bytes().position(|b| !b.is_ascii()) {
            return Err(invalid(Problem::Character { at }));
        }
        if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
            return Ok(instant.to_utc().into());
        }
        // chrono's lenient form is for far years alone, and for one spelling of them.
        let far = DateTime::<Utc>::from_str(text).ok().map(Self::from);
        far.filter(|far| far.to_string() == text).ok_or(invalid(Problem::Form("is not in RFC 3339 form")))
    }

    /// Reads what `Display` writes of a year with four digits: the form in records, of which each holds a dozen. `None` for any
    /// other form.
    fn of_own_form(text: &str) -> Option<Self> {
        let bytes: &[u8; 24] = text.as_bytes().try_into().ok()?;
        let [_, _, _, _, b'-', _, _, b'-', _, _, b'T', _, _, b':', _, _, b':', _, _, b'.', _, _, _, b'Z'] =
            bytes
        else {
            return None;
        };
        let number = |at: std::ops::Range<usize>| {
            bytes.get(at)?.iter().try_fold(0, |number, digit| {
                digit.is_ascii_digit().then(|| 10 * number + u32::from(digit - b'0'))
            })
        };
        let date =
            NaiveDate::from_ymd_opt(i32::try_from(number(0..4)?).ok()?, number(5..7)?, number(8..10)?)?;
        let time =
            date.and_hms_milli_opt(number(11..13)?, number(14..16)?, number(17..19)?, number(20..23)?)?;
        Some(Self::of(time.and_utc().timestamp_millis()))
    }

    /// Returns the whole seconds since 1970-01-01T00:00:00Z, rounded down, negative before: a `NumericDate`, as the `exp` of a
    /// JWT is (RFC 7519 section 2).
    ///
    /// ```
    /// # use client_registry::Timestamp;
    /// assert_eq!(Timestamp::parse("2026-03-01T09:00:00.999Z")?.as_secs(), 1_772_355_600);
    /// # Ok::<(), client_registry::InvalidValue>(())
    /// ```
    #[must_use]
    pub const fn as_secs(self) -> i64 {
        self.as_millis().div_euclid(1000)
    }

    /// Returns the milliseconds since 1970-01-01T00:00:00Z, negative before.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        (self.0.get() ^ SIGN).cast_signed()
    }

    /// Returns the instant this many milliseconds after 1970-01-01T00:00:00Z, or `None` outside the calendar.
    #[must_use]
    pub fn from_millis(millis: i64) -> Option<Self> {
        (Self::MIN.as_millis()..=Self::MAX.as_millis()).contains(&millis).then(|| Self::of(millis))
    }

    /// Returns the instant as a chrono type.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "unreachable: each instant lies within the calendar, which chrono's contains"
    )]
    pub fn to_datetime(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.as_millis()).expect("an instant lies within the calendar")
    }

    /// Returns the instant `duration` later, in whole milliseconds, or `None` outside the calendar.
    #[must_use]
    pub fn checked_add(self, duration: Duration) -> Option<Self> {
        let millis = i64::try_from(duration.as_millis()).ok()?;
        Self::from_millis(self.as_millis().checked_add(millis)?)
    }

    /// Returns the instant `duration` later, or the end of the calendar.
    #[must_use]
    pub fn saturating_add(self, duration: Duration) -> Self {
        self.checked_add(duration).unwrap_or(Self::MAX)
    }

    /// Returns the instant `duration` earlier, in whole milliseconds, or `None` outside the calendar.
    #[must_use]
    pub fn checked_sub(self, duration: Duration) -> Option<Self> {
        let millis = i64::try_from(duration.as_millis()).ok()?;
        Self::from_millis(self.as_millis().checked_sub(millis)?)
    }

    /// Returns the time from `earlier` to this instant, or zero if `earlier` is not earlier.
    #[must_use]
    pub fn saturating_since(self, earlier: Self) -> Duration {
        let millis = self.as_millis().saturating_sub(earlier.as_millis());
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }

    /// Returns the same day and time `years` later; 29 February becomes 28 February (rule 4).
    pub(super) fn checked_add_years(self, years: u32) -> Option<Self> {
        let months = Months::new(years.checked_mul(12)?);
        self.to_datetime().checked_add_months(months).map(Self::from)
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(instant: DateTime<Utc>) -> Self {
        // A leap second reads as up to 1,999 milliseconds, which at the very end leaves the calendar.
        Self::of(instant.timestamp_millis().min(Self::MAX.as_millis()))
    }
}

/// Converts the reading of a clock, at most to the end of the calendar. A clock that reads a time before 1970 has not been set
/// yet, and counts as 1970.
impl From<SystemTime> for Timestamp {
    fn from(instant: SystemTime) -> Self {
        let since = instant.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::since_1970(since.as_secs(), since.subsec_millis())
    }
}

impl From<Timestamp> for DateTime<Utc> {
    fn from(instant: Timestamp) -> Self {
        instant.to_datetime()
    }
}

impl FromStr for Timestamp {
    type Err = InvalidValue;

    /// As [`parse`](Timestamp::parse).
    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        Self::parse(text)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::value::text::deserialize(deserializer, Self::parse)
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

/// The sign bit of 64.
const SIGN: u64 = 1 << 63;
