//! What can be wrong with a store, each with the cases that must see it.

mod caught;

macro_rules! faults {
    ($($(#[$doc:meta])* $fault:ident: $($case:ident)*;)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Fault {
            /// The store keeps the contract.
            None,
            $($(#[$doc])* $fault,)*
        }

        const FAULTS: &[(Fault, &[&str])] = &[$((Fault::$fault, &[$(stringify!($case)),*]),)*];
    };
}

faults! {
    // Loading.
    /// Answers once more what it answered before.
    CachesOnce: load_sees_every_acknowledged_commit;
    /// Two stores of one place, each with a cache of its own.
    CachesForEver: stores_side_by_side_see_one_another;
    /// The second record of a commit comes a little later.
    WritesInPieces: load_sees_no_half_of_a_commit a_dropped_commit_is_whole_or_nothing
        dropped_commits_are_whole_after_a_crash;
    /// The body in a column of JSON.
    JsonIsWrittenAnew: records_come_back_byte_for_byte;
    LongIsCutShort: large_records_come_back_whole;
    IdsIgnoreCase: ids_are_compared_as_bytes;
    ReservedIsListed: the_registry_record_is_in_no_list;
    /// It is known that nothing was written, and not said.
    RefusalIsFailure: unsealed_records_are_kept_or_refused;
    CorruptIsAbsent: undecodable_records_are_corrupt damaged_history_is_not_passed_over;
    CorruptPanics: undecodable_records_are_corrupt;

    // Expectations.
    /// The ID of a deleted client can be used again.
    DeletedIsAbsent: absent_is_honoured;
    AnyRevisionWillDo: exactly_is_honoured;
    ConflictSaysNothing: exactly_is_honoured;
    UnderIgnoresKey: under_is_honoured resealing_loses_to_a_change;
    UnderIgnoresRevision: under_is_honoured resealing_loses_to_a_change;
    LastConflictIsNamed: the_first_unmet_expectation_is_named;
    UniquenessComesFirst: expectations_come_before_uniqueness;
    /// Somebody else can come in between.
    ChecksThenWrites: one_of_many_writers_wins one_of_many_creators_wins one_of_many_gets_the_add_in
        one_of_many_gets_the_name resealing_loses_to_a_change;
    /// The same, from another process.
    StoresDoNotLock: one_of_many_wins_across_stores;
    /// Expectations are checked again, uniqueness is not.
    ChecksUniquenessFirst: one_of_many_gets_the_add_in one_of_many_gets_the_name;
    /// One change after the other, each checked and written.
    OneByOne: two_clients_change_or_neither;
    ConflictWrites: a_refused_commit_writes_nothing;
    /// Idempotent where it must not be: a registry that settles a commit would take a conflict for its own trace.
    ResendIsFine: the_same_commit_again_is_a_conflict;

    // Uniqueness.
    AddInsAreNotChecked: an_add_in_belongs_to_one_client;
    NamesAreNotChecked: a_name_belongs_to_one_client;
    AddInsIgnoreCase: unique_keys_are_compared_as_bytes;
    NamesIgnoreAccents: unique_keys_are_compared_as_bytes;
    ClaimedTwice: an_entry_is_claimed_once_in_a_commit adopting_what_is_taken_is_refused;
    /// The holder of one entry with another one.
    TakenNamesAnother: taken_names_one_of_several_entries;
    /// What the one gives is still the one's when the other takes it.
    MovesTrip: an_add_in_moves_in_one_commit names_are_swapped_in_one_commit;
    AddInsAreMerged: the_index_is_replaced;
    /// The name stays the same, and so it is not written again.
    NamesKeepTheirSeller: a_client_goes_to_another_seller;
    /// Nor is it looked up again.
    KeptNamesAreNotChecked: a_client_goes_to_another_seller;
    EndsAreMerged: the_index_is_replaced endings_follow_the_index tombstones_are_listed_by_all_and_key;

    // History.
    HistoryNamesAnother: history_names_the_commits;
    LimitCountsEvents: history_is_paged_by_commits;
    RevisionsAreSigned: history_is_paged_by_commits;
    HistoryGoesWithTheClient: history_outlives_deletion;
    HistoryIsOfBoth: history_is_of_one_client;
    /// Events in a column of JSON, which sorts their members.
    EventsAreWrittenAnew: events_come_back_byte_for_byte;
    /// The feed as a message that others can read.
    FeedIsWrittenAnew: events_come_back_byte_for_byte;

    // Lists.
    SortsByCollation: clients_are_listed_in_the_order_of_bytes;
    SellersIgnoreCase: clients_are_listed_by_seller unique_keys_are_compared_as_bytes;
    NamesAreNotPaged: clients_are_listed_by_name;
    KeyIsNotMoved: clients_are_listed_by_key resealing_moves_between_keys;
    LimitIgnored: lists_are_paged endings_are_paged history_is_paged_by_commits;
    /// Every page is the first one.
    AfterIgnored: lists_are_paged endings_are_paged history_is_paged_by_commits;
    /// Room for as many as were asked for.
    LimitIsRoom: bounds_may_be_extreme;
    PlaceAndLimitOverflow: bounds_may_be_extreme;
    RevisionsAreCut: bounds_may_be_extreme;
    DeletedIsNotListed: tombstones_are_listed_by_all_and_key;
    FindsFirstAddInOnly: client_of_follows_the_index;
    EndIsIncluded: endings_come_in_order;
    SortsNumbersAsText: endings_come_in_order;

    // The feed.
    SecondClientIsNoNews: the_feed_has_each_trail_in_order the_feed_is_complete_under_load;
    FeedRepeats: the_feed_goes_on_from_every_cursor;
    ResealingIsNews: the_feed_has_only_events resealing_keeps_all_but_the_key;
    UnknownCursorsBegin: unknown_cursors_are_lost;
    CursorsHaveNoMark: cursors_of_another_store_are_lost;
    /// A sequence: a commit that draws a number first may come later, and is skipped.
    NumbersBeforehand: the_feed_waits_for_slow_writers the_feed_is_complete_under_load
        the_feed_is_complete_across_stores the_latest_cursor_skips_nothing;
    LatestIsTheFirst: the_latest_cursor_is_behind_everything;
    /// Nothing is shown that comes after what is still under way.
    HidesBehindSlowWriters: the_feed_waits_for_slow_writers the_feed_is_complete_under_load;

    // Resealing.
    ResealingIsHistory: resealing_keeps_all_but_the_key;

    // Adopting.
    AdoptedHistoryIsOne: adopted_clients_are_as_they_were;
    AdoptedIsNotInTheFeed: adopted_events_come_into_the_feed;
    /// One client after the other.
    AdoptsInPieces: adopting_is_refused_whole a_dropped_adoption_is_whole_or_nothing;
    AdoptsWhatIsMissing: adopting_is_refused_whole;
    /// A commit is a row of its own, and belongs to one client.
    CommitIdsAreUnique: halves_of_a_commit_are_adopted;
    AdoptingNothingFails: adopting_nothing_is_possible;
    ChecksThenAdopts: one_of_many_adopts;

    // Last uses.
    LastNoteWins: the_later_use_wins;
    ReadsThenNotes: the_later_use_wins_a_race;
    /// Whatever the caller's clock can believe.
    EveryUseIsBelieved: an_unbelievable_use_is_replaced;
    /// The last time that can be believed counts as one that cannot.
    BelievesTooLittle: an_unbelievable_use_is_replaced;
    LooksThenNotes: uses_never_outlive_a_deletion;
    UsesAreInserted: uses_go_with_their_secret uses_of_what_is_not_there_are_passed_over;
    UnknownUseIsAnError: uses_of_what_is_not_there_are_passed_over;
    UsesStay: uses_go_with_their_secret;
    UsesAreForgotten: uses_stay_through_other_changes resealing_keeps_all_but_the_key;
    UsesAreEvents: uses_change_nothing_else;

    // Keys.
    HistoryIdsAreCut: ids_are_kept_whole_in_every_table;
    HolderIsCut: ids_are_kept_whole_in_every_table;
    UsesIgnoreCase: ids_are_kept_whole_in_every_table;
    EndsIgnoreCase: ids_are_kept_whole_in_every_table;
    HistoryIsByPrefix: ids_are_kept_whole_in_every_table numbers_that_read_alike_when_joined_are_apart;
    HoldersAreCut: holders_are_told_apart;
    NamesAreJoined: keys_that_read_alike_when_joined_are_apart;
    /// Add-ins and names in one table, under one text each.
    EntriesAreJoined: keys_that_read_alike_when_joined_are_apart;
    UsesAreJoined: numbers_that_read_alike_when_joined_are_apart;
    NamesAreCut: the_longest_keys_are_kept_whole;
    AddInsAreCut: the_longest_keys_are_kept_whole;
    KeyIdsAreCut: the_longest_keys_are_kept_whole;

    // More than a page.
    PagesHaveAThousand: long_lists_come_whole a_long_history_comes_whole;
    NotesAThousand: long_lists_come_whole;
    UsesOfAHundred: every_secret_of_a_client_has_uses;
    UsesNeedAnEnd: secrets_without_an_end_have_uses;
    UsesGoWithTheEnd: secrets_without_an_end_have_uses;
    AdoptingKeepsOnlyEnds: secrets_without_an_end_have_uses;
    ResealingKeepsOnlyEnds: secrets_without_an_end_have_uses;
    /// The number of a secret in two bytes.
    UsesAreNumberedInTwoBytes: every_secret_of_a_client_has_uses;
    /// The uses of some clients, and those of others make room for them.
    UsesOfAThousandClients: long_lists_come_whole;
    AdoptsAHundredEntries: long_lists_come_whole;

    // Clocks.
    FeedIsByInstant: order_is_that_of_commits;
    /// Numbers made of the store's clock.
    NumbersAreTimes: a_clock_of_the_store_may_step_back;
    UsesNeedAClock: a_clock_of_the_store_may_step_back;

    /// What one look-up has read the others answer from: loading brings all of them up to date.
    LoadingBringsUpToDate: each_look_up_alone_sees_what_another_store_wrote;

    // Several stores in one place: what one of them answers from its own memory.
    HistoryFromMemory: every_look_up_sees_what_another_store_wrote
        each_look_up_alone_sees_what_another_store_wrote;
    ListsFromMemory: every_look_up_sees_what_another_store_wrote
        each_look_up_alone_sees_what_another_store_wrote;
    AddInsFromMemory: every_look_up_sees_what_another_store_wrote
        each_look_up_alone_sees_what_another_store_wrote;
    EndsFromMemory: every_look_up_sees_what_another_store_wrote
        each_look_up_alone_sees_what_another_store_wrote;
    FeedFromMemory: every_look_up_sees_what_another_store_wrote
        each_look_up_alone_sees_what_another_store_wrote;
    LatestFromMemory: every_look_up_sees_what_another_store_wrote
        each_look_up_alone_sees_what_another_store_wrote;
    /// The first page is always read anew.
    PagesFromMemory: each_look_up_alone_sees_what_another_store_wrote;
    UsesFromMemory: every_look_up_sees_what_another_store_wrote stores_share_the_uses;
    SecretsFromMemory: uses_never_outlive_a_deletion_across_stores;
    ExpectationsFromMemory: expectations_hold_across_stores;
    UniquenessFromMemory: uniqueness_holds_across_stores adopting_and_committing_exclude_one_another
        one_of_many_gets_the_add_in_across_stores one_of_many_gets_the_name_across_stores;
    AdoptsFromMemory: one_of_many_adopts_across_stores adopting_and_committing_exclude_one_another;

    // Dropped and crashed.
    DroppedIsAppliedLater: a_dropped_commit_is_fenced;
    DroppedReaderBlocks: dropped_readers_leave_a_working_store;
    DroppedLoadHolds: dropped_futures_hold_nothing;
    DroppedCommitHolds: dropped_futures_hold_nothing;
    DroppedHistoryHolds: dropped_futures_hold_nothing;
    DroppedClientsHolds: dropped_futures_hold_nothing;
    DroppedClientOfHolds: dropped_futures_hold_nothing;
    DroppedEndingHolds: dropped_futures_hold_nothing;
    DroppedChangesHolds: dropped_futures_hold_nothing;
    DroppedLatestHolds: dropped_futures_hold_nothing;
    DroppedAdoptHolds: dropped_futures_hold_nothing;
    DroppedNoteUsesHolds: dropped_futures_hold_nothing;
    DroppedLastUsesHolds: dropped_futures_hold_nothing;
    /// One of many, so that it takes many to stop the store.
    DroppedLoadsKeepConnections: dropped_futures_hold_nothing;
    TurnsComeToTheDropped: dropped_waiters_wake_others;
    AcknowledgesTooEarly: what_was_acknowledged_is_there_after_a_crash;
    UsesAreNotFlushed: what_was_acknowledged_is_there_after_a_crash;
    OneIsWokenWhoMayBeGone: dropped_waiters_wake_others;
    /// It is written, the call is dropped, and the store's own memory never hears of it.
    DroppedCommitIsNotNoted: what_a_dropped_commit_left_is_the_same_for_everybody
        what_a_dropped_commit_left_stays_when_opened_again;
    DroppedAdoptionIsNotNoted: what_a_dropped_adoption_left_is_the_same_for_everybody
        what_a_dropped_adoption_left_stays_when_opened_again;
    /// Reading the end of the file and cutting it are two steps, and a commit comes in between.
    OpeningMendsTheEnd: opening_beside_a_writer_loses_nothing;
    FailedFlushIsNotWritten: what_is_said_of_a_failed_flush_is_true;
    FailedFlushIsIgnored: what_is_said_of_a_failed_flush_is_true
        nothing_acknowledged_is_lost_after_a_failed_flush;
    /// As if the next flush wrote what the failed one should have.
    FlushIsNotRepeated: nothing_acknowledged_is_lost_after_a_failed_flush;
    /// It says that nothing was written, and only its own memory says so.
    RollbackIsNotFlushed: what_is_said_of_a_failed_flush_is_true;
    /// It undoes what it wrote and flushes that, and does not look at the answer.
    RollbackIsTakenForGranted: what_is_said_of_a_failed_flush_is_true;
    /// The store that failed writes once more, and no other store knows that it has to.
    OnlyTheOneThatFailedWritesAgain: nothing_acknowledged_is_lost_when_opened_after_a_failed_flush
        nothing_acknowledged_is_lost_beside_a_failed_flush;
    /// Memory first, then the flush: the second time there is nothing new to write.
    NotesBeforeItFlushes: uses_noted_again_after_a_failed_flush_are_kept;
    ShowsWhatIsNotFlushed: what_is_shown_after_a_failed_flush_is_durable;
    /// An older copy that was written on has other events under the same numbers.
    CursorsAreNumbers: cursors_beyond_an_older_copy_are_lost;
    BeyondTheEndIsTheEnd: cursors_beyond_an_older_copy_are_lost;
    CursorsDieInACrash: cursors_outlive_a_crash;
}

impl Fault {
    /// Whether the next call waits for ever for what a dropped one held.
    pub(crate) fn holds_what_it_dropped(self) -> bool {
        let holds = [
            Self::DroppedLoadHolds,
            Self::DroppedCommitHolds,
            Self::DroppedHistoryHolds,
            Self::DroppedClientsHolds,
            Self::DroppedClientOfHolds,
            Self::DroppedEndingHolds,
            Self::DroppedChangesHolds,
            Self::DroppedLatestHolds,
            Self::DroppedAdoptHolds,
            Self::DroppedNoteUsesHolds,
            Self::DroppedLastUsesHolds,
            Self::DroppedLoadsKeepConnections,
            Self::TurnsComeToTheDropped,
            Self::OneIsWokenWhoMayBeGone,
        ];
        holds.contains(&self)
    }
}

impl Fault {
    /// Whether something is answered from what a store saw last.
    pub(crate) fn is_from_memory(self) -> bool {
        let from_memory = [
            Self::LoadingBringsUpToDate,
            Self::HistoryFromMemory,
            Self::ListsFromMemory,
            Self::AddInsFromMemory,
            Self::EndsFromMemory,
            Self::FeedFromMemory,
            Self::LatestFromMemory,
            Self::PagesFromMemory,
            Self::ExpectationsFromMemory,
            Self::UsesFromMemory,
            Self::SecretsFromMemory,
            Self::UniquenessFromMemory,
            Self::AdoptsFromMemory,
        ];
        from_memory.contains(&self)
    }
}
