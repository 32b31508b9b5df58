//! Moving in with client IDs and client secrets that exist already (rule 18).

use super::draft::{Addition, Draft};
use super::registration::{allow_redirect, refuse_secrets};
use super::weakness::weakness;
use super::{Client, CommandContext, Decision, Refusal};
use crate::event::Fact;
use crate::secret::{ClientSecret, KeyEncoding, MacKey, Origin, Purpose, Secret, Verifier};
use crate::value::secret_text::{could_be_secret, slip};
use crate::value::{
    AddIn, Availability, ClientDetails, ClientId, Field, InvalidValue, Label, Policy, Problem, SellerId,
    Timestamp, Validity,
};

/// A client secret that was made elsewhere, with its attributes.
#[derive(Debug)]
pub struct ImportedSecret {
    client_secret: ClientSecret,
    validity: Validity,
    key_encoding: KeyEncoding,
    label: Option<Label>,
    purpose: Purpose,
    signs_today: bool,
}

impl ImportedSecret {
    /// A client secret with its validity, whose start may lie in the past. How it is read as a signing key has to be
    /// said: mistaking one encoding for the other breaks every signature.
    #[must_use]
    pub fn new(client_secret: ClientSecret, validity: Validity, key_encoding: KeyEncoding) -> Self {
        Self {
            client_secret,
            validity,
            key_encoding,
            label: None,
            purpose: Purpose::default(),
            signs_today: false,
        }
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

    /// It is the one that signs today, and goes on signing from the import on: it is promoted.
    #[must_use]
    pub fn signing_today(self) -> Self {
        Self { signs_today: true, ..self }
    }

    pub(crate) fn client_secret(&self) -> &ClientSecret {
        &self.client_secret
    }

    fn origin(&self) -> Origin {
        Origin::Imported { key_encoding: self.key_encoding }
    }

    /// The first attribute in which it differs from a secret of the same value.
    fn differs_from(&self, secret: &Secret) -> Option<&'static str> {
        [
            (secret.origin() != self.origin(), "key encoding"),
            (secret.purpose() != self.purpose, "purpose"),
            (secret.validity() != self.validity, "validity"),
            (secret.label() != self.label.as_ref(), "label"),
        ]
        .into_iter()
        .find_map(|(differs, attribute)| differs.then_some(attribute))
    }

    /// Refuses what has a slip and what is easily guessed. Not asked of what is here already, which an earlier version may
    /// have accepted.
    fn check_text(&self, policy: &Policy) -> Result<(), Refusal> {
        if let Some(slip) = slip(self.client_secret.expose(), policy.secret_prefix()) {
            return Err(InvalidValue::new(Field::ClientSecret, slip.problem()).into());
        }
        match weakness(self.client_secret.expose().as_bytes()) {
            Some(why) => Err(Refusal::Weak { why }),
            None => Ok(()),
        }
    }

    /// Refuses what cannot be the key that it is said to be.
    fn check_key(&self) -> Result<(), Refusal> {
        MacKey::of(&self.client_secret, self.key_encoding)?;
        Ok(())
    }
}

/// A client ID that exists already, with everything that belongs to it.
#[derive(Debug)]
pub struct ImportedClient {
    id: ClientId,
    owner: SellerId,
    details: ClientDetails,
    availability: Availability,
    secrets: Vec<ImportedSecret>,
    add_ins: Vec<AddIn>,
}

impl ImportedClient {
    /// A client ID without secrets and add-ins as yet.
    #[must_use]
    pub fn new(id: ClientId, owner: SellerId, details: ClientDetails, availability: Availability) -> Self {
        Self { id, owner, details, availability, secrets: Vec::new(), add_ins: Vec::new() }
    }

    /// With one more secret. At most one [signs today](ImportedSecret::signing_today).
    #[must_use]
    pub fn with_secret(mut self, secret: ImportedSecret) -> Self {
        self.secrets.push(secret);
        self
    }

    /// With one more add-in.
    #[must_use]
    pub fn with_add_in(mut self, add_in: AddIn) -> Self {
        self.add_ins.push(add_in);
        self
    }

    /// The client ID.
    #[must_use]
    pub fn id(&self) -> &ClientId {
        &self.id
    }

    /// The secrets in the order in which they are recorded: of their `from`.
    fn in_order(&self) -> Vec<&ImportedSecret> {
        let mut secrets: Vec<_> = self.secrets.iter().collect();
        secrets.sort_by_key(|secret| secret.validity.from());
        secrets
    }

    /// Refuses a client ID and client secrets that nobody should have.
    fn check_texts(&self, policy: &Policy) -> Result<(), Refusal> {
        if could_be_secret(self.id.as_str(), policy.secret_prefix()) {
            return Err(InvalidValue::new(Field::ClientId, Problem::ClientSecret).into());
        }
        self.secrets.iter().try_for_each(|secret| secret.check_text(policy))
    }

    fn check(&self) -> Result<(), Refusal> {
        for secret in &self.secrets {
            secret.check_key()?;
        }
        if self.secrets.iter().filter(|secret| secret.signs_today).count() > 1 {
            return Err(Refusal::NamedTwice { what: "a signing secret" });
        }
        let verifiers: Vec<_> =
            self.secrets.iter().map(|secret| Verifier::of(&self.id, &secret.client_secret)).collect();
        for (position, verifier) in verifiers.iter().enumerate() {
            if verifiers.iter().skip(position + 1).any(|other| verifier.matches(other).into()) {
                return Err(Refusal::NamedTwice { what: "a client secret" });
            }
        }
        Ok(())
    }
}

