//! Randomness that comes again.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use client_registry::entropy::{Entropy, EntropyError};
use client_registry::{ClientSecret, Policy};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use zeroize::Zeroizing;

/// Randomness that comes again with its seed.
#[derive(Debug)]
pub(crate) struct Seeded(Mutex<StdRng>);

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }

    /// The next client secret.
    pub(crate) fn client_secret(&self) -> ClientSecret {
        ClientSecret::generate(&Policy::default(), self).unwrap()
    }

    /// A text of characters from an alphabet.
    pub(crate) fn text(&self, alphabet: &str, len: usize) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new(vec![0; len]);
        self.fill(&mut bytes).unwrap();
        let mut text = Zeroizing::new(String::with_capacity(len));
        let letters = alphabet.as_bytes();
        for byte in bytes.iter() {
            text.push(char::from(letters[usize::from(*byte) % letters.len()]));
        }
        text
    }
}

impl Entropy for Seeded {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        self.0.lock().unwrap().fill_bytes(buffer);
        Ok(())
    }
}

/// Not random at all, and never the same twice.
#[derive(Debug, Default)]
pub(crate) struct Counted(AtomicU64);

impl Entropy for Counted {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        let mut state = self.0.fetch_add(1, Ordering::Relaxed);
        for byte in buffer {
            // SplitMix64.
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            *byte = (mixed >> 56) as u8;
        }
        Ok(())
    }
}
