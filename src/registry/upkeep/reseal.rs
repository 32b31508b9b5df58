//! Resealing: every record comes under the primary key, while traffic goes on.
//!
//! The store lists what is sealed under other keys, so there is nothing to remember: dropped or killed at any point, resealing
//! goes on where it was. A record that this registry refuses is not resealed: an old record that was put back must not come
//! under the new key.

use std::collections::BTreeMap;

use crate::record::{ResealError, SealingError};
use crate::registry::protection::Protection;
use crate::registry::walk::Walk;
use crate::registry::{Error, Registry};
use crate::store::{ClientsBy, Commit, CommitError, Expected, Index, MemoryStore, RecordChange, Store};
use crate::store_error::{StoreError, StoreErrorKind, tampered};
use crate::value::{ClientId, KeyId};

/// The progress of a [`Resealing`], in records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Resealed {
    /// The records that have been resealed so far, on this node or on another one.
    pub done: u64,
    /// The records that were under other keys at the beginning, and those that were written under other keys since.
    pub total: u64,
    /// The records that were left as they are: [`Resealing::failed`] says which, and why.
    pub left: u64,
}

/// A run of resealing: each [`step`](Self::step) seals a few more records anew under the primary key. [`Registry::reseal`]
/// begins one.
///
/// A record keeps its revision, its events and its index entries. A record that this registry cannot open is skipped; see
/// [`failed`](Self::failed). If a command changes a client at the same moment, the command's record stays, under the primary
/// key of the node that wrote it; if that is another key, a later step reseals it. Dropped or killed at any point, a new run
/// continues where the last one stopped.
#[must_use = "nothing is resealed before it is told to step"]
pub struct Resealing<S = MemoryStore> {
    registry: Registry<S>,
    /// The keys that this round has not looked at yet.
    keys: Vec<KeyId>,
    after: Option<ClientId>,
    /// Something happened in this round, so another one is needed to prove the end.
    moved: bool,
    resealed: Resealed,
    failed: BTreeMap<ClientId, StoreError>,
}

/// The result of resealing one record.
enum Attempt {
    Resealed,
    /// Another caller changed the record in between: it may still be under another key.
    Overtaken,
    /// The record is under the primary key already.
    Done,
}

impl<S: Store> Registry<S> {
    /// Begins to reseal all records under the primary key. Nothing is resealed before the first [`Resealing::step`].
    ///
    /// ```
    /// # use client_registry::value::KeyId;
    /// # use client_registry::{Keyring, Registry, store::MemoryStore};
    /// # pollster::block_on(async {
    /// # let registry = Registry::open(MemoryStore::new(), Keyring::generate(KeyId::parse("2026")?)?).await?;
    /// let mut resealing = registry.reseal().await?;
    /// while let Some(so_far) = resealing.step(100).await? {
    ///     println!("{} of {}", so_far.done, so_far.total);
    /// }
    /// assert!(resealing.failed().next().is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`StoreError`] if the store did not answer.
    pub async fn reseal(&self) -> Result<Resealing<S>, StoreError> {
        let keys = self.other_keys().await?;
        let mut total = 0;
        for key_id in &keys {
            let mut walk = Walk::new();
            while let Some(page) = self.next_clients(&mut walk, ClientsBy::Key(key_id)).await? {
                total += page.len() as u64;
            }
        }
        Ok(Resealing {
            registry: self.clone(),
            keys,
            after: None,
            moved: false,
            resealed: Resealed { done: 0, total, left: 0 },
            failed: BTreeMap::new(),
        })
    }

    /// The keys that no record should be sealed under.
    async fn other_keys(&self) -> Result<Vec<KeyId>, StoreError> {
        let keys = self.keys().await?;
        Ok(keys.into_iter().filter(|key| !key.is_primary).map(|key| key.id).collect())
    }
}

