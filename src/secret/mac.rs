//! The MAC key: signing with a client secret whose plaintext is no longer there (rule 8).
//!
//! HMAC hashes its key into two blocks before it sees a message. The two SHA-256 chaining values after these blocks are all
//! that signing needs (RFC 2104 section 4), and a generated client secret cannot be computed from them, so they are what is
//! kept. An attacker who steals them can sign, but cannot present the client secret as a password. The 64 bytes are stored in
//! sealed records; the tests hold the output against RFC 4231, RFC 7515 and another implementation.

mod blocks;
#[cfg(feature = "webhooks")]
mod pieces;

use std::fmt;

use serde::Serialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

pub(crate) use self::blocks::{BLOCK, INITIAL};
use self::blocks::{chain, finish, finish_outer};
use crate::secret::ClientSecret;
use crate::secret::base64::decode;
use crate::value::redacted::redacted;
use crate::value::{Field, InvalidValue, Problem};

redacted! {
    /// The encoding of a signing key: how the text of a client secret is read as the key of HMAC-SHA-256. With the wrong
    /// encoding no signature matches, so an import has to state it.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
    #[serde(rename_all = "snake_case")]
    #[non_exhaustive]
    pub enum KeyEncoding {
        /// The key is the UTF-8 bytes of the text: generated secrets, `client_secret_jwt` (OpenID Connect Core section 9) and
        /// most webhook senders.
        Utf8,
        /// The key is what the text decodes to: canonical, padded base64 of the standard alphabet, at least 24 bytes
        /// (RFC 4648 section 4).
        Base64,
    }
}

#[allow(
    clippy::derivable_impls,
    reason = "`redacted!` declares the variants twice, and `#[default]` may stand once"
)]
impl Default for KeyEncoding {
    fn default() -> Self {
        Self::Utf8
    }
}

impl KeyEncoding {
    /// Returns the bytes of the key, in a buffer that is wiped.
    fn key(self, client_secret: &ClientSecret) -> Result<Zeroizing<Vec<u8>>, InvalidValue> {
        let text = client_secret.expose().as_bytes();
        match self {
            Self::Utf8 => Ok(Zeroizing::new(text.to_vec())),
            Self::Base64 => {
                let invalid = |what| InvalidValue::new(Field::SigningKey, Problem::Form(what));
                let key = decode(text).ok_or(invalid("is not canonical base64"))?;
                if key.len() < MIN_DECODED {
                    return Err(invalid("has fewer than 24 bytes"));
                }
                Ok(key)
            }
        }
    }
}

/// The key of HMAC-SHA-256, as the chaining values of its padded key blocks.
pub(crate) struct MacKey {
    inner: [u32; 8],
    outer: [u32; 8],
}

impl MacKey {
    /// Returns the key that a client secret encodes.
    pub(crate) fn of(client_secret: &ClientSecret, encoding: KeyEncoding) -> Result<Self, InvalidValue> {
        Ok(Self::from_key(&encoding.key(client_secret)?))
    }

    /// Copies the key for the next value of its client.
    pub(crate) fn carry(&self) -> Self {
        Self { inner: self.inner, outer: self.outer }
    }

    /// Returns the two chaining values, inner and outer, to be sealed.
    pub(crate) fn to_bytes(&self) -> Zeroizing<[u8; 64]> {
        let mut bytes = Zeroizing::new([0; 64]);
        let words = self.inner.iter().chain(&self.outer);
        for (bytes, word) in bytes.as_chunks_mut().0.iter_mut().zip(words) {
            *bytes = word.to_be_bytes();
        }
        bytes
    }

    /// Returns the key of the bytes that were sealed.
    pub(crate) fn from_bytes(bytes: &[u8; 64]) -> Self {
        let mut key = Self { inner: [0; 8], outer: [0; 8] };
        let words = key.inner.iter_mut().chain(&mut key.outer);
        for (word, bytes) in words.zip(bytes.as_chunks().0) {
            *word = u32::from_be_bytes(*bytes);
        }
        key
    }

    /// Returns the HMAC-SHA-256 of exactly these bytes.
    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 32] {
        finish_outer(self.outer, &finish(self.inner, BLOCK, message))
    }

    /// Returns whether `mac` is the HMAC-SHA-256 of these bytes. The comparison takes constant time.
    pub(crate) fn verify(&self, message: &[u8], mac: &[u8; 32]) -> bool {
        is_same(&self.sign(message), mac)
    }

    pub(crate) fn from_key(key: &[u8]) -> Self {
        let mut block = Zeroizing::new([0u8; BLOCK]);
        if key.len() <= BLOCK {
            for (padded, byte) in block.iter_mut().zip(key) {
                *padded = *byte;
            }
        } else {
            let digest: Zeroizing<[u8; 32]> = Zeroizing::new(Sha256::digest(key).into());
            for (padded, byte) in block.iter_mut().zip(digest.iter()) {
                *padded = *byte;
            }
        }
        Self { inner: chain(&block, 0x36), outer: chain(&block, 0x5c) }
    }
}

impl Drop for MacKey {
    fn drop(&mut self) {
        self.inner.zeroize();
        self.outer.zeroize();
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MacKey").finish_non_exhaustive()
    }
}

