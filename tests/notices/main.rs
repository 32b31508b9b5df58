//! What ends when, and the notices that are due before it does: the registry against a naive model, in windows and pages
//! of every size.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod cases;
#[path = "../common/mod.rs"]
mod common;
#[path = "../forward/mod.rs"]
mod forward;
mod histories;
mod indexes;
mod market;
