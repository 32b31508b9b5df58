//! `NamedKey`: one key of a keyring, and the subkeys that are derived from it.
//!
//! The labels are part of the stored format: they must not change.

use std::sync::Arc;

use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use hkdf::Hkdf;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::invalid;
use crate::value::{InvalidValue, KeyId};

/// A key with its ID and the cipher that is derived from it.
pub(crate) struct NamedKey {
    pub(super) id: KeyId,
    pub(super) bytes: Zeroizing<[u8; LEN]>,
    seal: XChaCha20Poly1305,
}

impl NamedKey {
    pub(super) fn new(id: KeyId, bytes: &[u8; LEN]) -> Result<Arc<Self>, InvalidValue> {
        if bytes.iter().all(|byte| Some(byte) == bytes.first()) {
            return Err(invalid("has a key whose bytes are all the same"));
        }
        let mut subkey = Zeroizing::new([0; LEN]);
        derive(None, bytes, SEAL, &mut subkey);
        let seal = XChaCha20Poly1305::new((&*subkey).into());
        Ok(Arc::new(Self { id, bytes: Zeroizing::new(*bytes), seal }))
    }

    pub(crate) fn id(&self) -> &KeyId {
        &self.id
    }

    /// Returns the cipher that encrypts and authenticates records.
    pub(crate) fn seal(&self) -> &XChaCha20Poly1305 {
        &self.seal
    }

    /// Returns the subkey that authenticates an export.
    pub(crate) fn export_key(&self) -> Zeroizing<[u8; LEN]> {
        let mut subkey = Zeroizing::new([0; LEN]);
        derive(None, &self.bytes, EXPORT, &mut subkey);
        subkey
    }

    /// Returns the check value by which a registry recognises the key. It reveals nothing about the key, and differs in each
    /// registry.
    pub(crate) fn check_value(&self, registry_id: &[u8; 16]) -> CheckValue {
        let mut value = [0; 16];
        derive(Some(registry_id), &self.bytes, CHECK, &mut value);
        CheckValue(value)
    }
}

/// The value by which a registry recognises a key.
#[derive(Clone, Copy)]
pub(crate) struct CheckValue(pub(crate) [u8; 16]);

impl CheckValue {
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

/// Derives the subkey of this label in place (RFC 5869). A subkey that was not derived would be all zeros, so this stops rather
/// than go on; the length is checked when the crate is compiled, and HKDF has no other way to fail.
#[expect(clippy::expect_used, reason = "unreachable: the length is checked at compile time")]
fn derive<const N: usize>(salt: Option<&[u8]>, key: &[u8; LEN], label: &str, subkey: &mut [u8; N]) {
    const { assert!(N <= 255 * LEN, "HKDF-SHA-256 derives at most 255 blocks of 32 bytes") };
    Hkdf::<Sha256>::new(salt, key).expand(label.as_bytes(), subkey).expect("HKDF derives this length");
}

/// The length of a key in bytes.
pub(super) const LEN: usize = 32;
const SEAL: &str = "client-registry/seal/1";
const CHECK: &str = "client-registry/check/1";
const EXPORT: &str = "client-registry/export/1";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subkeys_have_nothing_in_common() {
        let bytes = std::array::from_fn(|at| u8::try_from(at).unwrap());
        let key = NamedKey::new(KeyId::parse("2026").unwrap(), &bytes).unwrap();
        let (one, other) = (key.check_value(&[1; 16]), key.check_value(&[2; 16]));
        assert!(!one.is(&other) && one.is(&key.check_value(&[1; 16])));
        let mut raw = [0; 32];
        derive(None, &key.bytes, SEAL, &mut raw);
        assert_ne!(raw, [0; 32]);
        assert_ne!(raw, *key.bytes);
        assert_ne!(raw[..16], one.0);
        assert_ne!(raw, *key.export_key());
        assert_ne!(key.export_key()[..16], one.0);
    }
}
