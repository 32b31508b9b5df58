//! The public JSON of an event: for applications, never for storing.
//!
//! What is stored and hashed is the text, which this file does not touch. The page [`json`](crate::json) says what readers may
//! rely on.

use serde::Serialize;

use super::{EventHash, Fact, Handover};
use crate::value::client_id::stored_client_id;
use crate::value::{Actor, ClientId, Revision, Timestamp};

crate::value::redacted::redacted! {
    /// The members of an event.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    #[serde(deny_unknown_fields)]
    pub(super) struct Event {
        #[serde(deserialize_with = "stored_client_id")]
        pub(super) client_id: ClientId,
        pub(super) revision: Revision,
        pub(super) at: Timestamp,
        pub(super) actor: Actor,
        pub(super) fact: Fact,
        pub(super) signing: Option<Handover>,
        pub(super) previous: EventHash,
    }
}
