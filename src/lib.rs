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

mod client;
mod clock;
#[cfg(feature = "conformance")]
#[cfg_attr(docsrs, doc(cfg(feature = "conformance")))]
pub mod conformance;
mod entropy;
mod event;
mod record;
mod registry;
mod review;
mod ring;
mod secret;
pub mod store;
mod store_error;
mod value;

// The paved path, in the order in which it is walked.
pub use registry::{
    AccessError, Authenticated, CheckReport, ClientHandle, ClientPage, ConfirmError, Denied, Discrepancy,
    DiscrepancyKind, EmergencyDeletion, Error, ExportError, ExportSummary, Follower, Freshness, ImportError,
    ImportSummary, KeyStatus, Lookup, OpenError, Operator, Outcome, Reason, Registry, RegistryBuilder,
    ReportPage, Resealed, Resealing, Resolution, RetireError, Seller, SignError, Snapshot, Unreadable,
    Unresolved, Verified,
};
pub use ring::{CallError, Credentials, SecretRing, SharedSecret, SignatureMismatch, Slot};

// Values.
pub use record::{KeyState, Keyring, KeyringVariableError, RegistryId};
pub use value::{
    Actor, AddIn, AddInId, AppDomain, Availability, ClientDetails, ClientId, Days, Field, FriendlyName,
    InvalidValue, KeyId, Label, Lifetime, NameKey, OperatorId, Policy, Problem, RedirectUrl, SecretId,
    SellerId, Timestamp, Validity,
};

// Secrets and signatures.
pub use secret::{ClientSecret, Hint, Issued, KeyEncoding, Origin, Purpose, Secret, SecretState, Signature};

// The core.
pub use client::{
    Change, Client, ClientDeletion, ClientState, CommandContext, Decision, ImportedClient, ImportedSecret,
    LastUses, MAX_ADD_INS, Move, NewSecret, Obstacle, Plan, Planned, Promotion, Refusal, Replacement,
    Revocation, Rotation, SecretDeletion, SecretDisabling, Signing, Span, Timeline, Tombstone, Unconfirmed,
};
pub use event::{BrokenTrail, Event, EventHash, Fact, Handover, InvalidHash, check_trail};
pub use review::{Expiry, Finding, Notice, Severity};
pub use value::{ErrorKind, Revision};

// Time and randomness.
pub use clock::{Clock, ManualClock, SystemClock};
pub use entropy::{Entropy, EntropyError, SystemEntropy};
