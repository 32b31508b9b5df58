//! How fast `client-registry` is: beside its floor, and beside what a user would pick instead, in one process and in turns.
//!
//! The commands are in `bin`; `benches/README.md` describes them.

#[path = "../../floor/mod.rs"]
pub mod floor;
#[path = "../../../tests/support/forward.rs"]
mod forward;
#[path = "../../../tests/support/server/mod.rs"]
mod server;

pub mod arguments;
pub mod attack;
pub mod clients;
pub mod fill;
pub mod growth;
pub mod leaks;
pub mod machine;
pub mod measure;
pub mod peers;
pub mod report;
pub mod rows;
pub mod scratch;
pub mod stores;
