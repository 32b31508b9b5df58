//! The store contract: where records live.
//!
//! An application only chooses a store: `SqliteStore` for one machine, `PostgresStore` for many nodes, [`MemoryStore`] for
//! tests, [`DynStore`] for a choice at run time. The trait [`Store`] is for authors of other stores. It is kept minimal: no
//! default methods, no capability flags, no associated types. A store sees [`Record`]s, never keys or live clients. It never
//! reads a clock. Of the rules it enforces only the two that span clients: an add-in, and a seller's friendly name, belong to
//! at most one client (rules 1 and 15). A store is not trusted: the registry opens and checks everything that it returns.
//!
//! Each sentence of the contract names the cases that prove it. The feature `conformance` has the module of this name, a test
//! suite that runs these cases against any store.
//!
//! The modules `sqlite` and `postgres`, with the features of these names, each have a store; their pages are for administrators
//! and say how to run it.

mod adopted;
mod commit;
mod erased;
mod error;
mod feed;
mod last_use;
mod lists;
mod memory;
#[cfg(feature = "postgres")]
#[cfg_attr(docsrs, doc(cfg(feature = "postgres")))]
pub mod postgres;
#[cfg(feature = "postgres")]
mod reach;
#[cfg(feature = "sqlite")]
#[cfg_attr(docsrs, doc(cfg(feature = "sqlite")))]
pub mod sqlite;

use std::future::Future;

pub use self::adopted::Adopted;
pub use self::commit::{Commit, CommitId, Expected, Index, IndexEntry, RecordChange};
pub use self::erased::DynStore;
pub use self::error::CommitError;
pub use self::feed::{Changes, Committed, Cursor};
pub use self::last_use::Use;
pub use self::lists::{ClientsBy, Ending};
pub use self::memory::MemoryStore;
pub(crate) use self::memory::WholeCommits;
#[cfg(feature = "postgres")]
#[cfg_attr(docsrs, doc(cfg(feature = "postgres")))]
pub use self::postgres::ChangeHints;
#[cfg(feature = "postgres")]
#[cfg_attr(docsrs, doc(cfg(feature = "postgres")))]
pub use self::postgres::PostgresOptions;
#[cfg(feature = "postgres")]
#[cfg_attr(docsrs, doc(cfg(feature = "postgres")))]
pub use self::postgres::PostgresStore;
#[cfg(feature = "sqlite")]
#[cfg_attr(docsrs, doc(cfg(feature = "sqlite")))]
pub use self::sqlite::SqliteOptions;
#[cfg(feature = "sqlite")]
#[cfg_attr(docsrs, doc(cfg(feature = "sqlite")))]
pub use self::sqlite::SqliteStore;
use crate::client::LastUses;
pub use crate::event::EventText;
pub use crate::record::{MAX_RECORD, Record, RecordId, RecordParts};
pub use crate::store_error::{StoreError, StoreErrorKind};
use crate::value::{AddInId, ClientId, Revision, Timestamp};

