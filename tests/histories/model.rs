//! Whole lifecycles against a naive model.
//!
//! The model is written from the rules alone, with lists and linear scans. A history is up to 50 commands by two
//! sellers and an operator; after each the answers are compared, what the client has, who signs and what is valid now
//! and later, and its trail; at the end of a history everything, with every client secret that was ever issued.
//!
//! `CLIENT_REGISTRY_HISTORIES` asks for more or fewer histories than the usual 20,000; a twentieth of them is run in a file, too,
//! and 300 of 20,000 in PostgreSQL, a file and memory side by side.
//! Models with a deliberate mistake show that the comparison notices one.

#![allow(clippy::cast_possible_truncation, reason = "random numbers are cut to what is needed")]

#[cfg(feature = "sqlite")]
mod abreast;
mod answer;
mod command;
mod compare;
mod home;
mod machine;
mod naive;
mod rules;
mod system;
mod tally;

use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};
use std::io::Write as _;

use client_registry::store::MemoryStore;

use crate::model::answer::Answer;
use crate::model::command::{Command, Name, Pick};
use crate::model::home::Home;
use crate::model::machine::{Comparison, Reference};
use crate::model::naive::{Actor, DAY, Fault, Model, New, PlanKind, Rotate, START, Signs};
use crate::model::system::System;

/// Two halves, so that two cores have something to do.
#[test]
fn the_first_half_of_the_histories() {
    run_half(1);
}

#[test]
fn the_second_half_of_the_histories() {
    run_half(2);
}

/// Scheduling for an instant that another secret was scheduled for since is a change (rules 6 and 7): of two promotions that
/// begin at one instant the one made last counts. Found once in a million random histories.
#[test]
fn of_two_that_are_scheduled_for_one_instant_the_last_one_signs() {
    let (actor, client, at) = (Actor::Seller(0), 0, START + DAY);
    let new = || New { lifetime: 0, starts: None, signs: true, label: None };
    let name = Name { number: 0, spelling: 0, url: 0 };
    let schedule = |secret| Command::Schedule { actor, client, secret, at };
    let system = replay(&[
        (Command::Register { actor, seller: 0, name, china: false, new: new() }, None),
        (Command::Add { actor, client, new: new() }, Some(Answer::Issued(2))),
        (schedule(1), Some(Answer::Changed)),
        (schedule(1), Some(Answer::Unchanged)),
        (schedule(2), Some(Answer::Changed)),
        (schedule(2), Some(Answer::Unchanged)),
        (schedule(1), Some(Answer::Changed)),
        (schedule(1), Some(Answer::Unchanged)),
        (Command::SetClock { to: at }, None),
        (Command::Sign { client }, Some(Answer::SignedBy(vec![1]))),
    ]);
    assert_eq!(system.history.len(), 10);
}

/// What random histories seldom come to: a rotation that is called off gives back no promotion that would begin after an end that
/// was moved meanwhile (rule 21).
#[test]
fn rule_21_a_promotion_past_an_end_that_was_moved_is_not_given_back() {
    let kind = PlanKind::EndMove(2, START + 4 * DAY);
    replay(&scheduled_and_rotated_then(&[
        (Command::AtOnce { actor: SELLER, client: 0, kind }, Some(Answer::Changed)),
        (call_off(3), Some(Answer::Changed)),
        (Command::SetClock { to: START + 3 * DAY }, None),
        (Command::AtOnce { actor: SELLER, client: 0, kind: PlanKind::EndMove(2, START + 9 * DAY) }, None),
        (Command::SetClock { to: START + 5 * DAY }, None),
        (Command::Sign { client: 0 }, Some(Answer::SignedBy(vec![1]))),
    ]));
}

/// Only what the last rotation took is given back (rule 11): what one took before, whose secret was deleted, is not.
#[test]
fn rule_11_a_promotion_that_an_earlier_rotation_took_is_not_given_back() {
    let emergency = Command::Emergency { actor: SELLER, client: 0, secret: 3, replacement: None };
    replay(&scheduled_and_rotated_then(&[
        (emergency, Some(Answer::Deleted)),
        (rotate_second(), Some(Answer::Issued(4))),
        (call_off(4), Some(Answer::Changed)),
        (Command::SetClock { to: START + 5 * DAY }, None),
        (Command::Sign { client: 0 }, Some(Answer::SignedBy(vec![1]))),
    ]));
}

