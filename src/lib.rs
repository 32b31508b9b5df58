#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![doc = include_str!("../README.md")]
//!
//! # Floor plan
//!
//! Imports run one way: values → client → record → registry. Stores import the contract, never the registry.
//!
//! | file | holds |
//! | --- | --- |
//! | `id`, `details`, `name`, `domain`, `redirect`, `validity`, `invalid`, `text`, `redacted` | values, parsed once |
//! | `policy` | what a platform allows |
//! | `client_secret`, `secret`, `secret_text`, `verifier`, `mac`, `signature` | the client secret, what is kept of it, what it signs |
//! | `event` | what happened, chained |
//! | `client`, `client/…`, `signing`, `plan` | the aggregate: one file per family of commands; who signs; plans |
//! | `keyring`, `record`, `record/…` | the keys, and what a store keeps under them |
//! | `store`, `store/…` | the contract, the stores, the suite that holds stores to the contract |
//! | `review`, `finding`, `expiry` | what a seller should know: findings, what ends when, due notices |
//! | `clock`, `entropy` | the doors to time and randomness |
//! | `registry`, `registry/…` | the shell: load, decide, commit; authenticate, sign, verify |
//! | `ring` | the add-in's side |

mod client;
mod client_secret;
mod clock;
mod details;
mod domain;
mod entropy;
mod error;
mod event;
mod expiry;
mod finding;
mod id;
mod invalid;
mod keyring;
mod mac;
mod name;
mod plan;
mod policy;
mod record;
mod redacted;
mod redirect;
mod registry;
mod review;
mod ring;
mod secret;
mod secret_text;
mod signature;
mod signing;
pub mod store;
mod text;
mod validity;
mod verifier;

// The paved path, in the order in which it is walked.
pub use registry::{
    AccessError, Authenticated, Checked, ClientHandle, ClientPage, ConfirmError, Denied, EmergencyDeletion,
    Error, ExportError, Exported, Fault, FaultKind, Follow, Freshness, ImportError, Imported, Key, Lookup,
    OpenError, Operator, Outcome, Reason, Registry, RegistryBuilder, ReportPage, Resealed, Resealing,
    Resolution, RetireError, Seller, SignError, Snapshot, Unreadable, Unresolved, Verified,
};
pub use ring::{CallError, Credentials, NotVerified, RingSecret, SecretRing, Slot};

// Values.
pub use details::{Availability, ClientDetails};
pub use domain::AppDomain;
pub use id::{Actor, AddIn, AddInId, ClientId, KeyId, OperatorId, SecretId, SellerId};
pub use invalid::{Field, InvalidValue, Problem};
pub use keyring::{Keyring, KeyringVariableError};
pub use name::{FriendlyName, Label, NameKey};
pub use policy::Policy;
pub use record::{KeyState, RegistryId};
pub use redirect::RedirectUrl;
pub use validity::{Days, Lifetime, Timestamp, Validity};

// Secrets and signatures.
pub use client_secret::{ClientSecret, Issued};
pub use mac::KeyEncoding;
pub use secret::{Hint, Origin, Purpose, Secret, SecretState};
pub use signature::Signature;

// The core.
pub use client::{
    Change, Client, ClientState, Deciding, Fate, ImportedClient, ImportedSecret, LastUses, MAX_ADD_INS, Move,
    NewSecret, Promotion, Refusal, Replacement, Rotation, Tombstone, Transition,
};
pub use error::ErrorKind;
pub use event::{BrokenTrail, Event, EventHash, Fact, Handover, InvalidHash, Revision, check_trail};
pub use expiry::{Expiry, Notice};
pub use finding::{Finding, Severity};
pub use plan::{ClientDeletion, Obstacle, Plan, Planned, SecretDeletion, SecretDisabling, Unconfirmed};
pub use signing::{Signing, Span, Timeline};

// Time and randomness.
pub use clock::{Clock, ManualClock, SystemClock};
pub use entropy::{Entropy, EntropyError, SystemEntropy};
