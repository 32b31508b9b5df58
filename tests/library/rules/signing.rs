//! Rules 6 and 7: which secret signs, and choosing it.

mod promotion;

use std::collections::BTreeSet;

use client_registry::client::{Client, Signing};
use client_registry::{Days, Lifetime, NewSecret, Purpose, Secret, SecretId, Timestamp};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::rules::history::history;
use crate::rules::naive::{Reading, Signer};
use crate::rules::world::{Outcome, World, probes};
use crate::support::{
    Desk, Seeded, days_later, foreign, into_client, is_unchanged, lasting_days, later, registered, secret_id,
    start, validity,
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    /// "A pure function of client and t": after each command, at every edge to come, the client and the rule's text
    /// name the same secret, for the same reason.
    #[test]
    fn rule_06_signing_is_what_the_text_says(steps in history(20)) {
        let mut world = World::new();
        for step in &steps {
            world.step(step);
            for t in probes(&world.client, world.now) {
                let found = world.client.signing_at(t);
                prop_assert!(agree(found, world.facts.signing_at(t)), "at {t}: {found}\n{:#?}", world.facts);
                let signer = world.client.sign(b"message", t).map(|signed| signed.secret_id());
                let expected = found.secret().filter(|_| world.client.suspension().is_none());
                prop_assert_eq!(signer, expected, "at {}\n{:#?}", t, world.facts);
            }
        }
    }

    /// "Hence: never two; one whenever a valid secret that can sign exists."
    #[test]
    fn rule_06_one_signs_whenever_one_can(steps in history(14)) {
        let world = World::after(&steps);
        for t in probes(&world.client, world.now) {
            let able: Vec<_> = able_to_sign(&world.client, t);
            match world.client.signing_at(t).secret() {
                Some(secret) => prop_assert!(able.contains(&secret)),
                None => prop_assert!(able.is_empty()),
            }
        }
    }

    /// "At the instant of the command, adding, enabling or deleting *another* secret never moves it." What moves it
    /// on purpose is a promotion, and a rotation or an import that contains one.
    #[test]
    fn rule_06_other_secrets_never_move_it(steps in history(14)) {
        let mut world = World::new();
        for step in &steps {
            let outcome = world.step(step);
            let moves = outcome.before.signing_at(outcome.now).secret() != outcome.after.signing_at(outcome.now).secret();
            prop_assert!(!moves || may_move(&outcome), "{:?}", outcome.command);
        }
    }

    /// "Deletion, expiry and disabling hand over to the next valid one, with no write": the secret that takes over is
    /// the one that would sign if the former one were not there.
    #[test]
    fn rule_06_the_next_valid_one_takes_over(steps in history(14)) {
        let world = World::after(&steps);
        let (client, now, desk) = (&world.client, world.now, &world.desk);
        let Some(signing) = client.signing_at(now).secret() else { return Ok(()) };
        let (deleted, _) = client.delete_in_emergency(signing, None, &desk.at(now)).unwrap();
        let deleted = into_client(deleted);
        let uses = &world.uses;
        let disabled = client.plan_disabling(signing, uses, &desk.at(now)).unwrap();
        let disabled = client.confirm(&disabled, uses, &desk.at(now)).map(into_client).ok();
        let until = client.secret(signing).unwrap().validity().until();
        for t in probes(client, now) {
            let next = deleted.signing_at(t).secret();
            if let Some(disabled) = &disabled {
                prop_assert_eq!(disabled.signing_at(t).secret(), next);
            }
            if until.is_some_and(|until| until <= t) {
                prop_assert_eq!(client.signing_at(t).secret(), next);
            }
        }
    }

    /// "Never a stored flag": the timeline is who signs and who is valid, at every instant from the last change on.
    #[test]
    fn rule_06_the_timeline_is_what_happens(steps in history(14)) {
        let world = World::after(&steps);
        let timeline = world.client.timeline();
        prop_assert_eq!(timeline.spans()[0].from(), world.client.changed_at());
        prop_assert_eq!(timeline.spans().last().unwrap().until(), None);
        for neighbours in timeline.spans().windows(2) {
            prop_assert_eq!(neighbours[0].until(), Some(neighbours[1].from()));
            let same = neighbours[0].signing() == neighbours[1].signing()
                && neighbours[0].passwords() == neighbours[1].passwords();
            prop_assert!(!same, "two spans are alike: {timeline}");
        }
        prop_assert!(timeline.at(later(world.client.changed_at(), -1)).is_none());
        for t in probes(&world.client, world.client.changed_at()) {
            let span = timeline.at(t).unwrap();
            prop_assert_eq!(span.signing(), world.client.signing_at(t));
            let valid: Vec<_> = world.client.valid_at(t).map(Secret::id).collect();
            prop_assert_eq!(span.passwords(), &valid[..]);
        }
    }
}

