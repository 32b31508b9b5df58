//! A store that keeps the contract in the plainest way, everything in lists behind one lock, and breaks it in one point
//! when told so.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use client_registry::client::LastUses;
use client_registry::conformance::{Factory, Skip, Spoil};
use client_registry::store::{
    Adopted, Changes, ClientsBy, Commit, CommitError, CommitId, Committed, Cursor, Ending, EventText,
    Expected, Index, IndexEntry, Record, RecordId, Store, StoreError, StoreErrorKind, Use,
};
use client_registry::value::{KeyId, Revision};
use client_registry::{AddInId, ClientId, Event, SecretId, Timestamp};

use crate::conformance::faults::Fault;

/// The books of a place, or what a store takes for them.
enum View<'a> {
    Now(MutexGuard<'a, Books>),
    Then(Books),
}

impl Deref for View<'_> {
    type Target = Books;

    fn deref(&self) -> &Books {
        match self {
            Self::Now(books) => books,
            Self::Then(books) => books,
        }
    }
}

/// Makes plain stores with one fault.
pub(crate) struct Plainly(pub(crate) Fault, pub(crate) Waits);

/// How a store waits, and so where others come in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waits {
    /// By awaiting.
    Awaiting,
    /// By keeping its thread.
    Blocking,
}

/// What outlives a store.
#[derive(Debug)]
pub(crate) struct Disk {
    books: Mutex<Books>,
    /// What a crash leaves, where that is something else: it was not flushed, or the flush failed.
    written: Mutex<Option<Books>>,
    /// For each flush that is to fail, how many come before it.
    failing: Mutex<BTreeSet<usize>>,
    clock_is_behind: AtomicBool,
}

#[derive(Debug)]
pub(crate) struct Plain {
    disk: Arc<Disk>,
    fault: Fault,
    waits: Waits,
    /// What a store remembers that should not.
    cache: Mutex<BTreeMap<String, Record>>,
    /// What a dropped call has left.
    is_busy: Mutex<bool>,
    turns: Mutex<Turns>,
    line: Mutex<Line>,
    late: Mutex<Vec<Commit>>,
    /// What this store believes, where a dropped call has left it behind what is written.
    behind: Mutex<Option<Books>>,
    /// How many calls have a connection.
    connections: AtomicU64,
    /// Whether a flush of this very store has failed.
    has_failed: AtomicBool,
    opened: u64,
    /// What this store has seen: the books as they were when it was opened or wrote last.
    seen: Mutex<Books>,
}

#[derive(Debug, Clone, Default)]
struct Books {
    mark: u64,
    records: BTreeMap<String, Vec<u8>>,
    indexes: BTreeMap<ClientId, Index>,
    trails: BTreeMap<ClientId, Vec<Stretch>>,
    /// Each event with its number.
    feed: Vec<(u64, String)>,
    numbered: u64,
    /// What tells the event of a number from one that had it before an older copy was put back.
    tags: BTreeMap<u64, u64>,
    /// Numbers that have been given out, and whose events are not there yet.
    under_way: BTreeSet<u64>,
    uses: BTreeMap<(ClientId, SecretId), Timestamp>,
}

#[derive(Debug, Clone)]
struct Stretch {
    commit_id: CommitId,
    revision: Revision,
    events: String,
}

/// One change, whether it is committed or adopted.
struct Write<'a> {
    record: &'a Record,
    index: &'a Index,
    history: Vec<Committed>,
    is_adopted: bool,
}

impl Factory for Plainly {
    type Place = Arc<Disk>;
    type Store = Plain;

    fn place(&self) -> Arc<Disk> {
        let books = Books { mark: next_number(), ..Books::default() };
        Arc::new(Disk {
            books: Mutex::new(books),
            written: Mutex::default(),
            failing: Mutex::default(),
            clock_is_behind: AtomicBool::default(),
        })
    }

    fn open(&self, place: &Arc<Disk>) -> Result<Plain, StoreError> {
        if self.0 == Fault::OpeningMendsTheEnd {
            let found = lock(&place.books).clone();
            (0..100).for_each(|_| std::thread::yield_now());
            *lock(&place.books) = found;
        }
        Ok(Plain {
            disk: Arc::clone(place),
            fault: self.0,
            waits: self.1,
            cache: Mutex::default(),
            is_busy: Mutex::default(),
            turns: Mutex::default(),
            line: Mutex::default(),
            late: Mutex::default(),
            behind: Mutex::default(),
            connections: AtomicU64::default(),
            has_failed: AtomicBool::default(),
            opened: next_number(),
            seen: Mutex::new(lock(&place.books).clone()),
        })
    }

    fn crash(&self, _: &Arc<Disk>, store: Plain) -> Result<(), Skip> {
        if let Some(written) = lock(&store.disk.written).take() {
            *lock(&store.disk.books) = written;
        }
        Ok(())
    }

    fn share(&self) -> Result<(), Skip> {
        Ok(())
    }

    fn step_clock_back(&self, place: &Arc<Disk>, _: Duration) -> Result<(), Skip> {
        place.clock_is_behind.store(true, Ordering::Relaxed);
        if self.0 == Fault::NumbersAreTimes {
            let mut books = lock(&place.books);
            books.numbered = books.numbered.saturating_sub(3);
        }
        Ok(())
    }

    fn copy(&self, from: &Arc<Disk>, to: &Arc<Disk>) -> Result<(), Skip> {
        *lock(&to.books) = lock(&from.books).clone();
        Ok(())
    }

    fn fail_flush(&self, place: &Arc<Disk>, after: usize) -> Result<(), Skip> {
        let mut failing = lock(&place.failing);
        match after {
            usize::MAX => failing.clear(),
            after => drop(failing.insert(after)),
        }
        Ok(())
    }

    fn spoil(&self, place: &Arc<Disk>, what: Spoil<'_>) -> Result<(), Skip> {
        let mut books = lock(&place.books);
        match what {
            Spoil::Record(id) => books.records.get_mut(id.as_str()).unwrap().truncate(20),
            Spoil::History(id) => {
                books.trails.get_mut(id).unwrap()[0].events.truncate(20);
                books.feed[0].1.truncate(20);
            }
            _ => return Err(Skip::because("there is no such thing")),
        }
        Ok(())
    }
}

