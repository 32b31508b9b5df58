//! The record of the registry itself: which registry this is, and the state of its keys.
//!
//! Made by the first open and checked by every one, so that a wrong key, a changed key or somebody else's database fails
//! before anything is written. Its body is authenticated like any other's; its sealed part is empty.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use super::frame::Sealed;
use super::{RecordId, Sealing, SealingError, body};
use crate::entropy::Entropy;
use crate::record::{CheckValue, Keyring, NamedKey};
use crate::store_error::{StoreError, StoreErrorKind};
use crate::value::redacted::redacted;
use crate::value::{KeyId, Revision};

redacted! {
    /// Whether records may be written under a key.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
    #[serde(rename_all = "snake_case")]
    #[non_exhaustive]
    pub enum KeyState {
        /// They may.
        Active,
        /// They may not any more. What is still under it can be opened by a keyring that has it.
        Retired,
    }
}

/// Which registry this is, and the state of its keys.
#[derive(Debug, Clone)]
pub(crate) struct RegistryRecord {
    pub(crate) registry_id: [u8; 16],
    pub(crate) revision: Revision,
    keys: BTreeMap<KeyId, KnownKey>,
    /// Whether the registry is only on its way into this store.
    is_importing: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct KnownKey {
    state: KeyState,
    /// By what the key is known again; 32 hexadecimal digits.
    check: String,
}

#[derive(Serialize, Deserialize)]
struct Body {
    keys: BTreeMap<KeyId, KnownKey>,
    #[serde(default, rename = "importing", skip_serializing_if = "std::ops::Not::not")]
    is_importing: bool,
}

impl RegistryRecord {
    /// That of a new registry.
    pub(crate) fn new(registry_id: [u8; 16], keyring: &Keyring) -> Self {
        let none = Self { registry_id, revision: Revision::ZERO, keys: BTreeMap::new(), is_importing: false };
        none.knowing(keyring).unwrap_or(none)
    }

    /// What stands in its place while the registry is on its way into a store.
    pub(crate) fn importing(&self) -> Self {
        Self { revision: Revision::ZERO, is_importing: true, ..self.clone() }
    }

    pub(crate) fn is_importing(&self) -> bool {
        self.is_importing
    }

    /// The next one, in which all keys of a keyring are known; `None` if they are already.
    pub(crate) fn knowing(&self, keyring: &Keyring) -> Option<Self> {
        let mut next = Self { revision: self.revision.next(), ..self.clone() };
        for key in keyring.keys().filter(|key| !self.keys.contains_key(key.id())) {
            next.keys.insert(
                key.id().clone(),
                KnownKey { state: KeyState::Active, check: check(&self.registry_id, key) },
            );
        }
        (next.keys.len() > self.keys.len()).then_some(next)
    }

    /// The next one, in which a key is retired; `None` if it is already, or is not known.
    pub(crate) fn retiring(&self, key_id: &KeyId) -> Option<Self> {
        let mut next = Self { revision: self.revision.next(), ..self.clone() };
        let known = next.keys.get_mut(key_id).filter(|known| known.state == KeyState::Active)?;
        known.state = KeyState::Retired;
        Some(next)
    }

    pub(crate) fn state(&self, key_id: &KeyId) -> Option<KeyState> {
        self.keys.get(key_id).map(|known| known.state)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = (&KeyId, KeyState)> {
        self.keys.iter().map(|(id, known)| (id, known.state))
    }

    /// The keys that may be written under and that a keyring lacks.
    pub(crate) fn active_and_not_in(&self, keyring: &Keyring) -> impl Iterator<Item = &KeyId> {
        let is_missing = |id: &&KeyId| keyring.key(id).is_none() && self.state(id) == Some(KeyState::Active);
        self.keys.keys().filter(is_missing)
    }

    /// A key of the keyring that is another one here under the same ID.
    pub(crate) fn differs_in<'a>(&self, keyring: &'a Keyring) -> Option<&'a KeyId> {
        let differs = |key: &&NamedKey| self.keys.get(key.id()).is_some_and(|known| !self.is(key, known));
        keyring.keys().find(differs).map(NamedKey::id)
    }

    fn is(&self, key: &NamedKey, known: &KnownKey) -> bool {
        let mut expected = [0; 16];
        let decoded = HEXLOWER.decode_len(known.check.len()) == Ok(16)
            && HEXLOWER.decode_mut(known.check.as_bytes(), &mut expected).is_ok();
        decoded && key.check_value(&self.registry_id).is(&CheckValue(expected))
    }

    /// What a record says of itself. Nothing is known to be true before [`authenticate`](Self::authenticate).
    pub(crate) fn read(sealed: &Sealed) -> Result<Self, StoreError> {
        let body: Body = serde_json::from_str(sealed.body())
            .map_err(|error| StoreError::with_source(StoreErrorKind::Corrupt, error))?;
        let Body { keys, is_importing } = body;
        Ok(Self { registry_id: sealed.registry_id(), revision: sealed.revision(), keys, is_importing })
    }

    /// Whether the record is as it was written.
    pub(crate) fn authenticate(&self, sealed: &Sealed, keyring: &Keyring) -> Result<(), StoreError> {
        let sealing = Sealing { keyring: keyring.clone(), registry_id: self.registry_id };
        sealing.open_parts(RecordId::REGISTRY, sealed).map(drop)
    }

    pub(crate) fn seal(&self, keyring: &Keyring, entropy: &dyn Entropy) -> Result<Sealed, SealingError> {
        let body = body::to_json(&Body { keys: self.keys.clone(), is_importing: self.is_importing });
        let sealing = Sealing { keyring: keyring.clone(), registry_id: self.registry_id };
        sealing.seal_parts(RecordId::REGISTRY, self.revision, &body, &[], entropy)
    }
}

fn check(registry_id: &[u8; 16], key: &NamedKey) -> String {
    HEXLOWER.encode(&key.check_value(registry_id).0)
}
