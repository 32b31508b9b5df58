//! Adding a secret, and disabling and enabling one (rules 3, 4 and 12).
//!
//! Adding never moves the signing: the secret that signs continues to do so until a promotion or its end (rule 6).

use super::draft::{Addition, Draft};
use super::{Client, CommandContext, Decision, Refusal};
use crate::event::Fact;
use crate::secret::{ClientSecret, Origin, Purpose};
use crate::value::{Label, Lifetime, Policy, SecretId, Timestamp, Validity};

/// A secret to be added: its lifetime, and options.
///
/// ```
/// # use client_registry::value::Label;
/// # use client_registry::{Lifetime, NewSecret, Purpose};
/// let plain = NewSecret::lasting(Lifetime::OneYear);
/// let more = NewSecret::lasting(Lifetime::OneYear)
///     .labelled(Label::parse("batch jobs")?)
///     .for_purpose(Purpose::PasswordOnly);
/// # Ok::<(), client_registry::InvalidValue>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSecret {
    lifetime: Lifetime,
    label: Option<Label>,
    purpose: Purpose,
    starts: Option<Timestamp>,
}

impl NewSecret {
    /// Returns a secret of this lifetime that starts at once, signs and is a password.
    #[must_use]
    pub fn lasting(lifetime: Lifetime) -> Self {
        Self { lifetime, label: None, purpose: Purpose::default(), starts: None }
    }

    /// Sets the label.
    #[must_use]
    pub fn labelled(self, label: Label) -> Self {
        Self { label: Some(label), ..self }
    }

    /// Sets the purpose.
    #[must_use]
    pub fn for_purpose(self, purpose: Purpose) -> Self {
        Self { purpose, ..self }
    }

    /// Sets a later start, from which the lifetime counts. It is refused if it has passed when the command decides.
    #[must_use]
    pub fn starting(self, starts: impl Into<Timestamp>) -> Self {
        Self { starts: Some(starts.into()), ..self }
    }

    /// Returns the validity of this secret if it is added now.
    pub(super) fn validity(&self, now: Timestamp, policy: &Policy) -> Result<Validity, Refusal> {
        let from = self.starts.unwrap_or(now);
        if from < now {
            return Err(Refusal::StartsInThePast { starts: from, now });
        }
        allowed_validity(self.lifetime, from, policy)
    }
}

impl Client {
    /// Adds a secret (rules 3 and 4). The secret that signs now continues to sign (rule 6).
    ///
    /// `client_secret` must be generated; one that was made elsewhere is [imported](Self::import_secret).
    ///
    /// # Errors
    /// A [`Refusal`] if the client would have too many secrets, if the policy does not allow the lifetime, or if the start has
    /// passed.
    pub fn add_secret(
        &self,
        new: &NewSecret,
        client_secret: &ClientSecret,
        context: &CommandContext<'_>,
    ) -> Result<Decision, Refusal> {
        let now = self.admit(context)?;
        let mut draft = Draft::of(self, context, now);
        draft.add_new(new, client_secret, context.policy, now)?;
        Ok(draft.into())
    }

    /// Enables a disabled secret (rule 12). Its validity does not change. Doing it again changes nothing.
    ///
    /// # Errors
    /// [`Refusal::UnknownSecret`] if the client has no such secret.
    pub fn enable(&self, secret: SecretId, context: &CommandContext<'_>) -> Result<Decision, Refusal> {
        let now = self.admit(context)?;
        if self.known(secret)?.disabled_since.is_none() {
            return Ok(Decision::Unchanged);
        }
        let mut draft = Draft::of(self, context, now);
        let last_enabled = draft.enabled_now();
        let enabled = draft.secret_mut(secret);
        enabled.disabled_since = None;
        enabled.last_enabled = last_enabled;
        draft.record(Fact::SecretEnabled { secret });
        Ok(draft.into())
    }

    /// Refuses that many more secrets if they would exceed the limit of the policy (rule 3).
    pub(super) fn make_room(&self, more: usize, policy: &Policy, now: Timestamp) -> Result<(), Refusal> {
        let limit = policy.max_secrets();
        let running = self.secrets().filter(|secret| !secret.validity.has_ended(now)).count();
        if running + more > limit { Err(Refusal::TooManySecrets { limit }) } else { Ok(()) }
    }
}

impl Draft {
    /// Adds a generated secret as [`Client::add_secret`] does.
    pub(super) fn add_new(
        &mut self,
        new: &NewSecret,
        client_secret: &ClientSecret,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<SecretId, Refusal> {
        let validity = new.validity(now, policy)?;
        self.client().make_room(1, policy, now)?;
        if !client_secret.is_generated() {
            return Err(Refusal::NotGenerated);
        }
        self.add(Addition {
            client_secret,
            label: new.label.clone(),
            purpose: new.purpose,
            validity,
            origin: Origin::Generated,
        })
    }

    /// Disables a secret and removes its promotions, also those that calling off a rotation would give back (rules 7 and 12).
    pub(super) fn disable(&mut self, secret: SecretId, now: Timestamp) {
        let disabled = self.held_mut(secret);
        disabled.secret.disabled_since = Some(now);
        if let Some(given_up) = &mut disabled.given_up {
            given_up.promotions.clear();
        }
        self.client_mut().promotions.retain(|promotion| promotion.secret != secret);
        self.record(Fact::SecretDisabled { secret });
    }
}

/// Returns the validity of a lifetime from `from` on, if the policy allows it (rule 4).
pub(super) fn allowed_validity(
    lifetime: Lifetime,
    from: Timestamp,
    policy: &Policy,
) -> Result<Validity, Refusal> {
    let too_long = Refusal::LifetimeTooLong { longest: policy.longest_lifetime() };
    policy.validity(lifetime, from)?.ok_or(too_long)
}
