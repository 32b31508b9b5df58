//! The floor of memory: what a client with two secrets cannot do without, in one allocation of its own and no byte more: for
//! each secret a verifier (32 bytes) and a prepared MAC key (64), and the texts of the client. With the look-up: the same behind
//! the map of the floor of authenticating.

use super::{ID, Map};

/// The bytes of one client.
pub type Least = Box<[u8]>;

/// Puts a client together.
pub fn least(texts: &[&str]) -> Least {
    let mut bytes = Vec::with_capacity(2 * (32 + 64) + texts.iter().map(|text| text.len()).sum::<usize>());
    bytes.resize(2 * (32 + 64), 0x5a);
    for text in texts {
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes.into_boxed_slice()
}

/// Clients that are looked up by their IDs.
#[derive(Default)]
pub struct Looked(Map<Least>);

impl Looked {
    pub fn insert(&self, client_id: [u8; ID], client: Least) {
        self.0.pin().insert(client_id, client);
    }
}