impl Plain {
    fn books(&self) -> MutexGuard<'_, Books> {
        lock(&self.disk.books)
    }

    /// Writes through to the disk. When that fails, `before` is what is there, and nothing will change that by itself.
    fn flush(&self, before: Option<Books>) -> Result<(), StoreError> {
        let mut failing = lock(&self.disk.failing);
        let fails = failing.remove(&0);
        *failing = failing.iter().map(|left| left - 1).collect();
        if !fails {
            return Ok(());
        }
        self.has_failed.store(true, Ordering::Relaxed);
        if let Some(before) = before {
            lock(&self.disk.written).get_or_insert(before);
        }
        if self.fault == Fault::FailedFlushIsIgnored {
            return Ok(());
        }
        Err(StoreError::new(StoreErrorKind::Unavailable))
    }

    /// Writes everything once more after a flush has failed: it has not written what it should have.
    fn make_up_for_failures(&self) -> Result<(), StoreError> {
        let is_behind = lock(&self.disk.written).is_some();
        let is_known = self.fault != Fault::OnlyTheOneThatFailedWritesAgain
            || self.has_failed.swap(false, Ordering::Relaxed);
        if !is_behind
            || !is_known
            || matches!(
                self.fault,
                Fault::FlushIsNotRepeated
                    | Fault::AcknowledgesTooEarly
                    | Fault::FailedFlushIsIgnored
                    | Fault::UsesAreNotFlushed
                    | Fault::RollbackIsNotFlushed
                    | Fault::RollbackIsTakenForGranted
            )
        {
            return Ok(());
        }
        self.flush(None)?;
        *lock(&self.disk.written) = None;
        Ok(())
    }

    fn unknown(&self, error: StoreError) -> CommitError {
        match self.fault {
            Fault::FailedFlushIsNotWritten => CommitError::NotWritten(error),
            _ => CommitError::Failed(error),
        }
    }

    /// How many rows are read at most.
    fn page(&self, limit: usize) -> usize {
        if self.fault == Fault::PagesHaveAThousand { limit.min(1000) } else { limit }
    }

    /// The books as they are, or, for a store that has this fault, as it saw them last.
    fn view(&self, fault: Fault) -> View<'_> {
        let is_from_memory = self.fault == fault || self.fault == Fault::LoadingBringsUpToDate;
        if is_from_memory { View::Then(lock(&self.seen).clone()) } else { self.own_view() }
    }

    /// The books as they are, or, for a store that keeps pages, as it saw them last if it is asked for what comes after a place.
    fn page_of(&self, fault: Fault, is_after: bool) -> View<'_> {
        let is_kept = is_after && self.fault == Fault::PagesFromMemory;
        self.view(if is_kept { Fault::PagesFromMemory } else { fault })
    }

    /// The books as they are, or as a store takes them to be that a dropped call has left behind.
    fn own_view(&self) -> View<'_> {
        let behind = lock(&self.behind).clone();
        behind.map_or_else(|| View::Now(self.books()), View::Then)
    }

    /// Writes, and only later takes note of it itself.
    async fn write_then_note(
        &self,
        order: &[Write<'_>],
        check: impl Fn(&Books) -> Result<(), CommitError>,
    ) -> Result<(), CommitError> {
        let was_behind = {
            let mut behind = lock(&self.behind);
            let mut books = self.books();
            check(behind.as_ref().unwrap_or(&books))?;
            let was_behind = behind.is_some();
            behind.get_or_insert_with(|| books.clone());
            books.write(order, self.fault);
            was_behind
        };
        self.pause(1).await;
        match &mut *lock(&self.behind) {
            Some(behind) if was_behind => behind.write(order, self.fault),
            behind => *behind = None,
        }
        Ok(())
    }

    fn see(&self, books: &Books) {
        if self.fault.is_from_memory() {
            *lock(&self.seen) = books.clone();
        }
    }

    /// Lets others go first, where a careful store holds its lock.
    async fn gap(&self, fault: Fault) {
        if self.fault == fault {
            self.pause(3).await;
        }
    }

    async fn pause(&self, times: usize) {
        match self.waits {
            Waits::Awaiting => Pause(times).await,
            Waits::Blocking => (0..100 * (times - 1)).for_each(|_| std::thread::yield_now()),
        }
    }

    /// Takes a lock that a call of one method does not give back when it is dropped, or a turn that comes to calls in the
    /// order in which they asked, also to those that are dropped.
    async fn hold(&self, fault: Fault) -> Option<Turn<'_>> {
        if self.fault.holds_what_it_dropped() && *lock(&self.is_busy) {
            match self.waits {
                Waits::Awaiting => std::future::pending().await,
                Waits::Blocking => loop {
                    std::thread::park();
                },
            }
        }
        if fault == Fault::DroppedLoadHolds && self.fault == Fault::DroppedLoadsKeepConnections {
            let most = 16;
            std::future::poll_fn(|_| match self.connections.load(Ordering::Relaxed) < most {
                true => Poll::Ready(()),
                false => Poll::Pending,
            })
            .await;
            self.connections.fetch_add(1, Ordering::Relaxed);
            Pause(1).await;
            self.connections.fetch_sub(1, Ordering::Relaxed);
        }
        if self.fault == fault {
            *lock(&self.is_busy) = true;
            Pause(1).await;
            *lock(&self.is_busy) = false;
        }
        match self.fault {
            Fault::TurnsComeToTheDropped => {
                let ticket = lock(&self.turns).take();
                std::future::poll_fn(|cx| lock(&self.turns).poll(ticket, cx)).await;
                Some(Turn::InOrder(&self.turns))
            }
            Fault::OneIsWokenWhoMayBeGone => {
                std::future::poll_fn(|cx| lock(&self.line).poll(cx)).await;
                Some(Turn::InLine(&self.line))
            }
            _ => None,
        }
    }

    /// Begins a look-up. What a failed flush has not written is written again first, so that nothing is shown that a crash
    /// would take back.
    async fn begin(&self, fault: Fault) -> Result<Option<Turn<'_>>, StoreError> {
        let turn = self.hold(fault).await;
        if self.fault != Fault::ShowsWhatIsNotFlushed {
            self.make_up_for_failures()?;
        }
        Ok(turn)
    }

    fn cursor(&self, books: &Books, number: u64) -> Cursor {
        Cursor::new(format!("{}:{number}:{}", self.mark(books), self.tag(books, number)))
    }

    /// The number of a cursor that was made here, for the event that has it now.
    fn number(&self, books: &Books, cursor: &Cursor) -> Option<u64> {
        let mut parts = cursor.as_str().split(':');
        let mark: u64 = parts.next()?.parse().ok()?;
        let number: u64 = parts.next()?.parse().ok()?;
        let tag: u64 = parts.next()?.parse().ok()?;
        let is_there = number <= books.numbered || self.fault == Fault::BeyondTheEndIsTheEnd;
        (mark == self.mark(books) && tag == self.tag(books, number) && is_there).then_some(number)
    }

    fn tag(&self, books: &Books, number: u64) -> u64 {
        let has_none = matches!(
            self.fault,
            Fault::CursorsAreNumbers
                | Fault::CursorsHaveNoMark
                | Fault::BeyondTheEndIsTheEnd
                | Fault::NumbersBeforehand
                | Fault::HidesBehindSlowWriters
                | Fault::NumbersAreTimes
                | Fault::FeedIsByInstant
        );
        if has_none { 0 } else { books.tags.get(&number).copied().unwrap_or_default() }
    }

    fn mark(&self, books: &Books) -> u64 {
        match self.fault {
            Fault::CursorsDieInACrash => self.opened,
            Fault::CursorsHaveNoMark => 0,
            _ => books.mark,
        }
    }

    fn committed(&self, stretch: &Stretch) -> Result<Committed, StoreError> {
        let Stretch { commit_id, revision, events } = stretch;
        Ok(Committed { commit_id: *commit_id, revision: *revision, events: decode(events)? })
    }
}

