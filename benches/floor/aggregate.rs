//! The floor of deciding: one copy of the data, and for each event its JSON and the hash of that.
//!
//! What a command adds to it is its rules, the trail's hand-overs, and for a new secret its verifier and MAC key.

use client_registry::client::Client;
use client_registry::{AddInId, ClientDetails, ClientId, Event, Secret, SellerId};
use sha2::{Digest, Sha256};

type Verifier = [u64; 4];
type MacKey = [[u32; 8]; 2];
type Held = (Secret, Verifier, Option<MacKey>);

/// The data of a client, as plain as can be.
#[derive(Clone)]
pub struct Plain {
    _id: ClientId,
    _owner: SellerId,
    _details: ClientDetails,
    _secrets: Vec<Held>,
    _add_ins: Vec<AddInId>,
}

impl Plain {
    /// The same data as a client has.
    pub fn of(client: &Client) -> Self {
        Self {
            _id: client.id().clone(),
            _owner: client.owner().clone(),
            _details: client.details().clone(),
            _secrets: client.secrets().map(|secret| (secret.clone(), [7; 4], Some([[7; 8]; 2]))).collect(),
            _add_ins: client.add_ins().to_vec(),
        }
    }

    /// A copy with the hashes of these events.
    pub fn change(&self, events: &[Event]) -> (Self, Vec<[u8; 32]>) {
        let hashes = events.iter().map(|event| {
            let json = serde_json::to_vec(event).unwrap_or_default();
            Sha256::digest(json).into()
        });
        (self.clone(), hashes.collect())
    }
}
