//! A test suite for stores: the contract of [`Store`](crate::store::Store) as cases that any store can be run through.
//!
//! Each sentence of the contract names the cases that prove it. The author of a store implements a [`Factory`], which says how
//! the store is opened and crashed, and runs all cases in a test:
//!
//! ```
//! use std::time::Duration;
//!
//! use client_registry::conformance::{self, Factory, Skip, Spoil};
//! use client_registry::store::{MemoryStore, StoreError};
//!
//! struct InMemory;
//!
//! impl Factory for InMemory {
//!     type Place = MemoryStore;
//!     type Store = MemoryStore;
//!
//!     fn place(&self) -> MemoryStore {
//!         MemoryStore::new()
//!     }
//!
//!     fn open(&self, place: &MemoryStore) -> Result<MemoryStore, StoreError> {
//!         Ok(place.clone())
//!     }
//!
//!     fn crash(&self, _: &MemoryStore, _: MemoryStore) -> Result<(), Skip> {
//!         Err(Skip::because("the store is lost with the process"))
//!     }
//!
//!     fn share(&self) -> Result<(), Skip> {
//!         Ok(()) // clones are the same store
//!     }
//!
//!     fn copy(&self, _: &MemoryStore, _: &MemoryStore) -> Result<(), Skip> {
//!         Err(Skip::because("the store cannot be copied"))
//!     }
//!
//!     fn fail_flush(&self, _: &MemoryStore, _: usize) -> Result<(), Skip> {
//!         Err(Skip::because("the store flushes nothing"))
//!     }
//!
//!     fn spoil(&self, _: &MemoryStore, _: Spoil<'_>) -> Result<(), Skip> {
//!         Err(Skip::because("the store keeps no bytes"))
//!     }
//!
//!     fn step_clock_back(&self, _: &MemoryStore, _: Duration) -> Result<(), Skip> {
//!         Ok(()) // the store reads no clock
//!     }
//! }
//!
//! let report = conformance::run(InMemory);
//! println!("{report}");
//! report.assert_passed();
//! ```
//!
//! A case begins with an empty store, and writes real clients of several sellers into it, decided by the core and sealed under
//! real keys. The values are the same in every run. The races are not: there are many, between threads of the suite and between
//! futures that are polled in turns. A store that panics fails the case. A case is skipped only if the factory cannot arrange what
//! it needs, and the [`Report`] says so. `examples/custom_store` is a durable store written from nothing that passes.
//!
//! [`Suite`] sets a time limit for each case and names each case when it starts. [`Report::assert_complete`] accepts no skipped
//! case. [`cases`] and [`run_case`] serve a harness with one test for each case.
//!
//! A store that keeps files is tested on a [`Disk`], which loses what was not flushed. Closing the store, or copying its files,
//! does not show a missing flush. [`Drafts`] makes commits for a store's own tests.

mod abandoned;
mod across;
mod adoption;
mod author;
mod beside;
mod disk;
mod drafts;
mod dropped;
mod expectations;
mod factory;
mod feed;
mod flushes;
mod history;
mod index;
mod keys;
mod left;
mod lists;
mod load;
mod opening;
mod picture;
mod plenty;
mod records;
mod reopened;
mod report;
mod resealing;
mod stop;
mod suite;
mod times;
mod together;
mod told;
mod trial;
mod unflushed;
mod uniqueness;
mod uses;
mod watch;

pub use self::disk::Disk;
pub use self::drafts::{Draft, DraftError, Drafts};
pub use self::factory::{Factory, Skip, Spoil};
pub use self::report::{CaseReport, Report, Verdict};
use self::stop::Checked;
pub use self::suite::Suite;
use self::trial::Trial;

/// Runs every case against the stores of a factory, as [`Suite::run`] does.
pub fn run<F: Factory>(factory: F) -> Report {
    Suite::new(factory).run()
}

/// Runs one case against a store of a factory, as [`Suite::run_case`] does. Returns `None` if there is no case of this name.
pub fn run_case<F: Factory>(factory: F, name: &str) -> Option<CaseReport> {
    Suite::new(factory).run_case(name)
}

/// Lists the cases. Each is a function in the file of its group.
macro_rules! cases {
    ($($file:ident { $($name:ident)* })*) => {
        /// Returns the names of all cases, in the order of [`run`].
        pub fn cases() -> impl Iterator<Item = &'static str> {
            [$($(stringify!($name),)*)*].into_iter()
        }

        fn find<F: Factory>(name: &str) -> Option<(&'static str, fn(Trial<'_, F>) -> Checked)> {
            Some(match name {
                $($(stringify!($name) => (stringify!($name), $file::$name::<F>),)*)*
                _ => return None,
            })
        }
    };
}