/// And what the last one took is (rule 11).
#[test]
fn rule_11_a_promotion_that_the_rotation_took_is_given_back() {
    replay(&scheduled_and_rotated_then(&[
        (call_off(3), Some(Answer::Changed)),
        (Command::SetClock { to: START + 5 * DAY }, None),
        (Command::Sign { client: 0 }, Some(Answer::SignedBy(vec![2]))),
    ]));
}

/// A promotion that was in force before the clock was set back is not lost because another one moves with an end, or stays where it is
/// (rules 19 and 21).
#[test]
fn rule_21_an_end_that_is_moved_takes_no_other_promotion_with_it() {
    let operator = Actor::Operator;
    for until in [START + 9 * DAY, START + 10 * DAY] {
        let kind = PlanKind::EndMove(2, until);
        replay(&scheduled_and_rotated_then(&[
            (Command::Promote { actor: SELLER, client: 0, secret: 3 }, Some(Answer::Changed)),
            (Command::SetClock { to: START - 61_000 }, None),
            (Command::AtOnce { actor: operator, client: 0, kind }, Some(Answer::Changed)),
            (Command::SetClock { to: START }, None),
            (Command::Sign { client: 0 }, Some(Answer::SignedBy(vec![3]))),
        ]));
    }
}

#[test]
fn a_model_in_which_the_newest_signs_is_caught() {
    is_caught::<1>("who signs");
}

#[test]
fn a_model_in_which_a_secret_works_a_millisecond_longer_is_caught() {
    is_caught::<2>("");
}

#[test]
fn a_model_with_a_higher_cap_is_caught() {
    is_caught::<3>("TooManySecrets");
}

#[test]
fn a_model_that_forgets_deleted_secrets_is_caught() {
    is_caught::<4>("");
}

#[test]
fn rule_11_a_model_in_which_ends_are_not_given_back_is_caught() {
    is_caught::<5>("until of");
}

#[test]
fn rule_11_a_model_in_which_promotions_are_not_given_back_is_caught() {
    is_caught::<6>("rule 7: promotions");
}

#[test]
fn rule_20_a_model_in_which_a_suspended_client_signs_is_caught() {
    is_caught::<7>("Refused(\"Suspended\")");
}

#[test]
fn rule_20_a_model_in_which_a_suspended_client_authenticates_is_caught() {
    is_caught::<8>("Denied(\"Suspended\"");
}

#[test]
fn rule_20_a_model_in_which_a_seller_lifts_an_operators_suspension_is_caught() {
    is_caught::<9>("SuspendedByOperator");
}

#[test]
fn rule_22_a_model_in_which_the_old_seller_lists_a_transferred_client_is_caught() {
    is_caught::<10>("the clients of");
}

#[test]
fn rule_21_a_model_in_which_an_end_may_pass_the_one_that_was_issued_is_caught() {
    is_caught::<11>("EndTooLate");
}

#[test]
fn rule_21_a_model_in_which_promotions_do_not_follow_the_ends_is_caught() {
    is_caught::<12>("rule 7: promotions");
}

#[test]
fn rule_23_a_model_in_which_dead_secrets_are_not_found_is_caught() {
    is_caught::<13>("rule 23");
}

/// A file beside a memory store: whatever the one answers, the other answers too.
#[cfg(feature = "sqlite")]
mod sqlite {
    use super::*;
    use crate::model::abreast::{Abreast, DeafFileAndMemory, FileAndMemory};

    #[test]
    fn the_first_half_of_a_twentieth_of_the_histories() {
        run_some::<Abreast<FileAndMemory>>(histories() / 20, 1);
    }

    #[test]
    fn the_second_half_of_a_twentieth_of_the_histories() {
        run_some::<Abreast<FileAndMemory>>(histories() / 20, 2);
    }

    #[test]
    fn a_file_that_forgets_uses_is_caught() {
        let reason = run::<0, Abreast<DeafFileAndMemory>>(1_000, 3, 100);
        let reason = reason.expect_err("the mistake goes unnoticed");
        assert!(reason.contains("answers of the file and memory"), "{reason}");
    }
}

/// PostgreSQL beside a file and a memory store: the same histories, the same answers.
#[cfg(all(feature = "sqlite", feature = "postgres"))]
mod postgres {
    use super::*;
    use crate::model::abreast::{Abreast, All};

    #[test]
    fn the_first_half_of_three_in_two_hundred_histories() {
        run_some::<Abreast<All>>(histories() * 3 / 200, 1);
    }

