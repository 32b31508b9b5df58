//! The keys of a registry: listing them, listing what is sealed under them, retiring them.
//!
//! A retired key is never written under again, on any node, once the node has refreshed its knowledge of the keys. The primary
//! key of the registry that is asked is never retired, since that registry could then write nothing.

use crate::record::KeyState;
use crate::registry::upkeep::open::{OpenError, write};
use crate::registry::{ATTEMPTS, Outcome, Registry};
use crate::store::{ClientsBy, Expected, Store};
use crate::store_error::StoreError;
use crate::value::coded::coded;
use crate::value::{ClientId, KeyId};

/// A key that a registry knows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyStatus {
    /// The ID of the key.
    pub id: KeyId,
    /// The state of the key: records may be written under an active key, and not under a retired one.
    pub state: KeyState,
    /// `true` for the key that this registry writes under.
    pub is_primary: bool,
}

impl<S: Store> Registry<S> {
    /// Lists the keys that the registry knows, in the order of their IDs, as the store has them now. The list is empty for a
    /// registry in memory, where nothing is sealed.
    ///
    /// ```
    /// # use client_registry::value::KeyId;
    /// # use client_registry::{Keyring, Registry, store::MemoryStore};
    /// # pollster::block_on(async {
    /// # let registry = Registry::open(MemoryStore::new(), Keyring::generate(KeyId::parse("2026")?)?).await?;
    /// for key in registry.keys().await? {
    ///     println!("{} {:?} {}", key.id, key.state, if key.is_primary { "primary" } else { "" });
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`StoreError`] if the store did not answer, or if the registry's own record cannot be used.
    pub async fn keys(&self) -> Result<Vec<KeyStatus>, StoreError> {
        let Some(protection) = &self.inner.protection else {
            return Ok(Vec::new());
        };
        let record = protection.refresh(&self.inner.store, &*self.inner.clock).await?;
        let primary = protection.sealing.keyring.primary();
        let keys = record.keys();
        Ok(keys.map(|(id, state)| KeyStatus { id: id.clone(), state, is_primary: id == primary }).collect())
    }

    /// Lists the client IDs whose records are sealed under a key, in the order of the IDs: at most `limit` of them, after the
    /// ID `after`. If the first call returns an empty list, no client needs the key any longer. Old backups may still need it.
    ///
    /// ```
    /// # use client_registry::value::KeyId;
    /// # use client_registry::{Keyring, Registry, store::MemoryStore};
    /// # pollster::block_on(async {
    /// # let registry = Registry::open(MemoryStore::new(), Keyring::generate(KeyId::parse("2026")?)?).await?;
    /// # let old = KeyId::parse("2025")?;
    /// if registry.clients_under(&old, None, 1).await?.is_empty() {
    ///     println!("take key {old} out of the keyrings");
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`StoreError`] if the store did not answer.
    pub async fn clients_under(
        &self,
        key_id: &KeyId,
        after: Option<&ClientId>,
        limit: usize,
    ) -> Result<Vec<ClientId>, StoreError> {
        self.inner.store.clients(ClientsBy::Key(key_id), after, limit.max(1)).await
    }

    /// Retires a key: no record is written under it any longer, at once on this node, and within
    /// [`key_refresh`](crate::RegistryBuilder::key_refresh) on every other node. A keyring that has the key still opens the
    /// records that are sealed under it. Retiring it again changes nothing.
    ///
    /// To replace a key:
    /// 1. Give every node a keyring with both keys, the old one first. Restart the nodes one by one.
    /// 2. Give every node a keyring with both keys, the new one first. Restart the nodes one by one.
    /// 3. On one node, [`reseal`](Self::reseal) to the end.
    /// 4. Retire the old key, and wait for `key_refresh` on every node (5 seconds unless configured otherwise).
    /// 5. Reseal once more.
    /// 6. When [`clients_under`](Self::clients_under) lists no client under the old key, take it out of the keyrings. Keep it
    ///    with the backups that need it.
    ///
    /// ```
    /// # use client_registry::value::KeyId;
    /// # use client_registry::{Keyring, Registry, store::MemoryStore};
    /// # pollster::block_on(async {
    /// # let keyring = Keyring::generate(KeyId::parse("2026")?)?.with(KeyId::parse("2025")?, b"0123456789abcdef0123456789abcdef")?;
    /// # let registry = Registry::open(MemoryStore::new(), keyring).await?;
    /// registry.retire_key(&KeyId::parse("2025")?).await?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// - [`RetireError::Primary`]: the key is the primary key of this registry's keyring.
    /// - [`RetireError::UnknownKey`]: the registry does not know the key. A registry in memory knows none.
    /// - [`RetireError::NotWritten`]: the registry's own record could not be written.
    /// - [`RetireError::Unavailable`]: the store did not answer.
    pub async fn retire_key(&self, key_id: &KeyId) -> Result<Outcome, RetireError> {
        let Some(protection) = &self.inner.protection else {
            return Err(RetireError::UnknownKey { key_id: key_id.clone() });
        };
        let keyring = &protection.sealing.keyring;
        if key_id == keyring.primary() {
            return Err(RetireError::Primary { key_id: key_id.clone() });
        }
        for _ in 0..ATTEMPTS {
            let record = protection.refresh(&self.inner.store, &*self.inner.clock).await?;
            if record.state(keyring.primary()) != Some(KeyState::Active) {
                return Err(OpenError::RetiredKey { key_id: keyring.primary().clone() }.into());
            }
            if record.state(key_id).is_none() {
                return Err(RetireError::UnknownKey { key_id: key_id.clone() });
            }
            let Some(next) = record.retiring(key_id) else {
                return Ok(Outcome::Unchanged);
            };
            let expected = Expected::Exactly(record.revision);
            if write(&self.inner.store, &next, expected, keyring, &*self.inner.entropy).await? {
                protection.refresh(&self.inner.store, &*self.inner.clock).await?;
                return Ok(Outcome::Changed);
            }
        }
        Err(OpenError::Contention.into())
    }
}

/// The reason why a key was not retired.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RetireError {
    /// The key is the primary key of this registry's keyring. If it were retired, this node could write nothing any longer.
    /// Open the registry with another primary key first.
    #[error(
        "key {key_id} is the primary key of this node's keyring: open the registry with another primary key first"
    )]
    Primary {
        /// The ID of the key.
        key_id: KeyId,
    },
    /// The registry does not know the key. [`Registry::keys`] lists those that it knows.
    #[error("the registry knows no key {key_id}: list its keys to see which it knows")]
    UnknownKey {
        /// The ID of the key.
        key_id: KeyId,
    },
    /// The registry's own record could not be written, for the reason that the error holds. The key is not retired.
    #[error("the key was not retired, because the registry's own record could not be written: try again")]
    NotWritten(#[from] OpenError),
    /// The store did not answer. The key may or may not be retired: retire it again.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

coded! {
    RetireError {
        Self::Primary { .. } => Conflict "key_is_primary",
        Self::UnknownKey { .. } => NotFound "unknown_key",
        Self::Unavailable(_) => Unavailable "unavailable",
        ;
        Self::NotWritten(error) => error,
    }
}
