//! Instants at the ends of the calendar, and lifetimes that reach them (rule 4).

mod lifetimes;

use std::time::Duration;

use chrono::{DateTime, Utc};
use client_registry::Timestamp;
use client_registry::value::{Field, Problem};
use proptest::prelude::*;

use super::{MARKER, instant, refused, repeats};

const DAY: i64 = 24 * 60 * 60 * 1000;

fn any_instant() -> impl Strategy<Value = Timestamp> {
    let (first, last) = (Timestamp::MIN.as_millis(), Timestamp::MAX.as_millis());
    prop_oneof![
        first..=last,
        first..=first + DAY,
        last - DAY..=last,
        -DAY..=DAY,
        253_402_300_799_000i64..=253_402_300_801_000, // into the year 10000
        -62_167_219_201_000i64..=-62_167_219_199_000, // into the year 0
    ]
    .prop_map(|millis| Timestamp::from_millis(millis).unwrap())
}

#[test]
fn a_text_that_is_no_timestamp_is_refused_with_its_field() {
    for text in
        ["", "2026-03-01", "2026-03-01T09:00:00", "09:00", "1772355600", "+262143-01-01T00:00:00.000Z"]
    {
        assert!(matches!(refused::<Timestamp>(text, Field::Timestamp), Problem::Form(_)), "{text}");
    }
    let minus = "\u{2212}0001-03-01T09:00:00Z";
    assert_eq!(refused::<Timestamp>(minus, Field::Timestamp), Problem::Character { at: 0 });
}

#[test]
fn seconds_are_rounded_down() {
    for (millis, secs) in [(0, 0), (999, 0), (1000, 1), (-1, -1), (-1000, -1), (-1001, -2)] {
        assert_eq!(Timestamp::from_millis(millis).unwrap().as_secs(), secs);
    }
}

#[test]
fn the_calendar_has_two_ends() {
    assert_eq!(Timestamp::from(DateTime::<Utc>::MAX_UTC), Timestamp::MAX);
    assert_eq!(Timestamp::from(DateTime::<Utc>::MIN_UTC), Timestamp::MIN);
    assert_eq!(Timestamp::MAX.to_string(), "+262142-12-31T23:59:59.999Z");
    assert_eq!(Timestamp::MIN.to_string(), "-262143-01-01T00:00:00.000Z");
    for (end, beyond) in [(Timestamp::MAX, 1), (Timestamp::MIN, -1)] {
        assert_eq!(Timestamp::from_millis(end.as_millis()), Some(end));
        assert_eq!(Timestamp::from_millis(end.as_millis() + beyond), None);
        assert_eq!(end.to_datetime().timestamp_millis(), end.as_millis());
        assert_eq!(Timestamp::from(end.to_datetime()), end);
    }
    assert_eq!(Timestamp::from_millis(i64::MAX), None);
    assert_eq!(Timestamp::from_millis(i64::MIN), None);
}