impl Store for Plain {
    async fn load(&self, id: RecordId<'_>) -> Result<Option<Record>, StoreError> {
        let _turn = self.begin(Fault::DroppedLoadHolds).await?;
        self.pause(1).await;
        let books = self.own_view();
        if self.fault == Fault::LoadingBringsUpToDate {
            self.see(&books);
        }
        let found = match self.fault {
            Fault::IdsIgnoreCase => books
                .records
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(id.as_str()))
                .map(|(_, bytes)| bytes),
            _ => books.records.get(id.as_str()),
        };
        let record = found.map(|bytes| Record::from_bytes(bytes)).transpose();
        match self.fault {
            Fault::CorruptIsAbsent => Ok(record.unwrap_or(None)),
            Fault::CorruptPanics => Ok(record.unwrap()),
            Fault::CachesOnce | Fault::CachesForEver => {
                let mut cache = lock(&self.cache);
                let cached = match self.fault {
                    Fault::CachesOnce => cache.remove(id.as_str()),
                    _ => cache.get(id.as_str()).cloned(),
                };
                if let Some(record) = record? {
                    cache.entry(id.as_str().to_owned()).or_insert(record.clone());
                    return Ok(cached.or(Some(record)));
                }
                Ok(None)
            }
            _ => record,
        }
    }

    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        let _turn = self.hold(Fault::DroppedCommitHolds).await;
        let fault = self.fault;
        for change in commit.changes() {
            let sealed = change.record().to_bytes();
            if fault == Fault::RefusalIsFailure {
                sealed?;
            } else if let Err(error) = sealed {
                return Err(CommitError::NotWritten(error));
            }
        }
        if fault == Fault::DroppedIsAppliedLater {
            let mut unfinished = Unfinished { late: &self.late, commit: Some(commit.clone()) };
            self.pause(1).await;
            unfinished.commit = None;
        }
        self.pause(1).await;
        if *lock(&self.is_busy) {
            return Err(CommitError::NotWritten(StoreError::new(StoreErrorKind::Unavailable)));
        }
        if matches!(fault, Fault::ChecksThenWrites | Fault::StoresDoNotLock) {
            self.books().check(commit, fault)?;
            self.gap(Fault::ChecksThenWrites).await;
            self.gap(Fault::StoresDoNotLock).await;
        } else if fault == Fault::ChecksUniquenessFirst {
            self.books().check_unique(&writes(commit), fault)?;
            self.gap(fault).await;
        } else if fault == Fault::OneByOne {
            for change in commit.changes() {
                let alone = Write {
                    record: change.record(),
                    index: change.index(),
                    history: history_of(commit.id(), change.record().revision(), change.events()),
                    is_adopted: false,
                };
                let mut books = self.books();
                books.check_one(change.id(), change.expected(), fault)?;
                books.check_unique(std::slice::from_ref(&alone), fault)?;
                books.write(&[alone], fault);
            }
            return Ok(());
        }
        self.make_up_for_failures().map_err(CommitError::Failed)?;
        let mut order = writes(commit);
        if fault == Fault::DroppedCommitIsNotNoted {
            return self.write_then_note(&order, |books| books.check(commit, fault)).await;
        }
        if matches!(fault, Fault::NumbersBeforehand | Fault::HidesBehindSlowWriters) {
            let first = {
                let mut books = self.books();
                books.check(commit, fault)?;
                books.draw(&order)
            };
            let _given_back = GivenBack { disk: &self.disk, first };
            self.gap(fault).await;
            let mut books = self.books();
            books.check(commit, fault)?;
            books.write_numbered(&order, fault, Some(first));
            return Ok(());
        }
        if fault == Fault::WritesInPieces {
            let last = order.pop();
            {
                let mut books = self.books();
                books.check(commit, fault)?;
                books.write(&order, fault);
            }
            self.gap(fault).await;
            self.books().write(last.as_slice(), fault);
            return Ok(());
        }
        let mut books = self.books();
        if fault == Fault::ChecksUniquenessFirst {
            books.check_expected(commit, fault)?;
        }
        if !matches!(fault, Fault::ChecksThenWrites | Fault::StoresDoNotLock | Fault::ChecksUniquenessFirst) {
            if fault == Fault::ResendIsFine && books.has(commit.id()) {
                return Ok(());
            }
            let checked = match fault {
                Fault::ExpectationsFromMemory => lock(&self.seen)
                    .check_expected(commit, fault)
                    .and_then(|()| books.check_unique(&writes(commit), fault)),
                Fault::UniquenessFromMemory => books
                    .check_expected(commit, fault)
                    .and_then(|()| lock(&self.seen).check_unique(&writes(commit), fault)),
                _ => books.check(commit, fault),
            };
            if let Err(error) = checked {
                if fault == Fault::ConflictWrites {
                    books.append(&order, fault, None);
                }
                return Err(error);
            }
        }
        if fault == Fault::AcknowledgesTooEarly {
            *lock(&self.disk.written) = Some(books.clone());
        }
        self.flush(None).map_err(CommitError::NotWritten)?;
        let before = books.clone();
        books.write(&order, fault);
        if let Err(error) = self.flush(Some(before.clone())) {
            if fault == Fault::RollbackIsNotFlushed {
                // The failed flush may have written all of it.
                *lock(&self.disk.written) = Some(std::mem::replace(&mut *books, before));
                return Err(CommitError::NotWritten(error));
            }
            if fault == Fault::RollbackIsTakenForGranted {
                let after = std::mem::replace(&mut *books, before);
                *lock(&self.disk.written) = self.flush(None).is_err().then_some(after);
                return Err(CommitError::NotWritten(error));
            }
            return Err(self.unknown(error));
        }
        self.see(&books);
        for late in lock(&self.late).drain(..) {
            books.write(&writes(&late), fault);
        }
        Ok(())
    }

    async fn history(
        &self,
        client_id: &ClientId,
        after: Revision,
        limit: usize,
    ) -> Result<Vec<Committed>, StoreError> {
        let _turn = self.begin(Fault::DroppedHistoryHolds).await?;
        self.pause(1).await;
        if self.fault == Fault::RevisionsAreSigned && i64::try_from(after.number()).is_err() {
            return Err(StoreError::new(StoreErrorKind::Corrupt));
        }
        let after = match self.fault {
            Fault::RevisionsAreCut => Revision::new(after.number() & u64::from(u32::MAX)),
            _ => after,
        };
        let books = self.page_of(Fault::HistoryFromMemory, after > Revision::ZERO);
        let is_wanted = |id: &ClientId| match self.fault {
            Fault::HistoryIsByPrefix => id.as_str().starts_with(client_id.as_str()),
            Fault::HistoryIdsAreCut => *id == cut(client_id, 63),
            _ => id == client_id,
        };
        let trails = books.trails.iter().filter(|(id, _)| is_wanted(id));
        let trail: Vec<_> = trails.flat_map(|(_, trail)| trail).collect();
        let limit = self.page(limit);
        let is_later = |stretch: &&&Stretch| self.fault == Fault::AfterIgnored || stretch.revision > after;
        let later = trail.iter().filter(is_later).map(|stretch| self.committed(stretch));
        match self.fault {
            Fault::CorruptIsAbsent => Ok(later.filter_map(Result::ok).take(limit).collect()),
            Fault::LimitIgnored => later.collect(),
            Fault::LimitCountsEvents => {
                let mut left = limit;
                later
                    .take_while(|committed| {
                        let len = committed.as_ref().map_or(1, |committed| committed.events.len());
                        let fits = left > 0;
                        left = left.saturating_sub(len);
                        fits
                    })
                    .collect()
            }
            _ => later.take(limit).collect(),
        }
    }

    async fn clients(
        &self,
        by: ClientsBy<'_>,
        after: Option<&ClientId>,
        limit: usize,
    ) -> Result<Vec<ClientId>, StoreError> {
        let _turn = self.begin(Fault::DroppedClientsHolds).await?;
        self.pause(1).await;
        let books = self.page_of(Fault::ListsFromMemory, after.is_some());
        if self.fault == Fault::ReservedIsListed && books.records.contains_key(RecordId::REGISTRY.as_str()) {
            // There is no client ID that it could be listed under.
            return Err(StoreError::new(StoreErrorKind::Corrupt));
        }
        let alike = |one: &str, other: &str| match self.fault {
            Fault::SellersIgnoreCase => one.eq_ignore_ascii_case(other),
            _ => one == other,
        };
        let is_wanted = |index: &Index| match (by, &index.name) {
            (ClientsBy::All, name) => self.fault != Fault::DeletedIsNotListed || name.is_some(),
            (ClientsBy::Key(key_id), _) if self.fault == Fault::KeyIdsAreCut => index
                .key_id
                .as_ref()
                .is_some_and(|found| start(found.as_str(), 31) == start(key_id.as_str(), 31)),
            (ClientsBy::Key(key_id), _) => index.key_id.as_ref() == Some(key_id),
            (ClientsBy::Seller(seller), Some((owner, _))) => alike(seller.as_str(), owner.as_str()),
            (ClientsBy::Name(seller, key), Some((owner, name))) => seller == owner && key == name,
            _ => false,
        };
        let by_name = matches!(by, ClientsBy::Name(..)) && self.fault == Fault::NamesAreNotPaged;
        let is_later = |id: &ClientId| {
            by_name || self.fault == Fault::AfterIgnored || after.is_none_or(|after| id > after)
        };
        let limit = self.page(limit);
        let wanted = books.indexes.iter().filter(|(id, index)| is_wanted(index) && is_later(id));
        let mut ids: Vec<_> = wanted.map(|(id, _)| id.clone()).collect();
        match self.fault {
            Fault::SortsByCollation => ids.sort_by_key(|id| id.as_str().to_ascii_lowercase()),
            Fault::LimitIsRoom => ids.reserve_exact(limit),
            _ => {}
        }
        if self.fault != Fault::LimitIgnored {
            ids.truncate(limit);
        }
        Ok(ids)
    }

    async fn client_of(&self, add_in: &AddInId) -> Result<Option<ClientId>, StoreError> {
        let _turn = self.begin(Fault::DroppedClientOfHolds).await?;
        self.pause(1).await;
        let books = self.view(Fault::AddInsFromMemory);
        let seen = if self.fault == Fault::FindsFirstAddInOnly { 1 } else { usize::MAX };
        let mut holders =
            books.indexes.iter().filter(|(_, index)| index.add_ins.iter().take(seen).any(|a| a == add_in));
        Ok(holders
            .next()
            .map(|(id, _)| if self.fault == Fault::HolderIsCut { cut(id, 63) } else { id.clone() }))
    }

    async fn ending(
        &self,
        before: Timestamp,
        after: Option<&Ending>,
        limit: usize,
    ) -> Result<Vec<Ending>, StoreError> {
        let _turn = self.begin(Fault::DroppedEndingHolds).await?;
        self.pause(1).await;
        let books = self.page_of(Fault::EndsFromMemory, after.is_some());
        let all = books.indexes.iter().flat_map(|(id, index)| {
            index.ends.iter().filter_map(|(secret, at)| {
                Some(Ending { at: (*at)?, client_id: id.clone(), secret: *secret })
            })
        });
        let is_before = |at: Timestamp| match self.fault {
            Fault::EndIsIncluded => at <= before,
            _ => at < before,
        };
        let mut endings: Vec<_> = all
            .filter(|ending| {
                let is_after = self.fault == Fault::AfterIgnored || after.is_none_or(|after| ending > after);
                is_before(ending.at) && is_after
            })
            .collect();
        if self.fault == Fault::EndsIgnoreCase {
            let key = |ending: &Ending| (ending.client_id.as_str().to_lowercase(), ending.secret);
            endings =
                endings.into_iter().map(|e| (key(&e), e)).collect::<BTreeMap<_, _>>().into_values().collect();
        }
        let limit = self.page(limit);
        match self.fault {
            Fault::SortsNumbersAsText => {
                endings
                    .sort_by_key(|ending| (ending.at, ending.client_id.clone(), ending.secret.to_string()));
            }
            _ => endings.sort(),
        }
        if self.fault != Fault::LimitIgnored {
            endings.truncate(limit);
        }
        Ok(endings)
    }

    async fn changes(&self, after: Option<&Cursor>, limit: usize) -> Result<Changes, StoreError> {
        let _turn = self.begin(Fault::DroppedChangesHolds).await?;
        self.pause(1).await;
        let books = self.view(Fault::FeedFromMemory);
        let lost = || StoreError::new(StoreErrorKind::CursorLost);
        let start: u64 = match after.map(|cursor| self.number(&books, cursor)) {
            None => 0,
            Some(number) if self.fault == Fault::UnknownCursorsBegin => number.unwrap_or(0),
            Some(number) => number.ok_or_else(lost)?,
        };
        let horizon = match self.fault {
            Fault::HidesBehindSlowWriters => books.under_way.first().copied().unwrap_or(u64::MAX),
            _ => u64::MAX,
        };
        let mut later: Vec<_> =
            books.feed.iter().filter(|(number, _)| *number > start && *number < horizon).collect();
        later.sort_by_key(|(number, _)| *number);
        let limit = self.page(limit);
        later.truncate(limit);
        if self.fault == Fault::PlaceAndLimitOverflow {
            let last = start.wrapping_add(limit as u64);
            later.retain(|(number, _)| *number <= last);
        }
        let end = later.last().map_or(start, |(number, _)| *number);
        let end = if self.fault == Fault::FeedRepeats && end > 3 { end - 1 } else { end };
        let events = later.into_iter().map(|(_, event)| decode(event));
        let events = match self.fault {
            Fault::CorruptIsAbsent => events.filter_map(Result::ok).collect(),
            _ => events.collect::<Result<Vec<_>, _>>()?,
        };
        Ok(Changes { events, cursor: self.cursor(&books, end) })
    }

    async fn latest(&self) -> Result<Cursor, StoreError> {
        let _turn = self.begin(Fault::DroppedLatestHolds).await?;
        self.pause(1).await;
        let books = self.view(Fault::LatestFromMemory);
        let end = match self.fault {
            Fault::LatestIsTheFirst => 0,
            // Drawn, and perhaps not yet written.
            Fault::NumbersBeforehand | Fault::HidesBehindSlowWriters => books.numbered,
            _ => books.feed.iter().map(|(number, _)| *number).max().unwrap_or(0),
        };
        Ok(self.cursor(&books, end))
    }

    async fn adopt(&self, clients: &[Adopted]) -> Result<(), CommitError> {
        let _turn = self.hold(Fault::DroppedAdoptHolds).await;
        let fault = self.fault;
        if fault == Fault::AdoptingNothingFails && clients.is_empty() {
            return Err(CommitError::NotWritten(StoreError::new(StoreErrorKind::Corrupt)));
        }
        self.pause(1).await;
        let all = clients.iter().map(|adopted| Write {
            record: adopted.record(),
            index: adopted.index(),
            history: match fault {
                Fault::AdoptedHistoryIsOne => adopted.history().last().into_iter().cloned().collect(),
                _ => adopted.history().to_vec(),
            },
            is_adopted: true,
        });
        let mut all: Vec<_> = all.collect();
        if fault == Fault::AdoptsInPieces {
            for one in &all {
                {
                    let mut books = self.books();
                    books.check_one(one.record.id(), &Expected::Absent, fault)?;
                    books.check_unique(std::slice::from_ref(one), fault)?;
                    books.write(std::slice::from_ref(one), fault);
                }
                self.gap(fault).await;
            }
            return Ok(());
        }
        self.make_up_for_failures().map_err(CommitError::Failed)?;
        let check = |books: &Books, all: &[Write<'_>]| -> Result<(), CommitError> {
            all.iter().try_for_each(|one| books.check_one(one.record.id(), &Expected::Absent, fault))?;
            books.check_unique(all, fault)
        };
        if fault == Fault::ChecksThenAdopts {
            check(&self.books(), &all)?;
            self.gap(fault).await;
            self.books().write(&all, fault);
            return Ok(());
        }
        if fault == Fault::DroppedAdoptionIsNotNoted {
            return self.write_then_note(&all, |books| check(books, &all)).await;
        }
        let mut books = self.books();
        let has = |committed: &Committed| books.has(committed.commit_id);
        if fault == Fault::CommitIdsAreUnique && all.iter().flat_map(|one| &one.history).any(has) {
            return Err(CommitError::NotWritten(StoreError::new(StoreErrorKind::Corrupt)));
        }
        if fault == Fault::AdoptsWhatIsMissing {
            all.retain(|one| !books.records.contains_key(one.record.id().as_str()));
        }
        match fault {
            Fault::UniquenessFromMemory | Fault::AdoptsFromMemory => check(&lock(&self.seen), &all)?,
            _ => check(&books, &all)?,
        }
        if fault == Fault::AcknowledgesTooEarly {
            *lock(&self.disk.written) = Some(books.clone());
        }
        let before = books.feed.len();
        let flushed_before = books.clone();
        books.write(&all, fault);
        self.flush(Some(flushed_before)).map_err(|error| self.unknown(error))?;
        self.see(&books);
        if fault == Fault::AdoptedIsNotInTheFeed {
            books.feed.truncate(before);
        }
        Ok(())
    }

    async fn note_uses(&self, uses: &[Use], believable_until: Timestamp) -> Result<(), StoreError> {
        let _turn = self.hold(Fault::DroppedNoteUsesHolds).await;
        if self.fault == Fault::DroppedReaderBlocks {
            *lock(&self.is_busy) = true;
        }
        self.pause(1).await;
        if self.fault == Fault::UsesNeedAClock && self.disk.clock_is_behind.load(Ordering::Relaxed) {
            return Err(StoreError::new(StoreErrorKind::Unavailable));
        }
        *lock(&self.is_busy) = false;
        if self.fault == Fault::SecretsFromMemory {
            // It looks again only for what it does not know.
            let knows = |used: &Use| lock(&self.seen).indexes.contains_key(&used.client_id);
            if !uses.iter().all(knows) {
                self.see(&self.books());
            }
        }
        if self.fault == Fault::NotesBeforeItFlushes {
            let books = self.books();
            let is_known = |used: &Use| {
                let known = books.uses.get(&(used.client_id.clone(), used.secret)).copied();
                !used.replaces(known, believable_until)
            };
            if uses.iter().all(is_known) {
                return Ok(());
            }
        }
        self.make_up_for_failures()?;
        let before = (!lock(&self.disk.failing).is_empty()).then(|| self.books().clone());
        let most = if self.fault == Fault::NotesAThousand { 1000 } else { uses.len() };
        for Use { client_id, secret, at } in uses.iter().take(most) {
            let numbered = match self.fault {
                Fault::UsesAreNumberedInTwoBytes => SecretId::new(secret.number() & 0xffff).unwrap(),
                _ => *secret,
            };
            let key = (client_id.clone(), numbered);
            let is_known = {
                let books = self.view(Fault::SecretsFromMemory);
                books
                    .indexes
                    .get(client_id)
                    .is_some_and(|index| index.ends.iter().any(|(id, _)| id == secret))
            };
            let has_end = self
                .books()
                .indexes
                .get(client_id)
                .is_some_and(|index| index.ends.iter().any(|(id, at)| id == secret && at.is_some()));
            match self.fault {
                Fault::UsesNeedAnEnd if !has_end => continue,
                Fault::UsesAreInserted => {}
                Fault::UnknownUseIsAnError if !is_known => {
                    return Err(StoreError::new(StoreErrorKind::Corrupt));
                }
                _ if !is_known => continue,
                _ => {}
            }
            let known = self.view(Fault::UsesFromMemory).uses.get(&key).copied();
            self.gap(Fault::ReadsThenNotes).await;
            self.gap(Fault::LooksThenNotes).await;
            let mut books = self.books();
            let is_known = |books: &Books| {
                books
                    .indexes
                    .get(client_id)
                    .is_some_and(|index| index.ends.iter().any(|(id, _)| id == secret))
            };
            let known = match self.fault {
                Fault::ReadsThenNotes => known,
                Fault::UsesFromMemory => lock(&self.seen).uses.get(&key).copied(),
                _ => books.uses.get(&key).copied(),
            };
            let does_not_look = matches!(
                self.fault,
                Fault::LooksThenNotes | Fault::UsesAreInserted | Fault::SecretsFromMemory
            );
            if !does_not_look && !is_known(&books) {
                continue;
            }
            let latest = match self.fault {
                Fault::LastNoteWins => *at,
                Fault::BelievesTooLittle if known == Some(believable_until) => *at,
                Fault::EveryUseIsBelieved => known.map_or(*at, |known| known.max(*at)),
                _ => known.filter(|known| *known <= believable_until).map_or(*at, |known| known.max(*at)),
            };
            if self.fault == Fault::UsesAreNotFlushed {
                *lock(&self.disk.written) = Some(books.clone());
            }
            books.uses.insert(key, latest);
            if self.fault == Fault::UsesOfAThousandClients && books.uses.len() > 1000 {
                books.uses.pop_first();
            }
            self.see(&books);
            if self.fault == Fault::UsesAreEvents {
                let again = books.feed.last().cloned();
                books.numbered += 1;
                let number = books.numbered;
                books.feed.extend(again.map(|(_, event)| (number, event)));
            }
        }
        self.flush(before)
    }

    async fn last_uses(&self, client_id: &ClientId) -> Result<LastUses, StoreError> {
        let _turn = self.begin(Fault::DroppedLastUsesHolds).await?;
        self.pause(1).await;
        let mut uses = LastUses::default();
        for ((id, secret), at) in &self.view(Fault::UsesFromMemory).uses {
            let is_wanted = match self.fault {
                Fault::UsesIgnoreCase => id.as_str().eq_ignore_ascii_case(client_id.as_str()),
                _ => id == client_id,
            };
            if is_wanted && (self.fault != Fault::UsesOfAHundred || secret.number() <= 100) {
                uses.note(*secret, *at);
            }
            if self.fault == Fault::UsesAreJoined {
                let text = format!("{id}{secret}");
                let number = text.strip_prefix(client_id.as_str()).and_then(|number| number.parse().ok());
                number.into_iter().for_each(|number| uses.note(number, *at));
            }
        }
        Ok(uses)
    }
}

