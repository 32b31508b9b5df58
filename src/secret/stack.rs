//! Wiping what is left on the stack (rule 8).
//!
//! A verifier or a key that was moved leaves a copy on the stack, in nobody's hands. A value that is moved from there to the heap later
//! takes it along in its unused bytes: an event, a future in a box. So the stack is wiped before that.

use zeroize::Zeroize;

/// Wipes what functions that have returned left on the stack. What is called next finds nothing there.
#[inline(never)]
pub(crate) fn wipe_stack() {
    let mut left = [0u64; WORDS];
    std::hint::black_box(&mut left).zeroize();
}

/// Four kilobytes, several times the frames that move a verifier or a key.
const WORDS: usize = 512;
