//! The floor of signing and verifying: one look-up in a lock-free map, one reading of the clock, one HMAC-SHA-256 with
//! a key that was prepared before.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{Map, now};

/// For each client ID the prepared keys of its secrets, by their numbers.
#[derive(Default)]
pub(crate) struct MacKeys(Map<Box<[Key]>>);

/// The number of a secret, and HMAC as it is after it has seen the key.
type Key = (u32, Hmac<Sha256>);

impl MacKeys {
    /// Prepares a client's keys. Its secrets have the numbers 1, 2, 3 …
    pub(crate) fn insert<'a>(&self, client_id: &str, secrets: impl IntoIterator<Item = &'a str>) {
        let keys = (1u32..)
            .zip(secrets)
            .map(|(number, secret)| (number, Hmac::new_from_slice(secret.as_bytes()).unwrap()))
            .collect();
        self.0.pin().insert(Box::from(client_id), keys);
    }

    /// Signs with the first key.
    #[inline]
    pub(crate) fn sign(&self, client_id: &str, message: &[u8]) -> Option<([u8; 32], u128)> {
        let map = self.0.pin();
        let (_, key) = map.get(client_id)?.first()?;
        let mut hmac = key.clone();
        hmac.update(message);
        Some((hmac.finalize().into_bytes().into(), now()))
    }

    /// Verifies with the key of this number, in constant time.
    #[inline]
    pub(crate) fn verify(
        &self,
        client_id: &str,
        number: u32,
        message: &[u8],
        mac: &[u8; 32],
    ) -> Option<u128> {
        let map = self.0.pin();
        let (_, key) = map.get(client_id)?.iter().find(|(held, _)| *held == number)?;
        let mut hmac = key.clone();
        hmac.update(message);
        hmac.verify_slice(mac).ok().map(|()| now())
    }
}
