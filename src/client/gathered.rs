//! Vectors of what holds a key or a verifier (rule 8).
//!
//! An item passes through the stack on its way into a vector, so the stack is wiped after each collection.

use crate::secret::wipe_stack;

/// Collects items into a vector that has its final size from the start. When a vector grows or closes a gap, the items that
/// move leave copies in memory that nothing wipes (rule 8). So a vector of keys or verifiers is never changed, but collected
/// anew.
pub(super) fn gathered<T>(items: impl Iterator<Item = T>) -> Vec<T> {
    let all = collected(items);
    wipe_stack();
    all
}

/// Not inlined: so its frame lies where the stack is wiped.
#[inline(never)]
fn collected<T>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut all = Vec::with_capacity(items.size_hint().1.unwrap_or_default());
    all.extend(items);
    all
}

/// Collects items of a known number into a slice, as [`gathered`] does.
pub(super) fn filled<T>(items: impl Iterator<Item = T>) -> Box<[T]> {
    let all = gathered(items);
    debug_assert_eq!(
        all.len(),
        all.capacity(),
        "a vector that is too large moves its items to give room back"
    );
    all.into_boxed_slice()
}
