//! A client secret as both sides of a signature share it: the text, its key encoding, and the MAC key that they give.

use std::fmt;

use subtle::ConstantTimeEq;

use crate::secret::{ClientSecret, KeyEncoding, MacKey};
use crate::value::InvalidValue;

/// A client secret with its key encoding: how it is read as a signing key.
pub struct SharedSecret {
    pub(super) client_secret: ClientSecret,
    pub(super) key_encoding: KeyEncoding,
    pub(super) mac_key: MacKey,
}

impl SharedSecret {
    /// Returns a client secret with its key encoding.
    ///
    /// # Errors
    /// [`InvalidValue`] if the text cannot be decoded that way.
    pub fn new(client_secret: ClientSecret, key_encoding: KeyEncoding) -> Result<Self, InvalidValue> {
        let mac_key = MacKey::of(&client_secret, key_encoding)?;
        Ok(Self { client_secret, key_encoding, mac_key })
    }

    /// Returns whether both have the same text. The comparison takes constant time.
    pub(super) fn has_text_of(&self, other: &Self) -> bool {
        let [one, other] = [self, other].map(|secret| secret.client_secret.expose().as_bytes());
        one.ct_eq(other).into()
    }
}

/// Uses the UTF-8 bytes of the text as the key, which is right for every generated client secret.
impl From<ClientSecret> for SharedSecret {
    fn from(client_secret: ClientSecret) -> Self {
        let mac_key = MacKey::from_key(client_secret.expose().as_bytes());
        Self { client_secret, key_encoding: KeyEncoding::Utf8, mac_key }
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedSecret").finish_non_exhaustive()
    }
}
