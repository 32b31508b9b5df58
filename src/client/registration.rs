//! Registering a client ID, and changing its details (rules 8, 13 and 15).
//!
//! Details are public, so a client secret in them is refused. That a name is free spans clients; the store enforces it.

use super::draft::Draft;
use super::{Client, CommandContext, Decision, NewSecret, Refusal};
use crate::event::{EventHash, Fact};
use crate::secret::{ClientSecret, VerifierPrefix};
use crate::value::secret_text::refuse_secret;
use crate::value::{
    Attributes, Availability, ClientDetails, ClientId, Field, Policy, Revision, SellerId, Timestamp,
};

impl Client {
    /// Registers a client ID with its first secret.
    ///
    /// That `id` is new, and that the seller has no other client ID with this friendly name, spans clients, so the store
    /// enforces it (rules 13 and 15).
    ///
    /// # Errors
    /// A [`Refusal`] if the actor may not act for `owner`, if the policy does not allow the redirect URL, if a client secret
    /// stands in the details (rule 8), or if the first secret has a lifetime that the policy does not allow or a start in the
    /// past.
    pub fn register(
        id: ClientId,
        owner: SellerId,
        details: ClientDetails,
        availability: Availability,
        first: &NewSecret,
        client_secret: &ClientSecret,
        context: &CommandContext<'_>,
    ) -> Result<Decision, Refusal> {
        let now = context.now;
        if !context.actor.may_act_for(&owner) {
            return Err(Refusal::UnknownClient);
        }
        allow_redirect(context.policy, &details)?;
        refuse_secrets(&details)?;
        let fact = Fact::ClientRegistered { owner: owner.clone(), details: details.clone(), availability };
        let blank = Self::blank(id, owner, details, availability, now);
        let mut draft = Draft::new(blank, context, now);
        draft.record(fact);
        draft.add_new(first, client_secret, context.policy, now)?;
        Ok(draft.into())
    }

    /// Changes the details. The same details again change nothing.
    ///
    /// That the friendly name is free spans clients, so the store enforces it (rule 15).
    ///
    /// # Errors
    /// A [`Refusal`] if the policy does not allow a new redirect URL, or if a client secret stands in the details (rule 8).
    pub fn change_details(
        &self,
        details: ClientDetails,
        context: &CommandContext<'_>,
    ) -> Result<Decision, Refusal> {
        let now = self.admit(context)?;
        if details == self.details {
            return Ok(Decision::Unchanged);
        }
        if details.redirect_url() != self.details.redirect_url() {
            allow_redirect(context.policy, &details)?;
        }
        refuse_secrets(&details)?;
        let mut draft = Draft::of(self, context, now);
        draft.client_mut().details = details.clone();
        draft.record(Fact::DetailsChanged { details });
        Ok(draft.into())
    }

    /// Returns a client before its first fact.
    pub(super) fn blank(
        id: ClientId,
        owner: SellerId,
        details: ClientDetails,
        availability: Availability,
        now: Timestamp,
    ) -> Self {
        Self {
            prefix: VerifierPrefix::of(&id),
            id,
            owner,
            details,
            availability,
            attributes: Attributes::default(),
            suspension: None,
            registered_at: now,
            transferred_at: None,
            changed_at: now,
            revision: Revision::ZERO,
            secrets: Vec::new(),
            verifiers: Vec::new(),
            promotions: Vec::new(),
            add_ins: Vec::new(),
            remembered: Vec::new(),
            last_secret: None,
            steps: 0,
            head: EventHash::START,
        }
    }
}

pub(super) fn allow_redirect(policy: &Policy, details: &ClientDetails) -> Result<(), Refusal> {
    let url = details.redirect_url();
    if policy.allows_redirect(url) {
        return Ok(());
    }
    Err(Refusal::RedirectNotAllowed { scheme: url.scheme().to_owned() })
}

/// Refuses details that contain a client secret: they are public (rule 8).
pub(super) fn refuse_secrets(details: &ClientDetails) -> Result<(), Refusal> {
    refuse_secret(Field::FriendlyName, details.friendly_name().as_str())?;
    refuse_secret(Field::AppDomain, details.app_domain().as_str())?;
    refuse_secret(Field::RedirectUrl, details.redirect_url().as_str())?;
    Ok(())
}
