//! How the suite runs its cases: for a limited time, by name, and with nothing skipped unseen.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use client_registry::conformance::{Suite, Verdict};
use client_registry::store::MemoryStore;

use crate::conformance::faults::Fault;
use crate::conformance::plain::{Plainly, Waits};
use crate::conformance::{Behind, NOT_IN_MEMORY};

#[test]
fn a_case_that_hangs_has_failed_and_names_the_call() {
    for (waits, call) in [(Waits::Awaiting, "`commit`"), (Waits::Blocking, "`last_uses`")] {
        let suite = Suite::new(Plainly(Fault::DroppedNoteUsesHolds, waits));
        let suite = suite.time_limit(Duration::from_millis(200));
        let report = suite.run_case("dropped_readers_leave_a_working_store").unwrap();
        let Verdict::Failed(what) = report.verdict else { panic!("{waits:?}: {report}") };
        assert!(what.contains("longer than 200ms") && what.contains(call), "{waits:?}: {what}");
    }
}

/// What is wrong with a feed is said of one event, by name.
#[test]
fn an_event_that_is_missing_or_there_twice_is_named() {
    let faults = [
        (Fault::SecondClientIsNoNews, "the_feed_has_each_trail_in_order", "is missing"),
        (Fault::FeedRepeats, "the_feed_goes_on_from_every_cursor", "is there twice"),
    ];
    for (fault, case, how) in faults {
        let report = Suite::new(Plainly(fault, Waits::Awaiting)).run_case(case).unwrap();
        let Verdict::Failed(what) = report.verdict else { panic!("{fault:?}: {report}") };
        assert!(what.contains(how) && what.contains("` at revision "), "{fault:?}: {what}");
    }
}

#[test]
fn each_case_is_named_when_it_starts() {
    let started = Arc::new(Mutex::new(Vec::new()));
    let names = Arc::clone(&started);
    let suite = Suite::new(Behind(|memory| memory)).on_start(move |name| names.lock().unwrap().push(name));
    assert!(suite.run_case("absent_is_honoured").is_some());
    assert!(suite.run_case("no_such_case").is_none());
    assert_eq!(*started.lock().unwrap(), ["absent_is_honoured"]);
}

#[test]
#[should_panic(expected = "cursors_outlive_a_crash")]
fn what_is_skipped_is_not_complete() {
    Suite::new(Behind::<MemoryStore>(|memory| memory)).run().assert_complete();
}

#[test]
#[should_panic(expected = "cursors_outlive_a_crash")]
fn what_is_skipped_and_not_allowed_is_not_complete() {
    let report = Suite::new(Behind(|memory| memory)).run();
    let allowed: Vec<_> =
        NOT_IN_MEMORY.iter().copied().filter(|name| *name != "cursors_outlive_a_crash").collect();
    report.assert_complete_but_for(&allowed);
}

#[test]
#[should_panic(expected = "absent_is_honoured")]
fn what_is_allowed_and_not_skipped_is_told() {
    let report = Suite::new(Behind(|memory| memory)).run();
    report.assert_complete_but_for(&[NOT_IN_MEMORY, &["absent_is_honoured"]].concat());
}
