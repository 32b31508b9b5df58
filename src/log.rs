//! The log: every line that the crate writes through `tracing`, with its level, target and fields, and which of them are alarms. Apart
//! from the two targets, this module is documentation alone.
//!
//! Without a subscriber nothing is written, and a line costs one load. No line at any level holds a client secret, a name, a domain or an
//! attribute: IDs, numbers, codes and instants alone (rule 8).
//!
//! | level | target | message | fields |
//! | --- | --- | --- | --- |
//! | error | [`ALARM`] | a record cannot be used | `record`, `error`, `kept_back` |
//! | warn | [`ALARM`] | a compromised client secret was presented | `client_id`, `secret`, `kept_back` |
//! | warn | [`ALARM`] | the clock is more than a minute behind the client's last change | `client_id`, `changed_at`, `clock`, `kept_back` |
//! | warn | [`ALARM`] | no valid secret is left | `client_id`, `secret` |
//! | warn | `client_registry` | a new registry was made in an empty store | `registry` |
//! | warn | `client_registry` | the change feed, or last uses, cannot be read or written; the store did not say what came of a commit | `why` |
//! | info | `client_registry` | changed, moved | `client_id`, `secret`, `added`, `revision`, `attempts` |
//! | debug | [`DENIED`] | denied | `client_id`, `secret`, `reason`: a [`Reason`](crate::Reason) |
//! | debug | [`DENIED`] | client authentication refused | `reason`: why a request was malformed, or a [`Reason`](crate::Reason) |
//! | debug | `client_registry` | authenticated, signed, verified, unchanged, not changed | `client_id`, `secret`, `error` |
//!
//! `client_registry` stands for a target that begins so: what follows it may change in any version. The stores write warnings and errors
//! of their own, which their pages describe. Messages may change in a minor version; targets, levels and fields of this table change
//! in a major one.
//!
//! Alert an operator to [`ALARM`]. An alarm is written once a minute for each client, and `kept_back` counts those in between. To see why
//! callers are denied, which the callers are never told, listen to [`DENIED`] at `debug`:
//!
//! ```sh
//! RUST_LOG=warn,client_registry=info,client_registry::denied=debug
//! ```
//!
//! Each command and each query of a seller or an operator has a span named `registry`, at `info`, with `operation`, `actor`, `client_id`,
//! `secret`, `added`, `revision`, `attempts` and `outcome`.

/// The target of alarms: lines that an operator should be alerted to.
pub const ALARM: &str = "client_registry::alarm";

/// The target of denials: why a client secret, a signature or a request was not accepted.
pub const DENIED: &str = "client_registry::denied";
