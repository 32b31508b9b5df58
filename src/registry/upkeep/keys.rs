//! The keys of a registry over their lives: which there are, what is under them, retiring those that are no longer
//! wanted.

use crate::record::KeyState;
use crate::registry::upkeep::open::{OpenError, write};
use crate::registry::{Outcome, Registry};
use crate::store::{ClientsBy, Expected, Store};
use crate::store_error::StoreError;
use crate::value::coded::coded;
use crate::value::{ClientId, KeyId};

/// A key that a registry knows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyStatus {
    /// Its ID.
    pub id: KeyId,
    /// Whether records may be written under it.
    pub state: KeyState,
    /// Whether it is the one that this registry writes under.
    pub is_primary: bool,
}

impl<S: Store> Registry<S> {
    /// The keys that the registry knows, in the order of their IDs, as the store says now. None in memory, where nothing
    /// is sealed.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn keys(&self) -> Result<Vec<KeyStatus>, StoreError> {
        let Some(protection) = &self.inner.protection else {
            return Ok(Vec::new());
        };
        let record = protection.refresh(&self.inner.store, &*self.inner.clock).await?;
        let primary = protection.sealing.keyring.primary();
        let keys = record.keys();
        Ok(keys.map(|(id, state)| KeyStatus { id: id.clone(), state, is_primary: id == primary }).collect())
    }

    /// The client IDs whose records are under a key, in the order of the IDs, after one of them, at most `limit`. An empty
    /// answer to the first question proves that no client needs the key. The registry's own record does not, once the key
    /// is retired; old backups may.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn clients_under(
        &self,
        key_id: &KeyId,
        after: Option<&ClientId>,
        limit: usize,
    ) -> Result<Vec<ClientId>, StoreError> {
        self.inner.store.clients(ClientsBy::Key(key_id), after, limit.max(1)).await
    }

    /// Retires a key: from now on here, and within [`key_refresh`](crate::RegistryBuilder::key_refresh) everywhere else,
    /// nothing is written under it. What is under it can still be opened by a keyring that has it. Retiring it again
    /// changes nothing.
    ///
    /// To replace a key: give every node a keyring with both keys, the old one primary; then with the new one primary;
    /// [`reseal`](Self::reseal); retire the old one; wait for a refresh; reseal once more; ask
    /// [`clients_under`](Self::clients_under), and take the old key out of the keyrings when nothing is left.
    ///
    /// # Errors
    /// [`RetireError`]
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

/// Why a key was not retired.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RetireError {
    /// It is the primary key of this registry, which could write nothing any more.
    #[error("key {key_id} is the primary one here: open the registry with another one as primary first")]
    Primary {
        /// The key.
        key_id: KeyId,
    },
    /// The registry does not know the key.
    #[error("the registry knows no key {key_id}")]
    UnknownKey {
        /// The key.
        key_id: KeyId,
    },
    /// The record of the registry could not be written, as far as the store says.
    #[error("the registry's record was not written")]
    NotWritten(#[from] OpenError),
    /// The store did not answer.
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

/// How often the record of the registry is looked at anew when others change it in between.
const ATTEMPTS: usize = 16;
