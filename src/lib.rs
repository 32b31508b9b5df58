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
mod value;

// The paved path, in the order in which it is walked.
pub use registry::{
    AccessError, Authenticated, Checked, ClientHandle, ClientPage, ConfirmError, Denied, EmergencyDeletion,
    Error, ExportError, Exported, Fault, FaultKind, Follow, Freshness, ImportError, Imported, Key, Lookup,
    OpenError, Operator, Outcome, Reason, Registry, RegistryBuilder, ReportPage, Resealed, Resealing,
    Resolution, RetireError, Seller, SignError, Snapshot, Unreadable, Unresolved, Verified,
};
pub use ring::{CallError, Credentials, NotVerified, RingSecret, SecretRing, Slot};

// Values.
pub use record::keyring::{Keyring, KeyringVariableError};
pub use record::{KeyState, RegistryId};
pub use value::app_domain::AppDomain;
pub use value::details::{Availability, ClientDetails};
pub use value::id::{Actor, AddIn, AddInId, ClientId, KeyId, OperatorId, SecretId, SellerId};
pub use value::invalid::{Field, InvalidValue, Problem};
pub use value::name::{FriendlyName, Label, NameKey};
pub use value::policy::Policy;
pub use value::redirect_url::RedirectUrl;
pub use value::validity::{Days, Lifetime, Timestamp, Validity};

// Secrets and signatures.
pub use secret::client_secret::{ClientSecret, Issued};
pub use secret::mac::KeyEncoding;
pub use secret::signature::Signature;
pub use secret::{Hint, Origin, Purpose, Secret, SecretState};

// The core.
pub use client::plan::{
    ClientDeletion, Obstacle, Plan, Planned, SecretDeletion, SecretDisabling, Unconfirmed,
};
pub use client::signing::{Signing, Span, Timeline};
pub use client::{
    Change, Client, ClientState, Deciding, Fate, ImportedClient, ImportedSecret, LastUses, MAX_ADD_INS, Move,
    NewSecret, Promotion, Refusal, Replacement, Rotation, Tombstone, Transition,
};
pub use event::{BrokenTrail, Event, EventHash, Fact, Handover, InvalidHash, Revision, check_trail};
pub use review::expiry::{Expiry, Notice};
pub use review::finding::{Finding, Severity};
pub use value::error_kind::ErrorKind;

// Time and randomness.
pub use clock::{Clock, ManualClock, SystemClock};
pub use entropy::{Entropy, EntropyError, SystemEntropy};
