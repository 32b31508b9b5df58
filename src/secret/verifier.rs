//! The verifier: what is kept to recognise a client secret as a password (rules 5 and 10).
//!
//! `SHA-256("client-registry/verifier/1", 0, client ID, 0, secret)`. A generated client secret has 256 bits, so a fast hash is
//! right, and a slow one would invite denial of service. The client ID keeps equal secrets of two clients apart. One presented
//! secret costs one hash and one comparison with each candidate, without a branch on the outcome, so that timing tells nothing.
//! The hash is stored in sealed records. Tests count the work; keep it the same for every answer.

use std::fmt;

use sha2::block_api::compress256;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use crate::secret::ClientSecret;
use crate::secret::mac::{BLOCK, INITIAL};
use crate::value::ClientId;
use crate::value::secret_text::MAX_LEN;

/// The hash by which a client secret is recognised. The only comparison takes constant time.
pub(crate) struct Verifier([u64; 4]);

impl Verifier {
    /// Returns the verifier of a client's secret.
    pub(crate) fn of(client_id: &ClientId, client_secret: &ClientSecret) -> Self {
        Self::hash(client_id.as_str(), client_secret.expose().as_bytes())
    }

    /// Returns the verifier of what a caller presented. The work depends only on the lengths of the two texts, not on whether the
    /// client exists. Of a text that is longer than any client secret, one byte more than the limit is hashed: that takes bounded
    /// time and matches no verifier.
    pub(crate) fn of_presented(client_id: &str, client_secret: &str) -> Self {
        let secret = client_secret.as_bytes();
        Self::hash(client_id, secret.get(..=MAX_LEN).unwrap_or(secret))
    }

    /// Copies the verifier for the next value of its client.
    pub(crate) fn carry(&self) -> Self {
        Self(self.0)
    }

    /// Returns the 32 bytes of the hash, to be sealed.
    pub(crate) fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        let mut bytes = Zeroizing::new([0; 32]);
        for (bytes, word) in bytes.as_chunks_mut().0.iter_mut().zip(self.0) {
            *bytes = word.to_be_bytes();
        }
        bytes
    }

    /// Returns the verifier of the bytes that were sealed.
    pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Self {
        let mut words = [0; 4];
        for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
            *word = u64::from_be_bytes(*bytes);
        }
        Self(words)
    }

    /// Returns whether both come from the same text. The cost does not depend on the answer.
    #[inline]
    pub(crate) fn matches(&self, other: &Self) -> subtle::Choice {
        #[cfg(test)]
        tests::count_comparison();
        let [a, b, c, d] = self.0;
        let [e, f, g, h] = other.0;
        ((a ^ e) | (b ^ f) | (c ^ g) | (d ^ h)).ct_eq(&0)
    }

    /// Returns what verifiers are sorted by, to look for one among many. It takes no constant time: for texts that have leaked
    /// (rule 23).
    pub(crate) fn order(&self) -> u64 {
        self.0[0]
    }

    fn hash(client_id: &str, secret: &[u8]) -> Self {
        #[cfg(test)]
        tests::count(client_id.len() + secret.len());
        // A generated secret takes two blocks. Room for the longest text that may be presented would take longer to clear.
        match LABEL.len() + client_id.len() + 1 + secret.len() + PADDING {
            ..=USUAL => Self::hash_in(&mut [[0; BLOCK]; USUAL / BLOCK], client_id, secret),
            _ => Self::hash_in(&mut [[0; BLOCK]; MAX_BLOCKS], client_id, secret),
        }
    }

    /// Pads and hashes in one buffer (FIPS 180-4 section 5.1.1), so that the secret is in one place and is wiped there.
    #[inline]
    fn hash_in(blocks: &mut [[u8; BLOCK]], client_id: &str, secret: &[u8]) -> Self {
        let mut room = blocks.as_flattened_mut();
        for part in [LABEL, client_id.as_bytes(), b"\0", secret, b"\x80"] {
            let (taken, rest) = room.split_at_mut(part.len());
            taken.copy_from_slice(part);
            room = rest;
        }
        let head = LABEL.len() + client_id.len() + 1;
        let len = head + secret.len();
        let (blocks, _) = blocks.split_at_mut((len + PADDING).div_ceil(BLOCK));
        if let Some(length) = blocks.as_flattened_mut().last_chunk_mut() {
            *length = (8 * len as u64).to_be_bytes();
        }
        let mut state = INITIAL;
        compress256(&mut state, blocks);
        let (_, hidden) = blocks.as_flattened_mut().split_at_mut(head);
        hidden.zeroize();
        let mut words = [0; 4];
        for (word, [high, low]) in words.iter_mut().zip(state.as_chunks().0) {
            *word = u64::from(*high) << 32 | u64::from(*low);
        }
        state.zeroize();
        Self(words)
    }
}

