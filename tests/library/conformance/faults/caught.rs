//! Every planted fault is caught by the cases that are there for it, and every case catches one.

use std::collections::BTreeSet;
use std::time::Duration;

use client_registry::conformance::{self, Suite, Verdict};

use super::{FAULTS, Fault};
use crate::conformance::plain::{Plainly, Waits};

/// Faults that show only when another call comes in between, and the cases that see them though no future is ever pending.
const RACES: &[(Fault, &[&str])] = &[
    (Fault::ChecksThenWrites, &["one_of_many_writers_wins", "one_of_many_creators_wins"]),
    (Fault::ChecksThenWrites, &["one_of_many_gets_the_add_in", "one_of_many_gets_the_name"]),
    (Fault::ChecksThenWrites, &["resealing_loses_to_a_change"]),
    (Fault::StoresDoNotLock, &["one_of_many_wins_across_stores"]),
    (Fault::StoresDoNotLock, &["one_of_many_gets_the_add_in_across_stores"]),
    (Fault::StoresDoNotLock, &["one_of_many_gets_the_name_across_stores"]),
    (Fault::ChecksUniquenessFirst, &["one_of_many_gets_the_add_in", "one_of_many_gets_the_name"]),
    (Fault::WritesInPieces, &["load_sees_no_half_of_a_commit"]),
    (Fault::NumbersBeforehand, &["the_feed_is_complete_under_load", "the_feed_is_complete_across_stores"]),
    (Fault::NumbersBeforehand, &["the_latest_cursor_skips_nothing"]),
    (
        Fault::HidesBehindSlowWriters,
        &["the_feed_is_complete_under_load", "the_feed_is_complete_across_stores"],
    ),
    (Fault::ChecksThenAdopts, &["one_of_many_adopts", "one_of_many_adopts_across_stores"]),
    (Fault::ReadsThenNotes, &["the_later_use_wins_a_race"]),
    (Fault::LooksThenNotes, &["uses_never_outlive_a_deletion"]),
];

#[test]
fn the_plain_store_passes_without_a_fault() {
    for waits in [Waits::Awaiting, Waits::Blocking] {
        conformance::run(Plainly(Fault::None, waits)).assert_complete();
    }
}

#[test]
fn every_planted_fault_is_caught_by_its_cases() {
    caught(FAULTS, Waits::Awaiting);
}

#[test]
fn faults_that_show_between_threads_are_caught() {
    caught(RACES, Waits::Blocking);
}

fn caught(faults: &[(Fault, &[&str])], waits: Waits) {
    let mut missed = Vec::new();
    for (fault, cases) in faults {
        for name in *cases {
            let mut suite = Suite::new(Plainly(*fault, waits)).on_start(|_| {});
            if fault.holds_what_it_dropped() {
                suite = suite.time_limit(Duration::from_millis(500));
            }
            match suite.run_case(name).unwrap_or_else(|| panic!("no case {name}")).verdict {
                Verdict::Failed(what) => {
                    assert!(!what.contains("an error of the suite"), "{fault:?} in {name}: {what}");
                    println!("{fault:?} in {name}: {what}");
                }
                other => missed.push((fault, name, other)),
            }
        }
    }
    assert!(missed.is_empty(), "not caught: {missed:#?}");
}

#[test]
fn every_case_catches_a_fault() {
    let all: BTreeSet<_> = conformance::cases().collect();
    let proved: BTreeSet<_> = FAULTS.iter().flat_map(|(_, cases)| *cases).copied().collect();
    let idle: Vec<_> = all.difference(&proved).collect();
    assert!(idle.is_empty(), "no fault is planted for {idle:?}");
}
