//! The verifier: what is kept to recognise a client secret as a password (rules 5 and 10).
//!
//! `SHA-256("client-registry/verifier/1", 0, client ID, 0, secret)`. A generated client secret has 256 bits, so a fast hash is
//! right, and a slow one would invite denial of service. The client ID keeps equal secrets of two clients apart. One presented
//! secret costs one hash and one comparison with each candidate, without a branch on the outcome, so that timing tells nothing.
//! The hash is stored in sealed records. Tests count the work; keep it the same for every answer.

mod prefix;

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

pub(crate) use self::prefix::VerifierPrefix;

/// The hash by which a client secret is recognised. The only comparison takes constant time.
pub(crate) struct Verifier([u64; 4]);

impl Verifier {
    /// Copies the verifier for the next value of its client.
    pub(crate) fn carry(&self) -> Self {
        Self(self.0)
    }

    /// Returns the 32 bytes of the hash, to be sealed.
    pub(crate) fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        let mut bytes = Zeroizing::new([0; 32]);
        for (bytes, word) in bytes.as_chunks_mut().0.iter_mut().zip(self.0) {
            *bytes = word.to_be_bytes();
        }
        bytes
    }

    /// Returns the verifier of the bytes that were sealed.
    pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Self {
        let mut words = [0; 4];
        for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
            *word = u64::from_be_bytes(*bytes);
        }
        Self(words)
    }

    /// Returns whether both come from the same text. The cost does not depend on the answer.
    #[inline]
    pub(crate) fn matches(&self, other: &Self) -> subtle::Choice {
        #[cfg(test)]
        tests::count_comparison();
        let [a, b, c, d] = self.0;
        let [e, f, g, h] = other.0;
        ((a ^ e) | (b ^ f) | (c ^ g) | (d ^ h)).ct_eq(&0)
    }

    /// Returns what verifiers are sorted by, to look for one among many. It takes no constant time: for texts that have leaked
    /// (rule 23).
    pub(crate) fn order(&self) -> u64 {
        self.0[0]
    }
}

impl Drop for Verifier {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::cell::Cell;

    thread_local! {
        static COMPRESSIONS: Cell<usize> = const { Cell::new(0) };
        static COMPARISONS: Cell<usize> = const { Cell::new(0) };
    }

    pub(super) fn count_compressions(blocks: usize) {
        COMPRESSIONS.set(COMPRESSIONS.get() + blocks);
    }

    /// Notes one comparison with a candidate.
    pub(super) fn count_comparison() {
        COMPARISONS.set(COMPARISONS.get() + 1);
    }

    /// The comparisons of this thread since the last call.
    pub(crate) fn comparisons() -> usize {
        COMPARISONS.replace(0)
    }

    /// The blocks that this thread has compressed since the last call.
    pub(crate) fn compressions() -> usize {
        COMPRESSIONS.replace(0)
    }

    fn some() -> Verifier {
        VerifierPrefix::NOBODY.of_presented(b"calendar-app", "correct horse battery staple")
    }

    #[test]
    fn every_bit_counts() {
        let verifier = some();
        assert!(bool::from(verifier.matches(&verifier.carry())));
        for bit in 0..256 {
            let mut other = verifier.carry();
            other.0[bit / 64] ^= 1 << (bit % 64);
            assert!(!bool::from(verifier.matches(&other)), "bit {bit}");
        }
    }

    /// Two differences do not make up for each other, in whichever words they are.
    #[test]
    fn two_bits_in_two_words_count() {
        let verifier = some();
        for one in 0..256 {
            for bit in [0, 1, 31, 63] {
                for word in 0..4 {
                    let mut other = verifier.carry();
                    other.0[one / 64] ^= 1 << (one % 64);
                    other.0[word] ^= 1 << bit;
                    let same = one == 64 * word + bit;
                    assert_eq!(
                        bool::from(verifier.matches(&other)),
                        same,
                        "bits {one} and {}",
                        64 * word + bit
                    );
                }
            }
        }
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Verifier([7; 4])), "Verifier { .. }");
    }
}