impl Drop for Verifier {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").finish_non_exhaustive()
    }
}

const LABEL: &[u8] = b"client-registry/verifier/1\0";
/// The padding after a message: a one bit with seven zeros, and the length in 64 bits.
const PADDING: usize = 1 + 8;
/// The room that a GUID and a generated client secret need at most.
const USUAL: usize = 2 * BLOCK;
/// Room for the longest client ID and one byte more than the longest client secret.
const MAX_BLOCKS: usize = (LABEL.len() + 64 + 1 + MAX_LEN + 1 + PADDING).div_ceil(BLOCK);

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use sha2::{Digest, Sha256};
    use std::cell::Cell;

    thread_local! {
        static WORK: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
        static COMPARISONS: Cell<usize> = const { Cell::new(0) };
    }

    /// Notes one hash over this many bytes besides the label.
    pub(super) fn count(bytes: usize) {
        let (hashes, total) = WORK.get();
        WORK.set((hashes + 1, total + bytes));
    }

    /// Notes one comparison with a candidate.
    pub(super) fn count_comparison() {
        COMPARISONS.set(COMPARISONS.get() + 1);
    }

    /// The comparisons of this thread since the last call.
    pub(crate) fn comparisons() -> usize {
        COMPARISONS.replace(0)
    }

    /// The hashes of this thread since the last call, and the bytes that went into them.
    pub(crate) fn work() -> (usize, usize) {
        WORK.replace((0, 0))
    }

    #[test]
    fn it_is_the_documented_hash() {
        let verifier = Verifier::of_presented("calendar-app", "correct horse battery staple");
        let plain = b"client-registry/verifier/1\0calendar-app\0correct horse battery staple";
        let expected: Vec<u8> = Sha256::digest(plain).to_vec();
        let found: Vec<u8> = verifier.0.iter().flat_map(|word| word.to_be_bytes()).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn every_length_is_the_documented_hash() {
        for id_len in 8..=64 {
            let id = "i".repeat(id_len);
            for len in (0..=MAX_LEN + 1).filter(|len| len % 7 == id_len % 7) {
                let text = "s".repeat(len);
                let verifier = Verifier::of_presented(&id, &text);
                let found: Vec<u8> = verifier.0.iter().flat_map(|word| word.to_be_bytes()).collect();
                let plain = format!("client-registry/verifier/1\0{id}\0{text}");
                assert_eq!(found, Sha256::digest(plain).to_vec(), "{id_len} and {len} characters");
            }
        }
    }

    #[test]
    fn every_bit_counts() {
        let verifier = Verifier::of_presented("calendar-app", "correct horse battery staple");
        assert!(bool::from(verifier.matches(&verifier.carry())));
        for bit in 0..256 {
            let mut other = verifier.carry();
            other.0[bit / 64] ^= 1 << (bit % 64);
            assert!(!bool::from(verifier.matches(&other)), "bit {bit}");
        }
    }

    /// Two differences do not make up for each other, in whichever words they are.
    #[test]
    fn two_bits_in_two_words_count() {
        let verifier = Verifier::of_presented("calendar-app", "correct horse battery staple");
        for one in 0..256 {
            for bit in [0, 1, 31, 63] {
                for word in 0..4 {
                    let mut other = verifier.carry();
                    other.0[one / 64] ^= 1 << (one % 64);
                    other.0[word] ^= 1 << bit;
                    let same = one == 64 * word + bit;
                    assert_eq!(
                        bool::from(verifier.matches(&other)),
                        same,
                        "bits {one} and {}",
                        64 * word + bit
                    );
                }
            }
        }
    }

    #[test]
    fn too_long_is_bounded_and_matches_nothing() {
        let longest = "a".repeat(MAX_LEN);
        let secret = ClientSecret::parse(&longest).unwrap();
        let verifier = Verifier::of(&ClientId::parse("calendar-app").unwrap(), &secret);
        work();
        for extra in [1, 2, 1 << 20] {
            let presented = Verifier::of_presented("calendar-app", &"a".repeat(MAX_LEN + extra));
            assert!(!bool::from(verifier.matches(&presented)));
        }
        assert_eq!(work(), (3, 3 * ("calendar-app".len() + MAX_LEN + 1)));
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Verifier([7; 4])), "Verifier { .. }");
    }
}
