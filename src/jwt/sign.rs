//! Signing a token: one look-up, and the token is made after it is known which secret signs it.

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use serde::Serialize;

use super::json::Members;
use super::{MAX_LEN, SignJwtError, TYPE};
use crate::registry::Registry;
use crate::store::Store;
use crate::value::{ClientId, SecretId, Timestamp};

impl<S: Store> Registry<S> {
    /// Signs a JSON Web Token for an add-in with the signing secret of its client (rule 6): HS256. [The module](crate::jwt) shows what
    /// is in it.
    ///
    /// The claims are a struct, or a map with text keys. The registry adds `iat`, `exp` and `aud`, so the claims must not have
    /// these. The lifetime counts from the reading of the registry's clock, in whole seconds, rounded down.
    ///
    /// ```
    /// # use std::{collections::BTreeMap, time::Duration};
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let registry = Registry::in_memory();
    /// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// # let issued = registry.as_seller("contoso")?.register(details, Lifetime::OneYear).await?;
    /// let claims = BTreeMap::from([("iss", "https://platform.example"), ("sub", "ann")]);
    /// let token = registry.sign_jwt(issued.client_id(), &claims, Duration::from_secs(300)).await?;
    /// assert_eq!(token.split('.').count(), 3);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// - [`SignJwtError::Claims`]: the claims are not a JSON object in which each member stands once and `nbf` is a number.
    /// - [`SignJwtError::Reserved`]: the claims have a member that the registry adds.
    /// - [`SignJwtError::TooLarge`]: the claims have more than 48,000 bytes of JSON.
    /// - [`SignJwtError::Lifetime`]: the lifetime is less than a second.
    /// - [`SignJwtError::Sign`]: one of the errors of [`sign`](Self::sign).
    pub async fn sign_jwt<C: Serialize + Sync + ?Sized>(
        &self,
        client_id: &ClientId,
        claims: &C,
        lifetime: Duration,
    ) -> Result<String, SignJwtError> {
        let claims = members_of(claims)?;
        if lifetime < Duration::from_secs(1) {
            return Err(SignJwtError::Lifetime);
        }
        let mut token = String::new();
        let signed = &mut token;
        let signature = self
            .sign_with(client_id, move |secret| {
                let now = self.now();
                write(signed, secret, client_id, now, now.saturating_add(lifetime), &claims);
                signed.as_str()
            })
            .await?;
        token.push('.');
        BASE64URL_NOPAD.encode_append(signature.mac(), &mut token);
        Ok(token)
    }
}

/// Returns the members of the claims as they stand in an object: behind its opening brace, the closing one included.
fn members_of<C: Serialize + ?Sized>(claims: &C) -> Result<String, SignJwtError> {
    let json = serde_json::to_string(claims).map_err(|_| SignJwtError::Claims)?;
    if json.len() > MAX_CLAIMS {
        return Err(SignJwtError::TooLarge);
    }
    let object = Members::read(json.as_bytes()).ok_or(SignJwtError::Claims)?;
    if let Some(name) = RESERVED.into_iter().find(|name| object.has(name)) {
        return Err(SignJwtError::Reserved { name });
    }
    let members = json.trim_ascii().strip_prefix('{').ok_or(SignJwtError::Claims)?;
    Ok(members.trim_ascii_start().to_owned())
}

/// Writes header and claims, as they are signed.
fn write(
    token: &mut String,
    secret: SecretId,
    client_id: &ClientId,
    now: Timestamp,
    until: Timestamp,
    members: &str,
) {
    let header = format!(r#"{{"alg":"HS256","typ":"{TYPE}","kid":"{secret}"}}"#);
    // No character of a client ID has to be escaped in JSON.
    let (iat, exp) = (now.as_secs(), until.as_secs());
    let comma = if members.starts_with('}') { "" } else { "," };
    let claims = format!(r#"{{"iat":{iat},"exp":{exp},"aud":"{client_id}"{comma}{members}"#);
    token.reserve_exact(BASE64URL_NOPAD.encode_len(header.len() + claims.len()) + MAC_AND_DOTS);
    BASE64URL_NOPAD.encode_append(header.as_bytes(), token);
    token.push('.');
    BASE64URL_NOPAD.encode_append(claims.as_bytes(), token);
}

/// The claims that the registry adds.
const RESERVED: [&str; 3] = ["iat", "exp", "aud"];
/// The most bytes of claims, so that no token is longer than [`MAX_LEN`].
const MAX_CLAIMS: usize = 48_000;
/// The signature, the dots, and what two parts take more than one.
const MAC_AND_DOTS: usize = 43 + 2 + 2;
const _: () = assert!((MAX_CLAIMS + 400) / 3 * 4 + MAC_AND_DOTS < MAX_LEN);
