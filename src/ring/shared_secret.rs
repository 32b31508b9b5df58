//! A client secret as both sides of a signature share it: the text, its key encoding, and the MAC key that they give.

use std::fmt;

use subtle::ConstantTimeEq;

use crate::secret::{ClientSecret, Issued, KeyEncoding, MacKey};
use crate::value::{InvalidValue, Timestamp};

/// A client secret with its key encoding: how it is read as a signing key. It may be told when the client secret ends.
pub struct SharedSecret {
    pub(super) client_secret: ClientSecret,
    pub(super) key_encoding: KeyEncoding,
    pub(super) mac_key: MacKey,
    pub(super) until: Option<Timestamp>,
}

impl SharedSecret {
    /// Returns a client secret with its key encoding.
    ///
    /// # Errors
    /// [`InvalidValue`] if the text cannot be decoded that way.
    pub fn new(client_secret: ClientSecret, key_encoding: KeyEncoding) -> Result<Self, InvalidValue> {
        let mac_key = MacKey::of(&client_secret, key_encoding)?;
        Ok(Self { client_secret, key_encoding, mac_key, until: None })
    }

    /// Parses a key of Standard Webhooks: `whsec_` and base64. [`ClientSecret::parse_whsec`] says what it is read as.
    ///
    /// # Errors
    /// [`InvalidValue`] if the text is not such a key.
    #[cfg(feature = "webhooks")]
    #[cfg_attr(docsrs, doc(cfg(feature = "webhooks")))]
    pub fn parse_whsec(text: &str) -> Result<Self, InvalidValue> {
        let (client_secret, key_encoding) = ClientSecret::parse_whsec(text)?;
        Self::new(client_secret, key_encoding)
    }

    /// Tells when the client secret ends: the first instant at which the platform accepts it no longer. A ring shows it in its
    /// [state](crate::SecretRing::state), and decides nothing by it.
    #[must_use]
    pub fn ending(self, until: impl Into<Timestamp>) -> Self {
        Self { until: Some(until.into()), ..self }
    }

    /// Returns whether both have the same text. The comparison takes constant time.
    pub(super) fn has_text_of(&self, other: &Self) -> bool {
        let [one, other] = [self, other].map(|secret| secret.client_secret.expose().as_bytes());
        one.ct_eq(other).into()
    }

    /// Returns whether both are the same password and the same signing key.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.key_encoding == other.key_encoding && self.has_text_of(other)
    }
}

/// Uses the UTF-8 bytes of the text as the key, which is right for every generated client secret.
impl From<ClientSecret> for SharedSecret {
    fn from(client_secret: ClientSecret) -> Self {
        let mac_key = MacKey::from_key(client_secret.expose().as_bytes());
        Self { client_secret, key_encoding: KeyEncoding::Utf8, mac_key, until: None }
    }
}

/// Takes the client secret and the end of its validity.
impl From<Issued> for SharedSecret {
    fn from(issued: Issued) -> Self {
        let until = issued.validity().until();
        Self { until, ..Self::from(issued.into_client_secret()) }
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedSecret").finish_non_exhaustive()
    }
}
