//! The rules of the design, one by one, on the pure core: random histories against the rule's text.
//!
//! Every test is named after the rule that it proves.

mod access;
mod add_ins;
mod attributes;
mod clock;
mod ends;
pub(crate) mod history;
mod import;
mod leaked;
mod memory;
pub(crate) mod naive;
mod overlap;
mod plans;
mod rotation;
mod secrets;
mod signing;
mod suspension;
mod trail;
mod transfer;
pub(crate) mod world;
