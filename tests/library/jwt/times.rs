//! When a token is valid, to the millisecond.

use std::time::Duration;

use client_registry::clock::ManualClock;
use client_registry::jwt::JwtError;
use client_registry::*;
use serde_json::Value;

use super::{HEADER, TEXT, token_of, verified};
use crate::support::{client_id, instant, later, start};

/// Verifies at an instant this many milliseconds after the start of the tests, with a tolerance of so many.
fn at(millis: i64, tolerance: u64, claims: &str) -> Result<Value, JwtError> {
    let clock = ManualClock::new(later(start(), millis).to_datetime());
    let ring = SecretRing::new(client_id("calendar-app"), ClientSecret::parse(TEXT).unwrap(), None);
    let claims = format!(r#"{{{claims},"aud":"calendar-app"}}"#);
    let token = token_of(HEADER, &claims);
    let verified = ring.with_clock(clock).verify_jwt_within(&token, Duration::from_millis(tolerance));
    verified.map(jwt::VerifiedJwt::into_claims)
}

/// The start of the tests, as a `NumericDate`.
const NOW: i64 = 1_772_355_600;

#[test]
fn a_token_ends_at_its_exp_and_the_tolerance() {
    let exp = format!(r#""exp":{NOW}"#);
    let expired = Err(JwtError::Expired { at: start() });
    assert!(at(-1, 0, &exp).is_ok());
    assert_eq!(at(0, 0, &exp), expired);
    assert!(at(59_999, 60_000, &exp).is_ok());
    assert_eq!(at(60_000, 60_000, &exp), expired);
    // A `NumericDate` may have a fraction.
    let exp = format!(r#""exp":{NOW}.5"#);
    assert!(at(499, 0, &exp).is_ok());
    assert_eq!(at(500, 0, &exp), Err(JwtError::Expired { at: later(start(), 500) }));
}

#[test]
fn a_token_begins_at_its_nbf_less_the_tolerance() {
    let nbf = format!(r#""exp":{},"nbf":{NOW}"#, NOW + 600);
    let early = Err(JwtError::NotYetValid { from: start() });
    assert_eq!(at(-1, 0, &nbf), early);
    assert!(at(0, 0, &nbf).is_ok());
    assert_eq!(at(-60_001, 60_000, &nbf), early);
    assert!(at(-60_000, 60_000, &nbf).is_ok());
}

#[test]
fn the_tolerance_is_a_minute_unless_configured_otherwise() {
    let claims = |exp: i64| {
        format!(r#"{{"exp":{exp},"aud":"calendar-app","iss":"https://platform.example","user":"ann"}}"#)
    };
    assert!(verified(HEADER, &claims(NOW - 59)).is_ok());
    assert_eq!(verified(HEADER, &claims(NOW - 60)), Err(JwtError::Expired { at: later(start(), -60_000) }));
}

/// Far dates are at the ends of the calendar.
#[test]
fn dates_beyond_the_calendar_are_at_its_ends() {
    for exp in ["99999999999999999999", "1e300", "9007199254740993"] {
        assert!(at(0, 0, &format!(r#""exp":{exp}"#)).is_ok(), "{exp}");
    }
    for exp in ["-99999999999999999999", "-1e300"] {
        assert_eq!(at(0, 0, &format!(r#""exp":{exp}"#)), Err(JwtError::Expired { at: Timestamp::MIN }));
    }
    // No tolerance is too large to be added.
    assert!(at(0, u64::MAX, &format!(r#""exp":{NOW},"nbf":{NOW}"#)).is_ok());
}

/// The tolerance is measured, not added: at the ends of the calendar it counts as everywhere.
#[test]
fn the_tolerance_counts_at_the_ends_of_the_calendar_too() {
    let last = Timestamp::MAX.as_secs();
    let at = |now: Timestamp, claims: &str| {
        let ring = SecretRing::new(client_id("calendar-app"), ClientSecret::parse(TEXT).unwrap(), None);
        let token = token_of(HEADER, &format!(r#"{{{claims},"aud":"calendar-app"}}"#));
        ring.with_clock(ManualClock::new(now.to_datetime()))
            .verify_jwt_within::<Value>(&token, Duration::from_secs(60))
            .map(|verified| verified.expires_at())
    };
    let exp = |ago: i64| format!(r#""exp":{}"#, last - ago);
    assert_eq!(
        at(Timestamp::MAX, &exp(30)),
        Ok(later(Timestamp::from_millis(last * 1000).unwrap(), -30_000))
    );
    assert!(matches!(at(Timestamp::MAX, &exp(61)), Err(JwtError::Expired { .. })));
    let first = Timestamp::MIN.as_secs();
    assert!(at(Timestamp::MIN, &format!(r#""exp":{},"nbf":{}"#, first + 99, first + 60)).is_ok());
    let early = at(Timestamp::MIN, &format!(r#""exp":{},"nbf":{}"#, first + 99, first + 61));
    assert!(matches!(early, Err(JwtError::NotYetValid { .. })), "{early:?}");
}

#[test]
fn what_is_no_date_is_refused() {
    for exp in [r#""1772359200""#, "null", "true", "[1772359200]", "1e999", "{}"] {
        let answer = at(0, 0, &format!(r#""exp":{exp}"#));
        assert!(matches!(answer, Err(JwtError::Malformed { .. })), "{exp}: {answer:?}");
        let answer = at(0, 0, &format!(r#""exp":{},"nbf":{exp}"#, NOW + 60));
        assert!(matches!(answer, Err(JwtError::Malformed { .. })), "{exp}: {answer:?}");
    }
    let without = at(0, 0, r#""nbf":1"#).unwrap_err();
    assert_eq!(without.to_string(), "the token is malformed: it has no exp");
}

#[test]
fn an_error_says_when_a_token_has_expired() {
    let error = at(0, 0, r#""exp":1772355000"#).unwrap_err();
    assert_eq!(error, JwtError::Expired { at: instant("2026-03-01T08:50:00Z") });
    assert!(
        error.to_string().starts_with("the token has expired: it was valid until 2026-03-01T08:50:00.000Z; ")
    );
}
