//! Records at rest: sealed, opened by the right keyring alone, refused after every kind of tampering;
//! checked, resealed and moved between stores, each killed at every step.

mod checking;
mod dying;
mod fixture;
mod golden;
pub(crate) mod hostile;
mod lagging;
mod lists;
mod odd;
mod opening;
mod others;
mod plenty;
mod resealing;
mod room;
mod tampering;
mod trails;
mod transfer;
pub(crate) mod world;
