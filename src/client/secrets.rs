//! Adding a secret, and switching one off and on (rules 3, 4 and 12).

use super::draft::{Addition, Draft};
use super::{Client, CommandContext, Decision, Refusal};
use crate::event::Fact;
use crate::secret::{ClientSecret, Origin, Purpose};
use crate::value::{Label, Lifetime, Policy, SecretId, Timestamp, Validity};

/// What a new secret should be like: a lifetime, and what one wants to say beyond that.
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
    /// A secret that starts at once, signs and is a password.
    #[must_use]
    pub fn lasting(lifetime: Lifetime) -> Self {
        Self { lifetime, label: None, purpose: Purpose::default(), starts: None }
    }

    /// With a label.
    #[must_use]
    pub fn labelled(self, label: Label) -> Self {
        Self { label: Some(label), ..self }
    }

    /// For this purpose.
    #[must_use]
    pub fn for_purpose(self, purpose: Purpose) -> Self {
        Self { purpose, ..self }
    }

    /// Starting later; the lifetime counts from then. Refused if that has passed when the command decides.
    #[must_use]
    pub fn starting(self, starts: impl Into<Timestamp>) -> Self {
        Self { starts: Some(starts.into()), ..self }
    }

    /// The validity of a secret like this that is added now.
    pub(super) fn validity(&self, now: Timestamp, policy: &Policy) -> Result<Validity, Refusal> {
        let from = self.starts.unwrap_or(now);
        if from < now {
            return Err(Refusal::StartsInThePast { starts: from, now });
        }
        allowed_validity(self.lifetime, from, policy)
    }
}

impl Client {
    /// Adds a secret (rules 3 and 4). The secret that signs now goes on signing (rule 6).
    ///
    /// `client_secret` is a generated one; those made elsewhere are [imported](Self::import_secret).
    ///
    /// # Errors
    /// A [`Refusal`]: too many secrets, a lifetime that the policy does not allow, a start in the past.
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

    /// Switches a secret on again (rule 12). Its validity stays as it is. Doing it twice changes nothing.
    ///
    /// # Errors
    /// [`Refusal::UnknownSecret`]
    pub fn enable(&self, secret: SecretId, context: &CommandContext<'_>) -> Result<Decision, Refusal> {
        let now = self.admit(context)?;
        if self.known(secret)?.disabled_since.is_none() {
            return Ok(Decision::Unchanged);
        }
        let mut draft = Draft::of(self, context, now);
        let standing = draft.standing();
        if let Some(enabled) = draft.secret_mut(secret) {
            enabled.disabled_since = None;
            enabled.standing = standing;
        }
        draft.record(Fact::SecretEnabled { secret });
        Ok(draft.into())
    }

    /// Whether that many secrets more would still be within the policy's limit (rule 3).
    pub(super) fn make_room(&self, more: usize, policy: &Policy, now: Timestamp) -> Result<(), Refusal> {
        let limit = policy.max_secrets();
        let running = self.secrets().filter(|secret| !secret.validity.has_ended(now)).count();
        if running + more > limit { Err(Refusal::TooManySecrets { limit }) } else { Ok(()) }
    }
}

impl Draft {
    /// Adds a generated secret as [`Client::add_secret`] describes it.
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

    /// Switches a secret off and withdraws its promotions (rules 7 and 12).
    pub(super) fn disable(&mut self, secret: SecretId, now: Timestamp) {
        if let Some(disabled) = self.secret_mut(secret) {
            disabled.disabled_since = Some(now);
        }
        self.client_mut().promotions.retain(|promotion| promotion.secret != secret);
        self.record(Fact::SecretDisabled { secret });
    }
}

/// The validity that a lifetime from `from` on comes to, if the policy allows it (rule 4).
pub(super) fn allowed_validity(
    lifetime: Lifetime,
    from: Timestamp,
    policy: &Policy,
) -> Result<Validity, Refusal> {
    let too_long = Refusal::LifetimeTooLong { longest: policy.longest_lifetime() };
    policy.validity(lifetime, from)?.ok_or(too_long)
}
