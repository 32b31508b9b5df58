//! The store in a file: the contract, what is in the file, what is refused, what faults leave behind, copies.

// So that the linter knows the helpers for tests: they may fail loudly.
#![cfg(test)]
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may fail loudly")]

#[path = "../support/mod.rs"]
mod support;

mod backup;
#[cfg(unix)]
mod caches;
mod clones;
#[cfg(feature = "conformance")]
mod conformance;
mod corrupt;
#[cfg(unix)]
mod faults;
mod file;
mod fixture;
mod logs;
mod material;
#[cfg(unix)]
mod moved;
#[cfg(unix)]
mod operations;
#[cfg(unix)]
mod places;
#[cfg(unix)]
mod replaced;
mod restore;
#[cfg(unix)]
mod rights;
mod swallowed;
mod together;
mod trails;
mod untrusted;
mod waiting;
mod world;
