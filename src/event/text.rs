//! The text of an event, as opaque bytes: what stores keep and what the chain is hashed over (rule 16).

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::EventHash;
use crate::value::ClientId;
use crate::value::client_id::stored_client_id;

/// The text of an event: the bytes that are hashed, and that a store keeps and returns unchanged.
///
/// To a store it is opaque. It is one JSON object in UTF-8, but a store must not parse it and write it anew: that gives other
/// bytes, which the registry refuses. Cloning is cheap; clones share the bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventText(Arc<[u8]>);

impl EventText {
    /// Returns the text of these bytes, as a store kept them. They are not checked.
    #[must_use]
    pub fn from_bytes(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// Returns the bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the hash by which the next event of the client refers to this one.
    #[must_use]
    pub fn hash(&self) -> EventHash {
        EventHash::of(&self.0)
    }

    /// Returns the client that the text names, or `None` if it cannot be read. Nothing else is checked.
    pub(crate) fn client_id(&self) -> Option<ClientId> {
        #[derive(Deserialize)]
        struct About {
            #[serde(deserialize_with = "stored_client_id")]
            client_id: ClientId,
        }
        serde_json::from_slice(&self.0).ok().map(|About { client_id }| client_id)
    }
}

/// Serializes as a string, which is read back to the same bytes. Bytes that are not UTF-8 are an error: no event has such a text.
impl Serialize for EventText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match str::from_utf8(&self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => Err(serde::ser::Error::custom("the text of an event is not UTF-8")),
        }
    }
}

impl<'de> Deserialize<'de> for EventText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let of = |text: &str| Ok::<_, Infallible>(Self::from_bytes(text.as_bytes()));
        crate::value::text::deserialize(deserializer, of)
    }
}

impl fmt::Debug for EventText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventText({:?})", String::from_utf8_lossy(&self.0))
    }
}
