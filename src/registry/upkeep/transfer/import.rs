//! Importing: filling an empty store from a stream.
//!
//! A piece is believed only after its proof was found right; a client is written only after its record was opened and its trail
//! followed. Interrupted at any point, the same import again goes on where it stopped.

use std::io::Read;

use crate::event::BrokenTrail;
use crate::record::{Keyring, Record, Sealing};
use crate::registry::upkeep::open::check;
use crate::registry::upkeep::transfer::error::{ImportError, ImportSummary};
use crate::registry::upkeep::transfer::piece::{Piece, Reader};
use crate::registry::upkeep::transfer::reading::Reading;
use crate::registry::upkeep::transfer::target::{begin, finish, refused};
use crate::registry::{Registry, RegistryBuilder};
use crate::store::{Adopted, Index, Store, Use};
use crate::value::{ClientId, Timestamp};

impl RegistryBuilder {
    /// Fills an empty store from an [export](Registry::export), and opens the registry in it. Every record is opened and every
    /// trail checked before it is written.
    ///
    /// Each piece of the export is checked against its proof before anything of it is written. The keyring must hold the key
    /// that the proofs were made with, which the export names. The store does not open before the last piece was read. An
    /// export of format 1 has no proofs, and is refused unless the builder [accepts](Self::accept_unauthenticated_exports) it.
    ///
    /// After an interruption at any point, the same import again continues where it stopped. Reading the stream blocks the
    /// thread; wrap a slow stream in a [`BufReader`](std::io::BufReader).
    ///
    /// ```
    /// # use client_registry::{Keyring, Registry, store::MemoryStore, value::KeyId};
    /// # pollster::block_on(async {
    /// # let keyring = Keyring::generate(KeyId::parse("2026")?)?;
    /// # let (registry, mut exported) = (Registry::open(MemoryStore::new(), keyring.clone()).await?, Vec::new());
    /// # registry.export(&mut exported).await?;
    /// let (registry, imported) =
    ///     Registry::builder().import(MemoryStore::new(), keyring, &mut &exported[..]).await?;
    /// println!("{} clients", imported.clients);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// - [`ImportError::Malformed`]: the stream is not an export, or it ends too early.
    /// - [`ImportError::Edited`], [`ImportError::Trail`]: the export was edited after it was made.
    /// - [`ImportError::Unauthenticated`]: the export is of format 1, and the builder does not accept it.
    /// - [`ImportError::Differs`], [`ImportError::OtherRegistry`]: the store is not empty: it has other clients, or belongs to
    ///   another registry.
    /// - [`ImportError::Open`]: the keyring does not fit the registry, or the filled store did not open.
    /// - [`ImportError::Io`], [`ImportError::Store`]: the stream or the store failed.
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
    /// The client before. Clients come in the order of their IDs.
    last: Option<ClientId>,
}

/// Clients that are written together.
#[derive(Default)]
struct Batch {
    clients: Vec<Adopted>,
    uses: Vec<Use>,
    events: usize,
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

    /// Opens the record of the next client, before anything else of it is read.
    fn begin_client(&mut self, record: Record) -> Result<Reading, ImportError> {
        let opened = self.sealing.open(record.id(), record.sealed()?)?;
        let client_id = opened.client_id().clone();
        if self.last.as_ref().is_some_and(|last| *last >= client_id) {
            return Err(ImportError::Malformed("its clients are not in order".into()));
        }
        self.last = Some(client_id);
        Ok(Reading::begin(record, opened))
    }

    /// Takes a client that has been read whole, and writes it with others.
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
            // As they were exported: nothing else can have been noted in a store that does not open yet.
            self.store.note_uses(&uses, Timestamp::MAX).await?;
        }
        Ok(())
    }
}

/// How many clients are written together.
const BATCH: usize = 100;
/// How many events make a batch full before that.
const BATCH_EVENTS: usize = 10_000;
