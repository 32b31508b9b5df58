//! Filling a store from a stream.

use std::io::{self, Read};

use super::super::open::OpenError;
use super::super::{Registry, RegistryBuilder};
use super::piece::{self, Piece, Unreadable};
use crate::client::LastUses;
use crate::error::ErrorKind;
use crate::event::{BrokenTrail, EventHash, Revision, check_trail};
use crate::id::ClientId;
use crate::keyring::Keyring;
use crate::record::{Record, RecordId, RegistryRecord, Sealing};
use crate::store::{
    Adopted, Commit, CommitError, CommitId, Committed, Expected, Index, RecordChange, Store, StoreError, Use,
};

/// What was imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Imported {
    /// Clients, and what is left of deleted ones.
    pub clients: u64,
    /// Those of them that were there already, from an import that was interrupted.
    pub found: u64,
    /// The events of all of them.
    pub events: u64,
}

/// Why a registry was not imported. What has been written stays: the same import once more goes on where this one stopped,
/// and until one has come to its end the store cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The stream is not an export, or not a whole one.
    #[error("the export cannot be used: {0}")]
    Malformed(Box<dyn std::error::Error + Send + Sync>),
    /// A client's events do not lead to its record.
    #[error("the trail of client {client_id} is broken")]
    Trail {
        /// The client.
        client_id: ClientId,
        /// Where it breaks.
        source: BrokenTrail,
    },
    /// The store has a client as it is not in the export: it is in use, or another registry's.
    #[error("the store has another state of client {client_id}: import into an empty store")]
    Differs {
        /// The client.
        client_id: ClientId,
    },
    /// The store is another registry's.
    #[error("the store belongs to another registry: import into an empty one")]
    OtherRegistry,
    /// The keyring is not the registry's.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The stream could not be read.
    #[error("the export could not be read")]
    Io(#[source] io::Error),
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

impl ImportError {
    /// What the caller can do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Malformed(_) | Self::Trail { .. } => ErrorKind::Invalid,
            Self::Differs { .. } | Self::OtherRegistry => ErrorKind::Conflict,
            Self::Open(_) | Self::Io(_) | Self::Store(_) => ErrorKind::Unavailable,
        }
    }
}

impl RegistryBuilder {
    /// Fills an empty store with what was [exported](Registry::export), and opens the registry in it. Every record is
    /// opened and every trail followed before it is written.
    ///
    /// Interrupted at any point, the same import once more goes on where it stopped. Reading the stream blocks; wrap slow
    /// ones in a [`BufReader`](io::BufReader).
    ///
    /// # Errors
    /// [`ImportError`]
    pub async fn import<S: Store, R: Read + Send>(
        self,
        store: S,
        keyring: Keyring,
        stream: &mut R,
    ) -> Result<(Registry<S>, Imported), ImportError> {
        piece::expect_beginning(stream)?;
        let Piece::Registry(record) = Piece::read(stream)? else {
            return Err(ImportError::Malformed("the record of the registry is missing".into()));
        };
        let read = super::super::open::check(&record, &keyring)?;
        if let Some(found) = store.load(RecordId::REGISTRY).await?
            && RegistryRecord::read(found.sealed()?)?.registry_id != read.registry_id
        {
            return Err(ImportError::OtherRegistry);
        }
        let sealing = Sealing { keyring: keyring.clone(), registry_id: read.registry_id };
        let mut import =
            Import { store: &store, sealing, batch: Batch::default(), imported: Imported::default() };
        import.read_clients(stream).await?;
        let imported = import.imported;
        finish(&store, record, &read).await?;
        Ok((self.open(store, keyring).await?, imported))
    }
}

/// An import under way.
struct Import<'a, S> {
    store: &'a S,
    sealing: Sealing,
    batch: Batch,
    imported: Imported,
}

/// Clients that are written together.
#[derive(Default)]
struct Batch {
    clients: Vec<Adopted>,
    uses: Vec<Use>,
    events: usize,
}

/// A client as far as it has been read.
struct Reading {
    record: Record,
    history: Vec<Committed>,
    uses: LastUses,
}

