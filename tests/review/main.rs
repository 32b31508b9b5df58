//! What a seller should know: each finding in a state that has it and in the nearest one that does not, and random
//! histories against the findings' own words.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod cases;
#[path = "../common/mod.rs"]
mod common;
mod histories;
#[allow(dead_code, reason = "a part of it is used here")]
#[path = "../rules/history.rs"]
mod history;
#[path = "../rules/naive.rs"]
mod naive;
mod words;
#[allow(dead_code, reason = "a part of it is used here")]
#[path = "../rules/world.rs"]
mod world;
