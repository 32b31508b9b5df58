//! The conformance suite, put to the test itself: the stores that are here pass all of it, and every planted fault is
//! caught by the case that is there for it.

mod faults;
mod harness;
mod plain;

use std::collections::BTreeSet;
use std::time::Duration;

use client_registry::conformance::{self, Factory, Skip, Spoil};
use client_registry::store::{DynStore, MemoryStore, Store, StoreError};

/// Stores in this process's memory, behind something of a test's own.
struct Behind<S>(fn(MemoryStore) -> S);

/// What a store in memory cannot be put through.
const NOT_IN_MEMORY: &[&str] = &[
    "what_was_acknowledged_is_there_after_a_crash",
    "cursors_outlive_a_crash",
    "dropped_commits_are_whole_after_a_crash",
    "what_is_said_of_a_failed_flush_is_true",
    "nothing_acknowledged_is_lost_after_a_failed_flush",
    "cursors_beyond_an_older_copy_are_lost",
    "uses_noted_again_after_a_failed_flush_are_kept",
    "nothing_acknowledged_is_lost_when_opened_after_a_failed_flush",
    "nothing_acknowledged_is_lost_beside_a_failed_flush",
    "what_is_shown_after_a_failed_flush_is_durable",
    "undecodable_records_are_corrupt",
    "damaged_history_is_not_passed_over",
];

impl<S: Store> Factory for Behind<S> {
    type Place = MemoryStore;
    type Store = S;

    fn place(&self) -> MemoryStore {
        MemoryStore::new()
    }

    fn open(&self, place: &MemoryStore) -> Result<S, StoreError> {
        Ok(self.0(place.clone()))
    }

    fn crash(&self, _: &MemoryStore, _: S) -> Result<(), Skip> {
        Err(Skip::because("it goes with the process"))
    }

    fn share(&self) -> Result<(), Skip> {
        Ok(())
    }

    fn step_clock_back(&self, _: &MemoryStore, _: Duration) -> Result<(), Skip> {
        Ok(()) // it asks no clock
    }

    fn copy(&self, _: &MemoryStore, _: &MemoryStore) -> Result<(), Skip> {
        Err(Skip::because("there are no copies of it"))
    }

    fn fail_flush(&self, _: &MemoryStore, _: usize) -> Result<(), Skip> {
        Err(Skip::because("it flushes nothing"))
    }

    fn spoil(&self, _: &MemoryStore, _: Spoil<'_>) -> Result<(), Skip> {
        Err(Skip::because("it keeps no bytes that could be spoilt"))
    }
}

#[test]
fn the_memory_store_passes() {
    let report = conformance::run(Behind(|memory| memory));
    println!("{report}");
    report.assert_complete_but_for(NOT_IN_MEMORY);
}

#[test]
fn the_object_safe_twin_passes() {
    conformance::run(Behind(DynStore::new)).assert_complete_but_for(NOT_IN_MEMORY);
}

/// Each sentence of the contract names its cases, and each case is named.
#[test]
fn the_contract_names_every_case() {
    let contract = include_str!("../../src/store.rs");
    let words = contract.split_whitespace().filter(|word| *word != "///").collect::<Vec<_>>().join(" ");
    let mut named = BTreeSet::new();
    for start in ["(case `", "(cases `"] {
        for (position, _) in words.match_indices(start) {
            let list = words[position + start.len() - 1..].split(')').next().unwrap();
            named.extend(list.split(", ").map(|name| name.trim_matches('`')));
        }
    }
    let all: BTreeSet<_> = conformance::cases().collect();
    assert!(all.len() > 70);
    assert!(all.is_subset(&named), "not in the contract: {:?}", all.difference(&named));
    assert!(named.is_subset(&all), "no such case: {:?}", named.difference(&all));
}
