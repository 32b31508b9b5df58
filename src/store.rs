//! The store contract: where records live (design section 5).
//!
//! [`Store`] is for those who implement one; users meet it only when they choose which to open. It is kept minimal:
//! no default methods, no capability flags, no associated types. A store sees [`Record`]s, never keys or live clients;
//! it never asks what time it is and decides no rule but these two, which span clients: an add-in, and a seller's
//! friendly name, belong to at most one client (rules 1 and 15). It is not trusted: the registry opens and checks
//! whatever it answers (section 4).
//!
//! Each sentence of the contract names the cases that prove it. The feature `conformance` has them as a suite that
//! anybody's store can be put through, `store::conformance`.

#[cfg(feature = "conformance")]
#[cfg_attr(docsrs, doc(cfg(feature = "conformance")))]
pub mod conformance;
mod erased;
mod memory;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::future::Future;

use serde::{Deserialize, Serialize};

pub use self::erased::{DynStore, ErasedStore};
pub use self::memory::MemoryStore;
#[cfg(feature = "sqlite")]
#[cfg_attr(docsrs, doc(cfg(feature = "sqlite")))]
pub use self::sqlite::{SqliteOptions, SqliteStore};
use crate::client::LastUses;
use crate::event::{Event, Revision};
use crate::id::{AddInId, ClientId, KeyId, SecretId, SellerId};
use crate::name::NameKey;
use crate::record::Opened;
pub use crate::record::{MAX_RECORD, Record, RecordId, RecordParts};
use crate::validity::Timestamp;

