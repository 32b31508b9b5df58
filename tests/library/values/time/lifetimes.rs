//! Lifetimes and validities: days, calendar years, and what is empty or reaches too far (rule 4).

use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use client_registry::value::{Field, Problem, Validity};
use client_registry::{Days, Lifetime, Timestamp};
use proptest::prelude::*;

use super::{DAY, any_instant};
use crate::values::{MARKER, check_refusal, instant, repeats};

fn any_lifetime() -> impl Strategy<Value = Lifetime> {
    prop_oneof![
        Just(Lifetime::OneYear),
        Just(Lifetime::TwoYears),
        Just(Lifetime::ThreeYears),
        any::<u32>().prop_map(|days| Lifetime::Days(Days::new(days))),
        (0u32..2000).prop_map(|days| Lifetime::Days(Days::new(days))),
        Just(Lifetime::Unlimited),
    ]
}

#[test]
fn days_have_24_hours_and_there_may_be_many() {
    assert_eq!(Duration::from(Days::new(u32::MAX)).as_secs(), 4_294_967_295 * 86_400);
    assert_eq!(TimeDelta::from(Days::new(u32::MAX)).num_days(), 4_294_967_295);
    assert_eq!(Duration::from(Days::new(0)), Duration::ZERO);
    assert_eq!([0, 1, 2].map(|days| Days::new(days).to_string()), ["0 days", "1 day", "2 days"]);
    for json in ["-1", "4294967296", "1.5", "\"1\"", "null", "[1]"] {
        assert!(serde_json::from_str::<Days>(json).is_err(), "{json}");
    }
    let error = serde_json::from_str::<Days>(&format!("\"{MARKER}\"")).unwrap_err();
    assert!(!repeats(&error.to_string()) && !repeats(&format!("{error:?}")), "{error}");
}

#[test]
fn years_are_calendar_years_and_29_february_ends_on_28_february() {
    for (from, one, two, three) in [
        ("2026-03-01T12:00:00.001Z", "2027-03-01", "2028-03-01", "2029-03-01"),
        ("2028-02-29T12:00:00.001Z", "2029-02-28", "2030-02-28", "2031-02-28"),
        ("2027-02-28T12:00:00.001Z", "2028-02-28", "2029-02-28", "2030-02-28"),
        ("2096-02-29T12:00:00.001Z", "2097-02-28", "2098-02-28", "2099-02-28"),
        ("1968-02-29T12:00:00.001Z", "1969-02-28", "1970-02-28", "1971-02-28"),
        ("9998-12-31T12:00:00.001Z", "9999-12-31", "+10000-12-31", "+10001-12-31"),
        ("-0004-02-29T12:00:00.001Z", "-0003-02-28", "-0002-02-28", "-0001-02-28"),
    ] {
        for (lifetime, date) in
            [(Lifetime::OneYear, one), (Lifetime::TwoYears, two), (Lifetime::ThreeYears, three)]
        {
            let validity = lifetime.starting(instant(from)).unwrap();
            assert_eq!(validity.from(), instant(from));
            assert_eq!(
                validity.until(),
                Some(instant(&format!("{date}T12:00:00.001Z"))),
                "{from} {lifetime}"
            );
        }
    }
}

#[test]
fn empty_and_overflowing_lifetimes_are_refused() {
    let now = instant("2026-01-01T00:00:00Z");
    let days = |days| Lifetime::Days(Days::new(days));
    let last_year = instant("+262142-01-01T00:00:00.000Z");
    for (lifetime, from) in [
        (days(0), now),
        (days(0), Timestamp::MAX),
        (days(0), Timestamp::MIN),
        (days(u32::MAX), now),
        (days(u32::MAX), Timestamp::MIN),
        (days(1), Timestamp::MAX),
        (Lifetime::OneYear, Timestamp::MAX),
        (Lifetime::TwoYears, Timestamp::MAX),
        (Lifetime::ThreeYears, Timestamp::MAX),
        (Lifetime::OneYear, last_year),
        (days(365), last_year),
    ] {
        let error = lifetime.starting(from).unwrap_err();
        check_refusal(&error, Field::Validity);
        assert!(matches!(error.problem(), Problem::Form(_)), "{lifetime} from {from}");
    }
    assert_eq!(days(364).starting(last_year).unwrap().until(), Some(instant("+262142-12-31T00:00:00.000Z")));
    assert_eq!(Lifetime::Unlimited.starting(Timestamp::MAX).unwrap().until(), None);
    assert!(Lifetime::OneYear.starting(Timestamp::MIN).is_ok());
}