impl Client {
    /// Imports a client ID that is not there yet (rule 18). Only operators do this.
    ///
    /// That the ID, the friendly name and the add-ins are free spans clients; the store sees to it.
    ///
    /// # Errors
    /// A [`Refusal`]: a client secret that is easily guessed or not the key it is said to be, more secrets than
    /// allowed, a redirect URL or an add-in that does not fit, a secret that cannot be the one that signs today.
    pub fn import(imported: &ImportedClient, context: &CommandContext<'_>) -> Result<Decision, Refusal> {
        let now = context.now;
        if !context.actor.is_operator() {
            return Err(Refusal::UnknownClient);
        }
        allow_redirect(context.policy, &imported.details)?;
        refuse_secrets(&imported.details)?;
        imported.check_texts(context.policy)?;
        imported.check()?;
        let ImportedClient { id, owner, details, availability, .. } = imported;
        let fact = Fact::ClientImported {
            owner: owner.clone(),
            details: details.clone(),
            availability: *availability,
        };
        let blank = Self::blank(id.clone(), owner.clone(), details.clone(), *availability, now);
        let mut draft = Draft::new(blank, context, now);
        draft.record(fact);
        for secret in imported.in_order() {
            draft.import(secret, context, now)?;
        }
        for add_in in &imported.add_ins {
            draft.associate(add_in)?;
        }
        Ok(draft.into())
    }

    /// Imports the same client ID once more: nothing changes when everything that is imported is here with the same
    /// attributes (rule 18).
    ///
    /// # Errors
    /// [`Refusal::ClientExists`] or [`Refusal::SecretExists`] says what differs first; a value that was deleted here
    /// stays dead ([`Refusal::Remembered`]).
    pub fn import_again(
        &self,
        imported: &ImportedClient,
        context: &CommandContext<'_>,
    ) -> Result<(), Refusal> {
        let now = self.admit(context)?;
        if !context.actor.is_operator() {
            return Err(Refusal::UnknownClient);
        }
        imported.check()?;
        let differs_in = [
            (imported.owner != self.owner, "owner"),
            (imported.details != self.details, "details"),
            (imported.availability != self.availability, "availability"),
            (imported.add_ins.iter().any(|add_in| !self.serves(add_in.id())), "add-ins"),
        ];
        for (differs, differs_in) in differs_in {
            if differs {
                return Err(Refusal::ClientExists { differs_in });
            }
        }
        for add_in in &imported.add_ins {
            self.refuse_availability(add_in)?;
        }
        for secret in imported.in_order() {
            let Some(found) = self.find_imported(secret)? else {
                if self.would_forget(secret.validity, now) {
                    continue;
                }
                return Err(Refusal::ClientExists { differs_in: "client secrets" });
            };
            if secret.signs_today && self.signing_at(now).secret() != Some(found.id()) {
                return Err(Refusal::ClientExists { differs_in: "signing secret" });
            }
        }
        Ok(())
    }

    /// Imports a secret into this client (rule 18). The same value with the same attributes again changes nothing.
    ///
    /// # Errors
    /// A [`Refusal`]: it is easily guessed, not the key it is said to be, here already with other attributes, was
    /// deleted here, cannot sign though it should, or is one too many.
    pub fn import_secret(
        &self,
        secret: &ImportedSecret,
        context: &CommandContext<'_>,
    ) -> Result<Decision, Refusal> {
        let now = self.admit(context)?;
        secret.check_key()?;
        if let Some(found) = self.find_imported(secret)? {
            let signs = self.signing_at(now).secret() == Some(found.id());
            if secret.signs_today && !signs {
                let (secret, differs_in) = (found.id(), "signing: promote it instead");
                return Err(Refusal::SecretExists { secret, differs_in });
            }
            return Ok(Decision::Unchanged);
        }
        secret.check_text(context.policy)?;
        if self.would_forget(secret.validity, now) && !secret.signs_today {
            return Err(Refusal::EndedLongAgo);
        }
        let mut draft = Draft::of(self, context, now);
        draft.import(secret, context, now)?;
        Ok(draft.into())
    }

    /// The secret of the same value and attributes, if there is one.
    fn find_imported(&self, secret: &ImportedSecret) -> Result<Option<&Secret>, Refusal> {
        let verifier = Verifier::of(&self.id, &secret.client_secret);
        let Some(found) = self.holder_of(&verifier)? else {
            return Ok(None);
        };
        match secret.differs_from(found) {
            None => Ok(Some(found)),
            Some(differs_in) => Err(Refusal::SecretExists { secret: found.id(), differs_in }),
        }
    }
}

impl Draft {
    fn import(
        &mut self,
        secret: &ImportedSecret,
        context: &CommandContext<'_>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        if secret.signs_today && secret.validity.has_ended(now) {
            let signs = secret.purpose.signs();
            return Err(if signs { Refusal::NotValidThen { at: now } } else { Refusal::CannotSign });
        }
        if self.client().would_forget(secret.validity, now) {
            return Ok(());
        }
        if !secret.validity.has_ended(now) {
            self.client().make_room(1, context.policy, now)?;
        }
        let id = self.add(Addition {
            client_secret: &secret.client_secret,
            label: secret.label.clone(),
            purpose: secret.purpose,
            validity: secret.validity,
            origin: secret.origin(),
        })?;
        if secret.signs_today {
            self.client().promotable(id, now)?;
            self.promote(id, now);
        }
        Ok(())
    }
}