/// Where records live.
///
/// Implementors write plain `async fn`s. The futures are `Send`, may be dropped at any point, and need no particular
/// runtime.
///
/// # To ensure correctness
/// - What a method says it sees, it sees: [`load`](Self::load), [`history`](Self::history) and the look-ups answer
///   from the state after every commit that was acknowledged before the call (case `client_of_follows_the_index`), also by
///   another store that is open in the same place (case `stores_side_by_side_see_one_another`).
/// - Keys (record IDs, name keys, seller, add-in and key IDs) are compared as bytes, never by a collation (cases
///   `ids_are_compared_as_bytes`, `unique_keys_are_compared_as_bytes`).
/// - Records, index and events come back as they were written, a record byte for byte (cases
///   `records_come_back_byte_for_byte`, `large_records_come_back_whole`).
/// - A row that cannot be read is an error of kind [`StoreErrorKind::Corrupt`], never skipped (cases
///   `undecodable_records_are_corrupt`, `undecodable_history_is_corrupt`).
/// - Limits are upper bounds, at least 1 and at most `usize::MAX`: an answer is shorter only if there is no more. What one
///   goes on after need not be there (any more). Instants and revisions may be any that there are (case
///   `bounds_may_be_extreme`).
/// - Whatever future is dropped, the store goes on working (case `dropped_readers_leave_a_working_store`).
pub trait Store: std::fmt::Debug + Send + Sync + 'static {
    /// The latest committed state of a record, or `None`.
    ///
    /// # To ensure correctness
    /// - It sees every commit that was acknowledged before the call (case `load_sees_every_acknowledged_commit`).
    /// - It never sees half a commit: whoever has seen one of two clients change sees the other one changed too (case
    ///   `load_sees_no_half_of_a_commit`).
    fn load(&self, id: RecordId<'_>) -> impl Future<Output = Result<Option<Record>, StoreError>> + Send;

    /// Replaces the records of one or two clients, or the one record of the registry, all or nothing.
    ///
    /// # To ensure correctness
    /// - Each change is applied only where its [`Expected`] holds (cases `absent_is_honoured`, `exactly_is_honoured`,
    ///   `under_is_honoured`); of N commits that change one revision exactly one wins (cases `one_of_many_writers_wins`,
    ///   `one_of_many_creators_wins`, `one_of_many_wins_across_stores`, `resealing_loses_to_a_change`). Otherwise
    ///   [`CommitError::Conflict`] names the first record that is not what was expected and says what was found (case
    ///   `the_first_unmet_expectation_is_named`), and nothing was written (case `a_refused_commit_writes_nothing`).
    /// - Two clients change, or neither (case `two_clients_change_or_neither`).
    /// - Expectations are checked first, then uniqueness (case `expectations_come_before_uniqueness`): in the state after
    ///   the whole commit an add-in and a (seller, name key) belong to at most one client (cases
    ///   `an_add_in_belongs_to_one_client`, `a_name_belongs_to_one_client`, `an_entry_is_claimed_once_in_a_commit`,
    ///   `one_of_many_gets_the_add_in`, `one_of_many_gets_the_name`), whatever the two clients of the commit give each other
    ///   (cases `an_add_in_moves_in_one_commit`, `names_are_swapped_in_one_commit`). Otherwise [`CommitError::Taken`], and
    ///   nothing was written.
    /// - The [`Index`] of a change is complete: it replaces what the store had for that client (case
    ///   `the_index_is_replaced`). Last uses of secrets that are no longer in it go with it (case
    ///   `uses_go_with_their_secret`), all others stay (case `uses_stay_through_other_changes`).
    /// - Records, indexes, events and the commit ID are written together, durably, before `Ok` (case
    ///   `what_was_acknowledged_is_there_after_a_crash`).
    /// - A change without events (resealing, or the record of the registry) adds nothing to the history or the feed (cases
    ///   `resealing_keeps_all_but_the_key`, `the_feed_has_only_events`).
    /// - A record under a [reserved ID](RecordId::is_reserved) is loaded and committed like any other, and is in no list
    ///   (case `the_registry_record_is_in_no_list`).
    /// - Dropping the future leaves all of it or nothing (cases `a_dropped_commit_is_whole_or_nothing`,
    ///   `dropped_commits_are_whole_after_a_crash`).
    /// - [`CommitError::Failed`] leaves open whether the commit was or will be applied. It is settled by sending the
    ///   same commit again: `Ok` and `Conflict` both mean that the first attempt can no longer be applied (cases
    ///   `the_same_commit_again_is_a_conflict`, `a_dropped_commit_is_fenced`); `Taken` and `NotWritten` say nothing of it.
    ///   A store that knows that nothing was written and nothing is under way says [`CommitError::NotWritten`] instead, as
    ///   of a record that is not sealed and that it cannot keep (case `unsealed_records_are_kept_or_refused`).
    fn commit(&self, commit: &Commit) -> impl Future<Output = Result<(), CommitError>> + Send;

    /// A client's commits after a revision, in order, at most `limit` of them, each whole.
    ///
    /// # To ensure correctness
    /// - It outlives the client's deletion (case `history_outlives_deletion`).
    /// - Each revision has the ID of the commit that made it, and that client's events of it (cases
    ///   `history_names_the_commits`, `history_is_of_one_client`).
    /// - `limit` counts commits, however many events they have (case `history_is_paged_by_commits`).
    fn history(
        &self,
        client_id: &ClientId,
        after: Revision,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Committed>, StoreError>> + Send;

    /// The IDs of clients in ascending order of their bytes, after one of them, at most `limit`.
    ///
    /// # To ensure correctness
    /// - The order is that of bytes, and the pages are the whole (cases `clients_are_listed_in_the_order_of_bytes`,
    ///   `lists_are_paged`).
    /// - By seller or name only clients whose index has that seller or name (cases `clients_are_listed_by_seller`,
    ///   `clients_are_listed_by_name`): not what is left of deleted ones, which [`ClientsBy::All`] and [`ClientsBy::Key`]
    ///   do list (case `tombstones_are_listed_by_all_and_key`).
    /// - By key those whose index has that key, from the commit on that says so (cases `clients_are_listed_by_key`,
    ///   `resealing_moves_between_keys`).
    fn clients(
        &self,
        by: ClientsBy<'_>,
        after: Option<&ClientId>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<ClientId>, StoreError>> + Send;

    /// The client that an add-in belongs to.
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

    /// The events after a cursor, at most `limit` of them (at least 1); from the first one with `None`. The events of one
    /// commit may come in two answers.
    ///
    /// # To ensure correctness
    /// - The events of one client come in one order, that of its trail (case `the_feed_has_each_trail_in_order`), and none
    ///   is ever skipped, or comes twice, for a reader that comes back with the cursor it was given (cases
    ///   `the_feed_goes_on_from_every_cursor`, `cursors_outlive_a_crash`), whoever writes meanwhile and however slowly
    ///   (cases `the_feed_waits_for_slow_writers`, `the_feed_is_complete_under_load`,
    ///   `the_feed_is_complete_across_stores`).
    /// - An answer with fewer than `limit` events contains every commit that was acknowledged before the call began (the
    ///   same cases).
    /// - A cursor that the store does not know (any more), as one of another store, is an error of kind
    ///   [`StoreErrorKind::CursorLost`] (cases `unknown_cursors_are_lost`, `cursors_of_another_store_are_lost`).
    fn changes(
        &self,
        after: Option<&Cursor>,
        limit: usize,
    ) -> impl Future<Output = Result<Changes, StoreError>> + Send;

    /// The cursor behind the last event: where a reader begins that wants to know what happens from now on.
    ///
    /// # To ensure correctness
    /// - Events before it belong to commits that every later [`load`](Self::load) sees; all others come after it (cases
    ///   `the_latest_cursor_is_behind_everything`, `the_latest_cursor_skips_nothing`).
    fn latest(&self) -> impl Future<Output = Result<Cursor, StoreError>> + Send;

    /// Takes in clients from another store, with revisions and histories as they are (case
    /// `adopted_clients_are_as_they_were`). Their events come into the feed as if they had just been committed (case
    /// `adopted_events_come_into_the_feed`). The record of the registry is no client's: it is committed, not adopted.
    ///
    /// # To ensure correctness
    /// - All or nothing (case `a_dropped_adoption_is_whole_or_nothing`), durable before `Ok`; refused with
    ///   [`CommitError::Conflict`] if it has a record of one of them (cases `adopting_is_refused_whole`,
    ///   `one_of_many_adopts`), and with [`CommitError::Taken`] as [`commit`](Self::commit) would (case
    ///   `adopting_what_is_taken_is_refused`). Nothing to adopt is no error (case `adopting_nothing_is_possible`).
    fn adopt(&self, clients: &[Adopted]) -> impl Future<Output = Result<(), CommitError>> + Send;

    /// Notes when secrets were used, apart from records.
    ///
    /// # To ensure correctness
    /// - Of two times for one secret the later one wins, in whatever order they come (cases `the_later_use_wins`,
    ///   `the_later_use_wins_a_race`).
    /// - A secret that is not in its client's [`Index`] is passed over (case
    ///   `uses_of_what_is_not_there_are_passed_over`): nothing is ever inserted for a deleted one, also when it is being
    ///   deleted (case `uses_never_outlive_a_deletion`).
    /// - No record, revision, event or index changes (case `uses_change_nothing_else`).
    /// - `Ok` means that they are kept like everything else (case `what_was_acknowledged_is_there_after_a_crash`).
    fn note_uses(&self, uses: &[Use]) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// When a client's secrets were last used, as far as has been noted.
    fn last_uses(&self, client_id: &ClientId) -> impl Future<Output = Result<LastUses, StoreError>> + Send;
}

/// Names a commit: 16 random bytes, by which its outcome is settled when it is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CommitId([u8; 16]);

impl CommitId {
    /// The ID of these bytes, as a store kept them.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// What is to be written, all or nothing: the next records of one or two clients.
#[derive(Debug, Clone)]
pub struct Commit {
    id: CommitId,
    changes: Vec<RecordChange>,
}

impl Commit {
    pub(crate) fn new(id: CommitId, changes: Vec<RecordChange>) -> Self {
        Self { id, changes }
    }

    /// Names it.
    #[must_use]
    pub fn id(&self) -> CommitId {
        self.id
    }

    /// The changes, of different clients.
    #[must_use]
    pub fn changes(&self) -> &[RecordChange] {
        &self.changes
    }
}

/// The next record of one client, or of the registry.
#[derive(Debug, Clone)]
pub struct RecordChange {
    record: Record,
    expected: Expected,
    index: Index,
    events: Vec<Event>,
}

impl RecordChange {
    pub(crate) fn new(record: Record, expected: Expected, index: Index, events: Vec<Event>) -> Self {
        Self { record, expected, index, events }
    }

    /// What to keep from now on.
    #[must_use]
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// What must be there, or the commit is a conflict.
    #[must_use]
    pub fn expected(&self) -> &Expected {
        &self.expected
    }

    /// By what it is found from now on: all of it, in place of what there was.
    #[must_use]
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// What happened, in order.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Under which the record is kept.
    #[must_use]
    pub fn id(&self) -> RecordId<'_> {
        self.record.id()
    }
}

/// What a change expects to find.
///
/// Exhaustive on purpose: a store that does not know an expectation cannot keep it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Expected {
    /// No record of this ID.
    Absent,
    /// A record of exactly this revision.
    Exactly(Revision),
    /// A record of exactly this revision under exactly this key: it is to be resealed under another one, and keeps its
    /// revision.
    Under(Revision, KeyId),
}

impl Expected {
    /// Whether this is what is there: a record of this revision under this key, or none.
    #[must_use]
    pub fn holds(&self, found: Option<(Revision, Option<&KeyId>)>) -> bool {
        match (self, found) {
            (Self::Absent, None) => true,
            (Self::Exactly(revision), Some((found, _))) => *revision == found,
            (Self::Under(revision, key_id), Some((found, under))) => {
                *revision == found && Some(key_id) == under
            }
            _ => false,
        }
    }
}

/// By what a client is found. Hints: what they lead to is checked against the record.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Index {
    /// Its seller and the key of its friendly name; `None` for a deleted one.
    pub name: Option<(SellerId, NameKey)>,
    /// The add-ins that use it.
    pub add_ins: Vec<AddInId>,
    /// Its secrets, each with the end of its validity if that has one.
    pub ends: Vec<(SecretId, Option<Timestamp>)>,
    /// The key that protects its record, which names it as well; `None` in a registry in memory, which has no keyring.
    pub key_id: Option<KeyId>,
}

