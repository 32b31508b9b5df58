//! What sellers and operators ask for: their views, commands and reports.
//!
//! Imports run one way: `Seller`, `Operator` and `ClientHandle` use reports and commands, these use the view, and the view
//! the trace.

pub(in crate::registry) mod applied;
pub(in crate::registry) mod client_handle;
pub(in crate::registry) mod command;
pub(in crate::registry) mod commit;
pub(in crate::registry) mod leaks;
pub(in crate::registry) mod operator;
pub(in crate::registry) mod report;
pub(in crate::registry) mod seller;
pub(in crate::registry) mod taken;
pub(in crate::registry) mod trace;
pub(in crate::registry) mod trail;
pub(in crate::registry) mod view;