#[test]
fn a_validity_is_half_open_and_never_empty() {
    let (from, until) = (instant("2026-01-01T00:00:00Z"), instant("2026-01-01T00:00:00.001Z"));
    let validity = Validity::new(from, Some(until)).unwrap();
    assert!(validity.runs(from) && !validity.runs(until) && validity.has_ended(until));
    for until in [from, Timestamp::MIN, instant("2025-12-31T23:59:59.999Z")] {
        check_refusal(&Validity::new(from, Some(until)).unwrap_err(), Field::Validity);
        let json = format!(r#"{{"from":"{from}","until":"{until}"}}"#);
        assert!(serde_json::from_str::<Validity>(&json).is_err(), "{json}");
    }
    // Less than a millisecond is nothing.
    let late = DateTime::from_timestamp(from.as_millis() / 1000, 999_999).unwrap();
    assert!(Validity::new(from, Some(late.into())).is_err());
    let forever = Validity::new(Timestamp::MIN, None).unwrap();
    assert!(forever.runs(Timestamp::MIN) && forever.runs(Timestamp::MAX));
    assert!(serde_json::from_str::<Validity>(&format!(r#"{{"from":"{from}","until":null}}"#)).is_ok());
    for json in [format!(r#"{{"from":"{from}"}}"#), format!(r#"{{"from":"{from}","untill":"{until}"}}"#)] {
        assert!(serde_json::from_str::<Validity>(&json).is_err(), "no end by accident: {json}");
    }
    let json = format!(r#"{{"from":"{MARKER}","until":null}}"#);
    let error = serde_json::from_str::<Validity>(&json).unwrap_err();
    assert!(!repeats(&error.to_string()), "{error}");
}

proptest! {
    #[test]
    fn every_lifetime_is_refused_or_never_empty(lifetime in any_lifetime(), from in any_instant()) {
        match lifetime.starting(from) {
            Err(error) => {
                prop_assert_eq!(error.field(), Field::Validity);
                let near_the_end = from.checked_add(Duration::from_millis(4 * 366 * DAY as u64)).is_none();
                prop_assert!(near_the_end || matches!(lifetime, Lifetime::Days(_)), "{} from {}", lifetime, from);
            }
            Ok(validity) => {
                prop_assert_eq!(validity.from(), from);
                prop_assert!(validity.until().is_none_or(|until| until > from));
                prop_assert_eq!(validity.until().is_none(), lifetime == Lifetime::Unlimited);
                if let Lifetime::Days(days) = lifetime {
                    let length = validity.until().unwrap().as_millis() - from.as_millis();
                    prop_assert_eq!(length, i64::from(days.count()) * DAY);
                }
            }
        }
    }

    #[test]
    fn lifetimes_and_validities_are_the_same_in_json(lifetime in any_lifetime(), from in any_instant(), to in any_instant()) {
        let json = serde_json::to_string(&lifetime).unwrap();
        prop_assert_eq!(serde_json::from_str::<Lifetime>(&json).unwrap(), lifetime);
        for until in [None, Some(to)] {
            let json = serde_json::json!({ "from": from, "until": until }).to_string();
            match Validity::new(from, until) {
                Ok(validity) => {
                    prop_assert_eq!(serde_json::to_string(&validity).unwrap().parse::<serde_json::Value>().unwrap(), json.parse::<serde_json::Value>().unwrap());
                    prop_assert_eq!(serde_json::from_str::<Validity>(&json).unwrap(), validity);
                }
                Err(_) => prop_assert!(serde_json::from_str::<Validity>(&json).is_err()),
            }
        }
    }
}
