//! The policy: its setters, its face in a configuration file, and what it says of lifetimes.

use std::time::Duration;

use client_registry::value::{Field, Problem};
use client_registry::{Days, InvalidValue, Lifetime, Policy, Refusal, Timestamp};
use proptest::prelude::*;

use super::{MARKER, check_refusal, instant, register, repeats};

fn problem(refused: Result<Policy, InvalidValue>, field: Field) -> Problem {
    let error = refused.unwrap_err();
    check_refusal(&error, field);
    error.problem()
}

#[test]
fn a_client_has_2_to_32_secrets() {
    for limit in [2, 5, 32] {
        assert_eq!(Policy::default().with_max_secrets(limit).unwrap().max_secrets(), limit);
    }
    for limit in [0, 1, 33, usize::MAX] {
        assert!(matches!(
            problem(Policy::default().with_max_secrets(limit), Field::MaxSecrets),
            Problem::Form(_)
        ));
    }
}

#[test]
fn a_prefix_has_1_to_5_letters_or_digits() {
    let set = |prefix: &str| Policy::default().with_secret_prefix(prefix);
    for prefix in ["a", "Z", "0", "crs", "abcDE"] {
        assert_eq!(set(prefix).unwrap().secret_prefix(), prefix);
    }
    assert_eq!(problem(set(""), Field::SecretPrefix), Problem::Empty);
    for long in ["abcdef", "ééé", &"a".repeat(1 << 20), &format!("{MARKER}!")] {
        assert_eq!(problem(set(long), Field::SecretPrefix), Problem::TooLong { max: 5 });
    }
    for b in 0..=255u8 {
        let c = char::from(b);
        match set(&format!("a{c}b")) {
            Ok(_) => assert!(c.is_ascii_alphanumeric(), "{c:?}"),
            refused => {
                assert_eq!(problem(refused, Field::SecretPrefix), Problem::Character { at: 1 }, "{c:?}")
            }
        }
    }
}

#[test]
fn a_redirect_scheme_is_a_scheme() {
    let set = |scheme: &str| Policy::default().with_redirect_scheme(scheme);
    let longest = "a".repeat(64);
    for scheme in ["ms-app", "x", "com.example.app", "a+b.c-1", "MS-App", &longest] {
        assert!(set(scheme).is_ok(), "{scheme}");
    }
    assert_eq!(set("MS-App").unwrap(), set("ms-app").unwrap(), "schemes have no case");
    assert_eq!(problem(set(""), Field::RedirectScheme), Problem::Empty);
    for long in [format!("{longest}a"), "\0".repeat(1 << 20), MARKER.repeat(8)] {
        assert_eq!(problem(set(&long), Field::RedirectScheme), Problem::TooLong { max: 64 });
    }
    for scheme in [
        "1x",
        "-x",
        ".x",
        "+x",
        "x:",
        "ms-app:",
        "ms-app://",
        "x y",
        " x",
        "x\n",
        "x\0",
        "x_y",
        "x/y",
        "é",
        "msаpp",
        "javascript\u{200b}",
        MARKER_SCHEME,
        "javascript:",
        "\tjavascript",
    ] {
        assert!(matches!(problem(set(scheme), Field::RedirectScheme), Problem::Form(_)), "{scheme:?}");
    }
    for scheme in
        ["http", "https", "HTTP", "javascript", "JavaScript", "data", "vbscript", "file", "blob", "about"]
    {
        assert!(matches!(problem(set(scheme), Field::RedirectScheme), Problem::Form(_)), "{scheme:?}");
    }
}

const MARKER_SCHEME: &str = "sw0rdfish/x";

#[test]
fn what_a_configuration_leaves_out_takes_its_default() {
    let read = |json: &str| serde_json::from_str::<Policy>(json);
    assert_eq!(read("{}").unwrap(), Policy::default());
    let policy = read(
        r#"{"max_secrets":8,"longest_lifetime":{"type":"custom","days":90},"redirect_schemes":["MS-App"],"loopback_redirects":true}"#,
    );
    let same = Policy::default()
        .with_max_secrets(8)
        .unwrap()
        .with_longest_lifetime(Lifetime::Days(Days::new(90)))
        .with_redirect_scheme("ms-app")
        .unwrap()
        .with_loopback_redirects();
    assert_eq!(policy.unwrap(), same);
}

#[test]
fn a_configuration_keeps_the_rules_of_the_setters() {
    for json in [
        r#"{"max_secrets":0}"#,
        r#"{"max_secrets":1}"#,
        r#"{"max_secrets":33}"#,
        r#"{"max_secrets":-5}"#,
        r#"{"max_secrets":5.5}"#,
        r#"{"max_secrets":null}"#,
        r#"{"max_secret":5}"#,
        r#"{"secret_prefix":""}"#,
        r#"{"secret_prefix":"sw0rdfish"}"#,
        r#"{"secret_prefix":"a_b"}"#,
        r#"{"redirect_schemes":["javascript"]}"#,
        r#"{"redirect_schemes":["ms-app","JAVASCRIPT"]}"#,
        r#"{"redirect_schemes":["data"]}"#,
        r#"{"redirect_schemes":["http"]}"#,
        r#"{"redirect_schemes":[""]}"#,
        r#"{"redirect_schemes":["sw0rdfish:"]}"#,
        r#"{"redirect_schemes":"ms-app"}"#,
        r#"{"longest_lifetime":"one_year"}"#,
        r#"{"longest_lifetime":{"type":"four_years"}}"#,
        r#"{"longest_lifetime":{"days":30}}"#,
        r#"{"longest_lifetime":{"type":"custom","days":-1}}"#,
        r#"{"longest_lifetime":{"type":"custom","days":4294967296}}"#,
        r#"{"retire_after":{"secs":604800,"nanos":0}}"#,
        r#"{"retire_after_secs":-1}"#,
        r#"{"retire_after_secs":0.5}"#,
        r#"{"retire_after_secs":18446744073709551616}"#,
        r#"{"loopback_redirects":"yes"}"#,
        r#"{"max_secrets":5,"max_secrets":6}"#,
        "null",
    ] {
        let error =
            serde_json::from_str::<Policy>(json).map(|policy| panic!("{json}: {policy:?}")).unwrap_err();
        assert!(!json.contains(MARKER) || !repeats(&error.to_string()), "{error}");
    }
}

