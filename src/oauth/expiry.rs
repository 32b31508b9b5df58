//! `client_secret_expires_at` of RFC 7591, from and to the values of this crate.

use crate::value::{Days, Field, InvalidValue, Lifetime, Problem, Timestamp, Validity};

/// Returns the end of a validity as `client_secret_expires_at` (RFC 7591 section 3.2.1): seconds since 1970, rounded down, and 0 if it
/// has no end.
///
/// ```
/// # use client_registry::{Lifetime, Timestamp, oauth::expires_at};
/// let from = Timestamp::parse("2026-03-01T09:00:00Z")?;
/// assert_eq!(expires_at(Lifetime::OneYear.starting(from)?), 1_803_891_600);
/// assert_eq!(expires_at(Lifetime::Unlimited.starting(from)?), 0);
/// # Ok::<(), client_registry::InvalidValue>(())
/// ```
#[must_use]
pub fn expires_at(validity: Validity) -> i64 {
    // An end that has long passed must not read as none.
    validity.until().map_or(0, |until| until.as_secs().max(1))
}

/// Returns the end that `client_secret_expires_at` states, or `None` for 0: to import a client secret of another server.
///
/// # Errors
/// [`InvalidValue`] if it is negative or beyond the calendar.
pub fn end_from(expires_at: i64) -> Result<Option<Timestamp>, InvalidValue> {
    if expires_at == 0 {
        return Ok(None);
    }
    let millis = expires_at.checked_mul(1000).filter(|millis| *millis > 0);
    match millis.and_then(Timestamp::from_millis) {
        Some(end) => Ok(Some(end)),
        None => Err(invalid("is not a number of seconds since 1970 within the calendar")),
    }
}

/// Returns the lifetime of a secret that starts at `from` and ends as `client_secret_expires_at` states: calendar years where they
/// are exact to the second, otherwise whole days, rounded down. A secret never outlives what was asked for by a second or more.
///
/// ```
/// # use client_registry::{Days, Lifetime, Timestamp, oauth::lifetime_from};
/// let from = Timestamp::parse("2026-03-01T09:00:00Z")?;
/// assert_eq!(lifetime_from(1_803_891_600, from)?, Lifetime::OneYear);
/// assert_eq!(lifetime_from(1_803_891_599, from)?, Lifetime::Days(Days::new(364)));
/// assert_eq!(lifetime_from(0, from)?, Lifetime::Unlimited);
/// # Ok::<(), client_registry::InvalidValue>(())
/// ```
///
/// # Errors
/// [`InvalidValue`] if it is negative or beyond the calendar, or less than a day after `from`.
pub fn lifetime_from(expires_at: i64, from: impl Into<Timestamp>) -> Result<Lifetime, InvalidValue> {
    let from = from.into();
    let Some(end) = end_from(expires_at)? else {
        return Ok(Lifetime::Unlimited);
    };
    let years = [Lifetime::OneYear, Lifetime::TwoYears, Lifetime::ThreeYears];
    let is_exact = |lifetime: &Lifetime| {
        lifetime.starting(from).is_ok_and(|validity| self::expires_at(validity) == expires_at)
    };
    if let Some(years) = years.into_iter().find(is_exact) {
        return Ok(years);
    }
    let days = end.saturating_since(from).as_secs() / (24 * 60 * 60);
    match u32::try_from(days) {
        Ok(0) | Err(_) => Err(invalid("ends less than a day after it starts, or beyond the calendar")),
        Ok(days) => Ok(Lifetime::Days(Days::new(days))),
    }
}

fn invalid(what: &'static str) -> InvalidValue {
    InvalidValue::new(Field::Validity, Problem::Form(what))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_lifetime_never_grows_and_loses_less_than_a_day(from in 0i64..4_000_000_000_000, secs in 86_400i64..200_000_000) {
            let from = Timestamp::from_millis(from).unwrap();
            let expires = from.as_secs() + secs + 1;
            let validity = lifetime_from(expires, from).unwrap().starting(from).unwrap();
            let found = expires_at(validity);
            prop_assert!(found <= expires && found > expires - 86_401, "{} {}", found, expires);
        }

        #[test]
        fn years_come_back(from in 0i64..4_000_000_000_000) {
            let from = Timestamp::from_millis(from).unwrap();
            for lifetime in [Lifetime::OneYear, Lifetime::TwoYears, Lifetime::ThreeYears, Lifetime::Unlimited] {
                let expires = expires_at(lifetime.starting(from).unwrap());
                prop_assert_eq!(lifetime_from(expires, from).unwrap(), lifetime);
            }
        }

        #[test]
        fn no_number_panics(expires: i64, from in any::<i64>()) {
            let from = Timestamp::from_millis(from).unwrap_or(Timestamp::MIN);
            let _ = (end_from(expires), lifetime_from(expires, from));
        }
    }

    #[test]
    fn an_end_that_has_passed_is_not_none() {
        let old = Validity::new(Timestamp::MIN, Timestamp::from_millis(-5)).unwrap();
        assert_eq!(expires_at(old), 1);
        assert!(end_from(-1).is_err() && end_from(i64::MAX).is_err() && end_from(i64::MIN).is_err());
        assert!(lifetime_from(5, Timestamp::MAX).is_err());
    }
}