    #[test]
    fn the_second_half_of_three_in_two_hundred_histories() {
        run_some::<Abreast<All>>(histories() * 3 / 200, 2);
    }
}

fn histories() -> u32 {
    let asked = std::env::var("CLIENT_REGISTRY_HISTORIES").ok();
    asked.map_or(20_000, |asked| asked.parse().expect("a number of histories"))
}

fn run_half(half: u8) {
    run_some::<MemoryStore>(histories(), half);
}

fn run_some<S: Home>(histories: u32, half: u8) {
    let each = histories / 2 + u32::from(half == 1) * (histories % 2);
    if let Err(reason) = run::<0, S>(each, half, 10_000) {
        panic!("{reason}\nin this history:\n{}", tally::story());
    }
    let tally = tally::so_far();
    // Past the capture of passing tests: a figure that nobody sees is none.
    let _ = writeln!(std::io::stdout(), "half {half}: {tally}");
    assert_eq!(tally.histories, each as usize);
    // Of fewer histories chance decides what is in them.
    if each < 10_000 {
        return;
    }
    assert!(tally.commands > 30 * tally.histories, "histories are too short");
    for (name, family) in &tally.families {
        assert!(20 * family.accepted > family.asked(), "{name} is hardly ever accepted");
        assert!(family.accepted > 100, "{name} is hardly ever tried");
    }
    assert_eq!(tally.families.len(), 42, "every family of commands is tried");
}

/// A client whose second secret is to sign in five days, and was replaced by a third.
fn scheduled_and_rotated_then(rest: &[(Command, Option<Answer>)]) -> Vec<(Command, Option<Answer>)> {
    let (actor, client) = (SELLER, 0);
    let new = || New { lifetime: 0, starts: None, signs: true, label: None };
    let name = Name { number: 0, spelling: 0, url: 0 };
    let begin = [
        (Command::Register { actor, seller: 0, name, china: false, new: new() }, None),
        (Command::Add { actor, client, new: new() }, Some(Answer::Issued(2))),
        (Command::Schedule { actor, client, secret: 2, at: START + 5 * DAY }, Some(Answer::Changed)),
        (rotate_second(), Some(Answer::Issued(3))),
    ];
    [&begin, rest].concat()
}

fn rotate_second() -> Command {
    let (replaces, when) = (Some(vec![2]), Signs::WhenReplacedHaveEnded);
    let rotate = Rotate { overlap: 10 * DAY, lifetime: 0, signs: true, replaces, when };
    Command::Rotate { actor: SELLER, client: 0, rotate }
}

fn call_off(came: u32) -> Command {
    Command::AtOnce { actor: SELLER, client: 0, kind: PlanKind::CallingOff(came) }
}

const SELLER: Actor = Actor::Seller(0);

/// Model and registry in one history, with the answers that both have to give, where it matters.
fn replay(history: &[(Command, Option<Answer>)]) -> System<MemoryStore> {
    let mut model = Model::new(Fault::None);
    let mut system = Comparison::<0, MemoryStore>::init_test(&model);
    for (command, expected) in history {
        let answers = model.obey(command);
        if let Some(expected) = expected {
            assert_eq!(answers, std::slice::from_ref(expected), "{command:?}");
        }
        model.last = Some((command.clone(), answers));
        system = Comparison::<0, MemoryStore>::apply(system, &model, Pick { kind: 0, numbers: [0; 5] });
    }
    system
}

fn is_caught<const FAULT: usize>(what: &str) {
    let reason = run::<FAULT, MemoryStore>(1_000, 3, 100).expect_err("the mistake goes unnoticed");
    assert!(reason.contains(what), "{reason}");
}

fn run<const FAULT: usize, S: Home>(histories: u32, seed: u8, shrinks: u32) -> Result<(), String> {
    let config = Config {
        cases: histories,
        max_shrink_iters: shrinks,
        failure_persistence: None,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(config.clone(), rng);
    let strategy = Reference::<FAULT>::sequential_strategy(25..=50);
    let result = runner.run(&strategy, |(model, picks, seen)| {
        Comparison::<FAULT, S>::test_sequential(config.clone(), model, picks, seen);
        Ok(())
    });
    result.map_err(|error| match error {
        TestError::Fail(reason, _) => reason.to_string(),
        TestError::Abort(reason) => format!("given up: {reason}"),
    })
}
