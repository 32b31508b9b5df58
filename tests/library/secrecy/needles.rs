//! What is searched for: pieces of client secrets, and of what is kept in their place, in the usual encodings.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Display;

use client_registry::secret::KeyEncoding;
use client_registry::*;
use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use sha2::Digest;
use zeroize::Zeroizing;

use crate::support::{bytes_of, chaining_values, key, verifier};

/// A client secret that was issued or imported.
pub(super) struct Kept {
    pub(super) client_id: ClientId,
    pub(super) text: Zeroizing<String>,
    pub(super) encoding: KeyEncoding,
    /// Of the plaintext no piece of this length may be seen; 4 characters of a generated one are its hint.
    pub(super) piece: usize,
}

/// Pieces of secrets, by their length. A text is searched for all of them at once.
#[derive(Default)]
pub(super) struct Needles(BTreeMap<usize, HashSet<Vec<u8>>>);

/// Long enough that no two encodings of anything else have as much in common.
pub(super) const PIECE: usize = 16;

impl Needles {
    pub(super) fn of(secrets: &[Kept]) -> Self {
        let mut needles = Self::default();
        for Kept { client_id, text, encoding, piece } in secrets {
            // What all generated ones begin with is no secret.
            let body = text.strip_prefix("crs_").unwrap_or(text);
            needles.add(body, *piece);
            needles.add_encodings(text.as_bytes());
            let key = key(text, *encoding);
            needles.add_encodings(&key);
            needles.add_encodings(&verifier(client_id, text));
            let digest: Vec<u8> = sha2::Sha256::digest(text.as_bytes()).to_vec();
            needles.add_encodings(&digest);
            for state in chaining_values(&key) {
                needles.add_encodings(&bytes_of(state));
            }
        }
        needles
    }

    fn add(&mut self, text: &str, piece: usize) {
        let pieces = self.0.entry(piece).or_default();
        pieces.extend(text.as_bytes().windows(piece).map(<[u8]>::to_vec));
    }

    pub(super) fn add_encodings(&mut self, bytes: &[u8]) {
        for hex in [HEXLOWER, HEXUPPER] {
            self.add(&hex.encode(bytes), PIECE);
        }
        for base64 in [BASE64, BASE64URL, BASE64_NOPAD, BASE64URL_NOPAD] {
            self.add(&base64.encode(bytes), PIECE);
        }
        // Embedded in something longer it starts at any of three offsets, and shares its last character.
        for base64 in [BASE64_NOPAD, BASE64URL_NOPAD] {
            for offset in 1..3 {
                let inner = &bytes[offset..];
                self.add(&base64.encode(&inner[..inner.len() / 3 * 3]), PIECE);
            }
        }
        // As `Debug` of an array would have it; white space is taken out before the search.
        self.add_list(bytes.iter());
        let words = bytes.as_chunks::<4>().0;
        self.add_list(words.iter().map(|word| u32::from_be_bytes(*word)));
        self.add_list(words.iter().map(|word| u32::from_le_bytes(*word)));
        let words = bytes.as_chunks::<8>().0;
        self.add_list(words.iter().map(|word| u64::from_be_bytes(*word)));
        self.add_list(words.iter().map(|word| u64::from_le_bytes(*word)));
    }

    fn add_list(&mut self, numbers: impl Iterator<Item = impl Display>) {
        let list: Vec<_> = numbers.map(|number| number.to_string()).collect();
        self.add(&list.join(","), PIECE);
    }

    pub(super) fn are_in(&self, text: &str) -> bool {
        let dense: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        [text, &dense].into_iter().any(|text| {
            let found = |(piece, pieces): (&usize, &HashSet<Vec<u8>>)| {
                text.as_bytes().windows(*piece).any(|window| pieces.contains(window))
            };
            self.0.iter().any(found)
        })
    }
}
