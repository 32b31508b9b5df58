//! Everything that needs the crate alone, and no feature of it: rules, values, records at rest, the registry in memory. With the
//! feature `conformance` also the suite for stores, put to the test itself.
//!
//! The tests run side by side in one process: none sets an environment variable, a limit or a hook. What needs its process to
//! itself is a test binary of its own.

#![cfg(test)]

#[path = "../support/mod.rs"]
mod support;

mod at_rest;
mod authentication;
mod auto_traits;
#[cfg(feature = "conformance")]
mod conformance;
mod emergency;
mod in_doubt;
mod json;
mod jwt;
mod lagging_clock;
mod last_use;
mod loaded;
mod log;
mod memory_store;
mod moving;
mod nodes;
mod notices;
#[cfg(feature = "oauth")]
mod oauth;
mod problem;
mod review;
mod ring;
mod rules;
mod secrecy;
mod signatures;
mod signing_states;
mod store_calls;
mod tied;
mod values;
#[cfg(feature = "webhooks")]
mod webhooks;
