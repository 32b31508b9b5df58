//! The keyring: the keys that protect records at rest (rule 8).
//!
//! A keyring is the caller's: it is kept apart from the store and passed to [`Registry::open`](crate::Registry::open). Its
//! primary key seals what is written; the others open what was written before, until it has been resealed. No key is used
//! directly: each purpose has a subkey, by HKDF-SHA-256 (RFC 5869) with its own label. Labels are part of the stored format.

mod key;
mod variable;

use std::fmt;
use std::sync::Arc;

pub(crate) use self::key::{CheckValue, NamedKey};
pub use self::variable::KeyringVariableError;

use data_encoding::BASE64;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use self::key::LEN;
use crate::entropy::{Entropy, EntropyError};
use crate::value::{Field, InvalidValue, KeyId, Problem};

/// Named keys of 32 bytes, one of them the primary key.
///
/// A keyring cannot be serialized, compared or printed. Cloning is cheap; clones share the keys, which are wiped with the last
/// clone.
///
/// ```
/// # use client_registry::value::KeyId;
/// # use client_registry::Keyring;
/// // Once, and into the place where secrets of the platform are kept:
/// let keyring = Keyring::generate(KeyId::parse("2026")?)?;
/// let kept = keyring.expose(str::to_owned);
/// // From then on, here from a text, else with `Keyring::from_env("CLIENT_REGISTRY_KEYS")`:
/// let keyring = Keyring::parse(&kept)?;
/// assert_eq!(keyring.primary().as_str(), "2026");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
/// ```compile_fail,E0277
/// # use client_registry::Keyring;
/// fn serialize_it<T: serde::Serialize>() {}
/// serialize_it::<Keyring>();
/// ```
#[derive(Clone)]
pub struct Keyring {
    primary: Arc<NamedKey>,
    others: Vec<Arc<NamedKey>>,
}

impl Keyring {
    /// Returns a keyring of one key, the primary key. The bytes are copied; the caller has to wipe the original.
    ///
    /// The bytes must be random: an attacker that guesses them and reads the store can sign as the platform.
    ///
    /// # Errors
    /// [`InvalidValue`] if all bytes are the same, which no random key has.
    pub fn new(id: KeyId, key: &[u8; 32]) -> Result<Self, InvalidValue> {
        Ok(Self { primary: NamedKey::new(id, key)?, others: Vec::new() })
    }

    /// Adds a key, which opens what was sealed under it.
    ///
    /// # Errors
    /// [`InvalidValue`] if there is a key with this ID or these bytes, or if all bytes are the same.
    pub fn with(mut self, id: KeyId, key: &[u8; 32]) -> Result<Self, InvalidValue> {
        if self.key(&id).is_some() {
            return Err(invalid("uses a key ID twice"));
        }
        if self.keys().any(|one| one.bytes.ct_eq(key).into()) {
            return Err(invalid("has the same key under two IDs"));
        }
        self.others.push(NamedKey::new(id, key)?);
        Ok(self)
    }

    /// Generates a keyring of one key from the randomness of the operating system. Store it with [`expose`](Self::expose).
    ///
    /// # Errors
    /// [`EntropyError`] if the source of randomness fails.
    pub fn generate(id: KeyId) -> Result<Self, EntropyError> {
        let mut key = Zeroizing::new([0; LEN]);
        crate::entropy::SystemEntropy.fill(&mut *key)?;
        Self::new(id, &key).map_err(|e| EntropyError::new(e.to_string()))
    }

    /// Parses `<key ID>:<base64>`, the primary key first, others after it, separated by commas. So the texts of two keyrings,
    /// joined by a comma, are a keyring of both, with the primary key of the first.
    ///
    /// # Errors
    /// [`InvalidValue`] if the text is not a keyring. The error never repeats the text.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        let text = text.trim();
        if text.is_empty() {
            return Err(InvalidValue::new(Field::Keyring, Problem::Empty));
        }
        if text.contains(['"', '\'', '`', '“', '”', '‘', '’']) {
            return Err(invalid("has quotation marks around it or in it: leave them out"));
        }
        let mut keyring: Option<Self> = None;
        for one in text.split(',').map(str::trim) {
            if one.is_empty() {
                return Err(invalid("has a comma with no key before it or after it: leave the comma out"));
            }
            if one.contains(char::is_whitespace) {
                return Err(invalid(
                    "has white space inside a key: leave it out, and put a comma between two keys",
                ));
            }
            let (id, encoded) = one
                .split_once(':')
                .ok_or_else(|| invalid("has a key without an ID: write <key ID>:<base64 of 32 bytes>"))?;
            let id = KeyId::parse(id)?;
            let key = decode(encoded)?;
            keyring = Some(match keyring {
                None => Self::new(id, &key)?,
                Some(keyring) => keyring.with(id, &key)?,
            });
        }
        keyring.ok_or_else(|| InvalidValue::new(Field::Keyring, Problem::Empty))
    }

    /// Parses the value of an environment variable as [`parse`](Self::parse) does.
    ///
    /// # Errors
    /// [`KeyringVariableError`] if the variable is not set, empty, not Unicode or not a keyring. The error names the variable and
    /// repeats nothing of its value.
    pub fn from_env(variable: &str) -> Result<Self, KeyringVariableError> {
        variable::read(variable)
    }

    /// Passes the text that [`parse`](Self::parse) reads to `keep`, and wipes it afterwards. The caller is responsible for
    /// where the text goes.
    pub fn expose<T>(&self, keep: impl FnOnce(&str) -> T) -> T {
        let len = self.keys().map(|key| key.id.as_str().len() + ENCODED + 2).sum();
        let mut text = Zeroizing::new(String::with_capacity(len));
        for key in self.keys() {
            if !text.is_empty() {
                text.push(',');
            }
            text.push_str(key.id.as_str());
            text.push(':');
            BASE64.encode_append(&*key.bytes, &mut text);
        }
        keep(&text)
    }

    /// Returns the ID of the primary key, which seals what is written.
    #[must_use]
    pub fn primary(&self) -> &KeyId {
        &self.primary.id
    }

    /// Returns the IDs of all keys, the primary key first.
    pub fn key_ids(&self) -> impl Iterator<Item = &KeyId> {
        self.keys().map(|key| &key.id)
    }

    pub(crate) fn primary_key(&self) -> &NamedKey {
        &self.primary
    }

    pub(crate) fn key(&self, id: &KeyId) -> Option<&NamedKey> {
        self.keys().find(|key| key.id == *id)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &NamedKey> {
        std::iter::once(&*self.primary).chain(self.others.iter().map(|key| &**key))
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").field("primary", self.primary()).finish_non_exhaustive()
    }
}

