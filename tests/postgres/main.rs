//! The store in PostgreSQL: the contract, sentence by sentence, and what happens when server, network or disk fail.
//!
//! The tests start servers of their own, or use the one that `CLIENT_REGISTRY_POSTGRES_URL` names where they need not stop it;
//! without either they fail and say what to start. `CLIENT_REGISTRY_POSTGRES_POOLER=1` says that the URL leads to a pooler that
//! hands out connections by transaction.

// So that the linter knows the helpers for tests: they may fail loudly.
#![cfg(test)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may fail loudly"
)]
#![allow(dead_code, reason = "each group of tests uses a part of what they share")]

#[path = "../support/mod.rs"]
mod support;

mod proxy;
mod trails;
mod world;

mod busy;
#[cfg(feature = "conformance")]
mod conformance;
mod contract;
mod cut;
mod damaged;
mod feed;
mod fixture;
mod forged;
mod kills;
mod nodes;
mod races;
mod restore;
mod standby;
mod states;
