//! What the store keeps in memory, and how it decides: expectations, uniqueness, the order of the feed.

use std::collections::BTreeMap;
use std::error::Error;

use client_registry::store::{
    CommitError, Committed, EventText, Expected, Index, IndexEntry, Record, RecordId, StoreError,
    StoreErrorKind,
};
use client_registry::{ClientId, SecretId, Timestamp};
use data_encoding::{BASE64, HEXLOWER};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub(crate) type Uses = BTreeMap<(ClientId, SecretId), Timestamp>;

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) records: BTreeMap<String, Kept>,
    /// The latest commit, which is in the journal and not yet in the files.
    pub(crate) journal: Vec<(String, Kept)>,
    /// Every event in the order of its number. A cursor is the number of events that have been read, and the hash of all of them.
    pub(crate) feed: Vec<EventText>,
    /// The hash of each event and all events before it.
    hashes: Vec<[u8; 32]>,
    pub(crate) uses: Uses,
    /// The store does not know what is on the disk. Opening it again will tell.
    pub(crate) is_in_doubt: bool,
}

/// A record with all that belongs to it: the content of a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// The bytes of the record in base64. The store does not look into them.
    record: String,
    pub(crate) index: Index,
    /// The commits of the record, each with a number that counts all commits of the store: the order of the feed.
    pub(crate) history: Vec<(u64, Committed)>,
}

impl State {
    /// The clients and the tombstones of deleted ones, in the order of their IDs. The registry's record is not among them.
    pub(crate) fn clients(&self) -> impl Iterator<Item = (ClientId, &Index)> {
        self.records.iter().filter_map(|(id, kept)| Some((ClientId::parse(id).ok()?, &kept.index)))
    }

    pub(crate) fn commits(&self) -> u64 {
        let numbers = self.records.values().flat_map(|kept| &kept.history).map(|(number, _)| number + 1);
        numbers.max().unwrap_or(0)
    }

    pub(crate) fn expect(&self, id: RecordId<'_>, expected: &Expected) -> Result<(), CommitError> {
        let found = self.records.get(id.as_str()).map(Kept::record).transpose();
        let found = found.map_err(CommitError::NotWritten)?;
        if expected.holds(found.as_ref().map(|record| (record.revision(), record.key_id()))) {
            return Ok(());
        }
        let found = found.map(|record| record.revision());
        Err(CommitError::Conflict { record_id: id.as_str().into(), found })
    }

    /// Refuses entries that would belong to two clients in the state after the whole commit. What one client of the commit gives
    /// up, another one may take.
    pub(crate) fn ensure_unique(&self, changed: &[(RecordId<'_>, &Index)]) -> Result<(), CommitError> {
        let is_changed = |id: &ClientId| changed.iter().any(|(changed, _)| changed.as_str() == id.as_str());
        let unchanged = self.clients().filter(|(id, _)| !is_changed(id));
        let mut after: Vec<_> =
            unchanged.flat_map(|(id, index)| entries(index).map(move |e| (e, id.clone()))).collect();
        for (id, index) in changed {
            let Some(id) = id.client_id() else { continue };
            for entry in entries(index) {
                if let Some((_, by)) = after.iter().find(|(other, _)| *other == entry) {
                    return Err(CommitError::Taken { entry, by: by.clone() });
                }
                after.push((entry, id.clone()));
            }
        }
        Ok(())
    }

    /// The next state of a record: a new index, and a history that goes on.
    pub(crate) fn next(
        &self,
        record: &Record,
        index: &Index,
        news: impl IntoIterator<Item = Committed>,
        number: u64,
    ) -> Result<(String, Kept), StoreError> {
        let id = record.id().as_str().to_owned();
        let mut history = self.records.get(&id).map(|kept| kept.history.clone()).unwrap_or_default();
        history.extend((number..).zip(news));
        Ok((id, Kept { record: BASE64.encode(&record.to_bytes()?), index: index.clone(), history }))
    }

    /// Drops the uses of secrets that are not there (any longer).
    pub(crate) fn without_the_gone(&self, mut uses: Uses) -> Uses {
        uses.retain(|(id, secret), _| {
            let kept = self.records.get(id.as_str());
            kept.is_some_and(|kept| kept.index.ends.iter().any(|(known, _)| known == secret))
        });
        uses
    }

    /// Adds events to the feed.
    pub(crate) fn tell(&mut self, events: impl IntoIterator<Item = EventText>) {
        for event in events {
            let before = self.hashes.last().copied().unwrap_or_default();
            let hash = Sha256::new().chain_update(before).chain_update(event.as_bytes()).finalize();
            self.hashes.push(hash.into());
            self.feed.push(event);
        }
    }

    /// The hash of the first events of the feed, or `None` if it has fewer.
    pub(crate) fn hash_of(&self, events: usize) -> Option<String> {
        match events.checked_sub(1) {
            None => Some(String::new()),
            Some(last) => self.hashes.get(last).map(|hash| HEXLOWER.encode(hash)),
        }
    }
}

impl Kept {
    pub(crate) fn record(&self) -> Result<Record, StoreError> {
        Record::from_bytes(&BASE64.decode(self.record.as_bytes()).map_err(corrupt)?)
    }
}

fn entries(index: &Index) -> impl Iterator<Item = IndexEntry> {
    let name = index.name.iter().map(|(seller, key)| IndexEntry::Name(seller.clone(), key.clone()));
    name.chain(index.add_ins.iter().cloned().map(IndexEntry::AddIn))
}

/// In hexadecimal, since some file systems take IDs that differ only in case for the same.
pub(crate) fn file_name(id: &str) -> String {
    format!("{}.record", HEXLOWER.encode(id.as_bytes()))
}

pub(crate) fn unavailable(source: impl Into<Box<dyn Error + Send + Sync>>) -> StoreError {
    StoreError::with_source(StoreErrorKind::Unavailable, source)
}

pub(crate) fn corrupt(source: impl Into<Box<dyn Error + Send + Sync>>) -> StoreError {
    StoreError::with_source(StoreErrorKind::Corrupt, source)
}
