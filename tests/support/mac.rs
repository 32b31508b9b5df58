//! What recognises and signs for a client secret, computed from the documents and not by the library.

use client_registry::ClientId;
use client_registry::secret::KeyEncoding;
use hmac::{Hmac, KeyInit, Mac};
use sha2::block_api::compress256;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// What is kept to recognise a client secret, computed by the book.
pub(crate) fn verifier(client_id: &ClientId, secret: &str) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(b"client-registry/verifier/1\0");
    hasher.update(client_id.as_str());
    hasher.update([0]);
    hasher.update(secret);
    hasher.finalize().into()
}

/// The bytes that a client secret signs with.
pub(crate) fn key(secret: &str, encoding: KeyEncoding) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(match encoding {
        KeyEncoding::Base64 => data_encoding::BASE64.decode(secret.as_bytes()).unwrap(),
        _ => secret.as_bytes().to_vec(),
    })
}

/// HMAC-SHA-256 by another implementation.
pub(crate) fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut hmac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    hmac.update(message);
    hmac.finalize().into_bytes().into()
}

/// What signs for a client secret: the chaining values of SHA-256 behind HMAC's two padded key blocks (RFC 2104 section 2),
/// the inner and the outer one.
pub(crate) fn chaining_values(key: &[u8]) -> [[u32; 8]; 2] {
    let mut block = [0; 64];
    if key.len() > 64 {
        block[..32].copy_from_slice(&Sha256::digest(key));
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
