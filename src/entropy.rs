//! Randomness, as a parameter (rule 8). Client secrets, client IDs and commit IDs come from here and nowhere else.

use rand::TryRng;
#[expect(clippy::disallowed_types, reason = "this is the door")]
use rand::rngs::SysRng;

use crate::value::coded::coded;

/// Where randomness comes from.
///
/// Whoever can predict it can predict client secrets: outside tests use [`SystemEntropy`].
pub trait Entropy: std::fmt::Debug + Send + Sync + 'static {
    /// Fills the whole buffer.
    ///
    /// # Errors
    /// [`EntropyError`] when there is no randomness to be had; the command that asked changes nothing.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError>;
}

/// The operating system's generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        SysRng.try_fill_bytes(buffer).map_err(|e| EntropyError::new(e.to_string()))
    }
}

/// A number by which this process tells one instance of something from another. Not a secret, so any will do.
#[expect(clippy::disallowed_methods, reason = "this is the door")]
pub(crate) fn instance_mark() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one("instance")
}

/// The source of randomness failed.
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
    /// The source failed for this reason.
    #[must_use]
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}
