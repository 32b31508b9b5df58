//! What signs for a client secret, computed from the documents and not by the library: the chaining values of SHA-256 behind
//! HMAC's two padded key blocks (RFC 2104 section 2).

#![allow(dead_code, reason = "each test binary uses a part of it")]

use sha2::Digest;
use sha2::block_api::compress256;

/// The inner and the outer one.
pub(crate) fn chaining_values(key: &[u8]) -> [[u32; 8]; 2] {
    let mut block = [0; 64];
    if key.len() > 64 {
        block[..32].copy_from_slice(&sha2::Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    [0x36, 0x5c].map(|pad| {
        let mut state = [
            0x6a09_e667,
            0xbb67_ae85,
            0x3c6e_f372,
            0xa54f_f53a,
            0x510e_527f,
            0x9b05_688c,
            0x1f83_d9ab,
            0x5be0_cd19,
        ];
        compress256(&mut state, &[block.map(|byte| byte ^ pad)]);
        state
    })
}

/// The same as bytes, as SHA-256 would give them out.
pub(crate) fn bytes_of(state: [u32; 8]) -> Vec<u8> {
    state.iter().flat_map(|word| word.to_be_bytes()).collect()
}
