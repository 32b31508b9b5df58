//! Rules 3, 4 and 12: how many secrets there are, when they are valid, and switching them off and on.

use chrono::{DateTime, Datelike, NaiveDate, Timelike, Utc};
use client_registry::client::{Client, LastUses};
use client_registry::event::Fact;
use client_registry::value::Validity;
use client_registry::{Days, Lifetime, NewSecret, Refusal, Secret, SecretId, SecretState, Timestamp};
use proptest::prelude::*;

use crate::rules::history::{Command, history, pick};
use crate::rules::world::{Refused, World, probes};
use crate::support::{
    Desk, Seeded, changed, days_later, foreign, instant, into_client, is_unchanged, lasting_days, later,
    register, registered, secret_id, start, validity,
};

proptest! {
    /// "No command takes a client past `Policy::max_secrets` that have not ended", and one that would not is not
    /// refused for that reason.
    #[test]
    fn rule_03_no_command_goes_past_the_limit(steps in history(20), limit in 2usize..7) {
        let mut world = World::under(Desk::owner().allowing_unlimited().allowing_secrets(limit));
        for step in &steps {
            let outcome = world.step(step);
            let not_ended = |client: &Client| running(client, outcome.now);
            prop_assert!(not_ended(&outcome.after) <= limit);
            if let Err(Refused::Rule(Refusal::TooManySecrets { limit: stated })) = outcome.result {
                prop_assert_eq!(stated, limit);
                prop_assert_eq!(not_ended(&outcome.before), limit);
                let adds = matches!(
                    outcome.command,
                    Command::Add { .. } | Command::Import { .. } | Command::Rotate { .. }
                );
                prop_assert!(adds);
            }
        }
    }

    /// "Of ended ones 16 are kept; adding past that removes the longest-ended in the same commit, with its event", of those
    /// "that had ended at the client's previous change already" (rule 19).
    #[test]
    fn rule_03_sixteen_ended_ones_are_kept(adds in prop::collection::vec((1u32..6, 0u32..3), 20..60)) {
        let (entropy, desk) = (Seeded::new(3), Desk::owner().allowing_secrets(32));
        let mut client = registered(&lasting_days(1), &entropy, &desk, start());
        let mut expected = vec![(days_later(start(), 1), secret_id(1))];
        let mut now = start();
        for (lifetime, wait) in adds {
            now = days_later(now, wait);
            let added = client.add_secret(&lasting_days(lifetime), &entropy.client_secret(), &desk.at(now));
            let Ok(added) = added else { continue };
            let change = added.change().unwrap();
            let id = change.added()[0];
            expected.push((days_later(now, lifetime), id));
            expected.sort_unstable();
            let ended = expected.iter().filter(|(until, _)| *until <= now).count();
            let settled = expected.iter().filter(|(until, _)| *until <= client.changed_at()).count();
            let beyond = ended.saturating_sub(16).min(settled);
            let forgotten: Vec<_> = expected.drain(..beyond).map(|(_, id)| id).collect();
            let (state, events) = change.into_parts();
            let recorded: Vec<_> = events.iter().filter_map(|event| match *event.fact() {
                Fact::SecretForgotten { secret } => Some(secret),
                _ => None,
            }).collect();
            prop_assert_eq!(recorded, forgotten);
            client = match state { client_registry::client::ClientState::Active(client) => client, _ => panic!("it is there") };
            let mut kept: Vec<_> = expected.iter().map(|&(_, id)| id).collect();
            kept.sort_unstable();
            prop_assert_eq!(client.secrets().map(Secret::id).collect::<Vec<_>>(), kept);
        }
    }

    /// "A secret is valid at t when it is enabled, not deleted, and `from <= t < until`": on the edges and between.
    #[test]
    fn rule_04_valid_is_what_the_text_says(steps in history(14)) {
        let world = World::after(&steps);
        for t in probes(&world.client, Timestamp::MIN) {
            let mut expected = world.facts.valid_at(t);
            expected.sort_unstable();
            prop_assert_eq!(world.client.valid_at(t).map(Secret::id).collect::<Vec<_>>(), expected);
            for secret in world.client.secrets() {
                prop_assert_eq!(secret.is_valid_at(t), secret.state_at(t) == SecretState::Valid);
                prop_assert_eq!(secret.state_at(t), state(&world, secret.id(), t));
            }
        }
    }

    /// "One, two or three calendar years (29 February ends on 28 February)": the same day and time of that year.
    #[test]
    fn rule_04_years_are_calendar_years(
        year in 1970i32..2400,
        day in 0u32..366,
        millis in 0u32..86_400_000,
        years in 1u32..=3,
    ) {
        let Some(date) = NaiveDate::from_yo_opt(year, day) else { return Ok(()) };
        let midnight = date.and_hms_opt(0, 0, 0).unwrap().and_utc();
        let from = later(Timestamp::from(midnight), i64::from(millis));
        let lifetime = [Lifetime::OneYear, Lifetime::TwoYears, Lifetime::ThreeYears][years as usize - 1];
        let until: DateTime<Utc> = lifetime.starting(from).unwrap().until().unwrap().into();
        let leap_day = (date.month(), date.day()) == (2, 29);
        let expected_day = if leap_day { 28 } else { date.day() };
        prop_assert_eq!((until.year(), until.month()), (year + years as i32, date.month()));
        prop_assert_eq!(until.day(), expected_day);
        prop_assert_eq!(until.time(), from.to_datetime().time());
        prop_assert!(until.nanosecond().is_multiple_of(1_000_000));
    }

    /// "At most three years, no unlimited" unless the policy says otherwise: allowed is what ends no later than the
    /// longest lifetime would.
    #[test]
    fn rule_04_the_policy_limits_lifetimes(
        day in 0u32..3000,
        lifetime in lifetime(),
        longest in lifetime(),
    ) {
        let policy = client_registry::Policy::default().with_longest_lifetime(longest);
        let (entropy, desk) = (Seeded::new(4), Desk::owner().under(policy));
        let now = days_later(start(), day);
        let found = register(&NewSecret::lasting(lifetime), &entropy, &desk, now);
        let end = |lifetime: Lifetime| lifetime.starting(now).map(|v| v.until().unwrap_or(Timestamp::MAX));
        match (end(lifetime), end(longest)) {
            (Err(invalid), _) => prop_assert_eq!(found.err(), Some(Refusal::Invalid(invalid))),
            (Ok(until), Ok(last)) if until <= last => {
                let client = into_client(found.unwrap());
                let validity = client.secret(secret_id(1)).unwrap().validity();
                prop_assert_eq!(validity, lifetime.starting(now).unwrap());
            }
            _ => prop_assert_eq!(found.err(), Some(Refusal::LifetimeTooLong { longest })),
        }
    }

    /// "Reversible, dated, audited; enabling never extends validity; doing it twice changes nothing."
    #[test]
    fn rule_12_disabling_and_enabling(steps in history(12), pick in pick(), wait in 0i64..2_000_000_000) {
        let world = World::after(&steps);
        let (client, uses) = (&world.client, LastUses::default());
        let secret = world.pick(pick);
        let Some(before) = client.secret(secret).cloned() else { return Ok(()) };
        let now = world.desk.at(world.now);
        let plan = client.plan_disabling(secret, &uses, &now).unwrap();
        let Ok(disabling) = client.confirm(&plan, &uses, &now) else { return Ok(()) };
        let was_disabled = before.disabled_since().is_some();
        prop_assert_eq!(is_unchanged(&disabling), was_disabled);
        if was_disabled {
            return Ok(());
        }
        let change = disabling.change().unwrap();
        prop_assert_eq!(change.events().last().unwrap().fact(), &Fact::SecretDisabled { secret });
        let disabled = change.next().active().unwrap();
        prop_assert_eq!(disabled.secret(secret).unwrap().disabled_since(), Some(world.now));
        for t in probes(disabled, world.now) {
            prop_assert!(!disabled.secret(secret).unwrap().is_valid_at(t));
        }
        let again = disabled.plan_disabling(secret, &uses, &now).unwrap();
        prop_assert!(is_unchanged(&disabled.confirm(&again, &uses, &now).unwrap()));

        let then = later(world.now, wait);
        let (enabled, events) = changed(disabled.enable(secret, &world.desk.at(then)).unwrap());
        prop_assert_eq!(events[0].fact(), &Fact::SecretEnabled { secret });
        prop_assert_eq!(events[0].at(), then);
        let enabled = enabled.active().unwrap();
        let after = enabled.secret(secret).unwrap();
        prop_assert_eq!(after.validity(), before.validity());
        prop_assert_eq!(after.disabled_since(), None);
        for t in probes(enabled, then) {
            prop_assert_eq!(after.is_valid_at(t), before.validity().runs(t));
        }
        prop_assert!(is_unchanged(&enabled.enable(secret, &world.desk.at(then)).unwrap()));
    }
}