impl Books {
    fn check(&self, commit: &Commit, fault: Fault) -> Result<(), CommitError> {
        if fault == Fault::UniquenessComesFirst {
            self.check_unique(&writes(commit), fault)?;
        }
        self.check_expected(commit, fault)?;
        self.check_unique(&writes(commit), fault)
    }

    fn check_expected(&self, commit: &Commit, fault: Fault) -> Result<(), CommitError> {
        let check = |change: &client_registry::store::RecordChange| {
            self.check_one(change.id(), change.expected(), fault)
        };
        match fault {
            Fault::LastConflictIsNamed => commit.changes().iter().rev().try_for_each(check),
            _ => commit.changes().iter().try_for_each(check),
        }
    }

    fn check_one(&self, id: RecordId<'_>, expected: &Expected, fault: Fault) -> Result<(), CommitError> {
        let found = self.records.get(id.as_str()).map(|bytes| Record::from_bytes(bytes)).transpose();
        let found = found.map_err(CommitError::NotWritten)?;
        let there: Option<(Revision, Option<&KeyId>)> = found.as_ref().map(|r| (r.revision(), r.key_id()));
        let holds = match (fault, expected, there) {
            (Fault::UnderIgnoresKey, Expected::Under(revision, _), Some((found, _))) => *revision == found,
            (Fault::UnderIgnoresRevision, Expected::Under(_, key_id), Some((_, under))) => {
                Some(key_id) == under
            }
            (Fault::DeletedIsAbsent, Expected::Absent, Some(_)) => self
                .indexes
                .iter()
                .any(|(client, index)| client.as_str() == id.as_str() && index.name.is_none()),
            (Fault::AnyRevisionWillDo, Expected::Exactly(_), Some(_)) => true,
            _ => expected.holds(there),
        };
        if holds {
            return Ok(());
        }
        let found = found.map(|found| found.revision()).filter(|_| fault != Fault::ConflictSaysNothing);
        Err(CommitError::Conflict { record_id: id.as_str().into(), found })
    }