/// A comparison that cannot fail proves nothing: over random histories each wrong reading of the rule differs.
#[test]
fn rule_06_a_wrong_reading_is_noticed() {
    let mut runner = TestRunner::deterministic();
    let mut unnoticed = WRONG.to_vec();
    for _ in 0..3000 {
        let mut world = World::new();
        for step in history(20).new_tree(&mut runner).unwrap().current() {
            world.step(&step);
            unnoticed.retain(|&reading| !is_noticed(&world, reading));
        }
        if unnoticed.is_empty() {
            return;
        }
    }
    panic!("unnoticed: {unnoticed:?}");
}

fn is_noticed(world: &World, reading: Reading) -> bool {
    let differs = |t| !agree(world.client.signing_at(t), world.facts.signing_by(reading, t));
    probes(&world.client, world.now).into_iter().any(differs)
}

/// "The latest (by `at`, then the one made last)": scheduling again is making it again, also for the same instant.
#[test]
fn rule_06_of_two_promotions_at_one_instant_the_one_made_last_counts() {
    let (client, desk) = three_secrets();
    let at = days_later(start(), 1);
    let schedule = |client: &Client, number| {
        client.schedule_promotion(secret_id(number), at, &desk.at(start())).unwrap()
    };
    let client = into_client(schedule(&client, 2));
    assert!(is_unchanged(&schedule(&client, 2)), "the same again changes nothing");
    let client = into_client(schedule(&client, 3));
    assert_eq!(client.signing_at(at).secret(), Some(secret_id(3)));
    let client = into_client(schedule(&client, 2));
    assert_eq!(client.signing_at(at).secret(), Some(secret_id(2)));
    assert_eq!(client.signing_at(later(at, -1)).secret(), Some(secret_id(1)));
}

/// A line an interval, for people who read it in a terminal.
#[test]
fn rule_06_a_timeline_reads_line_by_line() {
    let (entropy, desk) = (Seeded::new(1), Desk::owner());
    let client = registered(&lasting_days(5), &entropy, &desk, start());
    let second = NewSecret::lasting(Lifetime::Days(Days::new(5))).starting(days_later(start(), 4));
    let client =
        into_client(client.add_secret(&second, &entropy.client_secret(), &desk.at(start())).unwrap());
    let text = client.timeline().to_string();
    let lines: Vec<_> = text.split('\n').collect();
    let passwords: Vec<_> = lines.iter().map(|line| line.split_once("; passwords: ").unwrap().1).collect();
    assert_eq!(passwords, ["1", "1 2", "2", "none"]);
    for (line, span) in lines.iter().zip(client.timeline().spans()) {
        assert!(line.starts_with(&format!("from {}: {}", span.from(), span.signing())), "{line}");
    }
}

/// "The earliest `valid_since`, then the order of the later of its adding and its last enabling": in one instant.
#[test]
fn rule_06_in_one_instant_the_order_decides() {
    let (client, desk) = three_secrets();
    let now = desk.at(start());
    let uses = client_registry::client::LastUses::default();
    let plan = client.plan_disabling(secret_id(1), &uses, &now).unwrap();
    let client = into_client(client.confirm(&plan, &uses, &now).unwrap());
    let client = into_client(client.enable(secret_id(1), &now).unwrap());
    assert_eq!(
        client.signing_at(start()).secret(),
        Some(secret_id(2)),
        "the one enabled again has gone behind"
    );
    let (client, _) = client.delete_in_emergency(secret_id(2), None, &now).unwrap();
    assert_eq!(into_client(client).signing_at(start()).secret(), Some(secret_id(3)));
}

