//! Writing a registry to a stream.

use std::io::{
    Write, {self},
};

use crate::record::RecordId;
use crate::registry::upkeep::transfer::piece::{Piece, Writer};
use crate::registry::{Registry, Unreadable};
use crate::store::{ClientsBy, Store};
use crate::store_error::{StoreError, StoreErrorKind};
use crate::value::coded::coded;
use crate::value::{ClientId, Revision};

/// What was exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExportSummary {
    /// Clients, and what is left of deleted ones.
    pub clients: u64,
    /// Their events.
    pub events: u64,
    /// Those that were left out, since the caller named them.
    pub left_out: u64,
}

/// Why a registry was not exported. What has been written to the stream is not a whole export, and will not be imported
/// as one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The registry was changed in the meantime.
    #[error("the registry was changed while it was exported: stop those who write, or export a copy")]
    Changed,
    /// Some clients cannot be read; the rest was looked at, and can.
    #[error("{} cannot be read: restore these clients from a backup, or export without them", in_words(.0))]
    Unreadable(Vec<Unreadable>),
    /// The stream could not be written to.
    #[error("the export could not be written")]
    Io(#[from] io::Error),
    /// The store did not answer, or not as it should. Of kind [`StoreErrorKind::NotSealed`] for a registry in memory, which
    /// has no keyring.
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
    /// Writes everything to a stream, so that it can be [imported](crate::RegistryBuilder::import) into another store.
    /// Secrets stay as sealed as they are; whoever imports needs the same keyring.
    ///
    /// It is an export of one moment, or none: if somebody changes what was exported already, it fails. Where writers cannot be
    /// stopped, export a backup copy. Writing to the stream blocks; wrap slow ones in a [`BufWriter`](io::BufWriter).
    ///
    /// Each piece carries a proof under the primary key of the keyring, chained from piece to piece: an export in which
    /// anything was edited, left out, added or reordered is not imported. An older export, whole, is one all the same.
    ///
    /// If some clients cannot be read, the export is refused, and the error names all of them.
    ///
    /// # Errors
    /// [`ExportError`]
    pub async fn export<W: Write + Send>(&self, stream: &mut W) -> Result<ExportSummary, ExportError> {
        self.export_without(&[], stream).await
    }

    /// Writes everything but some clients to a stream: those that [`ExportError::Unreadable`] has named and that nobody can
    /// restore. The registry that imports the stream knows nothing of them: their add-ins and friendly names are free there,
    /// and their client IDs can be imported.
    ///
    /// # Errors
    /// [`ExportError`]
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
        let mut after = None;
        loop {
            let page = store.clients(ClientsBy::All, after.as_ref(), PAGE).await?;
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
            after = page.last().cloned();
            if page.len() < PAGE {
                break;
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
        // What was opened is what goes on the journey: nothing that nobody could open at its end, and nothing that is older
        // than what this registry has seen.
        let (record, _) = self.load_with_record(client_id).await?.ok_or(ExportError::Changed)?;
        let revision = record.revision();
        stream.write(&Piece::Client(record))?;
        for (secret, at) in store.last_uses(client_id).await?.iter() {
            stream.write(&Piece::Use(secret, at))?;
        }
        let mut reached = Revision::ZERO;
        while reached < revision {
            let page = self.history(client_id, reached, PAGE).await?;
            let Some(last) = page.last().filter(|last| last.revision > reached) else {
                return Err(StoreError::with_source(StoreErrorKind::Corrupt, "a trail does not go on").into());
            };
            reached = last.revision;
            for committed in page {
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

    /// Whether nothing has changed since: every record has the revision that it had, and there is no other.
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
        let mut after = None;
        let mut count = 0_u64;
        loop {
            let page = store.clients(ClientsBy::All, after.as_ref(), PAGE).await?;
            count += page.len() as u64;
            after = page.last().cloned();
            if page.len() < PAGE {
                break;
            }
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
/// How much is read at once.
const PAGE: usize = 1000;
