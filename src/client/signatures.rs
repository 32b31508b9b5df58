//! Signing messages and verifying signatures, from the client alone (rule 6).
//!
//! A signature is HMAC-SHA-256 over exactly the given bytes, so that JWT (HS256), webhook and HMAC libraries verify it.

use super::{Client, Denial, Held, Reason};
use crate::secret::{MacKey, Secret, SecretState, Signature};
use crate::value::{SecretId, Timestamp};

impl Client {
    /// Signs a message with the secret that [signs at `t`](Self::signing_at) (rule 6), or returns `None` if no valid secret can sign
    /// or the client is suspended (rule 20). Take `t` from [`instant`](Self::instant).
    ///
    /// ```
    /// # use client_registry::client::{Client, CommandContext};
    /// # use client_registry::entropy::SystemEntropy;
    /// # use client_registry::value::Actor;
    /// # use client_registry::*;
    /// # let (policy, owner) = (Policy::default(), SellerId::parse("contoso")?);
    /// # let (actor, now) = (Actor::Seller(owner.clone()), Timestamp::parse("2026-03-01T09:00:00Z")?);
    /// # let context = CommandContext { actor: &actor, policy: &policy, now };
    /// # let details = ClientDetails::new("calendar app", "app.contoso.com", "https://app.contoso.com/done")?;
    /// # let secret = ClientSecret::generate(&policy, &SystemEntropy)?;
    /// # let (id, year) = (ClientId::parse("calendar-app")?, NewSecret::lasting(Lifetime::OneYear));
    /// # let decision = Client::register(id, owner, details, Availability::Worldwide, &year, &secret, &context)?;
    /// # let (state, _) = decision.change().ok_or("a registration is a change")?.into_parts();
    /// # let client: &Client = state.active().ok_or("it was not deleted")?;
    /// let t = client.instant(now);
    /// let signature = client.sign(b"a message", t).ok_or("no valid secret can sign")?;
    /// assert_eq!(client.verify(&signature, b"a message", t)?.id(), signature.secret_id());
    /// assert_eq!(client.verify(&signature, b"another", t).unwrap_err().reason(), Reason::Wrong);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn sign(&self, message: &[u8], t: impl Into<Timestamp>) -> Option<Signature> {
        self.sign_with(|_| message, t)
    }

    /// Signs a message that contains the ID of its signing secret, such as a JWT with a `kid`. The signing secret is chosen
    /// first; then `message` is called once with its ID, and the bytes that it returns are signed. It returns `None` where
    /// [`sign`](Self::sign) does.
    #[must_use]
    pub fn sign_with<M: AsRef<[u8]>>(
        &self,
        message: impl FnOnce(SecretId) -> M,
        t: impl Into<Timestamp>,
    ) -> Option<Signature> {
        self.sign_by(|secret, mac_key| mac_key.sign(message(secret).as_ref()), t)
    }

    /// As [`sign_with`](Self::sign_with), for a message that is not in one piece: `mac` makes the MAC.
    #[inline]
    pub(crate) fn sign_by(
        &self,
        mac: impl FnOnce(SecretId, &MacKey) -> [u8; 32],
        t: impl Into<Timestamp>,
    ) -> Option<Signature> {
        let (secret, mac_key) = self.signs_with(t.into())?;
        Some(Signature::new(self.id().clone(), secret, mac(secret, mac_key)))
    }

    /// Returns the secret that signs at `t` and its key, unless the client is suspended (rule 20).
    #[inline]
    pub(crate) fn signs_with(&self, t: Timestamp) -> Option<(SecretId, &MacKey)> {
        if self.suspension().is_some() {
            return None;
        }
        let Held { secret, mac_key, .. } = self.signer_at(t)?;
        Some((secret.id, mac_key.as_ref()?))
    }

    /// Signs a message with every valid secret that can sign at `t`, the signing secret first. Use it for formats that carry
    /// several signatures during an overlap. The list is empty if no valid secret can sign, or if the client is suspended (rule
    /// 20).
    #[must_use]
    pub fn sign_all(&self, message: &[u8], t: impl Into<Timestamp>) -> Vec<Signature> {
        self.sign_all_with(|_| message, t)
    }

    /// Signs a message with every valid secret that can sign at `t`, as [`sign_with`](Self::sign_with) does with one. `message`
    /// is called once for each secret, for the signing secret first.
    #[must_use]
    pub fn sign_all_with<M: AsRef<[u8]>>(
        &self,
        mut message: impl FnMut(SecretId) -> M,
        t: impl Into<Timestamp>,
    ) -> Vec<Signature> {
        self.sign_all_by(|secret, mac_key| mac_key.sign(message(secret).as_ref()), t)
    }

    /// As [`sign_all_with`](Self::sign_all_with), for a message that is not in one piece: `mac` makes the MAC.
    #[inline]
    pub(crate) fn sign_all_by(
        &self,
        mut mac: impl FnMut(SecretId, &MacKey) -> [u8; 32],
        t: impl Into<Timestamp>,
    ) -> Vec<Signature> {
        if self.suspension().is_some() {
            return Vec::new();
        }
        let signers = self.all_signers_at(t.into()).into_iter();
        signers.filter_map(|held| self.signed(held, &mut mac)).collect()
    }

    /// Verifies a signature with the secret that it names, and returns that secret. It must be valid at `t` and able to sign, and
    /// the client must not be suspended (rule 20).
    ///
    /// # Errors
    /// A [`Denial`]. Its reason is [`UnknownClient`](Reason::UnknownClient) for a signature of another client, and never
    /// [`Compromised`](Reason::Compromised): anyone can name a secret.
    pub fn verify(
        &self,
        signature: &Signature,
        message: &[u8],
        t: impl Into<Timestamp>,
    ) -> Result<&Secret, Denial> {
        if signature.client_id() != self.id() {
            return Err(Denial::of(signature.secret_id(), Reason::UnknownClient));
        }
        self.verify_own(signature, message, t.into())
    }

    /// As [`verify`](Self::verify), for a signature that names this client.
    #[inline]
    pub(crate) fn verify_own(
        &self,
        signature: &Signature,
        message: &[u8],
        t: Timestamp,
    ) -> Result<&Secret, Denial> {
        let id = signature.secret_id();
        let denied = |reason| Err(Denial::of(id, reason));
        let Some(Held { secret, mac_key, .. }) = self.held(id) else {
            // Anyone can name a secret. Only presenting a compromised one is an alarm.
            let is_remembered = self.remembered().any(|(remembered, _)| remembered == id);
            return denied(if is_remembered { Reason::Deleted } else { Reason::Wrong });
        };
        match (secret.state_at(t), mac_key) {
            (SecretState::NotYetStarted, _) => denied(Reason::NotYetStarted),
            (SecretState::Disabled, _) => denied(Reason::Disabled),
            (SecretState::Ended, _) => denied(Reason::Ended),
            (SecretState::Valid, None) => denied(Reason::CannotSign),
            (SecretState::Valid, Some(mac_key)) if mac_key.verify(message, signature.mac()) => {
                if self.suspension().is_some() { denied(Reason::Suspended) } else { Ok(secret) }
            }
            (SecretState::Valid, Some(_)) => denied(Reason::Wrong),
        }
    }

    /// Verifies an HMAC-SHA-256 value of 32 bytes, which does not name its secret, with every valid secret that can sign at `t`.
    /// Returns the secret that made it.
    ///
    /// # Errors
    /// A [`Denial`] of reason [`Wrong`](Reason::Wrong), or [`Suspended`](Reason::Suspended) (rule 20).
    pub fn verify_any(
        &self,
        mac: &[u8; 32],
        message: &[u8],
        t: impl Into<Timestamp>,
    ) -> Result<&Secret, Denial> {
        let made = |held: &&Held| held.mac_key.as_ref().is_some_and(|mac_key| mac_key.verify(message, mac));
        let signers = self.all_signers_at(t.into());
        let maker = signers.into_iter().find(made);
        match maker.map(|held| &held.secret) {
            Some(secret) if self.suspension().is_some() => Err(Denial::of(secret.id(), Reason::Suspended)),
            Some(secret) => Ok(secret),
            None => Err(Denial::because(Reason::Wrong)),
        }
    }

    fn signed(&self, held: &Held, mac: impl FnOnce(SecretId, &MacKey) -> [u8; 32]) -> Option<Signature> {
        let secret = held.secret.id;
        Some(Signature::new(self.id().clone(), secret, mac(secret, held.mac_key.as_ref()?)))
    }
}
