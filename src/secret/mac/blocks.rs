//! The blocks of HMAC-SHA-256: padding, and the way from one chaining value to the next (FIPS 180-4 section 5.1.1, RFC 2104).

use sha2::block_api::compress256;
use zeroize::{Zeroize, Zeroizing};

/// Returns the chaining value after one key block, padded with `pad`.
pub(super) fn chain(block: &[u8; BLOCK], pad: u8) -> [u32; 8] {
    let padded = Zeroizing::new(block.map(|byte| byte ^ pad));
    let mut state = INITIAL;
    compress256(&mut state, std::slice::from_ref(&*padded));
    state
}

/// Returns the SHA-256 digest of the blocks that led to `state`, `before` bytes, followed by `message` (FIPS 180-4 section 5.1.1).
pub(super) fn finish(mut state: [u32; 8], before: usize, message: &[u8]) -> [u8; 32] {
    let (blocks, rest) = message.as_chunks::<BLOCK>();
    compress256(&mut state, blocks);
    let bits = (before as u64 + message.len() as u64) * 8;
    // The rest of the message, a one bit, zeros, and the length in bits at the end of one or two blocks.
    let mut tail = [[0u8; BLOCK]; 2];
    let (tail, _) = tail.split_at_mut(if rest.len() < BLOCK - 8 { 1 } else { 2 });
    let bytes = tail.as_flattened_mut();
    let (start, padding) = bytes.split_at_mut(rest.len());
    start.copy_from_slice(rest);
    if let Some(end) = padding.first_mut() {
        *end = 0x80;
    }
    if let Some(length) = bytes.last_chunk_mut() {
        *length = bits.to_be_bytes();
    }
    compress256(&mut state, tail);
    digest(&mut state)
}

/// Returns the MAC from the digest of padded key and message: one block, most of which is always the same.
pub(super) fn finish_outer(mut state: [u32; 8], inner: &[u8; 32]) -> [u8; 32] {
    let mut block = OUTER_BLOCK;
    if let Some(place) = block.first_chunk_mut() {
        *place = *inner;
    }
    compress256(&mut state, &[block]);
    digest(&mut state)
}

/// Returns the digest that is the last chaining value, and wipes that.
#[inline]
fn digest(state: &mut [u32; 8]) -> [u8; 32] {
    let mut digest = [0; 32];
    for (bytes, word) in digest.as_chunks_mut().0.iter_mut().zip(*state) {
        *bytes = word.to_be_bytes();
    }
    state.zeroize();
    digest
}

/// The block size of SHA-256 in bytes.
pub(crate) const BLOCK: usize = 64;
/// The last block of the outer hash without its digest: room for 32 bytes, a one bit, zeros, and the length in bits (FIPS 180-4 section
/// 5.1.1).
const OUTER_BLOCK: [u8; BLOCK] = {
    let mut block = [0; BLOCK];
    block[32] = 0x80;
    let [.., high, low] = ((BLOCK + 32) as u64 * 8).to_be_bytes();
    block[BLOCK - 2] = high;
    block[BLOCK - 1] = low;
    block
};
/// The initial chaining value of SHA-256 (FIPS 180-4 section 5.3.3).
pub(crate) const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];
