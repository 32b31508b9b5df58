//! The rules of the design, one by one, on the pure core: random histories against the rule's text.
//!
//! Every test is named after the rule that it proves.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod add_ins;
mod clock;
#[path = "../common/mod.rs"]
mod common;
mod history;
mod import;
mod memory;
mod naive;
mod plans;
mod rotation;
mod secrets;
mod signing;
mod trail;
mod world;