/// Rule 4, "no longer than the policy allows": also where the longest lifetime is nothing, or ends with the calendar.
#[test]
fn rule_4_no_lifetime_is_longer_than_the_policy_allows() {
    let now = instant("2026-01-01T00:00:00Z");
    let days = |days| Lifetime::Days(Days::new(days));
    // From 2026 on: one year has 365 days, two have 730, three have 1096.
    let lifetimes = [
        (days(1), 1u64),
        (days(364), 364),
        (Lifetime::OneYear, 365),
        (days(365), 365),
        (days(366), 366),
        (Lifetime::TwoYears, 730),
        (days(731), 731),
        (Lifetime::ThreeYears, 1096),
        (days(1096), 1096),
        (days(1097), 1097),
        (Lifetime::Unlimited, u64::MAX),
    ];
    let limits = [(days(0), 0), (days(u32::MAX), u64::from(u32::MAX))];
    for (longest, most) in limits.into_iter().chain(lifetimes) {
        let policy = Policy::default().with_longest_lifetime(longest);
        for (lifetime, length) in lifetimes {
            match register("https://a/", lifetime, &policy, now) {
                Ok(_) => assert!(length <= most, "{lifetime} is longer than {longest}"),
                Err(Refusal::LifetimeTooLong { longest: named }) => {
                    assert!(length > most, "{lifetime} is not longer than {longest}");
                    assert_eq!(named, longest);
                }
                Err(other) => panic!("{lifetime}, at most {longest}: {other}"),
            }
        }
        for lifetime in [days(0), days(u32::MAX)] {
            let refusal = register("https://a/", lifetime, &policy, now).unwrap_err();
            assert!(matches!(refusal, Refusal::Invalid(_)), "{lifetime}: {refusal}");
        }
    }
}

#[test]
fn at_the_end_of_the_calendar_only_what_ends_within_it_is_valid() {
    let now = Timestamp::from_millis(Timestamp::MAX.as_millis() - 2 * 24 * 60 * 60 * 1000).unwrap();
    let policy = Policy::default();
    for (lifetime, ok) in [
        (Lifetime::Days(Days::new(2)), true),
        (Lifetime::Days(Days::new(3)), false),
        (Lifetime::OneYear, false),
        (Lifetime::ThreeYears, false),
    ] {
        assert_eq!(register("https://a/", lifetime, &policy, now).is_ok(), ok, "{lifetime}");
    }
    let strict = Policy::default().with_longest_lifetime(Lifetime::Days(Days::new(1)));
    let refusal = register("https://a/", Lifetime::Days(Days::new(2)), &strict, now).unwrap_err();
    assert!(matches!(refusal, Refusal::LifetimeTooLong { .. }), "{refusal}");
}

#[test]
fn a_secret_is_unused_for_whole_seconds() {
    for (given, kept) in [(0, 0), (1, 1_000), (999, 1_000), (1_000, 1_000), (1_001, 2_000)] {
        let policy = Policy::default().with_retire_after(Duration::from_millis(given));
        assert_eq!(policy.retire_after(), Duration::from_millis(kept), "{given}");
        assert_eq!(serde_json::to_value(&policy).unwrap()["retire_after_secs"], kept / 1_000);
    }
    assert_eq!(Policy::default().with_retire_after(Duration::MAX).retire_after().as_secs(), u64::MAX);
}

proptest! {
    #[test]
    fn a_policy_is_the_same_in_json(
        max_secrets in 2usize..=32,
        days in any::<u32>(),
        retire_after in any::<Duration>(),
        min_overlap in any::<Duration>(),
        prefix in "[A-Za-z0-9]{1,5}",
        schemes in prop::collection::vec("z[a-zA-Z0-9+.-]{0,20}", 0..4),
        loopback in any::<bool>(),
    ) {
        let mut policy = Policy::default()
            .with_max_secrets(max_secrets).unwrap()
            .with_longest_lifetime(Lifetime::Days(Days::new(days)))
            .with_retire_after(retire_after)
            .with_min_overlap(min_overlap)
            .with_secret_prefix(&prefix).unwrap();
        for scheme in &schemes {
            policy = policy.with_redirect_scheme(scheme).unwrap();
        }
        if loopback {
            policy = policy.with_loopback_redirects();
        }
        let json = serde_json::to_string(&policy).unwrap();
        prop_assert_eq!(serde_json::from_str::<Policy>(&json).unwrap(), policy);
    }

    #[test]
    fn one_lifetime_in_days_is_allowed_up_to_another(longest in 0u32..3000, days in 1u32..3000) {
        let policy = Policy::default().with_longest_lifetime(Lifetime::Days(Days::new(longest)));
        let lifetime = Lifetime::Days(Days::new(days));
        let registered = register("https://a/", lifetime, &policy, instant("2026-01-01T00:00:00Z"));
        prop_assert_eq!(registered.is_ok(), days <= longest);
    }
}
