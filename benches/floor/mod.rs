//! The floor: the primitive operations that no implementation can do without, with nothing around them.
//!
//! A ratio to the floor says what the rules cost: validity, states, traces, last uses, errors, and the store's trait.

#![allow(dead_code, reason = "each bench takes the part it needs")]

pub(crate) mod aggregate;
pub(crate) mod mac;
pub(crate) mod password;

use std::time::{SystemTime, UNIX_EPOCH};

/// A map like the memory store's: the same kind, with the same hasher, from the client ID's text.
type Map<T> = papaya::HashMap<Box<str>, T, foldhash::fast::RandomState>;

/// What the clock on the wall says, in milliseconds.
#[expect(
    clippy::disallowed_methods,
    reason = "the floor reads the clock as the library's `SystemClock` does"
)]
fn now() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()
}
