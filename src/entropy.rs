//! Randomness, as a parameter (rule 8).
//!
//! Client secrets, client IDs, keys, nonces and commit IDs are made of what [`Entropy`] fills, and nothing else in the crate
//! asks the operating system. [`SystemEntropy`] is the default. A test may use a seeded source to make its secrets repeatable:
//!
//! ```
//! use client_registry::entropy::{Entropy, EntropyError};
//!
//! #[derive(Debug)]
//! struct Broken;
//!
//! impl Entropy for Broken {
//!     fn fill(&self, _: &mut [u8]) -> Result<(), EntropyError> {
//!         Err(EntropyError::new("no random device"))
//!     }
//! }
//! let error = client_registry::ClientSecret::generate(&Default::default(), &Broken).unwrap_err();
//! assert!(error.to_string().starts_with("the source of randomness failed: no random device"));
//! ```

use rand::TryRng;
#[expect(clippy::disallowed_types, reason = "this is the door")]
use rand::rngs::SysRng;

use crate::value::coded::coded;

/// A source of randomness.
///
/// An attacker that can predict it can predict client secrets. Use [`SystemEntropy`] outside tests.
pub trait Entropy: std::fmt::Debug + Send + Sync + 'static {
    /// Fills the whole buffer.
    ///
    /// # Errors
    /// [`EntropyError`] if the source fails. The command that asked for randomness then changes nothing.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError>;
}

/// The random generator of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        SysRng.try_fill_bytes(buffer).map_err(|e| EntropyError::new(e.to_string()))
    }
}

/// Returns a number by which this process tells one instance of something from another. It is no secret, so any number will do.
#[expect(clippy::disallowed_methods, reason = "this is the door")]
pub(crate) fn instance_mark() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one("instance")
}

/// The error for a source of randomness that failed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the source of randomness failed: {reason}; try again later")]
pub struct EntropyError {
    reason: String,
}

coded! {
    EntropyError {
        _ => Unavailable "no_entropy",
    }
}

impl EntropyError {
    /// Returns the error with the reason of the failure.
    #[must_use]
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}
