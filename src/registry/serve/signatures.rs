//! Signing what the platform sends, and verifying what comes back (rule 6).
//!
//! A signature is HMAC-SHA-256 over exactly the given bytes, so that JWT (HS256), webhook and HMAC libraries verify it.

use crate::client::{Client, Denial, Held, Reason};
use crate::record::Opened;
use crate::registry::Registry;
use crate::registry::serve::denied::AccessError;
use crate::secret::{SecretState, Signature};
use crate::store::Store;
use crate::store_error::StoreError;
use crate::value::coded::coded;
use crate::value::{ClientId, SecretId, Timestamp};

impl<S: Store> Registry<S> {
    /// Signs a message with the signing secret of the client (rule 6).
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
    /// [`SignError::NoSigningSecret`] if the client has no valid secret that can sign. [`SignError::UnknownClient`] if the client ID
    /// does not exist, [`SignError::ClientDeleted`] if it was deleted. [`SignError::Unavailable`] if the store did not answer.
    pub async fn sign(&self, client_id: &ClientId, message: &[u8]) -> Result<Signature, SignError> {
        let opened = self.recall(client_id.into()).await?;
        let client = active(opened.as_ref())?;
        let signing = client.signing_at(self.instant_of(client)).secret();
        let signature = signing.and_then(|secret| client.sign_with(secret, message));
        let signature = signature.ok_or(SignError::NoSigningSecret)?;
        trace_signature(client_id, signature.secret_id());
        Ok(signature)
    }

    /// Signs a message with every valid secret that can sign, the signing secret first: for formats that carry several signatures
    /// during an overlap.
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
        let opened = self.recall(client_id.into()).await?;
        let client = active(opened.as_ref())?;
        let signers = client.all_signers_at(self.instant_of(client));
        let signatures: Vec<_> =
            signers.into_iter().filter_map(|secret| client.sign_with(secret, message)).collect();
        let first = signatures.first().ok_or(SignError::NoSigningSecret)?;
        trace_signature(client_id, first.secret_id());
        Ok(signatures)
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
    /// [`AccessError::Denied`], or [`AccessError::Unavailable`] when the store did not answer.
    pub async fn verify(&self, signature: &Signature, message: &[u8]) -> Result<Verified, AccessError> {
        let opened = self.recall(signature.client_id().into()).await?;
        let secret = signature.secret_id();
        let verdict = match &opened {
            None => Err(Reason::UnknownClient),
            Some(Opened::Deleted(_)) => Err(Reason::ClientDeleted),
            Some(Opened::Active(live)) => {
                let client = live.client();
                client.verify_with(secret, message, signature.mac(), self.instant_of(client))
            }
        };
        match verdict {
            Ok(()) => Ok(Verified::traced(signature.client_id().clone(), secret)),
            Err(reason) => Err(self.denied(Denial::of(secret, reason), opened).into()),
        }
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
    /// [`AccessError::Denied`], or [`AccessError::Unavailable`] when the store did not answer.
    pub async fn verify_any(
        &self,
        client_id: &ClientId,
        mac: &[u8; 32],
        message: &[u8],
    ) -> Result<Verified, AccessError> {
        let opened = self.recall(client_id.into()).await?;
        let reason = match &opened {
            None => Reason::UnknownClient,
            Some(Opened::Deleted(_)) => Reason::ClientDeleted,
            Some(Opened::Active(live)) => {
                let client = live.client();
                let signers = client.all_signers_at(self.instant_of(client));
                match signers.into_iter().find(|secret| client.made(*secret, message, mac)) {
                    Some(secret) => {
                        return Ok(Verified::traced(client_id.clone(), secret));
                    }
                    None => Reason::Wrong,
                }
            }
        };
        Err(self.denied(Denial::because(reason), opened).into())
    }
}

impl Client {
    fn sign_with(&self, secret: SecretId, message: &[u8]) -> Option<Signature> {
        let mac = self.held(secret)?.mac_key.as_ref()?.sign(message);
        Some(Signature::new(self.id().clone(), secret, mac))
    }

    /// Returns whether the key of a secret made this MAC.
    fn made(&self, secret: SecretId, message: &[u8], mac: &[u8; 32]) -> bool {
        let mac_key = self.held(secret).and_then(|held| held.mac_key.as_ref());
        mac_key.is_some_and(|mac_key| mac_key.verify(message, mac))
    }

    fn verify_with(&self, id: SecretId, message: &[u8], mac: &[u8; 32], at: Timestamp) -> Result<(), Reason> {
        let Some(Held { secret, mac_key, .. }) = self.held(id) else {
            // Anyone can name a secret. Only presenting a compromised one is an alarm.
            let is_remembered = self.remembered().any(|(remembered, _)| remembered == id);
            return Err(if is_remembered { Reason::Deleted } else { Reason::Wrong });
        };
        match (secret.state_at(at), mac_key) {
            (SecretState::NotYetStarted, _) => Err(Reason::NotYetStarted),
            (SecretState::Disabled, _) => Err(Reason::Disabled),
            (SecretState::Ended, _) => Err(Reason::Ended),
            (SecretState::Valid, None) => Err(Reason::CannotSign),
            (SecretState::Valid, Some(mac_key)) if mac_key.verify(message, mac) => Ok(()),
            (SecretState::Valid, Some(_)) => Err(Reason::Wrong),
        }
    }
}

/// A verified signature: the client and the secret that made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    client_id: ClientId,
    secret: SecretId,
}

impl Verified {
    fn traced(client_id: ClientId, secret: SecretId) -> Self {
        tracing::debug!(client_id = client_id.as_str(), secret = secret.number(), "verified");
        Self { client_id, secret }
    }

    /// Returns the client ID.
    #[must_use]
    pub fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// Returns the secret that signed.
    #[must_use]
    pub fn secret_id(&self) -> SecretId {
        self.secret
    }
}

/// The reason why a message was not signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The client ID does not exist.
    #[error("there is no such client ID")]
    UnknownClient,
    /// The client ID was deleted (rule 13).
    #[error("the client ID was deleted and is never used again: stop sending to it")]
    ClientDeleted,
    /// The client has no valid secret that can sign.
    #[error("the client has no valid secret that can sign: add one")]
    NoSigningSecret,
    /// The store did not answer.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

coded! {
    SignError {
        Self::UnknownClient => NotFound "unknown_client",
        Self::ClientDeleted => Gone "client_deleted",
        Self::NoSigningSecret => Conflict "no_signing_secret",
        Self::Unavailable(_) => Unavailable "unavailable",
    }
}

#[inline]
fn trace_signature(client_id: &ClientId, secret: SecretId) {
    tracing::debug!(client_id = client_id.as_str(), secret = secret.number(), "signed");
}

fn active(opened: Option<&Opened>) -> Result<&Client, SignError> {
    match opened {
        Some(Opened::Active(live)) => Ok(live.client()),
        Some(Opened::Deleted(_)) => Err(SignError::ClientDeleted),
        None => Err(SignError::UnknownClient),
    }
}
