//! Randomness from a seed.

use std::sync::Mutex;

use client_registry::{ClientSecret, Entropy, EntropyError, Policy};
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
