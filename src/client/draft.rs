//! The next value of a client while a command builds it.
//!
//! When a draft is made, the command has decided. What is left is to put the pieces in place and to record each fact, chained
//! to the one before, with the handover of signing if it moved (rule 16). Put first, record after: a fact records who signs as
//! of then.

use super::chain::Chain;
use super::context::changed_at;
use super::extras::Extras;
use super::gathered::filled;
use super::held::LastReport;
use super::signing::Foreseen;
use super::tombstone::{Revocation, Tombstone, remember};
use super::{Change, Client, ClientState, CommandContext, Decision, Held, Refusal};
use crate::event::{Fact, Handover};
use crate::secret::{ClientSecret, Hint, LastEnabled, MacKey, Origin, Purpose, Secret, wipe_stack};
use crate::value::secret_text::refuse_secret;
use crate::value::{Field, Label, SecretId, Timestamp, Validity};

/// A client that is being changed.
pub(super) struct Draft {
    client: Client,
    chain: Chain,
    now: Timestamp,
    /// The earlier of now and the last change. What had ended by then had ended by the clock of an earlier command too, so what
    /// cannot be undone is done only to that (rule 19).
    settled: Timestamp,
    signing: Option<SecretId>,
}

/// A secret to be added.
pub(super) struct Addition<'a> {
    pub(super) client_secret: &'a ClientSecret,
    pub(super) label: Option<Label>,
    pub(super) purpose: Purpose,
    pub(super) validity: Validity,
    pub(super) origin: Origin,
}

impl Draft {
    /// Begins the next value of `client`, as a copy of the last, decided at `now`.
    pub(super) fn of(client: &Client, context: &CommandContext<'_>, now: Timestamp) -> Self {
        let signing = client.signing_at(now).secret();
        let mut next = client.carry();
        next.changed_at = changed_at(client.changed_at, context, now);
        let settled = client.settled(now);
        Self { settled, ..Self::start(next, context, now, signing) }
    }

    /// Begins the first value of a client.
    pub(super) fn new(client: Client, context: &CommandContext<'_>, now: Timestamp) -> Self {
        Self::start(client, context, now, None)
    }

    fn start(
        client: Client,
        context: &CommandContext<'_>,
        now: Timestamp,
        signing: Option<SecretId>,
    ) -> Self {
        let chain = Chain::after(client.id.clone(), client.revision, client.head, context.actor, now);
        Self { client, chain, now, settled: now, signing }
    }