    fn check_unique(&self, all: &[Write<'_>], fault: Fault) -> Result<(), CommitError> {
        let mut claimed: Vec<(IndexEntry, ClientId)> = Vec::new();
        for write in all {
            let Some(id) = write.record.id().client_id() else { continue };
            for entry in entries(write.index) {
                let is_same = |other: &IndexEntry| match (fault, &entry, other) {
                    (Fault::AddInsIgnoreCase, IndexEntry::AddIn(one), IndexEntry::AddIn(other)) => {
                        one.as_str().eq_ignore_ascii_case(other.as_str())
                    }
                    (
                        Fault::NamesIgnoreAccents,
                        IndexEntry::Name(seller, one),
                        IndexEntry::Name(other_seller, other),
                    ) => seller == other_seller && unaccented(one.as_str()) == unaccented(other.as_str()),
                    (Fault::AddInsAreCut, IndexEntry::AddIn(one), IndexEntry::AddIn(other)) => {
                        start(one.as_str(), 127) == start(other.as_str(), 127)
                    }
                    (
                        Fault::NamesAreCut,
                        IndexEntry::Name(seller, one),
                        IndexEntry::Name(other_seller, other),
                    ) => seller == other_seller && start(one.as_str(), 255) == start(other.as_str(), 255),
                    (Fault::NamesAreJoined, IndexEntry::Name(..), IndexEntry::Name(..))
                    | (Fault::EntriesAreJoined, _, _) => joined(&entry) == joined(other),
                    (Fault::NamesAreNotChecked, IndexEntry::Name(..), _)
                    | (Fault::AddInsAreNotChecked, IndexEntry::AddIn(_), _) => false,
                    _ => entry == *other,
                };
                let is_changed = |holder: &ClientId| match fault {
                    Fault::MovesTrip => holder == &id,
                    Fault::HoldersAreCut => all
                        .iter()
                        .any(|write| start(write.record.id().as_str(), 63) == start(holder.as_str(), 63)),
                    _ => all.iter().any(|write| write.record.id() == holder.into()),
                };
                let mut holders = self.indexes.iter().filter(|(holder, _)| !is_changed(holder));
                let before = holders.find(|(_, index)| entries(index).any(|other| is_same(&other)));
                let beside = claimed.iter().find(|(other, _)| is_same(other));
                let beside = beside.filter(|_| fault != Fault::ClaimedTwice);
                // The first of the client's entries, whichever it is that somebody has.
                let first = claimed.first().filter(|_| fault == Fault::TakenNamesAnother);
                if let (Some((by, _)), Some((first, _))) = (before, first) {
                    return Err(CommitError::Taken { entry: first.clone(), by: by.clone() });
                }
                if let Some(by) = before.map(|(id, _)| id).or(beside.map(|(_, id)| id)) {
                    return Err(CommitError::Taken { entry, by: by.clone() });
                }
                claimed.push((entry, id.clone()));
            }
        }
        Ok(())
    }

    /// Gives out numbers for events that are yet to be written.
    fn draw(&mut self, all: &[Write<'_>]) -> u64 {
        let first = self.numbered + 1;
        self.numbered +=
            all.iter().flat_map(|write| &write.history).map(|c| c.events.len() as u64).sum::<u64>();
        self.under_way.insert(first);
        first
    }

    fn write(&mut self, all: &[Write<'_>], fault: Fault) {
        self.write_numbered(all, fault, None);
    }

    fn write_numbered(&mut self, all: &[Write<'_>], fault: Fault, numbers: Option<u64>) {
        for write in all {
            let id = write.record.id();
            let mut bytes = write.record.to_bytes().unwrap();
            match fault {
                Fault::JsonIsWrittenAnew => bytes = rewritten(write.record),
                Fault::LongIsCutShort => bytes.truncate(60_000),
                _ => {}
            }
            self.records.insert(id.as_str().to_owned(), bytes);
            let Some(client_id) = id.client_id() else { continue };
            let mut index = write.index.clone();
            match fault {
                Fault::AdoptingKeepsOnlyEnds if write.is_adopted => {
                    index.ends.retain(|(_, at)| at.is_some());
                }
                Fault::AdoptsAHundredEntries if write.is_adopted => {
                    index.add_ins.truncate(100);
                    index.ends.truncate(100);
                }
                _ => {}
            }
            if let Some(before) = self.indexes.get(&client_id) {
                match fault {
                    Fault::AddInsAreMerged => index.add_ins.extend(before.add_ins.clone()),
                    Fault::EndsAreMerged => index.ends.extend(before.ends.clone()),
                    Fault::KeyIsNotMoved => index.key_id = before.key_id.clone(),
                    Fault::ResealingKeepsOnlyEnds if write.history.is_empty() => {
                        index.ends.retain(|(_, at)| at.is_some());
                    }
                    _ => {}
                }
            }
            if fault == Fault::HistoryGoesWithTheClient && index.name.is_none() {
                self.trails.remove(&client_id);
            }
            let stays = |secret: &SecretId| match fault {
                Fault::UsesAreForgotten => false,
                Fault::UsesStay => true,
                Fault::UsesGoWithTheEnd => index.ends.iter().any(|(id, at)| id == secret && at.is_some()),
                _ => index.ends.iter().any(|(id, _)| id == secret),
            };
            self.uses.retain(|(client, secret), _| *client != client_id || stays(secret));
            self.indexes.insert(client_id, index);
        }
        self.append(all, fault, numbers);
    }

    fn append(&mut self, all: &[Write<'_>], fault: Fault, numbers: Option<u64>) {
        let mut next = numbers.unwrap_or(self.numbered + 1);
        for (position, write) in all.iter().enumerate() {
            let Some(client_id) = write.record.id().client_id() else { continue };
            if write.history.is_empty() && fault == Fault::ResealingIsHistory {
                let (commit_id, revision) = (any_commit_id(), write.record.revision());
                self.trails.entry(client_id).or_default().push(Stretch {
                    commit_id,
                    revision,
                    events: "[]".to_owned(),
                });
                continue;
            }
            if write.history.is_empty() && fault == Fault::ResealingIsNews {
                let again = self.feed.last().cloned();
                self.feed.extend(again.map(|(_, event)| (next, event)));
                next += 1;
            }
            for committed in &write.history {
                let events: Vec<&EventText> = match fault {
                    Fault::HistoryIsOfBoth => all
                        .iter()
                        .flat_map(|write| &write.history)
                        .flat_map(|committed| &committed.events)
                        .collect(),
                    _ => committed.events.iter().collect(),
                };
                let anew: Vec<_> = events.iter().map(|event| respelt(event)).collect();
                let events =
                    if fault == Fault::EventsAreWrittenAnew { anew.iter().collect() } else { events };
                let trail = match fault {
                    Fault::HistoryIdsAreCut => cut(&client_id, 63),
                    _ => client_id.clone(),
                };
                self.trails.entry(trail).or_default().push(Stretch {
                    commit_id: if fault == Fault::HistoryNamesAnother {
                        any_commit_id()
                    } else {
                        committed.commit_id
                    },
                    revision: committed.revision,
                    events: serde_json::to_string(&events).unwrap(),
                });
                if fault == Fault::SecondClientIsNoNews && position > 0 {
                    continue;
                }
                for event in &committed.events {
                    let event = match fault {
                        Fault::FeedIsWrittenAnew => respelt(event),
                        _ => event.clone(),
                    };
                    self.feed.push((next, serde_json::to_string(&event).unwrap()));
                    self.tags.insert(next, next_number());
                    next += 1;
                }
            }
        }
        self.numbered = self.numbered.max(next - 1);
        if fault == Fault::FeedIsByInstant {
            let at = |text: &str| Event::parse(&decode(text).unwrap()).unwrap().at();
            self.feed.sort_by_key(|(_, event)| at(event));
            (1..).zip(&mut self.feed).for_each(|(number, (place, _))| *place = number);
        }
    }

    fn has(&self, commit_id: CommitId) -> bool {
        self.trails.values().flatten().any(|stretch| stretch.commit_id == commit_id)
    }
}

/// A number of a slow writer that is given back when it is done, or dropped.
struct GivenBack<'a> {
    disk: &'a Disk,
    first: u64,
}

impl Drop for GivenBack<'_> {
    fn drop(&mut self) {
        // Not while the books are open: whoever holds them has written, and this comes after.
        lock(&self.disk.books).under_way.remove(&self.first);
    }
}

/// Whose turn it is.
#[derive(Debug, Default)]
struct Turns {
    taken: u64,
    served: u64,
    waiting: Vec<Waker>,
}

/// Who holds a lock, and who waits for it.
#[derive(Debug, Default)]
struct Line {
    is_held: bool,
    waiting: VecDeque<Waker>,
}

/// Passed on when it is dropped.
enum Turn<'a> {
    /// A ticket whose turn had not come when its call was dropped is not passed on.
    InOrder(&'a Mutex<Turns>),
    /// One who waits is woken, and no other one if that one is gone.
    InLine(&'a Mutex<Line>),
}

impl Line {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.is_held {
            self.waiting.push_back(cx.waker().clone());
            return Poll::Pending;
        }
        self.is_held = true;
        Poll::Ready(())
    }
}

impl Turns {
    fn take(&mut self) -> u64 {
        self.taken += 1;
        self.taken - 1
    }

    fn poll(&mut self, ticket: u64, cx: &mut Context<'_>) -> Poll<()> {
        if ticket == self.served {
            return Poll::Ready(());
        }
        self.waiting.push(cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        match self {
            Self::InOrder(turns) => {
                let mut turns = lock(turns);
                turns.served += 1;
                turns.waiting.drain(..).for_each(Waker::wake);
            }
            Self::InLine(line) => {
                let mut line = lock(line);
                line.is_held = false;
                line.waiting.pop_front().into_iter().for_each(Waker::wake);
            }
        }
    }
}

/// A commit that goes on when its future does not.
struct Unfinished<'a> {
    late: &'a Mutex<Vec<Commit>>,
    commit: Option<Commit>,
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        lock(self.late).extend(self.commit.take());
    }
}

fn writes(commit: &Commit) -> Vec<Write<'_>> {
    let write = |change: &'_ client_registry::store::RecordChange| {
        history_of(commit.id(), change.record().revision(), change.events())
    };
    let changes = commit.changes().iter();
    changes
        .map(|change| Write {
            record: change.record(),
            index: change.index(),
            history: write(change),
            is_adopted: false,
        })
        .collect()
}