#[test]
fn instants_are_written_as_rfc_3339() {
    for (millis, text) in [
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (1_767_225_600_001, "2026-01-01T00:00:00.001Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        (253_402_300_800_000, "+10000-01-01T00:00:00.000Z"),
        (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"),
        (-62_167_219_200_001, "-0001-12-31T23:59:59.999Z"),
    ] {
        let instant = Timestamp::from_millis(millis).unwrap();
        assert_eq!(instant.to_string(), text);
        assert_eq!(text.parse(), Ok(instant));
    }
    for text in [
        "2026-01-01T01:30:00.001+01:30",
        "2025-12-31t23:00:00.0019-01:00",
        "2026-01-01 00:00:00.001Z",
        "2026-01-01T00:00:00.001999999999999z",
    ] {
        assert_eq!(
            text.parse(),
            Timestamp::from_millis(1_767_225_600_001).ok_or(()).map_err(|()| unreachable!()),
            "{text}"
        );
    }
}

#[test]
fn other_texts_are_no_instants() {
    let mut bad = vec![
        "".to_owned(),
        "0".to_owned(),
        "1767225600".to_owned(),
        "now".to_owned(),
        "a".repeat(1 << 20),
        format!("{MARKER}-01-01T00:00:00Z"),
        format!("2026-01-01T00:00:00{MARKER}"),
    ];
    bad.extend(
        [
            "2026-01-01",
            "2026-01-01T00:00Z",
            "2026-01-01T00:00:00", // no offset
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00 Z",
            "2026-01-01T00:00:00UTC",
            "2026-01-01T00:00:00 utc",
            "2026-1-1T0:0:0Z",
            "2026 -01-01T00:00:00Z",
            "2026- 01-01T00:00:00Z",
            " 2026-01-01T00:00:00Z",
            "2026-01-01T00:00:00Z ",
            "2026-01-01T00:00:00Z\n",
            "2026-01-01T00:00:00Z\0",
            "2026-01-01T00:00:00+0000",
            "2026-01-01T00:00:00+00",
            "2026-01-01T00:00:00+00 :00",
            "2026-01-01T00:00:00\u{2212}01:00", // a minus sign
            "２０２６-01-01T00:00:00Z",
            "26-01-01T00:00:00Z",
            "02026-01-01T00:00:00Z",
            "+2026-01-01T00:00:00.000Z", // a sign on four digits
            "+10000-1-1 0:0:0utc",
            "10000-01-01T00:00:00.000Z", // none on five
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-02-29T00:00:00Z", // no leap year
            "2026-04-31T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:60:00Z",
            "2026-01-01T00:00:61Z",
            "2026-01-01T00:00:00+24:00",
            "2026-01-01T00:00:00+00:60",
            "+262143-01-01T00:00:00.000Z", // past either end
            "-262144-12-31T23:59:59.999Z",
            "-262143-01-01T00:00:00.000+00:01",
            "+262142-12-31T23:59:59.999-00:01",
            "+999999999999999999999-01-01T00:00:00.000Z",
        ]
        .map(str::to_owned),
    );
    for text in bad {
        let error = text.parse::<Timestamp>().map(|t| panic!("{text:?} is {t}")).unwrap_err();
        assert!(!repeats(&error.to_string()) && !repeats(&format!("{error:?}")), "{error}");
        let json = serde_json::to_string(&text).unwrap();
        let error = serde_json::from_str::<Timestamp>(&json).map(|t| panic!("{json} is {t}")).unwrap_err();
        assert!(!repeats(&error.to_string()) && !repeats(&format!("{error:?}")), "{error}");
    }
    for json in ["0", "1767225600000", "null", "{}", "[]", "true"] {
        assert!(serde_json::from_str::<Timestamp>(json).is_err(), "{json}");
    }
}

/// Towards the past, before 1970 as after.
#[test]
fn finer_than_a_millisecond_is_truncated() {
    for (seconds, nanos, millis) in [
        (0, 0, 0),
        (0, 999_999, 0),
        (0, 1_000_000, 1),
        (-1, 999_999_999, -1),
        (-1, 999_000_000, -1),
        (-1, 998_999_999, -2),
        (-1, 1, -1000),
        (-1, 0, -1000),
        (-2, 999_999_999, -1001),
    ] {
        let instant = DateTime::from_timestamp(seconds, nanos).unwrap();
        assert_eq!(Timestamp::from(instant).as_millis(), millis, "{instant}");
    }
    assert_eq!(instant("1969-12-31T23:59:59.9999Z").as_millis(), -1);
    assert_eq!(instant("1970-01-01T00:00:00.0009Z").as_millis(), 0);
}

/// Two spellings of one instant are one instant, and what came later is later.
#[test]
fn a_leap_second_is_the_second_after_it() {
    assert_eq!(instant("2016-12-31T23:59:60Z"), instant("2017-01-01T00:00:00Z"));
    assert_eq!(instant("2016-12-31T23:59:60.999Z"), instant("2017-01-01T00:00:00.999Z"));
    assert_eq!(instant("2016-12-31T23:59:60Z").to_string(), "2017-01-01T00:00:00.000Z");
    assert_eq!(instant("9999-12-31T23:59:60Z").to_string(), "+10000-01-01T00:00:00.000Z");
    assert!(instant("2016-12-31T23:59:59.999Z") < instant("2016-12-31T23:59:60Z"));
    assert!(instant("2016-12-31T23:59:60.5Z") < instant("2017-01-01T00:00:01Z"));
    let last = DateTime::from_timestamp(DateTime::<Utc>::MAX_UTC.timestamp(), 1_999_999_999).unwrap();
    assert_eq!(Timestamp::from(last), Timestamp::MAX, "there is no second after the last");
}

#[test]
fn subtracting_stays_in_the_calendar() {
    let ms = Duration::from_millis(1);
    assert_eq!(Timestamp::MIN.checked_sub(ms), None);
    assert_eq!(Timestamp::MIN.checked_sub(Duration::from_nanos(999_999)), Some(Timestamp::MIN));
    assert_eq!(Timestamp::MAX.checked_sub(Duration::MAX), None);
    let all = Timestamp::MAX.saturating_since(Timestamp::MIN);
    assert_eq!(Timestamp::MAX.checked_sub(all), Some(Timestamp::MIN));
    assert_eq!(Timestamp::MAX.checked_sub(all + ms), None);
}

#[test]
fn adding_stays_in_the_calendar() {
    let ms = Duration::from_millis(1);
    assert_eq!(Timestamp::MAX.checked_add(ms), None);
    assert_eq!(Timestamp::MAX.checked_add(Duration::from_nanos(999_999)), Some(Timestamp::MAX));
    assert_eq!(Timestamp::MIN.checked_add(Duration::MAX), None);
    assert_eq!(Timestamp::MIN.checked_add(Duration::from_millis(u64::MAX)), None);
    assert_eq!(Timestamp::MIN.saturating_add(Duration::MAX), Timestamp::MAX);
    let all = Timestamp::MAX.saturating_since(Timestamp::MIN);
    assert_eq!(Timestamp::MIN.checked_add(all), Some(Timestamp::MAX));
    assert_eq!(Timestamp::MIN.checked_add(all + ms), None);
    assert_eq!(Timestamp::MIN.saturating_since(Timestamp::MAX), Duration::ZERO);
}

proptest! {
    #[test]
    fn an_instant_is_the_same_in_json_text_and_chrono(t in any_instant()) {
        let json = serde_json::to_string(&t).unwrap();
        prop_assert_eq!(&json, &format!("\"{t}\""));
        prop_assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), t);
        prop_assert_eq!(t.to_string().parse::<Timestamp>(), Ok(t));
        prop_assert_eq!(Timestamp::from(t.to_datetime()), t);
        prop_assert_eq!(Timestamp::from_millis(t.as_millis()), Some(t));
    }

    #[test]
    fn texts_of_four_digit_years_sort_as_instants(a in 0..=253_402_300_799_999i64, b in 0..=253_402_300_799_999i64) {
        let (a, b) = (Timestamp::from_millis(a).unwrap(), Timestamp::from_millis(b).unwrap());
        prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
    }

    /// A text with a slip in it is refused, or is that instant in one of the spellings of RFC 3339.
    #[test]
    fn an_instant_with_a_slip_in_it(
        millis in 0..=253_402_300_799_999i64,
        c in prop_oneof![any::<char>(), (32..127u8).prop_map(char::from)],
        at in any::<prop::sample::Index>(),
    ) {
        let mut text = Timestamp::from_millis(millis).unwrap().to_string();
        text.insert(at.index(text.len() + 1), c);
        if let Ok(t) = text.parse::<Timestamp>() {
            // Another digit of the fraction, or a minus sign before the year.
            prop_assert!(c.is_ascii_digit() || t.to_string() == text, "{} is {}", text, t);
        }
    }
}

proptest! {
    /// The form that records are written in is read without chrono's parser. It reads the same, or leaves the text to that.
    #[test]
    fn what_records_hold_is_read_as_chrono_reads_it(
        text in "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9][.][0-9]{3}Z",
    ) {
        let read = DateTime::parse_from_rfc3339(&text).ok().map(|read| Timestamp::from(read.to_utc()));
        prop_assert_eq!(Timestamp::parse(&text).ok(), read);
    }
}
