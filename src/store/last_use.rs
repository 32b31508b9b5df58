//! `Use`: a use of a secret, as stores keep it apart from records (rule 9).

use crate::value::{ClientId, SecretId, Timestamp};

/// A use of a secret: which one, and when.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Use {
    /// The client that the secret belongs to.
    pub client_id: ClientId,
    /// The secret.
    pub secret: SecretId,
    /// The instant of the use.
    pub at: Timestamp,
}

impl Use {
    /// Returns whether this use takes the place of the time that the store has for the secret: there is none, it is earlier,
    /// or it lies after `believable_until`.
    #[must_use]
    pub fn replaces(&self, stored: Option<Timestamp>, believable_until: Timestamp) -> bool {
        stored.is_none_or(|stored| stored < self.at || believable_until < stored)
    }
}
