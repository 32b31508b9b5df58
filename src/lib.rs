#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![doc = include_str!("../README.md")]
//!
//! # Modules
//!
//! The names of the common path stand at the root; the rest is in its module. Imports run one way, down this table: a module
//! uses those above it and none below.
//!
//! | module | holds |
//! | --- | --- |
//! | [`value`] | values, parsed once: IDs, names, instants, validities, [`ClientDetails`], the [`Policy`] |
//! | [`clock`], [`entropy`] | the only ways to time and randomness; a clock that a test moves: [`ManualClock`](clock::ManualClock) |
//! | `store_error` | the error of stores, which records and events share; it is public in [`store`] |
//! | [`secret`] | the [`ClientSecret`], what is kept of it, and the [`Signature`]s it makes |
//! | [`event`] | what happened to a client; the hash chain and [`check_trail`](event::check_trail) |
//! | [`client`] | the pure core, which decides, authenticates and signs without a store or a clock: [`Client`](client::Client), one file for each family of commands, [`Plan`]s, the [`Timeline`](client::Timeline) |
//! | [`review`] | what a seller should know: [`Finding`]s, what ends when, and due [`Notice`](review::Notice)s |
//! | [`record`] | what a store keeps of a client, sealed under the [`Keyring`] |
//! | [`store`] | the contract, and the stores: memory, SQLite, PostgreSQL, [`DynStore`](store::DynStore) |
//! | `conformance` | the suite that holds a store to the contract, with the feature of this name |
//! | [`registry`] | the shell, which loads, lets the core decide, and commits: [`Registry`], [`Seller`], [`Operator`], [`ClientHandle`] |
//! | [`ring`] | the add-in's side: [`SecretRing`] |
//! | [`jwt`] | JSON Web Tokens, which the registry signs and the ring verifies |
//! | `webhooks` | Standard Webhooks, which the registry signs and the ring verifies, with the feature of this name |
//! | [`problem`] | every error as an answer over HTTP: [`ProblemDetails`](problem::ProblemDetails) |
//! | `oauth` | client authentication of OAuth servers and its answers, with the feature of this name |
//! | [`json`] | documentation alone: the JSON of everything that has one, and what a reader may rely on |

pub mod client;
pub mod clock;
#[cfg(feature = "conformance")]
#[cfg_attr(docsrs, doc(cfg(feature = "conformance")))]
pub mod conformance;
pub mod entropy;
pub mod event;
pub mod json;
pub mod jwt;
pub mod log;
#[cfg(feature = "oauth")]
#[cfg_attr(docsrs, doc(cfg(feature = "oauth")))]
pub mod oauth;
pub mod problem;
pub mod record;
pub mod registry;
pub mod review;
pub mod ring;
pub mod secret;
pub mod store;
mod store_error;
pub mod value;
#[cfg(feature = "webhooks")]
#[cfg_attr(docsrs, doc(cfg(feature = "webhooks")))]
pub mod webhooks;

// The common path, in the order in which it is walked. Everything else is in its room.
#[doc(inline)]
pub use registry::{
    AccessError, Authenticated, ClientHandle, Denied, EmergencyDeletion, Error, Freshness, OpenError,
    Operator, Outcome, Registry, RegistryBuilder, Seller, SignError, Snapshot, Verified,
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
pub use client::{Plan, Reason, Refusal};
#[doc(inline)]
pub use event::Event;
#[doc(inline)]
pub use review::Finding;
#[doc(inline)]
pub use secret::{ClientSecret, Issued, Purpose, Secret, SecretState, Signature};
#[doc(inline)]
pub use value::{ErrorKind, InvalidValue};
