//! No freed memory holds a client secret (rule 8). This binary's allocator looks through every block that is given
//! back for the plaintexts in play: any 16 bytes of one, of the bytes it decodes to, or of one that was only presented.
//! A plain `String` that is dropped must be found by the same search, and so must what a growing one leaves behind.

// So that the linter knows the helpers for tests: they may fail loudly.
#![cfg(test)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may fail loudly")]

mod kept;
mod life;
#[cfg(feature = "oauth")]
mod oauth;
mod ring;
mod search;
#[path = "../support/mod.rs"]
mod support;
mod unfinished;
#[cfg(feature = "webhooks")]
mod webhooks;

use std::sync::atomic::Ordering;

use client_registry::client::ImportedSecret;
use client_registry::entropy::{Entropy, EntropyError};
use client_registry::secret::KeyEncoding;
use client_registry::value::Validity;
use client_registry::{ClientSecret, Issued, Lifetime, NewSecret, Policy};
use data_encoding::BASE64;
use zeroize::{Zeroize, Zeroizing};

use search::{USED, guard, scrub, searching};
use support::{Platform, START, Seeded, Watched, instant};

/// Randomness that guards each client secret that is made of it before anybody else has it.
#[derive(Debug)]
struct Guarded(Seeded);

impl Entropy for Guarded {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        self.0.fill(buffer)?;
        if let Ok(bits) = <[u8; 32]>::try_from(&*buffer) {
            let secret = ClientSecret::generate(&Policy::default(), &Bits(Zeroizing::new(bits)))?;
            guard(secret.expose().as_bytes());
            drop(secret);
            scrub();
        }
        Ok(())
    }
}

#[derive(Debug)]
struct Bits(Zeroizing<[u8; 32]>);

impl Entropy for Bits {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        buffer.copy_from_slice(&*self.0);
        Ok(())
    }
}

fn platform(seed: u64) -> Platform {
    Platform::with(Watched::default(), Guarded(Seeded::new(seed)), Policy::default())
}

/// The plaintext of what was just issued, in a buffer of the test's own that is wiped.
fn keep(issued: &Issued) -> Zeroizing<Box<str>> {
    let text = issued.client_secret().expose();
    let used = USED.load(Ordering::Relaxed);
    guard(text.as_bytes());
    assert_eq!(USED.load(Ordering::Relaxed), used, "it was guarded when it was made");
    Zeroizing::new(Box::from(text))
}

/// The same text with one character more, in a buffer that never grows.
fn slip(text: &str) -> Zeroizing<String> {
    let mut slip = Zeroizing::new(String::with_capacity(text.len() + 1));
    slip.push_str(text);
    slip.push('x');
    slip
}

fn lasting() -> NewSecret {
    NewSecret::lasting(Lifetime::OneYear)
}

/// A text to be imported.
fn plain(texts: &Seeded, len: usize) -> Zeroizing<String> {
    let text = texts.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", len);
    guard(text.as_bytes());
    text
}

/// One that stands for other bytes.
fn base64(texts: &Seeded, len: usize) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new(vec![0; len]);
    texts.fill(&mut bytes).unwrap();
    guard(&bytes);
    let mut text = Zeroizing::new(String::with_capacity(BASE64.encode_len(len)));
    BASE64.encode_append(&bytes, &mut text);
    guard(text.as_bytes());
    text
}

fn importable(text: &str, encoding: KeyEncoding) -> ImportedSecret {
    let until = instant("2027-01-01T00:00:00Z");
    let validity = Validity::new(instant(START), Some(until)).unwrap();
    ImportedSecret::new(ClientSecret::parse(text).unwrap(), validity, encoding)
}

/// Would everything else in this file find anything?
#[test]
fn a_plain_string_is_found() {
    let search = searching();
    let texts = Seeded::new(1);
    let secret = plain(&texts, 53);
    search.nothing_found("making a text in a buffer that is wiped");

    let copy = secret.to_string();
    drop(copy);
    assert_eq!(search.found(), 1, "a copy");
    let message = format!("the client secret is {}", &secret[10..26]);
    drop(message);
    assert_eq!(search.found(), 1, "a piece");
    let mut growing = Zeroizing::new(String::new());
    for character in secret.chars() {
        growing.push(character);
    }
    drop(growing);
    assert!(search.found() > 0, "what a growing buffer leaves behind");
    let mut short = secret.to_string();
    short.truncate(3);
    drop(short);
    assert_eq!(search.found(), 1, "what was shortened is still there");
    let boxed: Box<[u8]> = Box::from(secret.as_bytes());
    drop(boxed);
    assert_eq!(search.found(), 1, "bytes");
    drop(secret);
    search.nothing_found("dropping a text in a buffer that is wiped");
}

#[test]
fn what_is_handed_out_is_counted() {
    let search = searching();
    search.handed_out();
    drop((vec![0u8; 1000], Vec::<u8>::with_capacity(2000)));
    let [total, largest] = search.handed_out();
    assert!(total >= 3000 && largest >= 2000, "{total} and {largest}");
}

/// The test's own buffers, or nothing that it says is worth anything.
#[test]
fn the_buffers_of_this_test_are_wiped() {
    let search = searching();
    let texts = Seeded::new(13);
    drop((plain(&texts, 100), base64(&texts, 100)));
    drop(slip(&plain(&texts, 60)));
    let mut key = support::key(&base64(&texts, 60), KeyEncoding::Base64);
    key.zeroize();
    drop(key);
    search.nothing_found("using the helpers");
}