    /// Returns the client as it is so far.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn client_mut(&mut self) -> &mut Client {
        &mut self.client
    }

    /// Returns a secret that the command has found, to be changed.
    pub(super) fn secret_mut(&mut self, id: SecretId) -> &mut Secret {
        &mut self.held_mut(id).secret
    }

    /// Returns the same with what lies beside it.
    pub(super) fn held_mut(&mut self, id: SecretId) -> &mut Held {
        let found = self.client.secrets.iter_mut().find(|held| held.secret.id == id);
        match found {
            Some(held) => held,
            None => unreachable!("the command has found secret {id} in this client"),
        }
    }

    /// Returns the instant of the command.
    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    /// Returns when a secret that is added or enabled now counts as enabled, in the order of this client's steps (rule 6).
    ///
    /// That is never before another secret: if an operator goes on under a clock that was set back, a secret that is added now
    /// must not count as valid longer than the others.
    pub(super) fn enabled_now(&self) -> LastEnabled {
        let latest = self.client.secrets.iter().map(|held| held.secret.last_enabled.at).max();
        LastEnabled { at: latest.map_or(self.now, |at| at.max(self.now)), step: self.client.steps }
    }

    /// Records a fact after it was put in place.
    pub(super) fn record(&mut self, fact: Fact) {
        self.client.steps += 1;
        let after = self.client.signing_at(self.now).secret();
        let moved = after != self.signing;
        let handover = moved.then_some(Handover { before: self.signing, after });
        self.signing = after;
        self.chain.record(fact, handover);
    }

    /// Adds a secret, unless the client knows the client secret already (rules 10 and 18). Forgets the secrets that ended
    /// longest ago, beyond [`MAX_ENDED`] (rule 3). Its MAC key is kept also if it has ended: the clock may be wrong (rule 19).
    pub(super) fn add(&mut self, addition: Addition<'_>) -> Result<SecretId, Refusal> {
        let Addition { client_secret, label, purpose, validity, origin } = addition;
        if let Some(label) = &label {
            refuse_secret(Field::Label, label.as_str())?;
        }
        let verifier = self.client.verifier_of(client_secret);
        if let Some(known) = self.client.holder_of(&verifier)? {
            return Err(Refusal::SecretExists { secret: known.id, differs_in: "ID" });
        }
        let id = SecretId::after(self.client.last_secret).ok_or(Refusal::SecretIdsUsedUp)?;
        let encoding = match origin {
            Origin::Generated => crate::secret::KeyEncoding::Utf8,
            Origin::Imported { key_encoding } => key_encoding,
        };
        let mac_key = if purpose.signs() { Some(MacKey::of(client_secret, encoding)?) } else { None };
        let secret = Secret {
            id,
            label: label.clone(),
            purpose,
            validity,
            issued_until: validity.until(),
            origin,
            hint: Hint::of(client_secret),
            added_at: self.now,
            disabled_since: None,
            replaced_by: None,
            last_enabled: self.enabled_now(),
            end_set_at: None,
        };
        self.put_in(Held { verifier, secret, mac_key, given_up: None, reported: LastReport::default() });
        self.client.last_secret = Some(id);
        self.record(Fact::SecretAdded { secret: id, label, purpose, validity, origin });
        self.forget_ended();
        Ok(id)
    }

    /// Removes a secret and its promotions, and remembers its verifier (rules 7 and 10). A compromised one is remembered as
    /// such at once: it must not push out a verifier that is remembered as deleted.
    pub(super) fn delete(&mut self, id: SecretId, revocation: Revocation) {
        // By reference into its place: each move of a verifier leaves a copy on the stack, and what is moved from there to the heap
        // later may take that along (rule 8).
        let Client { secrets, extras, .. } = &mut self.client;
        let remembered = &mut Extras::among(extras).remembered;
        for held in secrets.iter().filter(|held| held.secret.id == id) {
            remember(remembered, id, revocation, &held.verifier);
        }
        self.take_out(id);
        self.record(Fact::SecretDeleted { secret: id });
        if revocation == Revocation::Compromised {
            self.record(Fact::SecretCompromised { secret: id });
        }
    }

    /// Finishes the change, now that everything is in place.
    pub(super) fn finish(mut self) -> Change {
        self.client.revision = self.chain.revision();
        self.client.head = self.chain.head();
        self.client.foreseen = self.client.foresee();
        wipe_stack();
        let events = self.chain.into_events();
        Change { next: ClientState::Active(self.client), events }
    }

    /// Finishes the change of a client that was deleted (rule 13).
    pub(super) fn finish_deleted(self) -> Change {
        let Change { next, events } = self.finish();
        let next = match next {
            ClientState::Active(client) => ClientState::Deleted(Tombstone::of(client)),
            deleted @ ClientState::Deleted(_) => deleted,
        };
        Change { next, events }
    }

    fn put_in(&mut self, held: Held) {
        let secrets = &mut self.client.secrets;
        *secrets = filled(secrets.iter().map(Held::carry).chain([held]));
    }

    /// Removes a secret that the command has found, and its promotions.
    fn take_out(&mut self, id: SecretId) {
        let secrets = &mut self.client.secrets;
        let (before, after) = secrets.split_at(secrets.partition_point(|held| held.secret.id < id));
        *secrets = filled(before.iter().chain(after.iter().skip(1)).map(Held::carry));
        // A rotation whose new secret is gone can no longer be called off (rule 11).
        for held in secrets.iter_mut().filter(|held| held.secret.replaced_by == Some(id)) {
            held.given_up = None;
        }
        self.client.extras_mut().promotions.retain(|promotion| promotion.secret != id);
    }

    /// Forgets this many of the secrets that ended longest ago, as [`forget_ended`](Self::forget_ended) does beyond the limit:
    /// to make room in a record that is full.
    pub(super) fn forget_longest_ended(&mut self, count: usize) {
        for _ in 0..count {
            let ended = self.client.secrets.iter().map(|held| &held.secret);
            let longest = ended
                .filter(|secret| secret.validity.has_ended(self.settled))
                .min_by_key(|secret| (secret.validity.until(), secret.id))
                .map(|secret| secret.id);
            let Some(longest) = longest else { return };
            self.take_out(longest);
            self.record(Fact::SecretForgotten { secret: longest });
        }
    }

    fn forget_ended(&mut self) {
        let now = self.now;
        loop {
            let ended = self.client.secrets.iter().filter(|held| held.secret.validity.has_ended(now));
            if ended.clone().count() <= MAX_ENDED {
                return;
            }
            let longest = ended.min_by_key(|held| (held.secret.validity.until(), held.secret.id));
            let Some(longest) = longest.filter(|held| held.secret.validity.has_ended(self.settled)) else {
                return;
            };
            let longest = longest.secret.id;
            self.take_out(longest);
            self.record(Fact::SecretForgotten { secret: longest });
        }
    }
}

impl From<Draft> for Decision {
    fn from(draft: Draft) -> Self {
        Self::Changed(Box::new(draft.finish()))
    }
}

impl Client {
    /// Copies the client, to be changed. The clock alone removes nothing (rule 19).
    fn carry(&self) -> Self {
        Self {
            id: self.id.clone(),
            owner: self.owner.clone(),
            details: self.details.clone(),
            availability: self.availability,
            registered_at: self.registered_at,
            changed_at: self.changed_at,
            revision: self.revision,
            secrets: filled(self.secrets.iter().map(Held::carry)),
            prefix: self.prefix,
            extras: self.extras.as_deref().and_then(Extras::carry),
            last_secret: self.last_secret,
            foreseen: Foreseen::NOTHING,
            steps: self.steps,
            head: self.head,
        }
    }
}

impl Client {
    /// Returns the earlier of now and the last change: what had ended by then has ended whatever the clock reads now.
    fn settled(&self, now: Timestamp) -> Timestamp {
        now.min(self.changed_at)
    }

    /// Returns whether a secret with this validity ended before every ended secret that is kept (rule 3), so that it would be
    /// forgotten as soon as it was recorded.
    pub(super) fn would_forget(&self, validity: Validity, now: Timestamp) -> bool {
        let ended_later = |held: &&Held| {
            held.secret.validity.has_ended(now) && held.secret.validity.until() >= validity.until()
        };
        validity.has_ended(self.settled(now)) && self.secrets.iter().filter(ended_later).count() >= MAX_ENDED
    }
}

/// The number of ended secrets that a client keeps (rule 3).
const MAX_ENDED: usize = 16;