cases! {
    records {
        load_sees_every_acknowledged_commit
        load_sees_no_half_of_a_commit
        records_come_back_byte_for_byte
        large_records_come_back_whole
        ids_are_compared_as_bytes
        the_registry_record_is_in_no_list
        unsealed_records_are_kept_or_refused
        undecodable_records_are_corrupt
    }
    expectations {
        absent_is_honoured
        exactly_is_honoured
        under_is_honoured
        the_first_unmet_expectation_is_named
        expectations_come_before_uniqueness
        one_of_many_writers_wins
        one_of_many_creators_wins
        one_of_many_wins_across_stores
        two_clients_change_or_neither
        a_refused_commit_writes_nothing
        the_same_commit_again_is_a_conflict
    }
    uniqueness {
        an_add_in_belongs_to_one_client
        a_name_belongs_to_one_client
        unique_keys_are_compared_as_bytes
        an_entry_is_claimed_once_in_a_commit
        taken_names_one_of_several_entries
        one_of_many_gets_the_add_in
        one_of_many_gets_the_name
        one_of_many_gets_the_add_in_across_stores
        one_of_many_gets_the_name_across_stores
    }
    index {
        an_add_in_moves_in_one_commit
        names_are_swapped_in_one_commit
        the_index_is_replaced
        a_client_goes_to_another_seller
    }
    keys {
        ids_are_kept_whole_in_every_table
        holders_are_told_apart
        keys_that_read_alike_when_joined_are_apart
        numbers_that_read_alike_when_joined_are_apart
        the_longest_keys_are_kept_whole
    }
    plenty {
        long_lists_come_whole
        a_long_history_comes_whole
        every_secret_of_a_client_has_uses
        secrets_without_an_end_have_uses
    }
    times {
        order_is_that_of_commits
        a_clock_of_the_store_may_step_back
    }
    history {
        history_names_the_commits
        history_is_paged_by_commits
        history_outlives_deletion
        history_is_of_one_client
        events_come_back_byte_for_byte
        damaged_history_is_not_passed_over
    }
    lists {
        clients_are_listed_in_the_order_of_bytes
        clients_are_listed_by_seller
        clients_are_listed_by_name
        clients_are_listed_by_key
        lists_are_paged
        tombstones_are_listed_by_all_and_key
        client_of_follows_the_index
        endings_come_in_order
        endings_are_paged
        endings_follow_the_index
        bounds_may_be_extreme
    }
    feed {
        the_feed_has_each_trail_in_order
        the_feed_goes_on_from_every_cursor
        the_feed_has_only_events
        unknown_cursors_are_lost
        cursors_of_another_store_are_lost
        the_latest_cursor_is_behind_everything
        the_latest_cursor_skips_nothing
        the_feed_waits_for_slow_writers
    }
    load {
        the_feed_is_complete_under_load
        the_feed_is_complete_across_stores
    }
    resealing {
        resealing_keeps_all_but_the_key
        resealing_moves_between_keys
        resealing_loses_to_a_change
    }
    adoption {
        adopted_clients_are_as_they_were
        adopted_events_come_into_the_feed
        adopting_is_refused_whole
        adopting_what_is_taken_is_refused
        adopting_nothing_is_possible
        halves_of_a_commit_are_adopted
        one_of_many_adopts
        one_of_many_adopts_across_stores
    }
    uses {
        the_later_use_wins
        the_later_use_wins_a_race
        an_unbelievable_use_is_replaced
        uses_of_what_is_not_there_are_passed_over
        uses_go_with_their_secret
        uses_stay_through_other_changes
        uses_never_outlive_a_deletion
        uses_change_nothing_else
    }
    dropped {
        a_dropped_commit_is_whole_or_nothing
        a_dropped_commit_is_fenced
        a_dropped_adoption_is_whole_or_nothing
        dropped_readers_leave_a_working_store
    }
    left {
        what_a_dropped_commit_left_is_the_same_for_everybody
        what_a_dropped_adoption_left_is_the_same_for_everybody
        what_a_dropped_commit_left_stays_when_opened_again
        what_a_dropped_adoption_left_stays_when_opened_again
    }
    abandoned {
        dropped_futures_hold_nothing
        dropped_waiters_wake_others
    }
    reopened {
        what_was_acknowledged_is_there_after_a_crash
        cursors_outlive_a_crash
        dropped_commits_are_whole_after_a_crash
        stores_side_by_side_see_one_another
    }
    flushes {
        what_is_said_of_a_failed_flush_is_true
        nothing_acknowledged_is_lost_after_a_failed_flush
        cursors_beyond_an_older_copy_are_lost
    }
    unflushed {
        uses_noted_again_after_a_failed_flush_are_kept
        nothing_acknowledged_is_lost_when_opened_after_a_failed_flush
        nothing_acknowledged_is_lost_beside_a_failed_flush
        what_is_shown_after_a_failed_flush_is_durable
    }
    opening {
        opening_beside_a_writer_loses_nothing
    }
    beside {
        every_look_up_sees_what_another_store_wrote
        each_look_up_alone_sees_what_another_store_wrote
    }
    across {
        expectations_hold_across_stores
        uniqueness_holds_across_stores
        adopting_and_committing_exclude_one_another
        stores_share_the_uses
        uses_never_outlive_a_deletion_across_stores
    }
}
