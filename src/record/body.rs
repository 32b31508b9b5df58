//! Conversion between a client and the two parts of its record: readable text, and material that is sealed.
//!
//! The material has no structure of its own: the body tells what it holds and how much.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::Opened;
use super::frame::Sealed;
use crate::client::ClientState;
use crate::client::kept::Body;
use crate::event::EventHash;
use crate::store_error::{StoreError, StoreErrorKind, tampered};
use crate::value::ClientId;
use crate::value::redacted::redact;

/// Returns the body as compact JSON, and the material.
pub(super) fn write(opened: &Opened) -> (String, Zeroizing<Vec<u8>>) {
    let (body, material) = match opened {
        Opened::Active(live) => (live.to_body(), live.material()),
        Opened::Deleted(tombstone) => (tombstone.to_body(), tombstone.material()),
    };
    (to_json(&body), material)
}

impl Opened {
    /// Returns the bytes that its record holds of it: what makes one record of a client larger than another.
    pub(crate) fn kept_size(&self) -> usize {
        let (body, material) = write(self);
        body.len() + material.len()
    }
}

/// Writes a body as compact JSON. An empty body would be sealed and stored as if it were one, so this stops rather than return
/// it.
#[expect(
    clippy::expect_used,
    reason = "unreachable: serde_json fails on a writer and on keys that are not text"
)]
pub(super) fn to_json(body: &impl Serialize) -> String {
    serde_json::to_string(body).expect("a body has text keys and is written to memory")
}

/// Returns the hash of the latest event of a record that was authenticated, and reads nothing else.
pub(super) fn head(sealed: &Sealed) -> Result<EventHash, StoreError> {
    #[derive(Deserialize)]
    struct Head {
        last_event: EventHash,
    }
    serde_json::from_str(sealed.body()).map(|Head { last_event }| last_event).map_err(unreadable)
}

fn unreadable(error: serde_json::Error) -> StoreError {
    StoreError::with_source(StoreErrorKind::Corrupt, redact(error, "body"))
}

/// Returns the client of a record that was authenticated.
pub(super) fn read(sealed: &Sealed, material: &[u8]) -> Result<Opened, StoreError> {
    let body = Body::from_json(sealed.body()).map_err(unreadable)?;
    let id = ClientId::stored(sealed.id().as_str())
        .map_err(|invalid| StoreError::with_source(StoreErrorKind::Corrupt, invalid))?;
    let state = ClientState::from_kept(id, sealed.revision(), body, material);
    Ok(Opened::new(state.ok_or_else(|| tampered("its sealed part does not belong to its body"))?))
}
