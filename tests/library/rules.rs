//! The rules of the design, one by one, on the pure core: random histories against the rule's text.
//!
//! Every test is named after the rule that it proves.

mod access;
mod add_ins;
mod clock;
pub(crate) mod history;
mod import;
mod memory;
pub(crate) mod naive;
mod plans;
mod rotation;
mod secrets;
mod signing;
mod trail;
pub(crate) mod world;