/// A store: the place where records live. An application uses one of this module's; this trait is for authors of other stores.
///
/// Implementors write plain `async fn`s. The futures are `Send`, may be dropped at any point, and need no particular
/// runtime. The registry polls them on the thread of its caller. A method may block that thread, and everything else that
/// runs on it waits meanwhile; a store that waits for a disk or for locks does better to do so on a thread of its own, as
/// `SqliteStore` does. No method waits for ever: it answers [`StoreErrorKind::Unavailable`] after a time that the store chooses.
///
/// A store that keeps IDs as text reads them back with [`RecordId::parse`] and [`RecordId::client_id`],
/// [`SellerId::parse`](crate::SellerId::parse), [`AddInId::parse`] and [`KeyId::parse`](crate::value::KeyId::parse). It never has to
/// read back a [`NameKey`](crate::value::NameKey): no answer contains one but [`CommitError::Taken`], which names an entry of the
/// commit itself.
///
/// # To ensure correctness
/// - What a method says it sees, it sees: [`load`](Self::load), [`history`](Self::history) and the look-ups answer
///   from the state after every commit that was acknowledged before the call (case `client_of_follows_the_index`), also by
///   another store that is open in the same place (cases `stores_side_by_side_see_one_another`,
///   `every_look_up_sees_what_another_store_wrote`, `each_look_up_alone_sees_what_another_store_wrote`).
/// - What a method shows, and what a [`CommitError::Conflict`] is about, is durable. A write whose flush failed is shown only
///   after the same bytes were written and flushed again, also by a store that finds it in the files when it is opened (case
///   `what_is_shown_after_a_failed_flush_is_durable`).
/// - Opening a store loses nothing that another store of the place writes meanwhile (case
///   `opening_beside_a_writer_loses_nothing`).
/// - Keys (record IDs, name keys, seller, add-in and key IDs) are compared as bytes, never by a collation (cases
///   `ids_are_compared_as_bytes`, `unique_keys_are_compared_as_bytes`), and whole, in every table (cases
///   `ids_are_kept_whole_in_every_table`, `holders_are_told_apart`). What two keys are joined to is read in one way only: a
///   seller `a:b` with a name `c` is not a seller `a` with a name `b:c`, nor is an add-in `a:b:c` (cases
///   `keys_that_read_alike_when_joined_are_apart`, `numbers_that_read_alike_when_joined_are_apart`).
/// - The longest keys have 64 bytes (record IDs), 128 (seller and add-in IDs), 32 (key IDs) and 3,300 (name keys, which are
///   UTF-8; all others are ASCII) (case `the_longest_keys_are_kept_whole`).
/// - A list may have any number of rows, also those that no limit is given for: as many uses, secrets and add-ins as there
///   are (cases `long_lists_come_whole`, `a_long_history_comes_whole`, `every_secret_of_a_client_has_uses`).
/// - Order is that of commits, never that of instants: clocks step back, those in events and the store's own (cases
///   `order_is_that_of_commits`, `a_clock_of_the_store_may_step_back`).
/// - Records, index and events come back as they were written, a record and the text of an event byte for byte (cases
///   `records_come_back_byte_for_byte`, `large_records_come_back_whole`, `events_come_back_byte_for_byte`). A store does not
///   look into the text of an event: a damaged one comes back damaged, and the caller notices.
/// - A row that cannot be read is an error of kind [`StoreErrorKind::Corrupt`], never skipped (cases
///   `undecodable_records_are_corrupt`, `damaged_history_is_not_passed_over`).
/// - Limits are upper bounds, at least 1 and at most `usize::MAX`, also after a cursor, a client or a revision: an answer is
///   shorter only if there is no more. What `after` names need not exist (any longer). Instants and revisions, of 64 bits both,
///   may have any value (case `bounds_may_be_extreme`).
/// - Whatever future is dropped, the store goes on working: a dropped call holds no lock and no connection (cases
///   `dropped_readers_leave_a_working_store`, `dropped_futures_hold_nothing`), and passes on what it waited for (case
///   `dropped_waiters_wake_others`).
pub trait Store: std::fmt::Debug + Send + Sync + 'static {
    /// Returns the latest committed state of a record, or `None` if there is none.
    ///
    /// # To ensure correctness
    /// - It sees every commit that was acknowledged before the call (case `load_sees_every_acknowledged_commit`).
    /// - It never sees half a commit: a caller that has seen one of two clients change sees the other one changed too (case
    ///   `load_sees_no_half_of_a_commit`).
    fn load(&self, id: RecordId<'_>) -> impl Future<Output = Result<Option<Record>, StoreError>> + Send;

    /// Writes the next records of one or two clients, or of the registry itself: all of them, or nothing.
    ///
    /// # To ensure correctness
    /// - Each change is applied only where its [`Expected`] holds (cases `absent_is_honoured`, `exactly_is_honoured`,
    ///   `under_is_honoured`), also where another store that is open in the same place changed the record last (case
    ///   `expectations_hold_across_stores`); of N commits that change one revision exactly one wins (cases
    ///   `one_of_many_writers_wins`, `one_of_many_creators_wins`, `one_of_many_wins_across_stores`,
    ///   `resealing_loses_to_a_change`). Otherwise [`CommitError::Conflict`] names the first record that is not what was
    ///   expected and says what was found (case `the_first_unmet_expectation_is_named`), and nothing was written (case
    ///   `a_refused_commit_writes_nothing`).
    /// - A commit that was applied is a `Conflict` when it comes again, never `Ok` (case `the_same_commit_again_is_a_conflict`).
    /// - Two clients change, or neither (case `two_clients_change_or_neither`).
    /// - Expectations are checked first, then uniqueness (case `expectations_come_before_uniqueness`): in the state after
    ///   the whole commit an add-in and a (seller, name key) belong to at most one client (cases
    ///   `an_add_in_belongs_to_one_client`, `a_name_belongs_to_one_client`, `an_entry_is_claimed_once_in_a_commit`,
    ///   `one_of_many_gets_the_add_in`, `one_of_many_gets_the_name`), also through several stores that are open in one
    ///   place (cases `uniqueness_holds_across_stores`, `one_of_many_gets_the_add_in_across_stores`,
    ///   `one_of_many_gets_the_name_across_stores`), whatever the two clients of the commit give each other
    ///   (cases `an_add_in_moves_in_one_commit`, `names_are_swapped_in_one_commit`). Otherwise [`CommitError::Taken`], and
    ///   nothing was written. Of several entries that are taken it names any one, with the client that has this one (case
    ///   `taken_names_one_of_several_entries`).
    /// - The [`Index`] of a change is complete: it replaces what the store had for that client (case
    ///   `the_index_is_replaced`), also the seller of a name that stays the same (case `a_client_goes_to_another_seller`). Last uses of secrets that are no longer in it go with it (case
    ///   `uses_go_with_their_secret`), all others stay (case `uses_stay_through_other_changes`).
    /// - Records, indexes, events and the commit ID are written together, durably, before `Ok` (case
    ///   `what_was_acknowledged_is_there_after_a_crash`).
    /// - A change without events (resealing, or the record of the registry) adds nothing to the history or the feed (cases
    ///   `resealing_keeps_all_but_the_key`, `the_feed_has_only_events`). If no change of a commit has events, its ID need not be
    ///   kept.
    /// - A record under a [reserved ID](RecordId::is_reserved) is loaded and committed like any other, and is in no list
    ///   (case `the_registry_record_is_in_no_list`).
    /// - A flush that fails is no `Ok`, and no [`CommitError::NotWritten`] unless nothing of the commit will be there after the
    ///   store was opened again or lost its power (case `what_is_said_of_a_failed_flush_is_true`). What comes later is `Ok` only
    ///   if what the failed flush should have written is durable too: a second flush does not write it (case
    ///   `nothing_acknowledged_is_lost_after_a_failed_flush`). This holds for every store of the place, also for those that did
    ///   not see the flush fail (cases `nothing_acknowledged_is_lost_when_opened_after_a_failed_flush`,
    ///   `nothing_acknowledged_is_lost_beside_a_failed_flush`).
    /// - Dropping the future leaves all of it or nothing (cases `a_dropped_commit_is_whole_or_nothing`,
    ///   `dropped_commits_are_whole_after_a_crash`), and the same for this store as for every other one, now and after it was
    ///   opened again (cases `what_a_dropped_commit_left_is_the_same_for_everybody`,
    ///   `what_a_dropped_commit_left_stays_when_opened_again`).
    /// - [`CommitError::Failed`] leaves open whether the commit was or will be applied. It is settled by sending the
    ///   same commit again: `Ok` and `Conflict` both mean that the first attempt can no longer be applied (cases
    ///   `the_same_commit_again_is_a_conflict`, `a_dropped_commit_is_fenced`); `Taken` and `NotWritten` say nothing of it.
    ///   `?` on a [`StoreError`] inside `commit` makes it [`CommitError::Failed`]: *unknown*. That is never wrong, and makes the
    ///   registry send the commit again, and in the end say that it does not know.
    ///   A store that knows that nothing was written and nothing is under way says [`CommitError::NotWritten`] instead, as
    ///   of a record that is not sealed and that it cannot keep (case `unsealed_records_are_kept_or_refused`), whether it looks
    ///   at that before or after the expectations.
    fn commit(&self, commit: &Commit) -> impl Future<Output = Result<(), CommitError>> + Send;

    /// Returns a client's commits after a revision, in order: at most `limit` of them, each with all its events.
    ///
    /// # To ensure correctness
    /// - It outlives the client's deletion (case `history_outlives_deletion`).
    /// - Each revision, that of the [record](RecordChange::record) of the change, has the ID of the commit that made it, and that
    ///   client's events of it (cases
    ///   `history_names_the_commits`, `history_is_of_one_client`).
    /// - `limit` counts commits, however many events they have (case `history_is_paged_by_commits`). No commit has more than
    ///   [`MAX_EVENTS`]; a store that finds more for one revision stops reading and answers with an error of kind
    ///   [`StoreErrorKind::Corrupt`], as nothing that an attacker adds may make it read without end.
    fn history(
        &self,
        client_id: &ClientId,
        after: Revision,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Committed>, StoreError>> + Send;

    /// Returns client IDs in ascending order of their bytes: at most `limit` of them, after the ID `after`.
    ///
    /// # To ensure correctness
    /// - The order is that of bytes, and the pages are the whole (cases `clients_are_listed_in_the_order_of_bytes`,
    ///   `lists_are_paged`).
    /// - By seller or name only clients whose index has that seller or name (cases `clients_are_listed_by_seller`,
    ///   `clients_are_listed_by_name`): not what is left of deleted ones, which [`ClientsBy::All`] and [`ClientsBy::Key`]
    ///   do list (case `tombstones_are_listed_by_all_and_key`).
    /// - [`ClientsBy`] may come to have more variants. One that the store does not know is an error of kind
    ///   [`StoreErrorKind::Misconfigured`], never an empty list: the registry would take it for the truth.
    /// - By key those whose index has that key, from the commit on that says so (cases `clients_are_listed_by_key`,
    ///   `resealing_moves_between_keys`).
    fn clients(
        &self,
        by: ClientsBy<'_>,
        after: Option<&ClientId>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<ClientId>, StoreError>> + Send;

    /// Returns the client ID that an add-in belongs to; `None` if it belongs to none.
    fn client_of(
        &self,
        add_in: &AddInId,
    ) -> impl Future<Output = Result<Option<ClientId>, StoreError>> + Send;

    /// The secrets whose validity ends before an instant, in the order of [`Ending`], after a place in that order, at most
    /// `limit`. What `after` names need not be there (any more).
    ///
    /// # To ensure correctness
    /// - What ends at the instant does not end before it; secrets come by number, not by text (cases
    ///   `endings_come_in_order`, `endings_are_paged`).
    /// - A secret that is no longer in its client's [`Index`] has no end (case `endings_follow_the_index`).
    fn ending(
        &self,
        before: Timestamp,
        after: Option<&Ending>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Ending>, StoreError>> + Send;

    /// Returns the events after a cursor, or from the first one with `None`: at most `limit` of them (at least 1). The events
    /// of one commit may come in two answers.
    ///
    /// # To ensure correctness
    /// - The events of one client come in one order, that of its trail (case `the_feed_has_each_trail_in_order`), and none
    ///   is ever skipped, or comes twice, for a reader that comes back with the cursor it was given (cases
    ///   `the_feed_goes_on_from_every_cursor`, `cursors_outlive_a_crash`), however many others write meanwhile and however slowly
    ///   (cases `the_feed_waits_for_slow_writers`, `the_feed_is_complete_under_load`,
    ///   `the_feed_is_complete_across_stores`).
    /// - An answer with fewer than `limit` events contains every commit that was acknowledged before the call began (the
    ///   same cases).
    /// - A cursor that the store does not know (any more), as one of another store, is an error of kind
    ///   [`StoreErrorKind::CursorLost`] (cases `unknown_cursors_are_lost`, `cursors_of_another_store_are_lost`).
    /// - After an older copy was put back, a cursor from after the copy is lost, and stays lost when the store has been written on
    ///   past it: a position alone does not tell (case `cursors_beyond_an_older_copy_are_lost`).
    fn changes(
        &self,
        after: Option<&Cursor>,
        limit: usize,
    ) -> impl Future<Output = Result<Changes, StoreError>> + Send;

    /// Returns the cursor after the last event, where a reader of later events begins. An empty store has such a cursor, too.
    ///
    /// # To ensure correctness
    /// - Events before it belong to commits that every later [`load`](Self::load) sees; all others come after it (cases
    ///   `the_latest_cursor_is_behind_everything`, `the_latest_cursor_skips_nothing`).
    fn latest(&self) -> impl Future<Output = Result<Cursor, StoreError>> + Send;

    /// Takes in clients from another store, with revisions and histories as they are (case
    /// `adopted_clients_are_as_they_were`). Their events come into the feed as if they had just been committed (case
    /// `adopted_events_come_into_the_feed`). The record of the registry is no client's: it is committed, not adopted. A call has
    /// each client at most once. A record that is not sealed is answered as [`commit`](Self::commit) answers it.
    ///
    /// # To ensure correctness
    /// - All or nothing (case `a_dropped_adoption_is_whole_or_nothing`), durable before `Ok`; refused with
    ///   [`CommitError::Conflict`] if it has a record of one of them (cases `adopting_is_refused_whole`,
    ///   `one_of_many_adopts`, `one_of_many_adopts_across_stores`,
    ///   `adopting_and_committing_exclude_one_another`), and with [`CommitError::Taken`] as [`commit`](Self::commit) would (case
    ///   `adopting_what_is_taken_is_refused`). Nothing to adopt is no error (case `adopting_nothing_is_possible`).
    /// - Two clients that changed in one commit may come in one call or in two: both histories name that commit (case
    ///   `halves_of_a_commit_are_adopted`).
    /// - What a dropped call left is the same for every store of the place, now and after one was opened again (cases
    ///   `what_a_dropped_adoption_left_is_the_same_for_everybody`, `what_a_dropped_adoption_left_stays_when_opened_again`).
    fn adopt(&self, clients: &[Adopted]) -> impl Future<Output = Result<(), CommitError>> + Send;

    /// Notes when secrets were used, apart from records. `believable_until` is the latest time that the clock of the caller
    /// can believe: no use of the call is later.
    ///
    /// # To ensure correctness
    /// - Of two times for one secret the later one wins, in whatever order they come (cases `the_later_use_wins`,
    ///   `the_later_use_wins_a_race`), and through whichever store (case `stores_share_the_uses`).
    /// - A stored time after `believable_until` was noted under a clock that was wrong: it is replaced by the noted one (case
    ///   `an_unbelievable_use_is_replaced`). [`Use::replaces`] decides both.
    /// - A secret that is not in its client's [`Index`] is passed over (case
    ///   `uses_of_what_is_not_there_are_passed_over`): nothing is ever inserted for a deleted one, also when it is being
    ///   deleted (cases `uses_never_outlive_a_deletion`, `uses_never_outlive_a_deletion_across_stores`).
    /// - Secrets without an end have uses like all others (case `secrets_without_an_end_have_uses`).
    /// - No record, revision, event or index changes (case `uses_change_nothing_else`).
    /// - `Ok` means that they are kept like everything else (case `what_was_acknowledged_is_there_after_a_crash`), also where the
    ///   same uses come again after a flush failed (case `uses_noted_again_after_a_failed_flush_are_kept`).
    fn note_uses(
        &self,
        uses: &[Use],
        believable_until: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Returns when the secrets of a client were last used, as far as has been noted: `LastUses::default()` of a client that the store does
    /// not know.
    fn last_uses(&self, client_id: &ClientId) -> impl Future<Output = Result<LastUses, StoreError>> + Send;
}

/// The most events that one commit has of one client. The largest of all, an import with 256 add-ins, has fewer than 400.
pub const MAX_EVENTS: usize = 1024;