impl Index {
    /// By what a client is to be found whose record is under this key.
    pub(crate) fn of(opened: &Opened, key_id: Option<&KeyId>) -> Self {
        let key_id = key_id.cloned();
        let Ok(client) = opened.client() else {
            return Self { key_id, ..Self::default() };
        };
        Self {
            name: Some((client.owner().clone(), client.details().friendly_name().key())),
            add_ins: client.add_ins().to_vec(),
            ends: client.secrets().map(|secret| (secret.id(), secret.validity().until())).collect(),
            key_id,
        }
    }

    /// What must belong to one client alone.
    fn unique_entries(&self) -> impl Iterator<Item = Entry> {
        let name = self.name.iter().map(|(seller, key)| Entry::Name(seller.clone(), key.clone()));
        name.chain(self.add_ins.iter().cloned().map(Entry::AddIn))
    }
}

/// What belongs to at most one client.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Entry {
    /// An add-in (rule 1).
    AddIn(AddInId),
    /// A seller's friendly name, by its key (rule 15).
    Name(SellerId, NameKey),
}

/// Which clients to list.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum ClientsBy<'a> {
    /// All of them, and what is left of deleted ones.
    All,
    /// Those of a seller.
    Seller(&'a SellerId),
    /// The one of a seller with a friendly name of this key.
    Name(&'a SellerId, &'a NameKey),
    /// Those whose records are under a key, and what is left of deleted ones under it.
    Key(&'a KeyId),
}

/// A commit of one client, as its history tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Committed {
    /// The commit that made the revision.
    pub commit_id: CommitId,
    /// The revision that it made.
    pub revision: Revision,
    /// What happened, in order.
    pub events: Vec<Event>,
}

