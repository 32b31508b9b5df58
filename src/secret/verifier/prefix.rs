//! `VerifierPrefix`: where the hash of a client's secrets stands before the secret begins.
//!
//! The label, a client ID as the registry issues them, and the NUL fill the first block of SHA-256 exactly. The chaining value after
//! that block is kept with the client, so that what a caller presents costs one compression. It is public, as the client ID is.

use sha2::block_api::compress256;
use zeroize::{Zeroize, optimization_barrier};

use super::Verifier;
use crate::secret::ClientSecret;
use crate::secret::mac::{BLOCK, INITIAL};
use crate::value::ClientId;
use crate::value::secret_text::MAX_LEN;

/// The chaining value after the first block, if label, client ID and NUL fill one; otherwise the initial value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct VerifierPrefix([u32; 8]);

impl VerifierPrefix {
    /// What is hashed with where there is no client: at the same cost, to a verifier that no client has.
    pub(crate) const NOBODY: Self = Self(INITIAL);

    /// Returns the prefix of a client.
    pub(crate) fn of(client_id: &ClientId) -> Self {
        let mut state = INITIAL;
        let mut head = [[0; BLOCK]; 2];
        put(&mut head, &[LABEL, client_id.as_bytes(), NUL]);
        if client_id.as_bytes().len() >= GUID {
            compress(&mut state, head.split_at(1).0);
        }
        Self(state)
    }

    /// Returns the verifier of a client's secret.
    pub(crate) fn of_secret(&self, client_id: &ClientId, client_secret: &ClientSecret) -> Verifier {
        self.hash(client_id.as_bytes(), client_secret.expose().as_bytes())
    }

    /// Returns the verifier of what a caller presented. The work depends only on the lengths of the two texts, not on whether the
    /// client exists. Of a text that is longer than any client secret, one byte more than the limit is hashed: that takes bounded
    /// time and matches no verifier.
    #[inline]
    pub(crate) fn of_presented(&self, client_id: &[u8], client_secret: &str) -> Verifier {
        let secret = client_secret.as_bytes();
        self.hash(client_id, secret.get(..=MAX_LEN).unwrap_or(secret))
    }

    #[inline]
    fn hash(&self, id: &[u8], secret: &[u8]) -> Verifier {
        let len = LABEL.len() + id.len() + NUL.len() + secret.len();
        match (id.len(), secret.len()) {
            // A generated secret of one of our client IDs. Room for the longest text would take longer to clear.
            (GUID, ..=IN_ONE_BLOCK) => self.finish(&mut [[0; BLOCK]], len, &[secret]),
            (GUID, _) => self.finish(&mut [[0; BLOCK]; MAX_BLOCKS], len, &[secret]),
            (..GUID, _) => self.finish(&mut [[0; BLOCK]; MAX_BLOCKS], len, &[LABEL, id, NUL, secret]),
            (_, _) => {
                let rest = id.get(GUID + NUL.len()..).unwrap_or_default();
                self.finish(&mut [[0; BLOCK]; MAX_BLOCKS], len, &[rest, NUL, secret])
            }
        }
    }

    /// Hashes the parts that follow the prefix, of a text of `len` bytes in all. They are put together and padded (FIPS 180-4 section
    /// 5.1.1) in one buffer, so that the secret is in one place and is wiped there.
    #[inline]
    fn finish(&self, room: &mut [[u8; BLOCK]], len: usize, parts: &[&[u8]]) -> Verifier {
        let written = put(room, parts);
        let (blocks, _) = room.split_at_mut((written + PADDING).div_ceil(BLOCK));
        let bytes = blocks.as_flattened_mut();
        if let Some(end) = bytes.get_mut(written) {
            *end = 0x80;
        }
        if let Some(length) = bytes.last_chunk_mut() {
            *length = (8 * len as u64).to_be_bytes();
        }
        let mut state = self.0;
        compress(&mut state, blocks);
        blocks.fill([0; BLOCK]);
        optimization_barrier(blocks);
        let mut words = [0; 4];
        for (word, [high, low]) in words.iter_mut().zip(state.as_chunks().0) {
            *word = u64::from(*high) << 32 | u64::from(*low);
        }
        state.zeroize();
        Verifier(words)
    }
}

/// Puts the parts one after the other at the start of the blocks, and returns their length.
#[inline]
fn put(blocks: &mut [[u8; BLOCK]], parts: &[&[u8]]) -> usize {
    let mut room = blocks.as_flattened_mut();
    let mut written = 0;
    for part in parts {
        let (taken, rest) = room.split_at_mut(part.len());
        taken.copy_from_slice(part);
        room = rest;
        written += part.len();
    }
    written
}

#[inline]
fn compress(state: &mut [u32; 8], blocks: &[[u8; BLOCK]]) {
    #[cfg(test)]
    super::tests::count_compressions(blocks.len());
    compress256(state, blocks);
}

const LABEL: &[u8] = b"client-registry/verifier/1\0";
const NUL: &[u8] = b"\0";
/// The length of a client ID with which label and NUL fill the first block: one of ours.
const GUID: usize = BLOCK - LABEL.len() - NUL.len();
/// The padding after a message: a one bit with seven zeros, and the length in 64 bits.
const PADDING: usize = 1 + 8;
/// The longest secret that fits into one block with the padding.
const IN_ONE_BLOCK: usize = BLOCK - PADDING;
/// Room for the longest client ID and one byte more than the longest client secret.
const MAX_BLOCKS: usize = (LABEL.len() + 64 + NUL.len() + MAX_LEN + 1 + PADDING).div_ceil(BLOCK);

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};

    fn documented(client_id: &str, secret: &str) -> Vec<u8> {
        Sha256::digest(format!("client-registry/verifier/1\0{client_id}\0{secret}")).to_vec()
    }

    #[test]
    fn every_length_is_the_documented_hash() {
        for id_len in 8..=64 {
            let id = ClientId::stored(&"i".repeat(id_len)).unwrap();
            let prefix = VerifierPrefix::of(&id);
            for len in 0..=MAX_LEN + 1 {
                let text = "s".repeat(len);
                let found = prefix.of_presented(id.as_bytes(), &text);
                assert_eq!(found.to_bytes().to_vec(), documented(id.as_str(), &text), "{id_len} and {len}");
            }
        }
    }

    #[test]
    fn one_of_our_client_ids_fills_the_first_block() {
        super::super::tests::compressions();
        let id = ClientId::from_random([7; 16]);
        let prefix = VerifierPrefix::of(&id);
        assert_eq!(super::super::tests::compressions(), 1);
        let secret = "crs_".to_owned() + &"0".repeat(49);
        assert_eq!(
            prefix.of_presented(id.as_bytes(), &secret).to_bytes().to_vec(),
            documented(id.as_str(), &secret)
        );
        assert_eq!(super::super::tests::compressions(), 1);
    }

    #[test]
    fn too_long_is_bounded_and_matches_nothing() {
        let longest = "a".repeat(MAX_LEN);
        let secret = ClientSecret::parse(&longest).unwrap();
        let id = ClientId::parse("calendar-app").unwrap();
        let prefix = VerifierPrefix::of(&id);
        super::super::tests::compressions();
        let verifier = prefix.of_secret(&id, &secret);
        let work = super::super::tests::compressions();
        for extra in [1, 2, 1 << 20] {
            let presented = prefix.of_presented(id.as_bytes(), &"a".repeat(MAX_LEN + extra));
            assert!(!bool::from(verifier.matches(&presented)));
            assert_eq!(super::super::tests::compressions(), work);
        }
    }
}
