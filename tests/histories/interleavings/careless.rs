//! The planted fault: a store that checks what a commit expects, lets another commit go first, and then writes without
//! looking again. Every race must come out wrong in at least one order.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use client_registry::client::LastUses;
use client_registry::store::{
    Adopted, Changes, ClientsBy, Commit, CommitError, Committed, Cursor, Ending, Index, IndexEntry, Record,
    RecordId, Store, StoreError, StoreErrorKind, Use,
};
use client_registry::value::Revision;
use client_registry::{AddInId, ClientId, Timestamp};

use crate::interleavings::gates::Gates;

#[derive(Debug, Clone)]
pub(crate) struct Careless {
    books: Arc<Mutex<Books>>,
    gates: Gates,
}

#[derive(Debug, Default)]
struct Books {
    records: BTreeMap<ClientId, (Record, Index)>,
    trails: HashMap<ClientId, Vec<Committed>>,
    uses: HashMap<ClientId, LastUses>,
}

impl Careless {
    pub(crate) fn new(gates: Gates) -> Self {
        let books = Arc::default();
        Self { books, gates }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap()
    }
}

impl Books {
    fn check(&self, commit: &Commit) -> Result<(), CommitError> {
        for change in commit.changes() {
            let found = self.records.get(change.id().as_str()).map(|(record, _)| record.revision());
            if !change.expected().holds(found.map(|revision| (revision, None))) {
                return Err(CommitError::Conflict { record_id: change.id().as_str().into(), found });
            }
        }
        for change in commit.changes() {
            for (by, (_, theirs)) in &self.records {
                let is_changed = commit.changes().iter().any(|change| change.id() == by.into());
                if !is_changed && let Some(entry) = common(change.index(), theirs) {
                    let by = by.clone();
                    return Err(CommitError::Taken { entry, by });
                }
            }
        }
        Ok(())
    }

    fn write(&mut self, commit: &Commit) {
        for change in commit.changes() {
            let written = (change.record().clone(), change.index().clone());
            let client_id = change.id().client_id().unwrap();
            self.records.insert(client_id.clone(), written);
            let trail = self.trails.entry(client_id).or_default();
            trail.push(Committed {
                commit_id: commit.id(),
                revision: change.record().revision(),
                events: change.events().to_vec(),
            });
        }
    }
}

fn common(ours: &Index, theirs: &Index) -> Option<IndexEntry> {
    if let Some((seller, key)) = &ours.name
        && ours.name == theirs.name
    {
        return Some(IndexEntry::Name(seller.clone(), key.clone()));
    }
    let add_in = ours.add_ins.iter().find(|add_in| theirs.add_ins.contains(add_in));
    add_in.cloned().map(IndexEntry::AddIn)
}

impl Store for Careless {
    async fn load(&self, id: RecordId<'_>) -> Result<Option<Record>, StoreError> {
        let books = self.books();
        Ok(books.records.get(id.as_str()).map(|(record, _)| record.clone()))
    }

    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        self.books().check(commit)?;
        self.gates.in_store().await;
        self.books().write(commit);
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
        let later = trail.iter().filter(|committed| committed.revision > after);
        Ok(later.take(limit).cloned().collect())
    }

    async fn clients(
        &self,
        by: ClientsBy<'_>,
        after: Option<&ClientId>,
        limit: usize,
    ) -> Result<Vec<ClientId>, StoreError> {
        let is_wanted = |index: &Index| match (by, &index.name) {
            (ClientsBy::All, _) => true,
            (ClientsBy::Seller(seller), Some((owner, _))) => seller == owner,
            (ClientsBy::Name(seller, key), Some((owner, name))) => seller == owner && key == name,
            _ => false,
        };
        let books = self.books();
        let wanted = books.records.iter().filter(|(_, (_, index))| is_wanted(index));
        let later = wanted.filter(|(id, _)| after.is_none_or(|after| *id > after));
        Ok(later.take(limit).map(|(id, _)| id.clone()).collect())
    }

    async fn client_of(&self, add_in: &AddInId) -> Result<Option<ClientId>, StoreError> {
        let books = self.books();
        let mut holders = books.records.iter().filter(|(_, (_, i))| i.add_ins.contains(add_in));
        Ok(holders.next().map(|(id, _)| id.clone()))
    }

    async fn ending(&self, _: Timestamp, _: Option<&Ending>, _: usize) -> Result<Vec<Ending>, StoreError> {
        Err(StoreError::new(StoreErrorKind::Unavailable))
    }

    async fn changes(&self, _: Option<&Cursor>, _: usize) -> Result<Changes, StoreError> {
        Err(StoreError::new(StoreErrorKind::Unavailable))
    }

    async fn latest(&self) -> Result<Cursor, StoreError> {
        Err(StoreError::new(StoreErrorKind::Unavailable))
    }

    async fn adopt(&self, _: &[Adopted]) -> Result<(), CommitError> {
        Err(StoreError::new(StoreErrorKind::Unavailable).into())
    }

    async fn note_uses(&self, uses: &[Use], _: Timestamp) -> Result<(), StoreError> {
        let mut books = self.books();
        for one in uses {
            let uses = books.uses.entry(one.client_id.clone()).or_default();
            uses.note(one.secret, one.at);
        }
        Ok(())
    }

    async fn last_uses(&self, client_id: &ClientId) -> Result<LastUses, StoreError> {
        Ok(self.books().uses.get(client_id).cloned().unwrap_or_default())
    }
}
