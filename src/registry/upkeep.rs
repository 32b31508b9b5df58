//! What keeps a registry whole: opening, keys, resealing, checking, exporting and importing.

pub(in crate::registry) mod check;
pub(in crate::registry) mod keys;
pub(in crate::registry) mod open;
pub(in crate::registry) mod reseal;
pub(in crate::registry) mod transfer;
