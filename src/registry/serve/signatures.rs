//! Signing what the platform sends, and verifying what comes back: loads the client and asks it (rule 6).

use crate::client::{Client, Denial, Reason};
use crate::record::Opened;
use crate::registry::Registry;
use crate::registry::serve::denied::AccessError;
use crate::secret::{MacKey, Signature};
use crate::store::Store;
use crate::store_error::StoreError;
use crate::value::coded::coded;
use crate::value::{ClientId, SecretId};

impl<S: Store> Registry<S> {
    /// Signs a message with the signing secret of the client (rule 6).
    ///
    /// Signing is the platform's own: it knows no actor, and signs for every client ID. Where a seller gave the ID, look the client up
    /// as that seller first (rule 15).
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let registry = Registry::in_memory();
    /// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// # let issued = registry.as_seller("contoso")?.register(details, Lifetime::OneYear).await?;
    /// let signature = registry.sign(issued.client_id(), b"a message").await?;
    /// assert_eq!(signature.secret_id(), issued.secret_id());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// - [`SignError::UnknownClient`]: the client ID does not exist.
    /// - [`SignError::ClientDeleted`]: the client ID was deleted (rule 13).
    /// - [`SignError::NoSigningSecret`]: the client has no valid secret that can sign.
    /// - [`SignError::Suspended`]: the client is suspended (rule 20).
    /// - [`SignError::Unavailable`]: the store did not answer.
    pub async fn sign(&self, client_id: &ClientId, message: &[u8]) -> Result<Signature, SignError> {
        self.sign_by(client_id, |_, mac_key| mac_key.sign(message)).await
    }

    /// Signs a message that contains the ID of its signing secret, such as a JWT with a `kid`. The signing secret is chosen
    /// first; then `message` is called once with its ID, and the bytes that it returns are signed. So the ID in the message is
    /// always that of the secret that signed. `message` is called while the client is read: let it build its bytes, and wait for nothing.
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let registry = Registry::in_memory();
    /// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// # let issued = registry.as_seller("contoso")?.register(details, Lifetime::OneYear).await?;
    /// let mut token = String::new();
    /// let signature = registry
    ///     .sign_with(issued.client_id(), |secret| {
    ///         token = format!("header with kid {secret}.claims");
    ///         token.clone()
    ///     })
    ///     .await?;
    /// assert_eq!(token, "header with kid 1.claims");
    /// registry.verify(&signature, token.as_bytes()).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The same as for [`sign`](Self::sign).
    pub async fn sign_with<M: AsRef<[u8]>>(
        &self,
        client_id: &ClientId,
        message: impl FnOnce(SecretId) -> M + Send,
    ) -> Result<Signature, SignError> {
        self.sign_by(client_id, |secret, mac_key| mac_key.sign(message(secret).as_ref())).await
    }

    /// As [`sign_with`](Self::sign_with), for a message that is not in one piece: `mac` makes the MAC.
    #[inline]
    pub(crate) async fn sign_by(
        &self,
        client_id: &ClientId,
        mac: impl FnOnce(SecretId, &MacKey) -> [u8; 32] + Send,
    ) -> Result<Signature, SignError> {
        let mut made = [0; 32];
        let secret = self.ask(client_id.into(), |found| self.signed(found, mac, &mut made)).await?;
        trace_signature(client_id, secret);
        Ok(Signature::new(client_id.clone(), secret, made))
    }

    #[inline]
    fn signed(
        &self,
        found: Option<&Opened>,
        mac: impl FnOnce(SecretId, &MacKey) -> [u8; 32],
        made: &mut [u8; 32],
    ) -> Result<SecretId, SignError> {
        let client = active(found)?;
        let signs_with = client.signs_with(self.judged_at(client));
        let (secret, mac_key) = signs_with.ok_or_else(|| unsigned(client))?;
        *made = mac(secret, mac_key);
        Ok(secret)
    }

