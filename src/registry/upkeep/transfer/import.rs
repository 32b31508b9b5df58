//! Filling a store from a stream.

use std::io::{
    Read, {self},
};

use crate::client::LastUses;
use crate::entropy::Entropy;
use crate::event::{BrokenTrail, Event, EventHash, EventText};
use crate::record::{Keyring, Opened, Record, RecordId, RegistryRecord, Sealing};
use crate::registry::upkeep::open::{OpenError, check, write};
use crate::registry::upkeep::transfer::piece::{Piece, Reader, Unreadable};
use crate::registry::{Registry, RegistryBuilder};
use crate::store::{
    Adopted, ClientsBy, Commit, CommitError, CommitId, Committed, Expected, Index, RecordChange, Store, Use,
};
use crate::store_error::StoreError;
use crate::value::coded::coded;
use crate::value::{ClientId, Revision, SecretId, Timestamp};

/// What was imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ImportSummary {
    /// Clients, and what is left of deleted ones.
    pub clients: u64,
    /// Those of them that were there already, from an import that was interrupted.
    pub found: u64,
    /// The events of all of them.
    pub events: u64,
}

/// Why a registry was not imported. What has been written stays: the same import once more goes on where this one stopped,
/// and from the first record on the store cannot be opened until one has come to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The stream is not an export, or not a whole one.
    #[error("the export cannot be used: {0}")]
    Malformed(Box<dyn std::error::Error + Send + Sync>),
    /// The stream was edited: pieces were changed, left out, added or reordered.
    #[error("the export was edited after it was made: take another copy of it, or make a new one")]
    Edited,
    /// The stream is an export of an older version, which does not prove that nobody edited it.
    #[error(
        "the export is of an older version and does not prove that nobody edited it: make a new one, or let the builder \
         accept unauthenticated exports if nobody else could write to it"
    )]
    Unauthenticated,
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
    #[error(transparent)]
    Store(#[from] StoreError),
}

coded! {
    ImportError {
        Self::Malformed(_) => Invalid "malformed_export",
        Self::Edited => Invalid "export_edited",
        Self::Unauthenticated => Invalid "export_unauthenticated",
        Self::Trail { .. } => Invalid "broken_trail",
        Self::Differs { .. } => Conflict "client_differs",
        Self::OtherRegistry => Conflict "not_empty",
        Self::Io(_) => Unavailable "io",
        Self::Store(_) => Unavailable "unavailable",
        ;
        Self::Open(error) => error,
    }
}

impl RegistryBuilder {
    /// Fills an empty store with what was [exported](Registry::export), and opens the registry in it. Every record is
    /// opened and every trail followed before it is written.
    ///
    /// A piece of the export is believed only after its proof was found right under the key that the export names, which the
    /// keyring needs; the store does not open before the last one was. An export of an older version has no proofs, and is
    /// refused unless the builder [accepts](Self::accept_unauthenticated_exports) it.
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
    ) -> Result<(Registry<S>, ImportSummary), ImportError> {
        let mut stream = Reader::begin(stream, &keyring)?;
        if !stream.is_proved() && !self.accepts_unauthenticated_exports {
            return Err(ImportError::Unauthenticated);
        }
        let Piece::Registry(record) = stream.read()? else {
            return Err(ImportError::Malformed("the record of the registry is missing".into()));
        };
        let read = check(&record, &keyring)?;
        read.is_expected(self.expected.as_ref())?;
        let sealing = Sealing { keyring: keyring.clone(), registry_id: read.registry_id };
        begin(&store, &read, &keyring, &*self.entropy).await?;
        let batch = Batch::default();
        let mut import =
            Import { store: &store, sealing, batch, imported: ImportSummary::default(), last: None };
        import.read_clients(&mut stream).await?;
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
    imported: ImportSummary,
    /// The client before: they come in the order of their IDs.
    last: Option<ClientId>,
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
    opened: Opened,
    history: Vec<Committed>,
    /// The hash of the last event.
    head: EventHash,
    uses: LastUses,
}

impl Reading {
    /// Takes in the next commit, which has to be the next one.
    fn commit(&mut self, commit_id: CommitId, revision: Revision) -> Result<(), ImportError> {
        let last = self.history.last().map_or(Revision::ZERO, |last| last.revision);
        if revision != last.next() || revision > self.opened.revision() {
            return Err(self.broken(BrokenTrail::Head));
        }
        self.history.push(Committed { commit_id, revision, events: Vec::new() });
        Ok(())
    }

    /// Takes in the next event of the last commit, which has to follow the one before.
    fn event(&mut self, text: EventText) -> Result<(), ImportError> {
        let event = Event::parse(&text)?;
        let position = self.history.iter().map(|committed| committed.events.len()).sum();
        let broken = self.broken(BrokenTrail::At { position });
        let Some(committed) = self.history.last_mut() else {
            return Err(broken);
        };
        let follows = event.previous() == self.head
            && event.client_id() == self.opened.client_id()
            && event.revision() == committed.revision;
        if !follows || committed.events.len() == MAX_EVENTS {
            return Err(broken);
        }
        self.head = event.hash();
        committed.events.push(text);
        Ok(())
    }

    /// Notes the use of a secret, if the client has it.
    fn used(&mut self, secret: SecretId, at: Timestamp) {
        if self.opened.client().is_ok_and(|client| client.secret(secret).is_some()) {
            self.uses.note(secret, at);
        }
    }

