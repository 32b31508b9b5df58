//! The signature that a message of the platform carries: which client, which secret, and the MAC.
//!
//! The text form goes into headers and is parsed by other programs: it must not change. A new form would get another version
//! than `v1`.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::value::{ClientId, Field, InvalidValue, Problem, SecretId};

/// An HMAC-SHA-256 over exactly the bytes of a message, with the client and the secret that made it.
///
/// The text form fits into a header: `v1:<client ID>:<secret ID>:<43 characters of unpadded base64url>`. Any HMAC tool can verify
/// [`mac`](Self::mac); a JWT (HS256) or a webhook format carries it in its own form.
///
/// Signatures cannot be compared with `==`, since the time it takes would tell a forger how much of the MAC was right. Verify
/// them instead.
#[derive(Clone)]
pub struct Signature {
    client_id: ClientId,
    secret_id: SecretId,
    mac: [u8; 32],
}

impl Signature {
    /// Returns a signature of parts that arrived separately.
    #[must_use]
    pub fn new(client_id: ClientId, secret_id: SecretId, mac: [u8; 32]) -> Self {
        Self { client_id, secret_id, mac }
    }

    /// Parses the text form of a signature.
    ///
    /// # Errors
    /// [`InvalidValue`] if the text does not have that form.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        let invalid = |problem| InvalidValue::new(Field::Signature, problem);
        if text.len() > MAX_LEN {
            return Err(invalid(Problem::TooLong { max: MAX_LEN }));
        }
        let Some(rest) = text.strip_prefix("v1:") else {
            return Err(invalid(Problem::Form("does not begin with v1:")));
        };
        let mut parts = rest.splitn(3, ':');
        let (Some(client_id), Some(secret_id), Some(mac)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(invalid(Problem::Form("does not have four parts")));
        };
        let mut bytes = [0; 32];
        let decoded = match BASE64URL_NOPAD.decode_len(mac.len()) {
            Ok(32) => BASE64URL_NOPAD.decode_mut(mac.as_bytes(), &mut bytes).is_ok(),
            _ => false,
        };
        if !decoded {
            return Err(invalid(Problem::Form("does not end in 43 characters of unpadded base64url")));
        }
        Ok(Self { client_id: ClientId::parse(client_id)?, secret_id: secret_id.parse()?, mac: bytes })
    }

    /// Returns the client ID whose secret signed.
    #[must_use]
    pub fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// Returns the secret that signed.
    #[must_use]
    pub fn secret_id(&self) -> SecretId {
        self.secret_id
    }

    /// Returns the 32 bytes of the HMAC-SHA-256.
    #[must_use]
    pub fn mac(&self) -> &[u8; 32] {
        &self.mac
    }
}

impl FromStr for Signature {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        Self::parse(text)
    }
}

impl Serialize for Signature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::value::text::deserialize(deserializer, Self::parse)
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v1:{}:{}:", self.client_id, self.secret_id)?;
        BASE64URL_NOPAD.encode_display(&self.mac).fmt(f)
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({self})")
    }
}

/// `v1:`, 64 characters of client ID, a colon, 10 digits of secret ID, a colon, 43 of MAC.
const MAX_LEN: usize = 3 + 64 + 1 + 10 + 1 + 43;
