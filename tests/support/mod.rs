//! What the tests share. Each test binary includes it once, as `mod support`; the benches use parts of it.

#![allow(dead_code, unused_imports, reason = "each test binary uses a part of it")]

pub(crate) mod decide;
pub(crate) mod entropy;
pub(crate) mod forward;
pub(crate) mod futures;
#[cfg(feature = "sqlite")]
pub(crate) mod ledger;
pub(crate) mod log;
pub(crate) mod mac;
pub(crate) mod platform;
pub(crate) mod registries;
pub(crate) mod scratch;
#[cfg(feature = "postgres")]
pub(crate) mod server;
pub(crate) mod values;
pub(crate) mod watched;

pub(crate) use self::{
    decide::*, entropy::*, futures::*, mac::*, platform::*, scratch::*, values::*, watched::*,
};
pub(crate) use self::{forward::forward, log::logged};