impl<S: Store> Resealing<S> {
    /// Reseals at most `limit` records (at least one), and returns the progress. It returns `None` once the store lists no
    /// record under another key, apart from those that [failed](Self::failed). [`Registry::reseal`] has an example.
    ///
    /// # Errors
    /// - [`Error::KeyRetired`]: the primary key of this registry was retired meanwhile.
    /// - [`Error::Entropy`], [`Error::Unavailable`]: the source of randomness or the store failed.
    ///
    /// Records that were resealed stay so. Call it again to continue.
    pub async fn step(&mut self, limit: usize) -> Result<Option<Resealed>, Error> {
        loop {
            let Some(key_id) = self.keys.last().cloned() else {
                if !self.moved {
                    return Ok(None);
                }
                self.keys = self.registry.other_keys().await?;
                (self.after, self.moved) = (None, false);
                continue;
            };
            let page = self.registry.clients_under(&key_id, self.after.as_ref(), limit).await?;
            if page.is_empty() {
                self.keys.pop();
                self.after = None;
                continue;
            }
            for client_id in page {
                self.reseal(&client_id).await?;
                self.after = Some(client_id);
            }
            return Ok(Some(self.so_far()));
        }
    }

    /// Returns the progress so far.
    #[must_use]
    pub fn so_far(&self) -> Resealed {
        let Resealed { done, total, .. } = self.resealed;
        let left = self.failed.len() as u64;
        Resealed { done, total: total.max(done + left), left }
    }

    /// Returns the records that were not resealed, each with the reason: the record cannot be read or opened, is older than
    /// one that this registry has seen ([`StoreErrorKind::RolledBack`]), or is too large under a longer key ID. They stay as
    /// they are, and still need the old key.
    pub fn failed(&self) -> impl Iterator<Item = (&ClientId, &StoreError)> {
        self.failed.iter()
    }

    async fn reseal(&mut self, client_id: &ClientId) -> Result<(), Error> {
        if self.failed.contains_key(client_id) {
            return Ok(());
        }
        let Some(protection) = &self.registry.inner.protection else {
            return Ok(());
        };
        self.registry.ensure_may_write().await?;
        match self.registry.reseal_one(protection, client_id).await? {
            Ok(attempt) => {
                self.moved |= !matches!(attempt, Attempt::Done);
                self.resealed.done += u64::from(!matches!(attempt, Attempt::Overtaken));
            }
            Err(error) => {
                self.failed.insert(client_id.clone(), error);
            }
        }
        Ok(())
    }
}

impl<S: Store> Registry<S> {
    /// The inner error is about this record alone.
    async fn reseal_one(
        &self,
        protection: &Protection,
        client_id: &ClientId,
    ) -> Result<Result<Attempt, StoreError>, Error> {
        let (record, opened) = match self.load_with_record(client_id).await {
            Ok(Some(found)) => found,
            Ok(None) => {
                return Ok(Err(tampered("it is listed, and there is no record of it")));
            }
            Err(error) if error.kind().is_about_what_was_read() => return Ok(Err(error)),
            Err(error) => return Err(error.into()),
        };
        let primary = protection.sealing.keyring.primary();
        // The index may name any key: the one in the record counts.
        let under = match record.key_id() {
            Some(found) if found == primary => return Ok(Ok(Attempt::Done)),
            Some(found) => found.clone(),
            None => return Ok(Err(StoreError::new(StoreErrorKind::NotSealed))),
        };
        let resealed = match protection.reseal(&record, &*self.inner.entropy) {
            Ok(resealed) => resealed,
            Err(ResealError::Sealing(SealingError::Entropy(error))) => return Err(error.into()),
            Err(error) => return Ok(Err(error.into())),
        };
        let index = Index::of(&opened, resealed.key_id());
        let expected = Expected::Under(record.revision(), under);
        let change = RecordChange::new(resealed, expected, index, &[]);
        let commit = Commit::new(self.new_commit_id()?, vec![change]);
        match self.inner.store.commit(&commit).await {
            Ok(()) => Ok(Ok(Attempt::Resealed)),
            Err(CommitError::Conflict { .. }) => Ok(Ok(Attempt::Overtaken)),
            Err(CommitError::Taken { .. }) => Ok(Err(tampered("its index entries belong to another client"))),
            Err(CommitError::NotWritten(error) | CommitError::Failed(error))
                if error.kind().is_about_what_was_read() =>
            {
                Ok(Err(error))
            }
            // If the commit was made all the same, the next round finds nothing to do here.
            Err(CommitError::NotWritten(error) | CommitError::Failed(error)) => Err(error.into()),
        }
    }
}

impl<S: Store> std::fmt::Debug for Resealing<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resealing")
            .field("so_far", &self.so_far())
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}