/// The limits of the limit, and tightening it: what is there stays.
#[test]
fn rule_03_the_limit_is_five_and_may_be_two_to_thirty_two() {
    let policy = client_registry::Policy::default();
    assert_eq!(policy.max_secrets(), 5);
    for (max, allowed) in [(0, false), (1, false), (2, true), (32, true), (33, false)] {
        assert_eq!(policy.clone().with_max_secrets(max).is_ok(), allowed, "{max}");
    }
    let (entropy, desk) = (Seeded::new(3), Desk::owner());
    let mut client = registered(&lasting_days(9), &entropy, &desk, start());
    for _ in 1..5 {
        let added = client.add_secret(&lasting_days(9), &entropy.client_secret(), &desk.at(start()));
        client = into_client(added.unwrap());
    }
    let sixth = client.add_secret(&lasting_days(9), &entropy.client_secret(), &desk.at(start()));
    assert_eq!(sixth.unwrap_err(), Refusal::TooManySecrets { limit: 5 });
    let tight = Desk::owner().allowing_secrets(2);
    let deleted = client.delete_in_emergency(secret_id(1), None, &tight.at(start())).unwrap();
    let client = into_client(deleted.0);
    assert_eq!(client.secrets().len(), 4);
    let fifth = client.add_secret(&lasting_days(9), &entropy.client_secret(), &tight.at(start()));
    assert_eq!(fifth.unwrap_err(), Refusal::TooManySecrets { limit: 2 });
}

