//! The floor of signing: HMAC-SHA-256 from the two states that its key leaves behind (RFC 2104 section 4): one compression for
//! each 64 bytes of the message, one more for its padding, one for the outer hash. No look-up and no clock.
//!
//! The floor of verifying is the same and one comparison.

use sha2::block_api::compress256;

/// A prepared key.
pub struct MacKey {
    inner: [u32; 8],
    outer: [u32; 8],
}

impl MacKey {
    /// Prepares a key of at most 64 bytes.
    pub fn new(key: &[u8]) -> Self {
        let prepared = |pad: u8| {
            let mut block = [pad; BLOCK];
            for (padded, byte) in block.iter_mut().zip(key) {
                *padded ^= byte;
            }
            let mut state = INITIAL;
            compress256(&mut state, &[block]);
            state
        };
        assert!(key.len() <= BLOCK, "a longer key is hashed first");
        Self { inner: prepared(0x36), outer: prepared(0x5c) }
    }

    #[inline]
    pub fn sign(&self, message: &[u8]) -> [u8; 32] {
        let mut inner = self.inner;
        let (blocks, rest) = message.as_chunks::<BLOCK>();
        compress256(&mut inner, blocks);
        finish(&mut inner, rest, BLOCK + message.len());
        let mut outer = self.outer;
        finish(&mut outer, &bytes(inner), BLOCK + 32);
        bytes(outer)
    }

    #[inline]
    pub fn verify(&self, message: &[u8], mac: &[u8; 32]) -> bool {
        let expected = self.sign(message);
        let mut difference = 0;
        for (one, other) in expected.as_chunks::<8>().0.iter().zip(mac.as_chunks::<8>().0) {
            difference |= u64::from_ne_bytes(*one) ^ u64::from_ne_bytes(*other);
        }
        difference == 0
    }
}

/// The last bytes of so many in all, with their padding (FIPS 180-4 section 5.1.1).
#[inline]
fn finish(state: &mut [u32; 8], rest: &[u8], len: usize) {
    let mut blocks = [[0; BLOCK]; 2];
    let used = if rest.len() + 9 <= BLOCK { 1 } else { 2 };
    let padded = blocks[..used].as_flattened_mut();
    padded[..rest.len()].copy_from_slice(rest);
    padded[rest.len()] = 0x80;
    *padded.last_chunk_mut().unwrap() = (8 * len as u64).to_be_bytes();
    compress256(state, &blocks[..used]);
}

#[inline]
fn bytes(state: [u32; 8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (bytes, word) in bytes.as_chunks_mut().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    bytes
}

const BLOCK: usize = 64;
/// FIPS 180-4 section 5.3.3.
const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

#[cfg(test)]
mod tests {
    use hmac::{Hmac, KeyInit, Mac};
    use sha2::Sha256;

    use super::*;

    #[test]
    fn it_is_hmac_sha_256() {
        let key = MacKey::new(b"a key of some bytes");
        for len in 0..200 {
            let message = vec![0x5a; len];
            let mut hmac = Hmac::<Sha256>::new_from_slice(b"a key of some bytes").unwrap();
            hmac.update(&message);
            let mac: [u8; 32] = hmac.finalize().into_bytes().into();
            assert_eq!(key.sign(&message), mac, "{len} bytes");
            assert!(key.verify(&message, &mac));
            assert!(!key.verify(&message, &[0; 32]));
        }
    }
}
