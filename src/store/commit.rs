//! `Commit`: the records of one or two clients, with what each expects in its place and its lookup entries, written all or nothing.

use serde::Serialize;

#[cfg(feature = "postgres")]
use super::reach::Reach;
use crate::event::{Event, EventText};
use crate::record::{Opened, Record, RecordId};
use crate::value::redacted::redacted;
use crate::value::{AddInId, KeyId, NameKey, Revision, SecretId, SellerId, Timestamp};

redacted! {
    /// The ID of a commit: 16 random bytes. If the outcome of a commit is not known, the history is searched for its ID.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
    pub struct CommitId([u8; 16]);
}

impl CommitId {
    /// Returns the ID of these bytes, as a store kept them.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Returns the 16 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// The next records of one or two clients, written all or nothing.
#[derive(Debug, Clone)]
pub struct Commit {
    id: CommitId,
    changes: Vec<RecordChange>,
    is_urgent: bool,
}

impl Commit {
    pub(crate) fn new(id: CommitId, changes: Vec<RecordChange>) -> Self {
        Self { id, changes, is_urgent: false }
    }

    /// Returns the same commit, to be made before others.
    pub(crate) fn urgent(self) -> Self {
        Self { is_urgent: true, ..self }
    }

    /// Returns the ID of the commit.
    #[must_use]
    pub fn id(&self) -> CommitId {
        self.id
    }

    /// Returns the changes, of different clients.
    #[must_use]
    pub fn changes(&self) -> &[RecordChange] {
        &self.changes
    }

    /// Returns whether the commit is an emergency, which deletes a secret at once. It is a hint: a store that queues commits
    /// puts this one first, any other store ignores it.
    #[must_use]
    pub fn is_urgent(&self) -> bool {
        self.is_urgent
    }

    /// Returns how far the changes reach together.
    #[cfg(feature = "postgres")]
    pub(super) fn reach(&self) -> Reach {
        let mut secrets = Vec::new();
        for change in &self.changes {
            match &change.reach {
                Reach::Secrets(some) => secrets.extend_from_slice(some),
                Reach::Everything => return Reach::Everything,
            }
        }
        secrets.sort_unstable();
        secrets.dedup();
        Reach::Secrets(secrets)
    }
}

/// The next record of one client, or of the registry.
#[derive(Debug, Clone)]
pub struct RecordChange {
    pub(crate) record: Record,
    pub(crate) expected: Expected,
    pub(crate) index: Index,
    pub(crate) events: Vec<EventText>,
    /// The part of the index that may be another one than before, as far as the facts tell.
    #[cfg(feature = "postgres")]
    pub(crate) reach: Reach,
}

impl RecordChange {
    pub(crate) fn new(record: Record, expected: Expected, index: Index, events: &[Event]) -> Self {
        Self {
            record,
            expected,
            index,
            events: events.iter().map(|event| event.text().clone()).collect(),
            #[cfg(feature = "postgres")]
            reach: Reach::of(events),
        }
    }

    /// Returns the same change, with the same record under another key.
    pub(crate) fn resealed(&self, record: Record) -> Self {
        let index = Index { key_id: record.key_id().cloned(), ..self.index.clone() };
        Self { record, index, ..self.clone() }
    }

    /// Returns the record to keep from now on.
    #[must_use]
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// Returns what the store must find, or the commit is a conflict.
    #[must_use]
    pub fn expected(&self) -> &Expected {
        &self.expected
    }

    /// Returns the complete lookup entries of the record, which replace the earlier ones.
    #[must_use]
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// Returns the texts of the events that tell what happened, in order.
    #[must_use]
    pub fn events(&self) -> &[EventText] {
        &self.events
    }

    /// Returns the ID under which the record is kept.
    #[must_use]
    pub fn id(&self) -> RecordId<'_> {
        self.record.id()
    }
}

/// The state that a change expects to find.
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
    /// Returns whether the expectation matches what is there: a record of this revision under this key, or none.
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

redacted! {
    /// The lookup entries of a client. They are hints: what they lead to is checked against the record.
    #[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
    pub struct Index {
        /// Its seller and the key of its friendly name; `None` for a deleted one.
        pub name: Option<(SellerId, NameKey)>,
        /// The add-ins that use it, each of them once.
        pub add_ins: Vec<AddInId>,
        /// Its secrets, each with the end of its validity if that has one.
        pub ends: Vec<(SecretId, Option<Timestamp>)>,
        /// The key that protects its record, which names it as well; `None` in a registry in memory, which has no keyring.
        pub key_id: Option<KeyId>,
    }
}

impl Index {
    /// Returns the lookup entries of a client whose record is under this key.
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

    /// Returns the entries that belong to one client alone.
    pub(crate) fn unique_entries(&self) -> impl Iterator<Item = IndexEntry> {
        let name = self.name.iter().map(|(seller, key)| IndexEntry::Name(seller.clone(), key.clone()));
        name.chain(self.add_ins.iter().cloned().map(IndexEntry::AddIn))
    }
}

/// A lookup entry that belongs to at most one client.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IndexEntry {
    /// An add-in (rule 1).
    AddIn(AddInId),
    /// A seller's friendly name, by its key (rule 15).
    Name(SellerId, NameKey),
}
