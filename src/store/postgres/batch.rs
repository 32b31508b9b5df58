//! What one statement writes, laid out in columns.
//!
//! The row of a record repeats what the rows by which its client is found say: a digest of its places (name and add-ins), and the
//! ends of its secrets. So the condition of a commit can be that nothing else is different, and it touches only rows that are.

use std::collections::{BTreeMap, HashMap};

use sha2::{Digest, Sha256};

use super::events;
use crate::event::EventText;
use crate::record::RecordParts;
use crate::store::{Adopted, Commit, CommitError, CommitId, Expected, Index, IndexEntry, Record};
use crate::store_error::{StoreError, StoreErrorKind};
use crate::value::{ClientId, Revision, SecretId};

/// Everything that is to be written, all or nothing.
pub(super) struct Batch<'a> {
    pub(super) records: Vec<Next<'a>>,
    /// The entries that belong to one client alone, each with the client.
    pub(super) entries: Vec<(IndexEntry, &'a str)>,
    pub(super) history: Vec<Stretch<'a>>,
    /// It goes before other batches.
    pub(super) is_urgent: bool,
}

/// The next state of one record.
pub(super) struct Next<'a> {
    pub(super) parts: RecordParts<'a>,
    pub(super) revision: i64,
    pub(super) expected: &'a Expected,
    pub(super) index: &'a Index,
    pub(super) places: [u8; 16],
    /// JSON: each secret with the end of its validity.
    pub(super) ends: String,
}

/// What one commit did to a client.
pub(super) struct Stretch<'a> {
    pub(super) client_id: &'a str,
    pub(super) revision: i64,
    pub(super) commit_id: [u8; 16],
    pub(super) events: Vec<u8>,
}

impl<'a> Batch<'a> {
    pub(super) fn of_commit(commit: &'a Commit) -> Result<Self, CommitError> {
        let mut batch = Self { is_urgent: commit.is_urgent(), ..Self::empty() };
        for change in commit.changes() {
            batch.add(change.record(), change.expected(), change.index())?;
            let made = (commit.id(), change.record().revision(), change.events());
            batch.append(change.id().as_str(), [made])?;
        }
        Ok(batch)
    }

    pub(super) fn of_adopted(clients: &'a [Adopted]) -> Result<Self, CommitError> {
        let mut batch = Self::empty();
        for client in clients.iter().filter(|client| !client.record().id().is_reserved()) {
            batch.add(client.record(), &Expected::Absent, client.index())?;
            let history = client.history().iter();
            let made = history.map(|made| (made.commit_id, made.revision, made.events.as_slice()));
            batch.append(client.record().id().as_str(), made)?;
        }
        Ok(batch)
    }

    fn empty() -> Self {
        Self { records: Vec::new(), entries: Vec::new(), history: Vec::new(), is_urgent: false }
    }

    fn add(
        &mut self,
        record: &'a Record,
        expected: &'a Expected,
        index: &'a Index,
    ) -> Result<(), CommitError> {
        let parts = record.parts().map_err(CommitError::NotWritten)?;
        let id = parts.id.as_str();
        self.entries.extend(index.unique_entries().map(|entry| (entry, id)));
        let (places, ends) = (digest_of_places(index), ends_without(index, &[]));
        self.records.push(Next { parts, revision: number(parts.revision)?, expected, index, places, ends });
        Ok(())
    }

    fn append(
        &mut self,
        client_id: &'a str,
        made: impl IntoIterator<Item = (CommitId, Revision, &'a [EventText])>,
    ) -> Result<(), CommitError> {
        for (commit_id, revision, events) in made {
            if events.is_empty() {
                continue;
            }
            self.history.push(Stretch {
                client_id,
                revision: number(revision)?,
                commit_id: *commit_id.as_bytes(),
                events: events::join(events),
            });
        }
        Ok(())
    }

    /// Returns an entry that the batch gives to two clients, and the first of them.
    pub(super) fn clash(&self) -> Option<(&IndexEntry, &'a str)> {
        if self.entries.len() < 2 {
            return None;
        }
        let mut claimed = HashMap::with_capacity(self.entries.len());
        self.entries.iter().find_map(|(entry, id)| claimed.insert(entry, *id).map(|first| (entry, first)))
    }
}

/// Returns the revision and the key that are expected. Neither, where there must be no record.
pub(super) fn expectation(expected: &Expected) -> (Option<i64>, Option<&str>) {
    // A revision that does not fit was never written to this store.
    let number = |revision: &Revision| Some(i64::try_from(revision.number()).unwrap_or(i64::MAX));
    match expected {
        Expected::Absent => (None, None),
        Expected::Exactly(revision) => (number(revision), None),
        Expected::Under(revision, key_id) => (number(revision), Some(key_id.as_str())),
    }
}

/// Returns where an entry stands in its table: a name under its seller, an add-in under no seller.
pub(super) fn place_of(entry: &IndexEntry) -> (&str, &[u8]) {
    match entry {
        IndexEntry::AddIn(add_in) => ("", add_in.as_str().as_bytes()),
        IndexEntry::Name(seller, key) => (seller.as_str(), key.as_str().as_bytes()),
    }
}

fn digest_of_places(index: &Index) -> [u8; 16] {
    let mut places: Vec<_> = index.unique_entries().collect();
    places.sort_by(|a, b| place_of(a).cmp(&place_of(b)));
    digest(places.iter().flat_map(|entry| {
        let (scope, key) = place_of(entry);
        [scope.as_bytes().to_vec(), key.to_vec()]
    }))
}

/// Returns the ends of the secrets that are not among these, as JSON.
pub(super) fn ends_without(index: &Index, touched: &[SecretId]) -> String {
    let others = index.ends.iter().filter(|(secret, _)| !touched.contains(secret));
    let ends: BTreeMap<_, _> =
        others.map(|(id, end)| (id.number(), end.map(|end| end.as_millis()))).collect();
    // Numbers into memory: there is nothing that could fail.
    serde_json::to_string(&ends).unwrap_or_default()
}

/// Returns 16 bytes that differ where the texts do.
pub(super) fn digest(texts: impl IntoIterator<Item = impl AsRef<[u8]>>) -> [u8; 16] {
    let mut hasher = Sha256::new();
    for text in texts {
        let text = text.as_ref();
        hasher.update((text.len() as u64).to_be_bytes());
        hasher.update(text);
    }
    let hash = hasher.finalize();
    let mut digest = [0; 16];
    digest.iter_mut().zip(hash).for_each(|(byte, hashed)| *byte = hashed);
    digest
}

pub(super) fn client_of(id: &str) -> Result<ClientId, CommitError> {
    ClientId::stored(id).map_err(|invalid| not_written(invalid.into()))
}

fn number(revision: Revision) -> Result<i64, CommitError> {
    i64::try_from(revision.number()).map_err(|error| not_written(error.into()))
}

fn not_written(source: Box<dyn std::error::Error + Send + Sync>) -> CommitError {
    CommitError::NotWritten(StoreError::with_source(StoreErrorKind::Corrupt, source))
}