/// An imported secret's `from` in the past does not make it the one that has been valid longest.
#[test]
fn rule_06_an_import_does_not_jump_the_queue() {
    let (client, desk) = three_secrets();
    let old = foreign(1, validity(later(start(), -1_000_000), days_later(start(), 100)));
    let client = into_client(client.import_secret(&old, &desk.at(start())).unwrap());
    assert_eq!(client.signing_at(start()).secret(), Some(secret_id(1)));
}

/// The edges of a scheduled start: not a millisecond before `from`, not at `until`.
#[test]
fn rule_06_hands_over_at_the_edges() {
    let (entropy, desk) = (Seeded::new(1), Desk::owner());
    let client = registered(&lasting_days(5), &entropy, &desk, start());
    let second = NewSecret::lasting(Lifetime::Days(Days::new(5))).starting(days_later(start(), 6));
    let client =
        into_client(client.add_secret(&second, &entropy.client_secret(), &desk.at(start())).unwrap());
    let signing = |day, millis| client.signing_at(later(days_later(start(), day), millis)).secret();
    assert_eq!(signing(5, -1), Some(secret_id(1)));
    assert_eq!(signing(5, 0), None);
    assert_eq!(signing(6, -1), None);
    assert_eq!(signing(6, 0), Some(secret_id(2)));
    assert_eq!(signing(11, -1), Some(secret_id(2)));
    assert_eq!(signing(11, 0), None);
}

fn three_secrets() -> (Client, Desk) {
    let (entropy, desk) = (Seeded::new(1), Desk::owner());
    let mut client = registered(&lasting_days(30), &entropy, &desk, start());
    for _ in 0..2 {
        let added = client.add_secret(&lasting_days(30), &entropy.client_secret(), &desk.at(start()));
        client = into_client(added.unwrap());
    }
    (client, desk)
}

fn able_to_sign(client: &Client, t: Timestamp) -> Vec<SecretId> {
    client
        .valid_at(t)
        .filter(|secret| secret.purpose() == Purpose::SigningAndPassword)
        .map(Secret::id)
        .collect()
}

/// Whether a command was about the signing secret itself, or chose another one.
fn may_move(outcome: &Outcome) -> bool {
    let before = outcome.before.signing_at(outcome.now).secret();
    let Ok(events) = &outcome.result else { return false };
    let touched: BTreeSet<_> = events
        .iter()
        .filter_map(|event| match *event.fact() {
            client_registry::event::Fact::SecretDeleted { secret }
            | client_registry::event::Fact::SecretDisabled { secret } => Some(secret),
            _ => None,
        })
        .collect();
    let chosen = events
        .iter()
        .any(|event| matches!(event.fact(), client_registry::event::Fact::SecretPromoted { .. }));
    before.is_none() || chosen || before.is_some_and(|before| touched.contains(&before))
}

fn agree(found: Signing, expected: Signer) -> bool {
    match (found, expected) {
        (Signing::Promoted { secret, .. }, Signer::Promoted(expected)) => secret == expected,
        (Signing::ValidLongest { secret, since }, Signer::ValidLongest(expected, expected_since)) => {
            secret == expected && since == expected_since
        }
        (Signing::Nothing, Signer::Nothing) => true,
        _ => false,
    }
}

const WRONG: [Reading; 8] = [
    Reading::NewestWins,
    Reading::EnablingIgnored,
    Reading::FirstPromotionWins,
    Reading::PromotionOutlivesDisabling,
    Reading::WithdrawalIgnored,
    Reading::EndIncluded,
    Reading::StartExcluded,
    Reading::PasswordsSign,
];
