//! The floor of authenticating: one look-up in a lock-free map, one compression of SHA-256 from a kept state, one comparison of
//! four words with each candidate, one reading of the clock.
//!
//! What is hashed is what the library hashes: label (27 bytes with its NUL), client ID (36), NUL (1), client secret. The first
//! three fill one block exactly, so its state is kept for each client. The client secret, at most 55 bytes, takes the other
//! block with its padding.

use std::sync::Arc;

use sha2::block_api::compress256;

use super::{ID, Map, now, recently};

/// For each client ID the state after its first block, and the hashes of its client secrets.
#[derive(Default)]
pub struct Passwords<const SECRETS: usize>(Map<Arc<Kept<SECRETS>>>);

/// What is kept of a client.
pub struct Kept<const SECRETS: usize> {
    state: [u32; 8],
    hashes: [[u64; 4]; SECRETS],
}

impl<const SECRETS: usize> Passwords<SECRETS> {
    /// Keeps a client and its secrets.
    pub fn insert(&self, client_id: &str, secrets: &[&str]) {
        let id: [u8; ID] = client_id.as_bytes().try_into().unwrap();
        let mut block = [0; BLOCK];
        block[..LABEL.len()].copy_from_slice(LABEL);
        block[LABEL.len()..BLOCK - 1].copy_from_slice(&id);
        let mut state = INITIAL;
        compress256(&mut state, &[block]);
        let hashes = std::array::from_fn(|position| hash(state, secrets[position]));
        self.0.pin().insert(id, Arc::new(Kept { state, hashes }));
    }

    /// The position of the secret that matches, and when it was compared.
    #[inline]
    pub fn authenticate(&self, client_id: &str, secret: &str) -> Option<(usize, u128)> {
        let map = self.0.pin();
        let kept = map.get(client_id.as_bytes())?;
        Some((kept.find(secret)?, now()))
    }

    /// The same, with the kernel's coarse clock.
    #[inline]
    pub fn authenticate_coarsely(&self, client_id: &str, secret: &str) -> Option<(usize, i64)> {
        let map = self.0.pin();
        let kept = map.get(client_id.as_bytes())?;
        Some((kept.find(secret)?, recently()))
    }

    /// The same as the first, and the client itself, which the caller may keep: one reference count up and down.
    #[inline]
    pub fn authenticate_shared(
        &self,
        client_id: &str,
        secret: &str,
    ) -> Option<(Arc<Kept<SECRETS>>, usize, u128)> {
        let map = self.0.pin();
        let kept = map.get(client_id.as_bytes())?;
        let position = kept.find(secret)?;
        Some((Arc::clone(kept), position, now()))
    }
}

impl<const SECRETS: usize> Kept<SECRETS> {
    /// Compares with every candidate, without a branch on the outcome.
    #[inline]
    fn find(&self, secret: &str) -> Option<usize> {
        let presented = hash(self.state, secret);
        let mut found = 0;
        for (position, candidate) in self.hashes.iter().enumerate() {
            let mut difference = 0;
            for (one, other) in candidate.iter().zip(&presented) {
                difference |= one ^ other;
            }
            found |= usize::from(difference == 0) * (position + 1);
        }
        found.checked_sub(1)
    }
}

/// The hash of a client secret, after the block that is its client's.
#[inline]
fn hash(mut state: [u32; 8], secret: &str) -> [u64; 4] {
    let mut block = [0; BLOCK];
    let len = secret.len();
    block[..len].copy_from_slice(secret.as_bytes());
    block[len] = 0x80;
    block[BLOCK - 8..].copy_from_slice(&(8 * (BLOCK + len) as u64).to_be_bytes());
    compress256(&mut state, &[block]);
    std::array::from_fn(|word| u64::from(state[2 * word]) << 32 | u64::from(state[2 * word + 1]))
}

const BLOCK: usize = 64;
const LABEL: &[u8; 27] = b"client-registry/verifier/1\0";
/// FIPS 180-4 section 5.3.3.
const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn it_is_sha_256_of_label_client_id_and_secret() {
        let (id, secret) =
            ("0d0e2c5c-5c39-4d5b-9f3a-3c1b1f1d2a10", "crs_0123456789012345678901234567890123456789012345678");
        let floor = Passwords::<2>::default();
        floor.insert(id, &["another one of these", secret]);
        let whole = [&LABEL[..], id.as_bytes(), b"\0", secret.as_bytes()].concat();
        let digest: [u8; 32] = Sha256::digest(whole).into();
        let map = floor.0.pin();
        let bytes = map.get(id.as_bytes()).unwrap().hashes[1].map(u64::to_be_bytes);
        assert_eq!(bytes.as_flattened(), digest);
        assert_eq!(floor.authenticate(id, secret).unwrap().0, 1);
        assert_eq!(floor.authenticate_shared(id, "another one of these").unwrap().1, 0);
        assert_eq!(floor.authenticate(id, "crs_1"), None);
    }
}
