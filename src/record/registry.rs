//! The record of the registry itself: its ID, and the state of its keys.
//!
//! The first open makes it and every open checks it, so a wrong key, a changed key or the database of another registry fails
//! before anything is written. Its body is authenticated like that of a client; its sealed part is empty. This is a stored
//! format.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use super::frame::Sealed;
use super::{RecordId, Sealing, SealingError, body};
use crate::entropy::Entropy;
use crate::record::{CheckValue, Keyring, NamedKey};
use crate::store_error::{StoreError, StoreErrorKind};
use crate::value::redacted::redact;
use crate::value::{KeyId, Revision};

/// The state of a key: whether records may be written under it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum KeyState {
    /// Records may be written under the key.
    Active,
    /// Records may not be written under the key any longer. Those that were can still be opened by a keyring that has it.
    Retired,
}

/// The ID of the registry, and the state of its keys.
#[derive(Debug, Clone)]
pub(crate) struct RegistryRecord {
    pub(crate) registry_id: [u8; 16],
    pub(crate) revision: Revision,
    keys: BTreeMap<KeyId, KnownKey>,
    /// Whether an import of the registry into this store is not finished.
    is_importing: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct KnownKey {
    #[serde(with = "StoredKeyState")]
    state: KeyState,
    /// The check value of the key, in 32 hexadecimal digits.
    check: String,
}

/// The state of a key as it is stored, whatever the public JSON of [`KeyState`] is.
#[derive(Serialize, Deserialize)]
#[serde(remote = "KeyState", rename_all = "snake_case")]
enum StoredKeyState {
    Active,
    Retired,
}

#[derive(Serialize, Deserialize)]
struct Body {
    keys: BTreeMap<KeyId, KnownKey>,
    #[serde(default, rename = "importing", skip_serializing_if = "std::ops::Not::not")]
    is_importing: bool,
}

impl RegistryRecord {
    /// Returns the record of a new registry.
    pub(crate) fn new(registry_id: [u8; 16], keyring: &Keyring) -> Self {
        let none = Self { registry_id, revision: Revision::ZERO, keys: BTreeMap::new(), is_importing: false };
        none.knowing(keyring).unwrap_or(none)
    }

    /// Returns the record that takes its place while the registry is imported.
    pub(crate) fn importing(&self) -> Self {
        Self { revision: Revision::ZERO, is_importing: true, ..self.clone() }
    }

    pub(crate) fn is_importing(&self) -> bool {
        self.is_importing
    }

    /// Returns the next record, which knows all keys of a keyring, or `None` if this one does.
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

    /// Returns the next record, in which a key is retired, or `None` if it is retired already or unknown.
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

    /// Returns the active keys that a keyring lacks.
    pub(crate) fn active_and_not_in(&self, keyring: &Keyring) -> impl Iterator<Item = &KeyId> {
        let is_missing = |id: &&KeyId| keyring.key(id).is_none() && self.state(id) == Some(KeyState::Active);
        self.keys.keys().filter(is_missing)
    }

    /// Returns a key of the keyring that has other bytes here under the same ID.
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

    /// Reads a record. Nothing in it may be trusted before [`authenticate`](Self::authenticate).
    pub(crate) fn read(sealed: &Sealed) -> Result<Self, StoreError> {
        let corrupt =
            |error| StoreError::with_source(StoreErrorKind::Corrupt, redact(error, "registry record"));
        let body: Body = serde_json::from_str(sealed.body()).map_err(corrupt)?;
        let Body { keys, is_importing } = body;
        Ok(Self { registry_id: sealed.registry_id(), revision: sealed.revision(), keys, is_importing })
    }

    /// Checks that the record is as it was written.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Bodies as they have been written since the format exists.
    #[test]
    fn bodies_are_written_as_they_always_were() {
        for golden in [
            r#"{"keys":{}}"#,
            r#"{"keys":{"2026":{"state":"active","check":"71b481058062fccda2b1817ecab13895"}}}"#,
            r#"{"keys":{"2025":{"state":"retired","check":"1"},"2026":{"state":"active","check":"2"}},"importing":true}"#,
        ] {
            let body: Body = serde_json::from_str(golden).unwrap();
            assert_eq!(body::to_json(&body), golden);
        }
        assert!(serde_json::from_str::<Body>(r#"{"keys":{"2026":{"state":"lost","check":"1"}}}"#).is_err());
    }

    /// Two nodes that change the record at once expect the same revision: only if each makes the next one does one of them lose.
    #[test]
    fn each_change_makes_the_next_revision() {
        let id = |text| KeyId::parse(text).unwrap();
        let key = |seed: u8| std::array::from_fn(|at| seed ^ u8::try_from(at).unwrap());
        let one = Keyring::new(id("2026"), &key(1)).unwrap();
        let two = Keyring::new(id("2027"), &key(99)).unwrap().with(id("2026"), &key(1)).unwrap();
        let first = RegistryRecord::new([7; 16], &one);
        assert_eq!(first.revision, Revision::new(1));
        let second = first.knowing(&two).unwrap();
        assert_eq!((second.revision, second.keys().count()), (Revision::new(2), 2));
        assert!(second.knowing(&one).is_none());
        let third = second.retiring(&id("2026")).unwrap();
        assert_eq!(third.revision, Revision::new(3));
        assert!(third.retiring(&id("2026")).is_none());
        // What stands there while a registry is imported comes before the record that is imported, whatever its revision.
        assert_eq!(third.importing().revision, Revision::ZERO);
    }
}