    /// Signs a message with every valid secret that can sign, the signing secret first. Use it for formats that carry several
    /// signatures during an overlap.
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let registry = Registry::in_memory();
    /// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// # let issued = registry.as_seller("contoso")?.register(details, Lifetime::OneYear).await?;
    /// let signatures = registry.sign_all(issued.client_id(), b"a message").await?;
    /// assert_eq!(signatures.len(), 1); // two during an overlap
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The same as for [`sign`](Self::sign).
    pub async fn sign_all(&self, client_id: &ClientId, message: &[u8]) -> Result<Vec<Signature>, SignError> {
        self.sign_all_with(client_id, |_| message).await
    }

    /// Signs a message with every valid secret that can sign, as [`sign_with`](Self::sign_with) does with one. `message` is
    /// called once for each secret, for the signing secret first.
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let registry = Registry::in_memory();
    /// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// # let issued = registry.as_seller("contoso")?.register(details, Lifetime::OneYear).await?;
    /// let signatures = registry.sign_all_with(issued.client_id(), |secret| format!("kid {secret}")).await?;
    /// registry.verify(&signatures[0], b"kid 1").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The same as for [`sign`](Self::sign).
    pub async fn sign_all_with<M: AsRef<[u8]>>(
        &self,
        client_id: &ClientId,
        mut message: impl FnMut(SecretId) -> M + Send,
    ) -> Result<Vec<Signature>, SignError> {
        self.sign_all_by(client_id, |secret, mac_key| mac_key.sign(message(secret).as_ref())).await
    }

    /// As [`sign_all_with`](Self::sign_all_with), for a message that is not in one piece: `mac` makes the MAC.
    #[inline]
    pub(crate) async fn sign_all_by(
        &self,
        client_id: &ClientId,
        mac: impl FnMut(SecretId, &MacKey) -> [u8; 32] + Send,
    ) -> Result<Vec<Signature>, SignError> {
        let signed = |found: Option<&Opened>| {
            let client = active(found)?;
            let signatures = client.sign_all_by(mac, self.judged_at(client));
            let first = signatures.first().ok_or_else(|| unsigned(client))?;
            trace_signature(client_id, first.secret_id());
            Ok::<_, SignError>(signatures)
        };
        self.ask(client_id.into(), signed).await
    }

    /// Verifies a signature with the secret that it names. That secret must be valid now and able to sign.
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let registry = Registry::in_memory();
    /// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// # let issued = registry.as_seller("contoso")?.register(details, Lifetime::OneYear).await?;
    /// let signature = registry.sign(issued.client_id(), b"a message").await?;
    /// let verified = registry.verify(&signature, b"a message").await?;
    /// assert_eq!(verified.secret_id(), issued.secret_id());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// - [`AccessError::Denied`]: the signature does not match the message, or its secret is not valid now or cannot sign.
    /// - [`AccessError::Unavailable`]: the store did not answer. This is not a denial.
    pub async fn verify(&self, signature: &Signature, message: &[u8]) -> Result<Verified, AccessError> {
        let id = signature.client_id().into();
        if let Some(found) = self.at_hand(id).found() {
            self.verified(found, signature, message)
        } else {
            self.verified(self.wait_for(id).await?.as_ref(), signature, message)
        }?;
        Ok(Verified::traced(signature.client_id(), signature.secret_id()))
    }

    #[inline]
    fn verified(
        &self,
        found: Option<&Opened>,
        signature: &Signature,
        message: &[u8],
    ) -> Result<(), AccessError> {
        let secret = signature.secret_id();
        let denial = match found {
            None => Denial::of(secret, Reason::UnknownClient),
            Some(Opened::Deleted(_)) => Denial::of(secret, Reason::ClientDeleted),
            // The client was looked up by the ID in the signature.
            Some(Opened::Active(client)) => {
                match client.verify_own(signature, message, self.judged_at(client)) {
                    Ok(_) => return Ok(()),
                    Err(denial) => denial,
                }
            }
        };
        Err(self.denied(denial, found))
    }

