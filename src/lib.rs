#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![doc = include_str!("../README.md")]
//!
//! # Floor plan
//!
//! Imports run one way, down this table: each room may use the rooms above it and none below.
//!
//! | room | holds |
//! | --- | --- |
//! | `value` | values, parsed once: IDs, names, instants, validities, details, the policy |
//! | `clock`, `entropy` | the only doors to time and randomness |
//! | `secret` | the client secret, what is kept of it, what it signs |
//! | `event` | what happened to a client, chained |
//! | `client` | the aggregate: one file per family of commands; plans; who signs |
//! | `review` | what a seller should know: findings, what ends when, due notices |
//! | `record` | what a store keeps of a client, sealed under the keyring |
//! | `store` | the contract, and the stores: memory, SQLite, PostgreSQL |
//! | `conformance` | the suite that holds stores to the contract |
//! | `registry` | the shell: it loads, lets the core decide, commits. `serve`: requests; `manage`: sellers and operators; `upkeep`: keys, checks, transfers |
//! | `ring` | the add-in's side |

pub mod client;
pub mod clock;
#[cfg(feature = "conformance")]
#[cfg_attr(docsrs, doc(cfg(feature = "conformance")))]
pub mod conformance;
pub mod entropy;
pub mod event;
pub mod record;
pub mod registry;
pub mod review;
pub mod ring;
pub mod secret;
pub mod store;
mod store_error;
pub mod value;

// The common path, in the order in which it is walked. Everything else is in its room.
#[doc(inline)]
pub use registry::{
    AccessError, Authenticated, ClientHandle, Denied, EmergencyDeletion, Error, Freshness, OpenError,
    Operator, Outcome, Reason, Registry, RegistryBuilder, Seller, SignError, Snapshot, Verified,
};
#[doc(inline)]
pub use ring::SecretRing;

// What goes in.
#[doc(inline)]
pub use client::{NewSecret, Rotation};
#[doc(inline)]
pub use record::Keyring;
#[doc(inline)]
pub use value::{
    AddIn, AddInId, Availability, ClientDetails, ClientId, Days, Lifetime, Policy, SecretId, SellerId,
    Timestamp,
};

// What comes out.
#[doc(inline)]
pub use client::{Plan, Refusal};
#[doc(inline)]
pub use event::Event;
#[doc(inline)]
pub use review::Finding;
#[doc(inline)]
pub use secret::{ClientSecret, Issued, Purpose, Secret, SecretState, Signature};
#[doc(inline)]
pub use value::{ErrorKind, InvalidValue};