fn history_of(commit_id: CommitId, revision: Revision, events: &[EventText]) -> Vec<Committed> {
    let committed = Committed { commit_id, revision, events: events.to_vec() };
    Some(committed).filter(|committed| !committed.events.is_empty()).into_iter().collect()
}

fn entries(index: &Index) -> impl Iterator<Item = IndexEntry> + '_ {
    let name = index.name.iter().map(|(seller, key)| IndexEntry::Name(seller.clone(), key.clone()));
    name.chain(index.add_ins.iter().cloned().map(IndexEntry::AddIn))
}

fn decode<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::with_source(StoreErrorKind::Corrupt, error))
}

/// What a store makes of a body that it takes for a value.
fn rewritten(record: &Record) -> Vec<u8> {
    let mut parts = record.parts().unwrap();
    let body = serde_json::from_str::<serde_json::Value>(parts.body).map(|value| value.to_string());
    let body = body.unwrap_or_else(|_| parts.body.to_owned());
    parts.body = &body;
    Record::from_parts(parts).unwrap().to_bytes().unwrap()
}

fn start(text: &str, bytes: usize) -> &[u8] {
    &text.as_bytes()[..bytes.min(text.len())]
}

fn cut(id: &ClientId, bytes: usize) -> ClientId {
    ClientId::parse(&id.as_str()[..bytes.min(id.as_str().len())]).unwrap()
}

fn joined(entry: &IndexEntry) -> String {
    match entry {
        IndexEntry::AddIn(add_in) => add_in.to_string(),
        IndexEntry::Name(seller, key) => format!("{seller}:{}", key.as_str()),
        _ => unreachable!("there are no others"),
    }
}

/// What a store makes of an event that it takes for a value.
fn respelt(event: &EventText) -> EventText {
    match serde_json::from_slice::<serde_json::Value>(event.as_bytes()) {
        Ok(value) => EventText::from_bytes(value.to_string().into_bytes()),
        Err(_) => event.clone(),
    }
}

fn unaccented(text: &str) -> String {
    text.replace('\u{e9}', "e").replace("\u{df}", "ss")
}

fn any_commit_id() -> CommitId {
    serde_json::from_str(&format!("{:?}", [7; 16])).unwrap()
}

/// Pending so many times.
struct Pause(usize);

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.0 == 0 {
            return Poll::Ready(());
        }
        self.0 -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

fn next_number() -> u64 {
    static NUMBERS: AtomicU64 = AtomicU64::new(1);
    NUMBERS.fetch_add(1, Ordering::Relaxed)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
