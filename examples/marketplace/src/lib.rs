//! The pages of an app marketplace: sellers manage client IDs, client secrets and add-ins, operators look after all of them.
//! `README.md` says how to start it, and where things lie.

pub mod account;
mod add_ins;
mod assets;
pub mod catalogue;
pub mod events;
mod failure;
mod frame;
mod hand_over;
pub mod mailbox;
mod pages;
mod plans;
mod prose;
mod rate;
pub mod resealer;
mod secrets;
mod security;
pub mod seed;
pub mod settings;
pub mod shared;
mod signed_in;
pub mod start;
mod timeline;
mod trail;
mod words;

pub use crate::failure::Failure;
pub use crate::frame::{Frame, page};
pub use crate::hand_over::HandOver;
pub use crate::rate::Rates;
pub use crate::security::{router, sessions};
pub use crate::shared::{App, Marketplace};
pub use crate::signed_in::{AsOperator, AsSeller};