impl<S: Store> Import<'_, S> {
    async fn read_clients<R: Read + Send>(&mut self, stream: &mut R) -> Result<(), ImportError> {
        let out_of_place = || ImportError::Malformed("a piece is out of place".into());
        let mut reading: Option<Reading> = None;
        loop {
            match (Piece::read(stream)?, &mut reading) {
                (Piece::Client(record), _) => {
                    let next = Reading { record, history: Vec::new(), uses: LastUses::default() };
                    if let Some(whole) = reading.replace(next) {
                        self.take(whole).await?;
                    }
                }
                (Piece::Use(secret, at), Some(reading)) => reading.uses.note(secret, at),
                (Piece::Commit(commit_id, revision), Some(reading)) => {
                    reading.history.push(Committed { commit_id, revision, events: Vec::new() });
                }
                (Piece::Event(event), Some(reading)) => {
                    let committed = reading.history.last_mut().ok_or_else(out_of_place)?;
                    committed.events.push(*event);
                    self.imported.events += 1;
                }
                (Piece::End { clients, events }, _) => {
                    if let Some(whole) = reading.take() {
                        self.take(whole).await?;
                    }
                    self.write().await?;
                    let all = (self.imported.clients, self.imported.events);
                    return match all == (clients, events) {
                        true => Ok(()),
                        false => Err(ImportError::Malformed("clients or events are missing".into())),
                    };
                }
                _ => return Err(out_of_place()),
            }
        }
    }

    /// Checks a client that has been read, and writes it with others.
    async fn take(&mut self, reading: Reading) -> Result<(), ImportError> {
        let Reading { record, history, uses } = reading;
        let opened = self.sealing.open(record.id(), record.sealed()?)?;
        let client_id = opened.client_id().clone();
        let events = history.iter().flat_map(|committed| &committed.events);
        check_trail(events, EventHash::START, opened.head())
            .map_err(|source| ImportError::Trail { client_id: client_id.clone(), source })?;
        let in_order = history.iter().zip(1..).all(|(committed, number)| {
            committed.revision == Revision::new(number)
                && committed
                    .events
                    .iter()
                    .all(|e| e.revision() == committed.revision && *e.client_id() == client_id)
        });
        if !in_order || history.last().map(|last| last.revision) != Some(record.revision()) {
            return Err(ImportError::Trail { client_id, source: BrokenTrail::Head });
        }
        self.imported.clients += 1;
        let uses = uses.iter().map(|(secret, at)| Use { client_id: client_id.clone(), secret, at });
        self.batch.uses.extend(uses);
        match self.store.load((&client_id).into()).await? {
            Some(found) if found.to_bytes()? == record.to_bytes()? => self.imported.found += 1,
            Some(_) => return Err(ImportError::Differs { client_id }),
            None => {
                let index = Index::of(&opened, record.key_id());
                self.batch.events += history.iter().map(|committed| committed.events.len()).sum::<usize>();
                self.batch.clients.push(Adopted::new(record, index, history));
            }
        }
        if self.batch.clients.len() >= BATCH || self.batch.events >= BATCH_EVENTS {
            self.write().await?;
        }
        Ok(())
    }

    async fn write(&mut self) -> Result<(), ImportError> {
        let Batch { clients, uses, events: _ } = std::mem::take(&mut self.batch);
        if !clients.is_empty() {
            self.store.adopt(&clients).await.map_err(refused)?;
        }
        if !uses.is_empty() {
            self.store.note_uses(&uses).await?;
        }
        Ok(())
    }
}

/// Writes the record of the registry, with which the import is whole.
async fn finish<S: Store>(store: &S, record: Record, read: &RegistryRecord) -> Result<(), ImportError> {
    let index = Index { key_id: record.key_id().cloned(), ..Index::default() };
    // The same import always sends the same commit.
    let id = CommitId::from_bytes(read.registry_id);
    let commit = Commit::new(id, vec![RecordChange::new(record, Expected::Absent, index, vec![])]);
    match store.commit(&commit).await {
        // It is there from an import that came to its end: opening it will tell whether it is the same.
        Ok(()) | Err(CommitError::Conflict { .. }) => Ok(()),
        Err(error) => Err(refused(error)),
    }
}

fn refused(error: CommitError) -> ImportError {
    match error {
        CommitError::Conflict { record_id, .. } => match ClientId::parse(&record_id) {
            Ok(client_id) => ImportError::Differs { client_id },
            Err(_) => ImportError::OtherRegistry,
        },
        CommitError::Taken { by, .. } => ImportError::Differs { client_id: by },
        CommitError::NotWritten(error) | CommitError::Failed(error) => ImportError::Store(error),
    }
}

impl From<Unreadable> for ImportError {
    fn from(unreadable: Unreadable) -> Self {
        match unreadable {
            Unreadable::Io(error) => Self::Io(error),
            Unreadable::Malformed(what) => Self::Malformed(what),
        }
    }
}

/// How many clients are written together.
const BATCH: usize = 100;
/// The events that make a batch full before that.
const BATCH_EVENTS: usize = 10_000;