/// Returns whether two MACs are the same, in constant time. It compares words, since comparing bytes takes ten times as long.
fn is_same(one: &[u8; 32], other: &[u8; 32]) -> bool {
    let words = one.as_chunks::<8>().0.iter().zip(other.as_chunks().0);
    let differences = words.fold(0, |all, (a, b)| all | (u64::from_ne_bytes(*a) ^ u64::from_ne_bytes(*b)));
    differences.ct_eq(&0).into()
}

const MIN_DECODED: usize = 24;

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
    use hmac::{Hmac, KeyInit, Mac};
    use proptest::prelude::*;

    fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
        let mut hmac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        hmac.update(message);
        hmac.finalize().into_bytes().to_vec()
    }

    /// RFC 4231 sections 4.2 to 4.8; case 5 is the one whose output is truncated.
    #[test]
    fn known_answers_of_rfc_4231() {
        let cases: [(Vec<u8>, &[u8], &str); 7] = [
            (
                vec![0x0b; 20],
                b"Hi There",
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            ),
            (
                b"Jefe".to_vec(),
                b"what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                vec![0xaa; 20],
                &[0xdd; 50],
                "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
            ),
            (
                (1..=25).collect(),
                &[0xcd; 50],
                "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
            ),
            (vec![0x0c; 20], b"Test With Truncation", "a3b6167473100ee06e0c796c2955552b"),
            (
                vec![0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
            (
                vec![0xaa; 131],
                b"This is a test using a larger than block-size key and a larger than block-size data. The key \
                  needs to be hashed before being used by the HMAC algorithm.",
                "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
            ),
        ];
        for (case, (key, message, expected)) in cases.into_iter().enumerate() {
            let mac = HEXLOWER.encode(&MacKey::from_key(&key).sign(message));
            assert!(mac.starts_with(expected), "case {}: {mac}", case + 1);
        }
    }

    /// RFC 7515 appendix A.1: a JWS signed with HS256.
    #[test]
    fn known_answer_of_rfc_7515() {
        let key = BASE64URL_NOPAD
            .decode(b"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
            .unwrap();
        let signed = b"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
                       eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let mac = MacKey::from_key(&key).sign(signed);
        assert_eq!(BASE64URL_NOPAD.encode(&mac), "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    }

    proptest! {
        #[test]
        fn it_is_hmac(
            key in prop::collection::vec(any::<u8>(), 0..200),
            message in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let mac_key = MacKey::from_key(&key);
            let mac = mac_key.sign(&message);
            prop_assert_eq!(mac.to_vec(), hmac(&key, &message));
            prop_assert!(mac_key.carry().verify(&message, &mac));
        }

        #[test]
        fn any_flipped_bit_is_refused(message in prop::collection::vec(any::<u8>(), 0..100), bit in 0usize..256) {
            let mac_key = MacKey::from_key(b"a key");
            let mut mac = mac_key.sign(&message);
            mac[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(!mac_key.verify(&message, &mac));
        }
    }

    /// Two differences do not make up for each other, in whichever words they are.
    #[test]
    fn two_flipped_bits_are_refused() {
        let mac_key = MacKey::from_key(b"a key");
        let mac = mac_key.sign(b"a message");
        for one in 0..256 {
            for two in (0..256).filter(|two| *two != one) {
                let mut forged = mac;
                forged[one / 8] ^= 1 << (one % 8);
                forged[two / 8] ^= 1 << (two % 8);
                assert!(!mac_key.verify(b"a message", &forged), "bits {one} and {two}");
            }
        }
    }

    #[test]
    fn every_length_around_a_block_is_hmac() {
        let message = [0x5a; 200];
        for len in 0..200 {
            let mac = MacKey::from_key(b"Jefe").sign(&message[..len]);
            assert_eq!(mac.to_vec(), hmac(b"Jefe", &message[..len]), "{len} bytes");
        }
    }

    #[test]
    fn what_was_sealed_signs_as_before() {
        let opened = MacKey::from_bytes(&MacKey::from_key(b"Jefe").to_bytes());
        assert_eq!(
            opened.sign(b"what do ya want for nothing?").to_vec(),
            hmac(b"Jefe", b"what do ya want for nothing?")
        );
    }

    #[test]
    fn base64_is_canonical_or_refused() {
        let mac_key = |text: &str| MacKey::of(&ClientSecret::parse(text).unwrap(), KeyEncoding::Base64);
        let good = BASE64.encode(&[9; 32]);
        assert_eq!(mac_key(&good).unwrap().sign(b"x").to_vec(), hmac(&[9; 32], b"x"));
        let least = BASE64.encode(&[9; 24]);
        assert_eq!(mac_key(&least).unwrap().sign(b"x").to_vec(), hmac(&[9; 24], b"x"));
        for bad in [
            BASE64.encode(&[9; 23]),                      // too few bytes
            good.trim_end_matches('=').to_owned(),        // no padding
            good.replace("CQk=", "CQl="),                 // stray bits
            data_encoding::BASE64URL.encode(&[0xfb; 32]), // another alphabet
            format!("{} {}", &good[..10], &good[10..]),   // a space
            good.clone() + &good,                         // two texts in a row
        ] {
            let error = mac_key(&bad).unwrap_err();
            assert_eq!(error.field(), Field::SigningKey);
            assert!(!error.to_string().contains(&bad));
        }
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", MacKey::from_key(b"Jefe")), "MacKey { .. }");
    }
}