    /// Verifies an HMAC-SHA-256 value of 32 bytes, which does not name its secret, with every valid secret that can sign.
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let registry = Registry::in_memory();
    /// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// # let issued = registry.as_seller("contoso")?.register(details, Lifetime::OneYear).await?;
    /// let signature = registry.sign(issued.client_id(), b"a message").await?;
    /// let verified = registry.verify_any(issued.client_id(), signature.mac(), b"a message").await?;
    /// assert_eq!(verified.client_id(), issued.client_id());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// - [`AccessError::Denied`]: no valid secret of the client that can sign made this value for this message.
    /// - [`AccessError::Unavailable`]: the store did not answer. This is not a denial.
    pub async fn verify_any(
        &self,
        client_id: &ClientId,
        mac: &[u8; 32],
        message: &[u8],
    ) -> Result<Verified, AccessError> {
        let verified = |found: Option<&Opened>| {
            let denial = match found {
                None => Denial::because(Reason::UnknownClient),
                Some(Opened::Deleted(_)) => Denial::because(Reason::ClientDeleted),
                Some(Opened::Active(client)) => {
                    match client.verify_any(mac, message, self.judged_at(client)) {
                        Ok(secret) => return Ok(Verified::traced(client_id, secret.id())),
                        Err(denial) => denial,
                    }
                }
            };
            Err(self.denied(denial, found))
        };
        self.ask(client_id.into(), verified).await
    }
}

/// A verified signature: the client and the secret that made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    client_id: ClientId,
    secret: SecretId,
}

impl Verified {
    #[inline]
    fn traced(client_id: &ClientId, secret: SecretId) -> Self {
        tracing::debug!(client_id = client_id.as_str(), secret = secret.number(), "verified");
        Self { client_id: client_id.clone(), secret }
    }

    /// Returns the client ID.
    #[must_use]
    pub fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// Returns the ID of the secret that signed.
    #[must_use]
    pub fn secret_id(&self) -> SecretId {
        self.secret
    }
}

/// The reason why a message was not signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The client ID does not exist. Check which client ID the message is for.
    #[error("there is no such client ID, so nothing was signed: check which client ID the message is for")]
    UnknownClient,
    /// The client ID was deleted and is never used again (rule 13). Stop sending to it.
    #[error("the client ID was deleted and is never used again, so nothing was signed: stop sending to it")]
    ClientDeleted,
    /// The client has no valid secret that can sign. Its seller has to add or enable one.
    #[error("the client has no valid secret that can sign, so nothing was signed: add or enable one")]
    NoSigningSecret,
    /// The client is suspended (rule 20). Keep the message until the client is resumed.
    #[error("the client is suspended, so nothing was signed: keep the message until the client is resumed")]
    Suspended,
    /// The store did not answer. Try again later.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

coded! {
    SignError {
        Self::UnknownClient => NotFound "unknown_client",
        Self::ClientDeleted => Gone "client_deleted",
        Self::NoSigningSecret => Conflict "no_signing_secret",
        Self::Suspended => Conflict "suspended",
        Self::Unavailable(_) => Unavailable "unavailable",
    }
}

#[inline]
fn trace_signature(client_id: &ClientId, secret: SecretId) {
    tracing::debug!(client_id = client_id.as_str(), secret = secret.number(), "signed");
}

/// Returns why a client signed nothing.
#[cold]
fn unsigned(client: &Client) -> SignError {
    match client.suspension() {
        Some(_) => SignError::Suspended,
        None => SignError::NoSigningSecret,
    }
}

fn active(opened: Option<&Opened>) -> Result<&Client, SignError> {
    match opened {
        Some(Opened::Active(live)) => Ok(live),
        Some(Opened::Deleted(_)) => Err(SignError::ClientDeleted),
        None => Err(SignError::UnknownClient),
    }
}
