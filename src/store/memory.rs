//! The store that keeps live clients in this process's memory.
//!
//! Readers look a record up in a map without a lock, unless two clients are changing at once. Commits take turns
//! on the books, which hold everything else: the indexes, the trails, the feed and the last uses.

mod books;
mod look;

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::books::Books;
pub(crate) use self::look::WholeCommits;
use self::look::{Key, Records, Sought};
use super::{
    Adopted, Changes, ClientsBy, Commit, CommitError, Committed, Cursor, Ending, Index, IndexEntry, Store,
    StoreError, StoreErrorKind, Use,
};
use crate::client::LastUses;
use crate::entropy::instance_mark;
use crate::record::{Record, RecordId};
use crate::value::{AddInId, ClientId, Revision, Timestamp};

/// A store in this process's memory: everything is lost when the process ends. Cheap to clone; clones are the same store.
///
/// [`Registry::in_memory`](crate::Registry::in_memory) uses one. To test an application with sealed records and without a
/// database, open it with a keyring:
///
/// ```
/// # use client_registry::{Keyring, Registry, store::MemoryStore, value::KeyId};
/// # pollster::block_on(async {
/// let keyring = Keyring::generate(KeyId::parse("2026")?)?;
/// let registry = Registry::open(MemoryStore::new(), keyring).await?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct MemoryStore {
    inner: Arc<Inner>,
}

struct Inner {
    records: Records,
    books: Mutex<Books>,
    /// Whether records are being replaced one after the other that must be seen to change at once.
    is_half_written: AtomicBool,
    /// Tells this store's cursors from those of another.
    mark: u64,
}

impl MemoryStore {
    /// Returns an empty store.
    #[must_use]
    pub fn new() -> Self {
        let records = papaya::HashMap::with_hasher(foldhash::fast::RandomState::default());
        let mark = instance_mark();
        let is_half_written = AtomicBool::new(false);
        Self { inner: Arc::new(Inner { records, books: Mutex::default(), is_half_written, mark }) }
    }

    /// A panic while the books were open would have been in this file, between two whole steps: they are still true.
    fn books(&self) -> MutexGuard<'_, Books> {
        self.inner.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[inline]
    fn find(&self, id: RecordId<'_>) -> Option<Record> {
        self.inner.records.pin().get(&Sought(id.as_bytes())).cloned()
    }

    /// Returns a look into the records that began between two commits.
    #[inline(always)]
    pub(crate) fn whole_commits(&self) -> WholeCommits<'_> {
        self.wait_for_whole_commits();
        WholeCommits { records: self.inner.records.pin() }
    }

    /// Waits while two records that must be seen to change at once are being replaced.
    #[inline(always)]
    fn wait_for_whole_commits(&self) {
        if self.inner.is_half_written.load(Ordering::Acquire) {
            drop(self.books());
        }
    }

    fn index_of(&self, books: &Books, client_id: &ClientId) -> Index {
        match self.find(client_id.into()).as_ref().and_then(Record::as_live) {
            Some(live) => Index::of(live, None),
            None => books.indexes.get(client_id).cloned().unwrap_or_default(),
        }
    }

    /// Puts records in place once nothing stands against it. The caller holds the books.
    fn write<'a>(
        &self,
        books: &mut Books,
        changes: impl Iterator<Item = (&'a ClientId, &'a Record, &'a Index)> + Clone,
    ) {
        for (client_id, ..) in changes.clone() {
            let index = self.index_of(books, client_id);
            books.strike_out(client_id, &index);
        }
        // A reader that has seen the first of several new records sees this flag when it reads another one, and waits.
        self.inner.is_half_written.store(changes.clone().nth(1).is_some(), Ordering::Release);
        for (client_id, record, index) in changes {
            books.enter(client_id, index);
            if record.as_live().is_none() {
                books.indexes.insert(client_id.clone(), index.clone());
            }
            self.inner.records.pin().insert(Key(client_id.clone()), record.clone());
        }
        self.inner.is_half_written.store(false, Ordering::Release);
    }

    /// In the state after the whole commit each entry belongs to one client.
    fn check_unique<'a>(
        &self,
        books: &Books,
        changes: impl Iterator<Item = (&'a ClientId, &'a Index)> + Clone,
    ) -> Result<(), CommitError> {
        let is_changed = |id: &ClientId| changes.clone().any(|(changed, _)| changed == id);
        let mut claimed = HashMap::new();
        for (client_id, index) in changes.clone() {
            for entry in index.unique_entries() {
                let before = books.owners.get(&entry).filter(|owner| !is_changed(owner));
                let taken = before.cloned().or_else(|| claimed.insert(entry.clone(), client_id.clone()));
                if let Some(by) = taken {
                    return Err(CommitError::Taken { entry, by });
                }
            }
        }
        Ok(())
    }
}

impl Store for MemoryStore {
    #[inline]
    async fn load(&self, id: RecordId<'_>) -> Result<Option<Record>, StoreError> {
        if id.is_reserved() {
            return Ok(self.books().reserved.get(id.as_str()).cloned());
        }
        self.wait_for_whole_commits();
        Ok(self.find(id))
    }

    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        let mut books = self.books();
        for change in commit.changes() {
            let id = change.id();
            let found =
                if id.is_reserved() { books.reserved.get(id.as_str()).cloned() } else { self.find(id) };
            if !change.expected().holds(found.as_ref().map(|found| (found.revision(), found.key_id()))) {
                let found = found.map(|found| found.revision());
                return Err(CommitError::Conflict { record_id: id.as_str().into(), found });
            }
        }
        let changes: Vec<_> = commit.changes().iter().map(|c| (client_id_of(c.record()), c)).collect();
        let of_clients = || changes.iter().filter_map(|(id, change)| Some((id.as_ref()?, *change)));
        self.check_unique(&books, of_clients().map(|(id, change)| (id, change.index())))?;

