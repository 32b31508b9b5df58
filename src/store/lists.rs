//! The lists of a store: of clients, and of the ends of secrets.

use serde::Serialize;

use crate::value::client_id::stored_client_id;
use crate::value::redacted::redacted;
use crate::value::{ClientId, KeyId, NameKey, SecretId, SellerId, Timestamp};

/// The clients to list, as an argument of [`Store::clients`](crate::store::Store::clients).
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum ClientsBy<'a> {
    /// All of them, and what is left of deleted ones.
    All,
    /// Those of a seller.
    Seller(&'a SellerId),
    /// The one of a seller with a friendly name of this key.
    Name(&'a SellerId, &'a NameKey),
    /// Those whose records are under a key, and what is left of deleted ones under it.
    Key(&'a KeyId),
}

redacted! {
    /// A secret's end, ordered by when it comes, then by client, then by secret.
    #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
    pub struct Ending {
        /// The end of its validity.
        pub at: Timestamp,
        /// The client.
        #[serde(deserialize_with = "stored_client_id")]
        pub client_id: ClientId,
        /// The secret.
        pub secret: SecretId,
    }
}