    fn broken(&self, source: BrokenTrail) -> ImportError {
        ImportError::Trail { client_id: self.opened.client_id().clone(), source }
    }
}

impl<S: Store> Import<'_, S> {
    async fn read_clients<R: Read + Send>(&mut self, stream: &mut Reader<'_, R>) -> Result<(), ImportError> {
        let mut reading: Option<Reading> = None;
        loop {
            match (stream.read()?, &mut reading) {
                (Piece::Client(record), _) => {
                    let next = self.begin_client(record)?;
                    if let Some(whole) = reading.replace(next) {
                        self.take(whole).await?;
                    }
                }
                (Piece::Use(secret, at), Some(reading)) => reading.used(secret, at),
                (Piece::Commit(commit_id, revision), Some(reading)) => reading.commit(commit_id, revision)?,
                (Piece::Event(event), Some(reading)) => {
                    reading.event(event)?;
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
                _ => return Err(ImportError::Malformed("a piece is out of place".into())),
            }
        }
    }

    /// Opens the record of the next client, before anything else about it is read.
    fn begin_client(&mut self, record: Record) -> Result<Reading, ImportError> {
        let opened = self.sealing.open(record.id(), record.sealed()?)?;
        let client_id = opened.client_id().clone();
        if self.last.as_ref().is_some_and(|last| *last >= client_id) {
            return Err(ImportError::Malformed("its clients are not in order".into()));
        }
        self.last = Some(client_id);
        let (history, uses) = (Vec::new(), LastUses::default());
        Ok(Reading { record, opened, history, head: EventHash::START, uses })
    }

    /// Writes a client that has been read, with others.
    async fn take(&mut self, reading: Reading) -> Result<(), ImportError> {
        let is_whole = reading.head == reading.opened.head()
            && reading.history.last().map(|last| last.revision) == Some(reading.opened.revision());
        if !is_whole {
            return Err(reading.broken(BrokenTrail::Head));
        }
        let Reading { record, opened, history, uses, head: _ } = reading;
        let client_id = opened.client_id().clone();
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
            // As they were exported: nothing else has been noted in a store that nobody can open yet.
            self.store.note_uses(&uses, Timestamp::MAX).await?;
        }
        Ok(())
    }
}

/// Makes sure that the store is this registry's, and that nobody opens it before the import is whole.
async fn begin<S: Store>(
    store: &S,
    read: &RegistryRecord,
    keyring: &Keyring,
    entropy: &dyn Entropy,
) -> Result<(), ImportError> {
    for _ in 0..ATTEMPTS {
        if let Some(found) = found(store, read).await? {
            found.authenticate(keyring)?;
            return Ok(());
        }
        if !store.clients(ClientsBy::All, None, 1).await?.is_empty() {
            return Err(OpenError::NoRegistry.into());
        }
        if write(store, &read.importing(), Expected::Absent, keyring, entropy).await? {
            return Ok(());
        }
    }
    Err(OpenError::Contention.into())
}

/// Puts the record of the registry in its place, with which the import is whole.
async fn finish<S: Store>(store: &S, record: Record, read: &RegistryRecord) -> Result<(), ImportError> {
    match found(store, read).await? {
        // An earlier import came to its end.
        Some(found) if !found.read.is_importing() => return Ok(()),
        Some(_) => {}
        None => return Err(ImportError::OtherRegistry),
    }
    let index = Index { key_id: record.key_id().cloned(), ..Index::default() };
    // The same import always sends the same commit.
    let id = CommitId::from_bytes(read.registry_id);
    let expected = Expected::Exactly(read.importing().revision);
    let commit = Commit::new(id, vec![RecordChange::new(record, expected, index, &[])]);
    match store.commit(&commit).await {
        // Somebody else has finished the same import.
        Ok(()) | Err(CommitError::Conflict { .. }) => Ok(()),
        Err(error) => Err(refused(error)),
    }
}

/// The record of the registry that is in a store.
struct Found {
    record: Record,
    read: RegistryRecord,
}

impl Found {
    fn authenticate(&self, keyring: &Keyring) -> Result<(), StoreError> {
        self.read.authenticate(self.record.sealed()?, keyring)
    }
}

async fn found<S: Store>(store: &S, expected: &RegistryRecord) -> Result<Option<Found>, ImportError> {
    let Some(record) = store.load(RecordId::REGISTRY).await? else {
        return Ok(None);
    };
    let read = RegistryRecord::read(record.sealed()?)?;
    if read.registry_id != expected.registry_id {
        return Err(ImportError::OtherRegistry);
    }
    Ok(Some(Found { record, read }))
}

fn refused(error: CommitError) -> ImportError {
    match error {
        CommitError::Conflict { record_id, .. } => match ClientId::stored(&record_id) {
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
            Unreadable::Edited => Self::Edited,
            Unreadable::MissingKey(key_id) => OpenError::MissingKey { key_id }.into(),
        }
    }
}

/// How many clients are written together.
const BATCH: usize = 100;
/// The events that make a batch full before that.
const BATCH_EVENTS: usize = 10_000;
/// More events than any command makes.
const MAX_EVENTS: usize = 4096;
/// How often the record of the registry is looked at anew when others change it in between.
const ATTEMPTS: usize = 16;
