//! The floor of authenticating: one look-up in a lock-free map, one SHA-256 over label, client ID and client secret,
//! one comparison of four words with each candidate in constant time, one reading of the clock.

use sha2::{Digest, Sha256};
use subtle::{ConditionallySelectable, ConstantTimeEq};

use super::{Map, now};

/// For each client ID the hashes of its client secrets, side by side.
#[derive(Default)]
pub(crate) struct Passwords(Map<Box<[[u64; 4]]>>);

impl Passwords {
    /// Keeps a client's secrets.
    pub(crate) fn insert<'a>(&self, client_id: &str, secrets: impl IntoIterator<Item = &'a str>) {
        let hashes = secrets.into_iter().map(|secret| hash(client_id, secret)).collect();
        self.0.pin().insert(Box::from(client_id), hashes);
    }

    /// The position of the secret that matches, and when it was compared.
    #[inline]
    pub(crate) fn authenticate(&self, client_id: &str, secret: &str) -> Option<(u32, u128)> {
        let presented = hash(client_id, secret);
        let map = self.0.pin();
        let candidates = map.get(client_id).map_or(&[][..], |hashes| hashes);
        let mut found = u32::MAX;
        for (position, candidate) in (0u32..).zip(candidates) {
            found.conditional_assign(&position, equal(candidate, &presented));
        }
        (found != u32::MAX).then_some((found, now()))
    }
}

#[inline]
fn equal([a, b, c, d]: &[u64; 4], [e, f, g, h]: &[u64; 4]) -> subtle::Choice {
    ((a ^ e) | (b ^ f) | (c ^ g) | (d ^ h)).ct_eq(&0)
}

/// The hash, of one buffer on the stack that is fed at once.
#[inline]
fn hash(client_id: &str, secret: &str) -> [u64; 4] {
    let mut buffer = [0; 256];
    let mut len = 0;
    for part in [LABEL, b"\0", client_id.as_bytes(), b"\0", secret.as_bytes()] {
        buffer[len..len + part.len()].copy_from_slice(part);
        len += part.len();
    }
    let digest: [u8; 32] = Sha256::digest(&buffer[..len]).into();
    let mut words = [0; 4];
    for (word, bytes) in words.iter_mut().zip(digest.as_chunks().0) {
        *word = u64::from_be_bytes(*bytes);
    }
    words
}

const LABEL: &[u8] = b"client-registry/verifier/1";
