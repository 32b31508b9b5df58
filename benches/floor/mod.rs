//! The floor: the least that any program must do, with nothing around it.
//!
//! A ratio to the floor says what the rules cost: validity, states, traces, last uses, errors, and the store's trait.

pub mod aggregate;
pub mod mac;
pub mod memory;
pub mod password;
pub mod server;
pub mod sqlite;

use std::time::{SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};

/// A map that many threads read without a lock, from the text of a client ID that was made here.
pub type Map<T> = papaya::HashMap<[u8; ID], T, foldhash::fast::RandomState>;

/// The length of a client ID that was made here.
pub const ID: usize = 36;

/// What the clock on the wall says, in milliseconds.
#[inline]
pub fn now() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()
}

/// The same of the kernel's coarse clock, which moves with the timer tick.
#[inline]
pub fn recently() -> i64 {
    let now = clock_gettime(ClockId::RealtimeCoarse);
    now.tv_sec * 1_000 + now.tv_nsec / 1_000_000
}
