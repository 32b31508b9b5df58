//! The number of a secret within its client. It is counted, never reused, and safe to show to anybody.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

use crate::value::redacted::redacted;
use crate::value::{Field, InvalidValue, Problem};

redacted! {
    /// The number of a secret within its client: 1 for the first, never reused.
    #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
    #[serde(transparent)]
    pub struct SecretId(#[serde(deserialize_with = "secret_number")] NonZeroU32);
}

impl SecretId {
    /// Returns the secret ID with this number, or `None` for zero.
    #[must_use]
    pub const fn new(number: u32) -> Option<Self> {
        match NonZeroU32::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// Returns the number, from 1 upwards.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0.get()
    }

    /// Returns the ID after `last`, or `None` if all 2^32 - 1 are used up.
    pub(crate) fn after(last: Option<Self>) -> Option<Self> {
        match last {
            None => Some(Self(NonZeroU32::MIN)),
            Some(Self(number)) => number.checked_add(1).map(Self),
        }
    }
}

impl FromStr for SecretId {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let invalid = |problem| InvalidValue::new(Field::SecretId, problem);
        if text.is_empty() {
            return Err(invalid(Problem::Empty));
        }
        if text.len() > 10 {
            return Err(invalid(Problem::TooLong { max: 10 }));
        }
        if let Some(at) = text.bytes().position(|b| !b.is_ascii_digit()) {
            return Err(invalid(Problem::Character { at }));
        }
        if text.starts_with('0') {
            return Err(invalid(Problem::Form("begins with a zero")));
        }
        let number = text.parse().map_err(|_| invalid(Problem::Form("is too large")))?;
        Ok(Self(number))
    }
}

impl fmt::Display for SecretId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for SecretId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretId({})", self.0)
    }
}

/// Reads the number. An error of serde itself would repeat a text found in its place.
fn secret_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NonZeroU32, D::Error> {
    let invalid = InvalidValue::new(Field::SecretId, Problem::Form("is not a valid number"));
    NonZeroU32::deserialize(deserializer).map_err(|_| serde::de::Error::custom(invalid))
}