/// Ended ones take no room; the last millisecond still does.
#[test]
fn rule_03_an_ended_one_makes_room_at_its_end() {
    let (entropy, desk) = (Seeded::new(3), Desk::owner().allowing_secrets(2));
    let client = registered(&lasting_days(9), &entropy, &desk, start());
    let client = into_client(
        client.add_secret(&lasting_days(5), &entropy.client_secret(), &desk.at(start())).unwrap(),
    );
    let end = days_later(start(), 5);
    let add = |now| client.add_secret(&lasting_days(9), &entropy.client_secret(), &desk.at(now));
    assert_eq!(add(later(end, -1)).unwrap_err(), Refusal::TooManySecrets { limit: 2 });
    assert_eq!(into_client(add(end).unwrap()).secrets().len(), 3);
}

#[test]
fn rule_04_a_leap_day_ends_on_the_day_before() {
    for (lifetime, end) in [
        (Lifetime::OneYear, "2029-02-28T09:00:00Z"),
        (Lifetime::TwoYears, "2030-02-28T09:00:00Z"),
        (Lifetime::ThreeYears, "2031-02-28T09:00:00Z"),
    ] {
        let validity = lifetime.starting(instant("2028-02-29T09:00:00Z")).unwrap();
        assert_eq!(validity.until(), Some(instant(end)));
    }
    let into_leap_year = Lifetime::OneYear.starting(instant("2027-02-28T09:00:00Z")).unwrap();
    assert_eq!(into_leap_year.until(), Some(instant("2028-02-28T09:00:00Z")));
}

/// "Its start is the instant of its adding or a chosen later one; an imported one's may be earlier", and longer.
#[test]
fn rule_04_starts() {
    let (entropy, desk) = (Seeded::new(3), Desk::owner());
    let client = registered(&lasting_days(9), &entropy, &desk, start());
    assert_eq!(client.secret(secret_id(1)).unwrap().validity().from(), start());
    let add = |starts| {
        let new = NewSecret::lasting(Lifetime::OneYear).starting(starts);
        client.add_secret(&new, &entropy.client_secret(), &desk.at(start()))
    };
    let past = later(start(), -1);
    assert_eq!(add(past).unwrap_err(), Refusal::StartsInThePast { starts: past, now: start() });
    for starts in [start(), later(start(), 1), days_later(start(), 700)] {
        let next = into_client(add(starts).unwrap());
        let secret = next.secret(secret_id(2)).unwrap();
        assert_eq!(secret.validity(), Lifetime::OneYear.starting(starts).unwrap());
    }
    let long = Validity::new(instant("2001-01-01T00:00:00Z"), None).unwrap();
    let imported = into_client(client.import_secret(&foreign(1, long), &desk.at(start())).unwrap());
    assert_eq!(imported.secret(secret_id(2)).unwrap().validity(), long);
}

