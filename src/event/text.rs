//! The text of an event, as opaque bytes.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::EventHash;
use crate::value::ClientId;
use crate::value::id::stored_client_id;

/// The text of an event: the bytes that are hashed, and that a store keeps and gives back as they are.
///
/// A store need not know what it holds. It is one JSON object in UTF-8; JSON parsed and written anew is other bytes, and the
/// registry refuses them. Cheap to clone; clones share the bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventText(Arc<[u8]>);

impl EventText {
    /// The text of these bytes, as a store kept them. Nothing is looked at.
    #[must_use]
    pub fn from_bytes(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The hash by which the next event of the client refers to this one.
    #[must_use]
    pub fn hash(&self) -> EventHash {
        EventHash::of(&self.0)
    }

    /// The client that it says it is about, whatever else it says; `None` when it cannot be read.
    pub(crate) fn client_id(&self) -> Option<ClientId> {
        #[derive(Deserialize)]
        struct About {
            #[serde(deserialize_with = "stored_client_id")]
            client_id: ClientId,
        }
        serde_json::from_slice(&self.0).ok().map(|About { client_id }| client_id)
    }
}

/// As a string, which gives back the same bytes. Bytes that are not UTF-8 are an error: no event has such a text.
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
