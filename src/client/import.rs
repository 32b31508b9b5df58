//! Importing client IDs and client secrets that exist already (rule 18).
//!
//! An import states everything that cannot be seen: the key encoding, the validity, which secret signs today. Importing the
//! same again changes nothing; importing something else under the same name is refused with the attribute that differs first.
//! Client secrets that are easy to guess, mistyped or deleted here before are refused.

use super::draft::{Addition, Draft};
use super::registration::{allow_redirect, refuse_secrets};
use super::weakness::weakness;
use super::{Client, CommandContext, Decision, Refusal};
use crate::event::Fact;
use crate::secret::{ClientSecret, KeyEncoding, MacKey, Origin, Purpose, Secret, VerifierPrefix};
use crate::value::secret_text::{could_be_secret, slip};
use crate::value::{
    AddIn, Availability, ClientDetails, ClientId, Field, InvalidValue, Label, Policy, Problem, SellerId,
    Timestamp, Validity,
};

/// A client secret that was made elsewhere, with its attributes, to be imported.
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
    /// Returns a client secret to import. Its validity may start in the past. The key encoding must be the one that the add-in
    /// uses: with the wrong one, no signature matches.
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

    /// Parses a key of Standard Webhooks to import: `whsec_` and base64. [`ClientSecret::parse_whsec`] says how it is read. The
    /// text of the resulting client secret is also the password.
    ///
    /// # Errors
    /// [`InvalidValue`] if the text is not such a key.
    #[cfg(feature = "webhooks")]
    #[cfg_attr(docsrs, doc(cfg(feature = "webhooks")))]
    pub fn parse_whsec(text: &str, validity: Validity) -> Result<Self, InvalidValue> {
        let (client_secret, key_encoding) = ClientSecret::parse_whsec(text)?;
        Ok(Self::new(client_secret, validity, key_encoding))
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

    /// Marks the secret as the one that signs today. It is promoted, so that it continues to sign after the import.
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

    /// Returns the first attribute in which it differs from a secret with the same client secret.
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

    /// Refuses a client secret that has a slip or is easy to guess. One that the client has already is not checked: an earlier
    /// version may have accepted it.
    fn check_text(&self, policy: &Policy) -> Result<(), Refusal> {
        if let Some(slip) = slip(self.client_secret.expose(), policy.secret_prefix()) {
            return Err(InvalidValue::new(Field::ClientSecret, slip.problem()).into());
        }
        match weakness(self.client_secret.expose().as_bytes()) {
            Some(why) => Err(Refusal::Weak { why }),
            None => Ok(()),
        }
    }

    /// Refuses a client secret that cannot be decoded with its key encoding.
    fn check_key(&self) -> Result<(), Refusal> {
        MacKey::of(&self.client_secret, self.key_encoding)?;
        Ok(())
    }
}

/// A client ID that was made elsewhere, with its secrets and add-ins, to be imported.
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
    /// Returns a client ID to import, without secrets and add-ins.
    #[must_use]
    pub fn new(id: ClientId, owner: SellerId, details: ClientDetails, availability: Availability) -> Self {
        Self { id, owner, details, availability, secrets: Vec::new(), add_ins: Vec::new() }
    }

    /// Adds a secret. At most one may [sign today](ImportedSecret::signing_today).
    #[must_use]
    pub fn with_secret(mut self, secret: ImportedSecret) -> Self {
        self.secrets.push(secret);
        self
    }

    /// Adds an add-in.
    #[must_use]
    pub fn with_add_in(mut self, add_in: AddIn) -> Self {
        self.add_ins.push(add_in);
        self
    }

    /// Returns the client ID.
    #[must_use]
    pub fn id(&self) -> &ClientId {
        &self.id
    }

    /// Returns the secrets in the order in which they are recorded: by their `from`.
    fn in_order(&self) -> Vec<&ImportedSecret> {
        let mut secrets: Vec<_> = self.secrets.iter().collect();
        secrets.sort_by_key(|secret| secret.validity.from());
        secrets
    }

    /// Refuses a client ID that looks like a client secret, and client secrets with a slip or easy to guess.
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
        let prefix = VerifierPrefix::of(&self.id);
        let verifier_of = |secret: &ImportedSecret| prefix.of_secret(&self.id, &secret.client_secret);
        let verifiers: Vec<_> = self.secrets.iter().map(verifier_of).collect();
        for (position, verifier) in verifiers.iter().enumerate() {
            if verifiers.iter().skip(position + 1).any(|other| verifier.matches(other).into()) {
                return Err(Refusal::NamedTwice { what: "a client secret" });
            }
        }
        Ok(())
    }
}

impl Client {
    /// Imports a client ID that does not exist yet (rule 18). Only operators may do this.
    ///
    /// The core does not check that the ID, the friendly name and the add-ins are free: that spans clients, so the store checks
    /// it at the commit.
    ///
    /// # Errors
    /// A [`Refusal`] if a client secret is easy to guess or does not decode, if there are more secrets than allowed, if the
    /// redirect URL is not allowed, if an add-in has another availability, or if the secret that should sign today cannot.
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

    /// Checks a repeated import of this client ID (rule 18). It succeeds, and changes nothing, if everything in the import
    /// exists with the same attributes.
    ///
    /// # Errors
    /// [`Refusal::ClientExists`] or [`Refusal::SecretExists`], with the first attribute that differs; [`Refusal::Remembered`]
    /// for a client secret that was deleted from this client.
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

    /// Imports a secret into this client (rule 18). The same client secret with the same attributes again changes nothing.
    ///
    /// # Errors
    /// A [`Refusal`] if the client secret is easy to guess, does not decode, exists with other attributes, or was deleted here,
    /// if it should sign but cannot, or if the client would have too many secrets.
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
                let (secret, differs_in) = (found.id(), "role: it does not sign, promote it instead");
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

    /// Returns the secret with the same client secret and attributes, if there is one.
    fn find_imported(&self, secret: &ImportedSecret) -> Result<Option<&Secret>, Refusal> {
        let verifier = self.verifier_of(&secret.client_secret);
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