/// "An empty or overflowing validity is refused."
#[test]
fn rule_04_nothing_empty_and_nothing_beyond_the_calendar() {
    assert!(Validity::new(start(), Some(start())).is_err());
    assert!(Validity::new(start(), Some(later(start(), -1))).is_err());
    assert!(Validity::new(start(), Some(later(start(), 1))).is_ok());
    assert!(Lifetime::Days(Days::new(0)).starting(start()).is_err());
    assert!(Lifetime::Days(Days::new(u32::MAX)).starting(start()).is_err());
    for lifetime in
        [Lifetime::OneYear, Lifetime::TwoYears, Lifetime::ThreeYears, Lifetime::Days(Days::new(1))]
    {
        assert!(lifetime.starting(Timestamp::MAX).is_err());
    }
    let (entropy, desk) = (Seeded::new(3), Desk::owner().allowing_unlimited());
    for new in [lasting_days(0), lasting_days(u32::MAX), lasting_days(1).starting(Timestamp::MAX)] {
        let refusal = register(&new, &entropy, &desk, start()).unwrap_err();
        assert!(matches!(refusal, Refusal::Invalid(_)), "{refusal}");
    }
}

/// A longest lifetime of no days allows no lifetime, rather than every one.
#[test]
fn rule_04_a_longest_lifetime_of_zero_days_allows_nothing() {
    let policy = client_registry::Policy::default().with_longest_lifetime(Lifetime::Days(Days::new(0)));
    let (entropy, desk) = (Seeded::new(3), Desk::owner().under(policy));
    for lifetime in [Lifetime::Days(Days::new(1)), Lifetime::ThreeYears, Lifetime::Unlimited] {
        let found = register(&NewSecret::lasting(lifetime), &entropy, &desk, start());
        let refusal = found.err();
        assert!(matches!(refusal, Some(Refusal::LifetimeTooLong { .. })), "{lifetime}: {refusal:?}");
    }
}

/// Enabling one that has ended meanwhile revives nothing.
#[test]
fn rule_12_enabling_an_ended_one_revives_nothing() {
    let (entropy, desk) = (Seeded::new(3), Desk::owner());
    let client = registered(&lasting_days(9), &entropy, &desk, start());
    let client = into_client(
        client.add_secret(&lasting_days(2), &entropy.client_secret(), &desk.at(start())).unwrap(),
    );
    let (uses, second) = (LastUses::default(), secret_id(2));
    let plan = client.plan_disabling(second, &uses, &desk.at(start())).unwrap();
    let client = into_client(client.confirm(&plan, &uses, &desk.at(start())).unwrap());
    let end = days_later(start(), 2);
    let enabled = into_client(client.enable(second, &desk.at(end)).unwrap());
    assert_eq!(enabled.secret(second).unwrap().state_at(end), SecretState::Ended);
    assert_eq!(enabled.secret(second).unwrap().validity(), validity(start(), end));
    let unknown = client.enable(secret_id(7), &desk.at(start())).unwrap_err();
    assert_eq!(unknown, Refusal::UnknownSecret { secret: secret_id(7) });
}

fn lifetime() -> impl Strategy<Value = Lifetime> {
    prop_oneof![
        Just(Lifetime::OneYear),
        Just(Lifetime::TwoYears),
        Just(Lifetime::ThreeYears),
        Just(Lifetime::Unlimited),
        (1u32..2000).prop_map(|days| Lifetime::Days(Days::new(days))),
        (364u32..367).prop_map(|days| Lifetime::Days(Days::new(days))),
        Just(Lifetime::Days(Days::new(0))),
    ]
}

fn running(client: &Client, now: Timestamp) -> usize {
    client.secrets().filter(|secret| !secret.validity().has_ended(now)).count()
}

/// What the rule's text says that a secret is.
fn state(world: &World, secret: SecretId, t: Timestamp) -> SecretState {
    if world.facts.end_of(secret).is_some_and(|until| until <= t) {
        SecretState::Ended
    } else if world.facts.is_disabled(secret) {
        SecretState::Disabled
    } else if world.facts.start_of(secret).is_some_and(|from| t < from) {
        SecretState::NotYetStarted
    } else {
        SecretState::Valid
    }
}
