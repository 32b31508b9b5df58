//! Judging a presented client secret, from the client alone (rules 5, 9 and 10).
//!
//! A client secret is recognised without a clock and judged with one. The secret that was recognised lies between the two, so
//! that a shell hashes before it knows whether the client exists.

use std::hint::black_box;

use super::recognition::Recognition;
use super::{Client, Held, Reason, Revocation, Tombstone};
use crate::secret::{Secret, SecretState, Verifier};
use crate::value::coded::coded;
use crate::value::secret_text::looks;
use crate::value::{Looks, Policy, SecretId, Timestamp};

/// A denial by a client: the reason, and the secret that it is about. Both are for logs. Its `Display` may be sent to the
/// caller and shows neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid client")]
pub struct Denial {
    reason: Reason,
    secret: Option<SecretId>,
    is_use: bool,
}

impl Denial {
    pub(crate) fn because(reason: Reason) -> Self {
        Self { reason, secret: None, is_use: false }
    }

    pub(crate) fn of(secret: SecretId, reason: Reason) -> Self {
        Self { reason, secret: Some(secret), is_use: false }
    }

    /// Returns the reason, for logs and operators. Do not send it to the caller.
    #[must_use]
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// Returns the ID of the secret that was recognised, or that the signature names; `None` if there is none.
    #[must_use]
    pub fn secret_id(&self) -> Option<SecretId> {
        self.secret
    }

    /// Returns whether the denied attempt counts as a use of the secret (rule 9): an add-in still presents it, although it has
    /// ended or is disabled, or the client is suspended. A denied signature is never a use, since anyone can name a secret.
    #[must_use]
    pub fn is_use(&self) -> bool {
        self.is_use
    }

    /// Adds what only the presented text can tell about a client secret that was not recognised. The text is looked at whatever the
    /// reason, so that every denial takes the same time.
    #[cold]
    pub(crate) fn explained_by(self, client_secret: &str, policy: &Policy) -> Self {
        let reason = match (self.reason, black_box(looks(client_secret, policy.secret_prefix()))) {
            (Reason::Wrong, Looks::Mistyped) => Reason::Mistyped,
            (Reason::Wrong, Looks::LikeSecretId) => Reason::LooksLikeSecretId,
            (reason, _) => reason,
        };
        Self { reason, ..self }
    }
}

coded! {
    /// Every denial has the same kind and the same code. The reason is for logs, and has a [code](Reason::code) of its own.
    Denial {
        _ => Unauthenticated "denied",
    }
}

impl Client {
    /// Authenticates a caller by the client secret that it presents, and returns the matching secret, which must be valid at
    /// `t` (rule 5). Take `t` from [`instant`](Self::instant).
    ///
    /// The text does not need to be well formed. It is hashed once and compared in constant time with every secret that the client
    /// has or remembers, whatever the outcome. The policy names the prefix that tells a mistyped client secret from a wrong one.
    ///
    /// This method notes no use and raises no alarm: [`Registry::authenticate`](crate::Registry::authenticate) does. Code that
    /// calls this method instead notes a use when it succeeds, and when the denial [counts as one](Denial::is_use) (rule 9).
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
    /// assert_eq!(client.authenticate(secret.expose(), &policy, t)?.id(), SecretId::new(1).ok_or("zero")?);
    ///
    /// let quoted = format!("\"{}\"", secret.expose());
    /// let denial = client.authenticate(&quoted, &policy, t).unwrap_err();
    /// assert_eq!(denial.reason(), Reason::Mistyped); // for the log
    /// assert_eq!(denial.to_string(), "invalid client"); // for the caller
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A [`Denial`]. Its reason is never [`UnknownClient`](Reason::UnknownClient),
    /// [`LooksLikeClientSecret`](Reason::LooksLikeClientSecret), [`ClientDeleted`](Reason::ClientDeleted) or
    /// [`CannotSign`](Reason::CannotSign), which are not about the passwords of a client.
    pub fn authenticate(
        &self,
        client_secret: &str,
        policy: &Policy,
        t: impl Into<Timestamp>,
    ) -> Result<&Secret, Denial> {
        let judged = self.identify(&self.hash(client_secret)).and_then(|held| self.judge(held, t.into()));
        judged.map_err(|denial| denial.explained_by(client_secret, policy))
    }

    /// Returns whether this secret would authenticate at `t`: it is valid (rule 4), and the client is not suspended (rule 20).
    ///
    /// ```
    /// # use client_registry::*;
    /// # pollster::block_on(async {
    /// # let contoso = Registry::in_memory().as_seller("contoso")?;
    /// # let details = ClientDetails::new("calendar app", "app.contoso.com", "https://app.contoso.com/done")?;
    /// # let issued = contoso.register(details, Lifetime::OneYear).await?;
    /// # let snapshot = contoso.client(issued.client_id()).snapshot().await?;
    /// assert!(snapshot.client().is_alive(issued.secret_id(), snapshot.at()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn is_alive(&self, secret: SecretId, t: impl Into<Timestamp>) -> bool {
        self.suspension().is_none() && self.secret(secret).is_some_and(|secret| secret.is_valid_at(t))
    }

    /// Returns the presented secret if it is valid at `t` (rule 4) and the client is not suspended (rule 20).
    #[inline]
    pub(crate) fn judge<'a>(&self, presented: &'a Held, t: Timestamp) -> Result<&'a Secret, Denial> {
        let Held { secret, .. } = presented;
        let (reason, is_use) = match secret.state_at(t) {
            SecretState::Valid if self.suspension().is_none() => return Ok(secret),
            SecretState::Valid => (Reason::Suspended, true),
            SecretState::NotYetStarted => (Reason::NotYetStarted, false),
            SecretState::Disabled => (Reason::Disabled, true),
            SecretState::Ended => (Reason::Ended, true),
        };
        Err(Denial { is_use, ..Denial::of(secret.id(), reason) })
    }

    /// Returns the secret that was presented, valid or not. A secret that stays dead is denied (rule 10).
    #[inline]
    pub(crate) fn identify(&self, presented: &Verifier) -> Result<&Held, Denial> {
        match self.recognise(presented) {
            Recognition::Held(held) => Ok(held),
            Recognition::Remembered(secret, revocation) => Err(Denial::of(secret, revocation.into())),
            Recognition::Unknown => Err(Denial::because(Reason::Wrong)),
        }
    }
}

impl Tombstone {
    /// Returns the denial of a presented client secret. What is left of a client authenticates nobody, but a compromised secret is
    /// recognised, so that an operator is alarmed (rule 10).
    pub(crate) fn deny(&self, presented: &Verifier) -> Denial {
        match self.recognise(presented) {
            Recognition::Remembered(secret, Revocation::Compromised) => {
                Denial::of(secret, Reason::Compromised)
            }
            Recognition::Remembered(secret, Revocation::Deleted) => Denial::of(secret, Reason::ClientDeleted),
            Recognition::Held(..) | Recognition::Unknown => Denial::because(Reason::ClientDeleted),
        }
    }
}