/// A secret's end, ordered by when it comes, then by client, then by secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Ending {
    /// The end of its validity.
    pub at: Timestamp,
    /// The client.
    pub client_id: ClientId,
    /// The secret.
    pub secret: SecretId,
}

/// Where a reader of the change feed is. Opaque: only the store that gave it can tell what it means.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(String);

impl Cursor {
    /// A cursor of a store's own making.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// What the store made it from.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A piece of the change feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// What happened, in order.
    pub events: Vec<Event>,
    /// Where to go on.
    pub cursor: Cursor,
}

/// A client that moves in from another store.
#[derive(Debug, Clone)]
pub struct Adopted {
    record: Record,
    index: Index,
    history: Vec<Committed>,
}

impl Adopted {
    /// The record, by what it is found, and the history that led to it.
    #[must_use]
    pub fn new(record: Record, index: Index, history: Vec<Committed>) -> Self {
        Self { record, index, history }
    }

    /// What to keep.
    #[must_use]
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// By what it is found.
    #[must_use]
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// Every commit so far, in order.
    #[must_use]
    pub fn history(&self) -> &[Committed] {
        &self.history
    }
}

/// A secret was used.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Use {
    /// The client.
    pub client_id: ClientId,
    /// The secret.
    pub secret: SecretId,
    /// When.
    pub at: Timestamp,
}

