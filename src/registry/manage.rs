//! What sellers and operators do: their views, their commands, their reports.

pub(in crate::registry) mod client_handle;
pub(in crate::registry) mod command;
pub(in crate::registry) mod operator;
pub(in crate::registry) mod report;
pub(in crate::registry) mod seller;
pub(in crate::registry) mod taken;
pub(in crate::registry) mod trace;
pub(in crate::registry) mod trail;
pub(in crate::registry) mod view;
