//! Exporting: writing a registry to a stream.
//!
//! An export is of one moment or fails. Only records that this registry can open, and that are no older than what it saw, are
//! written.

use std::io::{self, Write};

use crate::record::RecordId;
use crate::registry::upkeep::transfer::piece::{Piece, Writer};
use crate::registry::walk::Walk;
use crate::registry::{Registry, Unreadable};
use crate::store::{ClientsBy, Store};
use crate::store_error::{StoreError, StoreErrorKind};
use crate::value::coded::coded;
use crate::value::{ClientId, Revision};

/// The result of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExportSummary {
    /// The number of clients, deleted ones included.
    pub clients: u64,
    /// The number of events of these clients.
    pub events: u64,
    /// The number of clients that were left out, because the caller named them.
    pub left_out: u64,
}

/// The reason why a registry was not exported. What was written to the stream is not a whole export, and no import accepts it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The registry was changed while it was exported. Stop the writers, or export a backup copy of the store.
    #[error("the registry was changed while it was exported: stop the writers, or export a backup copy")]
    Changed,
    /// These clients cannot be read; all others can. Restore them, or [export without them](Registry::export_without).
    #[error("clients cannot be read: {}: restore them from a backup, or export without them", in_words(.0))]
    Unreadable(Vec<Unreadable>),
    /// The stream could not be written to. Export again.
    #[error("the export could not be written to the stream, so it is not complete: export again")]
    Io(#[from] io::Error),
    /// The store did not answer, or what it holds cannot be used. The kind is [`StoreErrorKind::NotSealed`] for a registry in
    /// memory, which has no keyring.
    #[error(transparent)]
    Store(#[from] StoreError),
}

coded! {
    ExportError {
        Self::Changed => Conflict "export_changed",
        Self::Unreadable(_) => Unavailable "unreadable",
        Self::Io(_) => Unavailable "io",
        Self::Store(_) => Unavailable "unavailable",
    }
}

impl<S: Store> Registry<S> {
    /// Writes the whole registry to a stream, to be [imported](crate::RegistryBuilder::import) into another store. Verifiers and
    /// MAC keys stay sealed; the import needs the same keyring.
    ///
    /// The export shows the registry at one moment: if a client that was exported already is changed meanwhile, the export
    /// fails. If writers cannot be stopped, export a backup copy of the store. Writing to the stream blocks the thread; wrap a
    /// slow stream in a [`BufWriter`](io::BufWriter).
    ///
    /// Each piece carries a proof under the primary key of the keyring, chained from piece to piece. So an export in which
    /// anything was edited, left out, added or reordered is not imported. The proof does not say how old an export is: a
    /// complete older export of the same registry is accepted.
    ///
    /// ```
    /// # use client_registry::{Keyring, Registry, store::MemoryStore, value::KeyId};
    /// # pollster::block_on(async {
    /// # let registry = Registry::open(MemoryStore::new(), Keyring::generate(KeyId::parse("2026")?)?).await?;
    /// let mut stream = Vec::new(); // or a file
    /// let exported = registry.export(&mut stream).await?;
    /// println!("{} clients with {} events", exported.clients, exported.events);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// - [`ExportError::Changed`]: the registry was changed while it was exported.
    /// - [`ExportError::Unreadable`]: some clients cannot be read. It names all of them; restore them, or [export without
    ///   them](Self::export_without).
    /// - [`ExportError::Io`], [`ExportError::Store`]: the stream or the store failed. A registry in memory has no keyring and is
    ///   never exported.
    pub async fn export<W: Write + Send>(&self, stream: &mut W) -> Result<ExportSummary, ExportError> {
        self.export_without(&[], stream).await
    }

    /// Writes the registry to a stream without some clients: those that [`ExportError::Unreadable`] named and that cannot be
    /// restored. The registry that imports the stream does not know these clients: their add-ins and friendly names are free
    /// there, and their client IDs can be imported again.
    ///
    /// ```
    /// # use client_registry::registry::upkeep::{ExportError, ExportSummary};
    /// # use client_registry::{Registry, store::MemoryStore};
    /// # async fn example(registry: Registry, stream: &mut Vec<u8>) -> Result<ExportSummary, ExportError> {
    /// match registry.export(stream).await {
    ///     Err(ExportError::Unreadable(lost)) => {
    ///         let lost: Vec<_> = lost.iter().map(|one| one.client_id().clone()).collect();
    ///         stream.clear();
    ///         registry.export_without(&lost, stream).await
    ///     }
    ///     done => done,
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [`export`](Self::export).
    pub async fn export_without<W: Write + Send>(
        &self,
        left_out: &[ClientId],
        stream: &mut W,
    ) -> Result<ExportSummary, ExportError> {
        let store = &self.inner.store;
        let Some(protection) = &self.inner.protection else {
            return Err(StoreError::new(StoreErrorKind::NotSealed).into());
        };
        self.flush_last_uses().await?;
        protection.refresh(store, &*self.inner.clock).await?;
        let record = store.load(RecordId::REGISTRY).await?;
        let record = record.ok_or_else(|| StoreError::new(StoreErrorKind::RolledBack))?;
        let registry_revision = record.revision();
        let mut stream = Writer::begin(stream, protection.sealing.keyring.primary_key())?;
        stream.write(&Piece::Registry(record))?;

        let mut exported = ExportSummary { clients: 0, events: 0, left_out: 0 };
        let (mut revisions, mut unreadable) = (Vec::new(), Vec::new());
        let mut walk = Walk::new();
        while let Some(page) = self.next_clients(&mut walk, ClientsBy::All).await? {
            for client_id in &page {
                if left_out.contains(client_id) {
                    exported.left_out += 1;
                    continue;
                }
                match self.export_client(client_id, &mut stream, &mut exported).await {
                    Ok(revision) => revisions.push((client_id.clone(), revision)),
                    Err(ExportError::Store(error)) if error.kind().is_about_what_was_read() => {
                        unreadable.push(Unreadable::new(client_id, &error));
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        if !unreadable.is_empty() {
            return Err(ExportError::Unreadable(unreadable));
        }
        if !self.is_still(&revisions, registry_revision, exported.left_out).await? {
            return Err(ExportError::Changed);
        }
        stream.write(&Piece::End { clients: exported.clients, events: exported.events })?;
        stream.flush()?;
        Ok(exported)
    }

    async fn export_client<W: Write + Send>(
        &self,
        client_id: &ClientId,
        stream: &mut Writer<'_, W>,
        exported: &mut ExportSummary,
    ) -> Result<Revision, ExportError> {
        let store = &self.inner.store;
        // The record that was opened is written: so the import can open it, and it is no older than what this registry saw.
        let (record, _) = self.load_with_record(client_id).await?.ok_or(ExportError::Changed)?;
        let revision = record.revision();
        stream.write(&Piece::Client(record))?;
        for (secret, at) in store.last_uses(client_id).await?.iter() {
            stream.write(&Piece::Use(secret, at))?;
        }
        let mut reached = Revision::ZERO;
        let mut walk = Walk::after(reached);
        while reached < revision {
            let Some(page) = self.next_commits(&mut walk, client_id).await? else {
                return Err(StoreError::with_source(StoreErrorKind::Corrupt, "a trail does not go on").into());
            };
            for committed in page {
                reached = committed.revision;
                stream.write(&Piece::Commit(committed.commit_id, committed.revision))?;
                for event in committed.events {
                    stream.write(&Piece::Event(event))?;
                    exported.events += 1;
                }
            }
        }
        exported.clients += 1;
        Ok(revision)
    }

    /// Returns whether nothing has changed since: every record has the revision that it had, and there is no other record.
    async fn is_still(
        &self,
        revisions: &[(ClientId, Revision)],
        registry: Revision,
        left_out: u64,
    ) -> Result<bool, StoreError> {
        let store = &self.inner.store;
        for (client_id, revision) in revisions {
            let now = store.load(client_id.into()).await?;
            if now.map(|record| record.revision()) != Some(*revision) {
                return Ok(false);
            }
        }
        let (mut walk, mut count) = (Walk::new(), 0_u64);
        while let Some(page) = self.next_clients(&mut walk, ClientsBy::All).await? {
            count += page.len() as u64;
        }
        let now = store.load(RecordId::REGISTRY).await?.map(|record| record.revision());
        Ok(count == revisions.len() as u64 + left_out && now == Some(registry))
    }
}

fn in_words(unreadable: &[Unreadable]) -> String {
    let ids: Vec<_> = unreadable.iter().take(NAMED).map(|one| one.client_id().as_str()).collect();
    let more = unreadable.len() - ids.len();
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{more}", ids.join(", "))
}

/// How many clients an error names in words; it carries all of them.
const NAMED: usize = 20;
