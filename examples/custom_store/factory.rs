//! How the conformance suite makes these stores, and what it does to them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use client_registry::conformance::{Disk, Factory, Skip, Spoil};
use client_registry::store::StoreError;

use crate::state::file_name;
use crate::store::FileStore;

/// Makes stores on disks that lose their power.
#[derive(Default)]
pub(crate) struct OnDisks {
    crashes: AtomicU64,
}

impl Factory for OnDisks {
    type Place = Disk;
    type Store = FileStore<Disk>;

    fn place(&self) -> Disk {
        Disk::new()
    }

    fn open(&self, place: &Disk) -> Result<FileStore<Disk>, StoreError> {
        FileStore::open(place.clone())
    }

    fn crash(&self, place: &Disk, store: FileStore<Disk>) -> Result<(), Skip> {
        // Before the store is dropped, and in two ways in turns.
        match self.crashes.fetch_add(1, Ordering::Relaxed) {
            even if even % 2 == 0 => place.cut_power(),
            seed => place.cut_power_in_part(seed),
        }
        drop(store);
        Ok(())
    }

    fn share(&self) -> Result<(), Skip> {
        Err(Skip::because("the directory is locked: one store at a time"))
    }

    fn copy(&self, from: &Disk, to: &Disk) -> Result<(), Skip> {
        from.copy_to(to);
        Ok(())
    }

    fn fail_flush(&self, place: &Disk, after: usize) -> Result<(), Skip> {
        place.fail_flush(after);
        Ok(())
    }

    fn step_clock_back(&self, _: &Disk, _: Duration) -> Result<(), Skip> {
        Ok(()) // it reads no clock
    }

    #[expect(clippy::expect_used, reason = "a test that cannot be prepared fails")]
    fn spoil(&self, place: &Disk, what: Spoil<'_>) -> Result<(), Skip> {
        let id = match what {
            Spoil::Record(id) => id.as_str().to_owned(),
            Spoil::History(id) => id.as_str().to_owned(),
            _ => return Err(Skip::because("the store keeps no such thing")),
        };
        // The latest state of the client is in the journal, or else in its file.
        let journal = place.read("journal").unwrap_or_default();
        let name = if String::from_utf8_lossy(&journal).contains(&id) {
            "journal".to_owned()
        } else {
            file_name(&id)
        };
        let len = place.read(&name).expect("the client is there").len();
        place.set_len(&name, len / 2).expect("the file is there");
        Ok(())
    }
}

/// The cases that open two stores in one place.
pub(crate) const TWO_STORES: [&str; 17] = [
    "one_of_many_wins_across_stores",
    "one_of_many_gets_the_add_in_across_stores",
    "one_of_many_gets_the_name_across_stores",
    "the_feed_is_complete_across_stores",
    "one_of_many_adopts_across_stores",
    "stores_side_by_side_see_one_another",
    "every_look_up_sees_what_another_store_wrote",
    "each_look_up_alone_sees_what_another_store_wrote",
    "expectations_hold_across_stores",
    "uniqueness_holds_across_stores",
    "adopting_and_committing_exclude_one_another",
    "stores_share_the_uses",
    "uses_never_outlive_a_deletion_across_stores",
    "what_a_dropped_commit_left_is_the_same_for_everybody",
    "what_a_dropped_adoption_left_is_the_same_for_everybody",
    "nothing_acknowledged_is_lost_beside_a_failed_flush",
    "opening_beside_a_writer_loses_nothing",
];
