//! What is searched at length: random histories of whole lifecycles against a naive model, every order of the steps of
//! concurrent commands, and concurrent registries whose answers must have an explanation.
//!
//! In memory, with the feature `sqlite` also in a file, with `postgres` also in PostgreSQL.

#![cfg(test)]

#[path = "../support/mod.rs"]
mod support;

mod interleavings;
mod linearizable;
mod model;
