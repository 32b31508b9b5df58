//! Verifying a token with a ring. What the token says about itself is checked, and never followed.

use std::fmt;
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use serde::de::DeserializeOwned;

use super::json::Members;
use super::{JwtError, MAX_LEN, TYPE};
use crate::ring::{SecretRing, Slot};
use crate::value::redacted::redact;
use crate::value::{SecretId, Timestamp};

impl SecretRing {
    /// Verifies a token of the platform with either client secret, by the clock of the ring and with a tolerance of a minute, and
    /// returns its claims. [The module](crate::jwt) says what is verified.
    ///
    /// The claims are read into a type of the caller's, which is shown every member, also those that the registry adds.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use client_registry::jwt::JwtError;
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let ring = SecretRing::new("calendar-app".parse()?, ClientSecret::parse("0123456789 abcdefghijklm")?, None);
    /// # #[derive(serde::Deserialize)]
    /// # struct Context { user: String }
    /// match ring.verify_jwt::<Context>("e30.e30.") {
    ///     Ok(verified) => println!("for {}", verified.claims().user),
    ///     Err(error) => println!("{}: {error}", error.kind().http_status()),
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`JwtError`] says why the token is not accepted. The sender needs to know no more than 401.
    pub fn verify_jwt<C: DeserializeOwned>(&self, token: &str) -> Result<VerifiedJwt<C>, JwtError> {
        self.verify_jwt_within(token, TOLERANCE)
    }

    /// Verifies a token like [`verify_jwt`](Self::verify_jwt), with another tolerance than a minute: the difference that the
    /// clocks of both sides may have. A token counts as valid for that much before its `nbf` and after its `exp`.
    ///
    /// # Errors
    /// The same as for [`verify_jwt`](Self::verify_jwt).
    pub fn verify_jwt_within<C: DeserializeOwned>(
        &self,
        token: &str,
        tolerance: Duration,
    ) -> Result<VerifiedJwt<C>, JwtError> {
        let token = Parts::of(token)?;
        let secret_id = check_header(token.header)?;
        let slot = self.verify_mac(&token.mac, token.signed.as_bytes())?;
        let json = decode(token.claims).ok_or(malformed("its claims are not unpadded base64url"))?;
        let object = Members::read(&json).ok_or(malformed(
            "its claims are not an object in which each member stands once and each date is a number",
        ))?;
        let now = self.clock().wall();
        let expires_at = object.date("exp").ok_or(malformed("it has no exp"))?;
        if expires_at <= now && now.saturating_since(expires_at) >= tolerance {
            return Err(JwtError::Expired { at: expires_at });
        }
        if let Some(from) = object.date("nbf").filter(|from| from.saturating_since(now) > tolerance) {
            return Err(JwtError::NotYetValid { from });
        }
        if !object.names("aud", self.client_id().as_str()) {
            return Err(JwtError::Audience);
        }
        let claims = serde_json::from_slice(&json)
            .map_err(|error| JwtError::Claims { problem: redact(error, "claims").to_string() })?;
        Ok(VerifiedJwt { slot, secret_id, expires_at, claims })
    }
}

/// A token that was verified, with its claims.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifiedJwt<C> {
    slot: Slot,
    secret_id: Option<SecretId>,
    expires_at: Timestamp,
    claims: C,
}

impl<C> VerifiedJwt<C> {
    /// Returns the claims.
    #[must_use]
    pub fn claims(&self) -> &C {
        &self.claims
    }

    /// Takes the claims.
    #[must_use]
    pub fn into_claims(self) -> C {
        self.claims
    }

    /// Returns which client secret of the ring signed the token.
    #[must_use]
    pub fn slot(&self) -> Slot {
        self.slot
    }

    /// Returns the ID that the platform has for the secret which signed: the `kid` of the header, if it is such an ID.
    #[must_use]
    pub fn secret_id(&self) -> Option<SecretId> {
        self.secret_id
    }

    /// Returns the `exp` of the token.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

/// Shows no claims, which may be personal.
impl<C> fmt::Debug for VerifiedJwt<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedJwt")
            .field("slot", &self.slot)
            .field("secret_id", &self.secret_id)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// The parts of a token. Nothing but the signature is decoded yet.
struct Parts<'a> {
    header: &'a str,
    claims: &'a str,
    /// Header and claims with the dot between them.
    signed: &'a str,
    mac: [u8; 32],
}

impl<'a> Parts<'a> {
    fn of(token: &'a str) -> Result<Self, JwtError> {
        if token.len() > MAX_LEN {
            return Err(JwtError::TooLong);
        }
        let three =
            token.rsplit_once('.').and_then(|(signed, mac)| Some((signed, signed.split_once('.')?, mac)));
        let (signed, (header, claims), mac) = three.ok_or(malformed("it does not have three parts"))?;
        if header.len() > MAX_HEADER {
            return Err(JwtError::TooLong);
        }
        let mac =
            decode_mac(mac).ok_or(malformed("its signature is not 43 characters of unpadded base64url"))?;
        Ok(Self { header, claims, signed, mac })
    }
}

fn decode_mac(text: &str) -> Option<[u8; 32]> {
    let mut mac = [0; 32];
    let fits = BASE64URL_NOPAD.decode_len(text.len()) == Ok(mac.len());
    (fits && BASE64URL_NOPAD.decode_mut(text.as_bytes(), &mut mac).is_ok()).then_some(mac)
}

/// Checks the header, and returns the secret that its `kid` names. A fourth part makes the claims no base64url.
fn check_header(header: &str) -> Result<Option<SecretId>, JwtError> {
    let json = decode(header).ok_or(malformed("its header is not unpadded base64url"))?;
    let header = Members::read(&json).ok_or(malformed(
        "its header is not an object in which each member stands once and each date is a number",
    ))?;
    if header.text("alg") != Some("HS256") {
        return Err(JwtError::Algorithm);
    }
    if header.has("crit") {
        return Err(JwtError::Critical);
    }
    if header.text("typ") != Some(TYPE) {
        return Err(JwtError::Type);
    }
    Ok(header.text("kid").and_then(|kid| kid.parse().ok()))
}

fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64URL_NOPAD.decode(text.as_bytes()).ok()
}

fn malformed(problem: &'static str) -> JwtError {
    JwtError::Malformed { problem }
}

/// How far the clocks of both sides may differ unless configured otherwise.
const TOLERANCE: Duration = Duration::from_secs(60);
/// The most characters of a header, which is read before the signature is verified.
const MAX_HEADER: usize = 1024;
