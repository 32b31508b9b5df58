//! An event as its public JSON has it.

use serde::Serialize;

use super::{EventHash, Fact, Handover};
use crate::value::id::stored_client_id;
use crate::value::{Actor, ClientId, Revision, Timestamp};

crate::value::redacted::redacted! {
    /// What is read of an event; its text is made anew.
    #[derive(Serialize)]
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
