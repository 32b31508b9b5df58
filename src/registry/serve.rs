//! What a service asks for at every request: authenticating, signing and verifying, and the cache, the notes and the alarms that
//! make them fast and watched. Nothing here commits.

mod access;
pub(in crate::registry) mod alarm;
mod ask;
pub(in crate::registry) mod authenticated;
pub(in crate::registry) mod cache;
pub(in crate::registry) mod denied;
pub(in crate::registry) mod follow;
mod keep_fresh;
pub(in crate::registry) mod last_use;
pub(in crate::registry) mod loaded;
#[cfg(feature = "oauth")]
mod readings;
pub(in crate::registry) mod signatures;
