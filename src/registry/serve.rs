//! What a service asks at every request: authenticate, sign, verify, and the caches and notes that make it fast.

pub(in crate::registry) mod access;
pub(in crate::registry) mod alarm;
pub(in crate::registry) mod cache;
pub(in crate::registry) mod follow;
pub(in crate::registry) mod last_use;
pub(in crate::registry) mod signatures;
