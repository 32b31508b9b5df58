//! Lifetimes and validities (rule 4).
//!
//! A lifetime is what a caller asks for; a validity is what a secret has: the half-open interval `[from, until)`, never empty.

use std::fmt;
use std::time::Duration;

use chrono::TimeDelta;
use serde::{Deserialize, Deserializer, Serialize};

use crate::value::object::Object;
use crate::value::redacted::{redact, redacted};
use crate::value::timestamp::Timestamp;
use crate::value::{Field, InvalidValue, Problem};

redacted! {
    /// A number of days of 24 hours.
    ///
    /// ```
    /// # use client_registry::{Days, Lifetime};
    /// # use std::time::{Duration, SystemTime, UNIX_EPOCH};
    /// assert_eq!(Duration::from(Days::new(2)), Duration::from_secs(2 * 24 * 60 * 60));
    /// let lifetime = Lifetime::Days(Days::new(90));
    /// ```
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
    #[serde(transparent)]
    pub struct Days(#[serde(deserialize_with = "day_count")] u32);
}

impl Days {
    /// Returns a number of days.
    #[must_use]
    pub const fn new(days: u32) -> Self {
        Self(days)
    }

    /// Returns the number of days.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.0
    }
}

/// Reads the number. An error of serde itself would repeat a text found in its place.
fn day_count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let invalid = "days must be a whole number from 0 to 4294967295";
    u32::deserialize(deserializer).map_err(|_| serde::de::Error::custom(invalid))
}

impl From<Days> for Duration {
    fn from(days: Days) -> Self {
        Self::from_secs(u64::from(days.0) * 24 * 60 * 60)
    }
}

impl From<Days> for TimeDelta {
    fn from(days: Days) -> Self {
        Self::days(i64::from(days.0))
    }
}

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => f.write_str("1 day"),
            days => write!(f, "{days} days"),
        }
    }
}

/// The lifetime of a new secret (rule 4). One year is recommended, since it is the easiest to keep track of.
///
/// Exhaustive on purpose: [`Lifetime::Days`] covers every length that has no variant of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Lifetime {
    /// One calendar year.
    OneYear,
    /// Two calendar years.
    TwoYears,
    /// Three calendar years, the most that the default policy allows.
    ThreeYears,
    /// A custom number of days. Zero is refused, since the secret would never be valid.
    #[serde(rename = "custom")]
    Days(#[serde(serialize_with = "crate::value::member::days::serialize")] Days),
    /// No end. Refused unless [`Policy::longest_lifetime`](crate::Policy::longest_lifetime) allows it.
    Unlimited,
}

/// A lifetime as it is read. Its variants have braces, since `serde` accepts unknown members beside a variant without them.
#[derive(Deserialize)]
#[serde(rename = "Lifetime", tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum UncheckedLifetime {
    OneYear {},
    TwoYears {},
    ThreeYears {},
    Custom { days: Days },
    Unlimited {},
}

impl Lifetime {
    /// Returns the validity of a secret with this lifetime that starts at `from`.
    ///
    /// # Errors
    /// [`InvalidValue`] if the validity would be empty, or would end after the last [`Timestamp`].
    pub fn starting(self, from: impl Into<Timestamp>) -> Result<Validity, InvalidValue> {
        let from = from.into();
        let until = match self {
            Self::OneYear => from.checked_add_years(1),
            Self::TwoYears => from.checked_add_years(2),
            Self::ThreeYears => from.checked_add_years(3),
            Self::Days(days) => from.checked_add(days.into()),
            Self::Unlimited => return Ok(Validity { from, until: None }),
        };
        let beyond = InvalidValue::new(
            Field::Validity,
            Problem::Form("ends after the year 262142, the last year that a date can have"),
        );
        Validity::new(from, Some(until.ok_or(beyond)?))
    }
}

impl<'de> Deserialize<'de> for Lifetime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let unchecked = UncheckedLifetime::deserialize(Object(deserializer));
        Ok(match unchecked.map_err(|error| redact(error, "Lifetime"))? {
            UncheckedLifetime::OneYear {} => Self::OneYear,
            UncheckedLifetime::TwoYears {} => Self::TwoYears,
            UncheckedLifetime::ThreeYears {} => Self::ThreeYears,
            UncheckedLifetime::Custom { days } => Self::Days(days),
            UncheckedLifetime::Unlimited {} => Self::Unlimited,
        })
    }
}

impl fmt::Display for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OneYear => f.write_str("one year"),
            Self::TwoYears => f.write_str("two years"),
            Self::ThreeYears => f.write_str("three years"),
            Self::Days(days) => days.fmt(f),
            Self::Unlimited => f.write_str("unlimited"),
        }
    }
}

/// The interval in which a secret may be valid. It includes its start `from` and not its end `until`; it may have no end.
///
/// A secret has *started* at `from`, has *ended* at `until`, and *runs* in between. A validity is never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub struct Validity {
    from: Timestamp,
    until: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename = "Validity", deny_unknown_fields)]
struct UncheckedValidity {
    from: Timestamp,
    /// Required: `null` means no end, and a member that was left out or misspelt must not mean the same.
    #[serde(deserialize_with = "Option::deserialize")]
    until: Option<Timestamp>,
}

impl Validity {
    /// Returns the interval from `from` to just before `until`, or without end for `None`.
    ///
    /// # Errors
    /// [`InvalidValue`] if `until` is not after `from`.
    pub fn new(from: impl Into<Timestamp>, until: Option<Timestamp>) -> Result<Self, InvalidValue> {
        let from = from.into();
        if until.is_some_and(|until| until <= from) {
            return Err(InvalidValue::new(Field::Validity, Problem::Form("ends before or when it starts")));
        }
        Ok(Self { from, until })
    }

    /// Returns the first instant.
    #[must_use]
    pub fn from(&self) -> Timestamp {
        self.from
    }

    /// Returns the first instant after the interval, or `None` if it has no end.
    #[must_use]
    pub fn until(&self) -> Option<Timestamp> {
        self.until
    }

    /// Returns whether `t` is at or after the first instant.
    #[must_use]
    pub fn has_started(&self, t: Timestamp) -> bool {
        self.from <= t
    }

    /// Returns whether `t` is at or after the end.
    #[must_use]
    pub fn has_ended(&self, t: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= t)
    }

    /// Returns whether `t` lies within the interval: started and not ended.
    #[must_use]
    pub fn runs(&self, t: Timestamp) -> bool {
        self.has_started(t) && !self.has_ended(t)
    }

    /// Returns the interval with the same start and this end.
    pub(crate) fn ending_at(self, until: Option<Timestamp>) -> Result<Self, InvalidValue> {
        Self::new(self.from, until)
    }

    /// Returns the interval with the same start that ends at `until`, or earlier if it did so already. `until` must be after
    /// the start.
    pub(crate) fn ending_by(self, until: Timestamp) -> Self {
        debug_assert!(self.from < until, "a validity is never empty");
        Self { until: Some(self.until.map_or(until, |own| own.min(until))), ..self }
    }
}

impl<'de> Deserialize<'de> for Validity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let unchecked = UncheckedValidity::deserialize(Object(deserializer));
        let UncheckedValidity { from, until } = unchecked.map_err(|error| redact(error, "Validity"))?;
        Self::new(from, until).map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Validity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.until {
            Some(until) => write!(f, "from {} until {until}", self.from),
            None => write!(f, "from {}, unlimited", self.from),
        }
    }
}