fn decode(encoded: &str) -> Result<Zeroizing<[u8; LEN]>, InvalidValue> {
    let not_base64 = || invalid("has a key that is not 32 bytes of padded base64");
    // Room for the 33 bytes that 44 characters decode to at most.
    let mut decoded = Zeroizing::new([0; LEN + 1]);
    if encoded.len() != ENCODED {
        return Err(not_base64());
    }
    let len = BASE64.decode_mut(encoded.as_bytes(), &mut *decoded).map_err(|mut partial| {
        partial.read.zeroize();
        not_base64()
    })?;
    match decoded.first_chunk() {
        Some(key) if len == LEN => Ok(Zeroizing::new(*key)),
        _ => Err(not_base64()),
    }
}

fn invalid(what: &'static str) -> InvalidValue {
    InvalidValue::new(Field::Keyring, Problem::Form(what))
}

/// The length of one key in base64.
const ENCODED: usize = 44;

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> KeyId {
        KeyId::parse(text).unwrap()
    }

    fn key(seed: u8) -> [u8; LEN] {
        std::array::from_fn(|at| u8::try_from(at).unwrap().wrapping_mul(7) ^ seed)
    }

    #[test]
    fn what_is_exposed_is_read_back() {
        let keyring = Keyring::new(id("2026"), &key(1)).unwrap().with(id("2025"), &key(2)).unwrap();
        let again = Keyring::parse(&keyring.expose(str::to_owned)).unwrap();
        let all =
            |keyring: &Keyring| keyring.keys().map(|key| (key.id.clone(), *key.bytes)).collect::<Vec<_>>();
        assert_eq!(all(&again), all(&keyring));
        assert_eq!(all(&again), [(id("2026"), key(1)), (id("2025"), key(2))]);
        assert_eq!(again.key_ids().collect::<Vec<_>>(), [&id("2026"), &id("2025")]);
    }

    #[test]
    fn what_is_no_keyring_is_refused_and_not_repeated() {
        let good = BASE64.encode(&key(1));
        for bad in [
            String::new(),
            good.clone(),
            format!("2026:{}", &good[1..]),
            format!("2026:{good}x"),
            format!("2026:{}", good.replace('=', "A")),
            format!("a key:{good}"),
            format!("2026:{good},2026:{good}"),
            format!("2026:{good},"),
            format!("2026:{}", BASE64.encode(&[7; 32])),
            format!("2026:{}", BASE64.encode(&[7; 31])),
        ] {
            let error = Keyring::parse(&bad).unwrap_err();
            assert!(!error.to_string().contains(&good[..20]), "{error}");
        }
    }

    /// As they come out of a file of settings.
    #[test]
    fn what_was_copied_with_a_keyring_is_named() {
        let (one, other) = (BASE64.encode(&key(1)), BASE64.encode(&key(2)));
        for (text, says) in [
            (format!("\"2026:{one}\""), "quotation marks"),
            (format!("'2026:{one}'\n"), "quotation marks"),
            (format!("2026:\"{one}\""), "quotation marks"),
            (format!("“2026:{one}”"), "quotation marks"),
            (format!("2026:{one},"), "a comma with no key"),
            (format!("2026:{one}, \n"), "a comma with no key"),
            (format!(",2026:{one}"), "a comma with no key"),
            (format!("2026:{one},,2025:{other}"), "a comma with no key"),
            (format!("2026: {one}"), "white space inside a key"),
            (format!("2026 :{one}"), "white space inside a key"),
            (format!("2026:{one} 2025:{other}"), "white space inside a key"),
            (format!("2026:{one}\n2025:{other}"), "white space inside a key"),
            (format!("2026:{}\n{}", &one[..20], &one[20..]), "white space inside a key"),
            (" ".to_owned(), "is empty"),
            (one.clone(), "a key without an ID"),
        ] {
            let error = Keyring::parse(&text).unwrap_err().to_string();
            assert!(error.contains(says) && !error.contains(&one[..20]), "{text}: {error}");
        }
        let both = format!(" 2026:{one} ,\t2025:{other}\n");
        assert_eq!(Keyring::parse(&both).unwrap().keys().count(), 2);
    }

    #[test]
    fn debug_shows_no_key() {
        let keyring = Keyring::new(id("2026"), &key(1)).unwrap();
        assert_eq!(format!("{keyring:?}"), "Keyring { primary: KeyId(2026), .. }");
    }
}