        self.write(&mut books, of_clients().map(|(id, change)| (id, change.record(), change.index())));
        for (client_id, change) in of_clients() {
            books.append(client_id, commit.id(), change.record().revision(), change.events());
        }
        for (_, change) in changes.iter().filter(|(client_id, _)| client_id.is_none()) {
            books.reserved.insert(change.id().as_str().into(), change.record().clone());
        }
        Ok(())
    }

    async fn history(
        &self,
        client_id: &ClientId,
        after: Revision,
        limit: usize,
    ) -> Result<Vec<Committed>, StoreError> {
        let books = self.books();
        let trail = books.trails.get(client_id).map(Vec::as_slice).unwrap_or_default();
        let later = trail.iter().filter(|stretch| stretch.revision > after).take(limit);
        Ok(later.map(|stretch| books.committed(stretch)).collect())
    }

    async fn clients(
        &self,
        by: ClientsBy<'_>,
        after: Option<&ClientId>,
        limit: usize,
    ) -> Result<Vec<ClientId>, StoreError> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let page = |ids: &BTreeSet<ClientId>| {
            ids.range::<ClientId, _>((from, Bound::Unbounded)).take(limit).cloned().collect()
        };
        let books = self.books();
        Ok(match by {
            ClientsBy::All => page(&books.all),
            ClientsBy::Seller(seller) => books.by_seller.get(seller).map(page).unwrap_or_default(),
            ClientsBy::Key(key_id) => books.by_key.get(key_id).map(page).unwrap_or_default(),
            ClientsBy::Name(seller, key) => {
                let owner = books.owners.get(&IndexEntry::Name(seller.clone(), key.clone()));
                owner
                    .filter(|id| after.is_none_or(|after| *id > after))
                    .into_iter()
                    .take(limit)
                    .cloned()
                    .collect()
            }
        })
    }

    async fn client_of(&self, add_in: &AddInId) -> Result<Option<ClientId>, StoreError> {
        Ok(self.books().owners.get(&IndexEntry::AddIn(add_in.clone())).cloned())
    }

    async fn ending(
        &self,
        before: Timestamp,
        after: Option<&Ending>,
        limit: usize,
    ) -> Result<Vec<Ending>, StoreError> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let books = self.books();
        let later = books.endings.range::<Ending, _>((from, Bound::Unbounded));
        Ok(later.take_while(|ending| ending.at < before).take(limit).cloned().collect())
    }

    async fn changes(&self, after: Option<&Cursor>, limit: usize) -> Result<Changes, StoreError> {
        let books = self.books();
        let start = match after {
            None => 0,
            Some(cursor) => {
                let position = self.position(cursor).filter(|position| *position <= books.feed.len());
                position.ok_or_else(|| StoreError::new(StoreErrorKind::CursorLost))?
            }
        };
        let events: Vec<_> = books.feed.iter().skip(start).take(limit).cloned().collect();
        let cursor = self.cursor(start + events.len());
        Ok(Changes { events, cursor })
    }

    async fn latest(&self) -> Result<Cursor, StoreError> {
        Ok(self.cursor(self.books().feed.len()))
    }

    async fn adopt(&self, clients: &[Adopted]) -> Result<(), CommitError> {
        let mut books = self.books();
        for client in clients {
            let id = client.record().id();
            if let Some(found) = self.find(id) {
                let found = Some(found.revision());
                return Err(CommitError::Conflict { record_id: id.as_str().into(), found });
            }
        }
        let clients: Vec<_> = clients.iter().filter_map(|c| Some((client_id_of(c.record())?, c))).collect();
        self.check_unique(&books, clients.iter().map(|(id, client)| (id, client.index())))?;

        self.write(&mut books, clients.iter().map(|(id, client)| (id, client.record(), client.index())));
        for (client_id, client) in &clients {
            for Committed { commit_id, revision, events } in client.history() {
                books.append(client_id, *commit_id, *revision, events);
            }
        }
        Ok(())
    }

    async fn note_uses(&self, uses: &[Use], believable_until: Timestamp) -> Result<(), StoreError> {
        let mut books = self.books();
        for used in uses {
            if self.index_of(&books, &used.client_id).ends.iter().any(|(id, _)| *id == used.secret) {
                let stored = books.uses.entry(used.client_id.clone()).or_default();
                if used.replaces(stored.of(used.secret), believable_until) {
                    stored.set(used.secret, used.at);
                }
            }
        }
        Ok(())
    }

    async fn last_uses(&self, client_id: &ClientId) -> Result<LastUses, StoreError> {
        Ok(self.books().uses.get(client_id).cloned().unwrap_or_default())
    }
}

impl MemoryStore {
    fn cursor(&self, position: usize) -> Cursor {
        Cursor::new(format!("{:016x}:{position}", self.inner.mark))
    }

    fn position(&self, cursor: &Cursor) -> Option<usize> {
        let (mark, position) = cursor.as_str().split_once(':')?;
        let is_ours = u64::from_str_radix(mark, 16).ok()? == self.inner.mark;
        position.parse().ok().filter(|_| is_ours)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("records", &self.inner.records.len()).finish_non_exhaustive()
    }
}

/// Whose record it is; nobody's under a reserved ID.
fn client_id_of(record: &Record) -> Option<ClientId> {
    match record.as_live() {
        Some(live) => Some(live.client_id().clone()),
        None => record.id().client_id(),
    }
}