/// Why a commit was not acknowledged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
    /// A record is not what was expected. Nothing was written.
    #[error("record {record_id} is not what was expected")]
    Conflict {
        /// The ID of the first record that is not.
        record_id: Box<str>,
        /// The revision that was found, if there is a record.
        found: Option<Revision>,
    },
    /// Something that must belong to one client alone belongs to another. Nothing was written.
    #[error("{entry:?} belongs to client {by}")]
    Taken {
        /// What it is.
        entry: Entry,
        /// Whose it is.
        by: ClientId,
    },
    /// The store failed before it began: it cannot be reached, is full or may not be written to. Nothing was written, and
    /// nothing is under way.
    #[error("nothing was written")]
    NotWritten(#[source] StoreError),
    /// The store failed. The commit may have been applied, or may yet be.
    #[error("the store did not say whether the commit was applied")]
    Failed(#[from] StoreError),
}

/// A store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[error("{kind}")]
pub struct StoreError {
    kind: StoreErrorKind,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl StoreError {
    /// An error of this kind.
    #[must_use]
    pub fn new(kind: StoreErrorKind) -> Self {
        Self { kind, source: None }
    }

    /// An error of this kind, with what lies behind it.
    #[must_use]
    pub fn with_source(
        kind: StoreErrorKind,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self { kind, source: Some(source.into()) }
    }

    /// What the caller can do about it.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

/// What can be done about a [`StoreError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// It cannot be reached, or not in time: try again later.
    Unavailable,
    /// It can be read and not written: its disk is full, or it was opened that way.
    ReadOnly,
    /// Something in it cannot be read: restore it.
    Corrupt,
    /// A record in it is not what was written there: somebody changed it.
    Tampered,
    /// A record in it is older than one that was seen there: somebody, or a restored backup, put it back.
    RolledBack,
    /// A record in it is under a key that the keyring has not.
    MissingKey,
    /// It was written by a newer version of this crate, or of the store.
    NewerFormat,
    /// The record is of a registry in memory, which has no keyring: nothing durable may keep it.
    NotSealed,
    /// It does not know the cursor: begin again from the first event.
    CursorLost,
    /// An earlier attempt may still be under way, and what came since says nothing of it: try again later.
    InDoubt,
}

impl std::fmt::Display for StoreErrorKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Unavailable => "the store cannot be reached or opened: see the source of this error, or try again later",
            Self::ReadOnly => "the store cannot be written to: make room, or open it for writing",
            Self::Corrupt => "something in the store cannot be read: see the source of this error, and restore a backup",
            Self::Tampered => "a record is not what was written: check the store and restore it from a backup",
            Self::RolledBack => {
                "a record is older than one seen before: if you restored a backup, restart what uses the registry"
            }
            Self::MissingKey => "a record is under a key that the keyring lacks: add the key",
            Self::NewerFormat => "it was written by a newer version: upgrade this one",
            Self::NotSealed => "a record of a registry in memory cannot be kept: open the registry with a keyring",
            Self::InDoubt => "an earlier attempt may still be under way: try again later",
            Self::CursorLost => "the store does not know the cursor: begin again from the first event",
        })
    }
}
