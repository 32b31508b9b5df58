//! The aggregate: one client ID with its secrets, promotions and add-ins, and every rule that can be decided by
//! looking at it alone.
//!
//! [`Client`] knows no store, clock, randomness, keyring or future. A command takes what it needs as arguments,
//! decides everything, then builds the next value and its events; it never changes the value it is called on. A plan
//! is the same code, not applied. Each family of commands has a file of its own.

mod add_ins;
mod chain;
mod deletion;
mod draft;
mod gathered;
mod import;
pub(crate) mod kept;
pub(crate) mod plan;
mod promotion;
pub(crate) mod recognition;
mod refusal;
mod registration;
mod rotation;
mod secrets;
pub(crate) mod signing;
mod tombstone;
mod weakness;

pub(crate) use self::plan::SecretRemoval;
pub use self::plan::{ClientDeletion, Obstacle, Plan, Planned, SecretDeletion, SecretDisabling, Unconfirmed};
pub use self::signing::{Signing, Span, Timeline};

use std::collections::BTreeMap;
use std::time::Duration;

pub use self::add_ins::{MAX_ADD_INS, Move};
pub use self::deletion::Replacement;
pub use self::import::{ImportedClient, ImportedSecret};
pub use self::refusal::Refusal;
pub(crate) use self::refusal::use_in_words;
pub use self::rotation::Rotation;
pub use self::secrets::NewSecret;
pub use self::tombstone::{Revocation, Tombstone};

use crate::event::{Event, EventHash};
use crate::secret::{MacKey, Origin, Secret, Verifier};
use crate::value::redacted::redacted;
use crate::value::{
    Actor, AddInId, Availability, ClientDetails, ClientId, Policy, Revision, SecretId, SellerId, Timestamp,
};
use tombstone::Remembered;

/// A client ID with everything that belongs to it, as of its latest change.
///
/// A value: commands return the next one. Not `Clone`, since it holds what recognises and signs for its secrets.
pub struct Client {
    id: ClientId,
    owner: SellerId,
    details: ClientDetails,
    availability: Availability,
    registered_at: Timestamp,
    changed_at: Timestamp,
    revision: Revision,
    /// In the order of their IDs.
    secrets: Vec<Held>,
    /// What recognises each of the secrets, at the same positions: side by side, since all of them are looked at whenever
    /// somebody presents one.
    verifiers: Vec<Verifier>,
    promotions: Vec<Promotion>,
    /// In their own order.
    add_ins: Vec<AddInId>,
    remembered: Vec<Remembered>,
    last_secret: Option<SecretId>,
    /// Counts the facts so far: the order of what happened at one instant.
    steps: u64,
    head: EventHash,
}

/// A secret with what signs for it.
pub(crate) struct Held {
    pub(crate) secret: Secret,
    /// Of every secret whose purpose signs, until it is deleted or forgotten (rule 19). Older versions removed that of an
    /// ended one.
    pub(crate) mac_key: Option<MacKey>,
}

redacted! {
    /// "From this instant on, this secret signs" (rule 7).
    #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
    pub struct Promotion {
        secret: SecretId,
        at: Timestamp,
        step: u64,
    }
}

impl Promotion {
    /// The secret that signs.
    #[must_use]
    pub fn secret(&self) -> SecretId {
        self.secret
    }

    /// From when on.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// The later one counts; of two that begin at one instant, the one made last (rule 6).
    pub(crate) fn order(&self) -> (Timestamp, u64) {
        (self.at, self.step)
    }
}

/// Who decides, by which limits, and when: what every command takes.
#[derive(Debug, Clone, Copy)]
pub struct CommandContext<'a> {
    /// Who gives the command.
    pub actor: &'a Actor,
    /// What the platform allows.
    pub policy: &'a Policy,
    /// What the clock says. A client is never changed earlier than its last change (rule 19).
    pub now: Timestamp,
}

/// What a command comes to.
#[derive(Debug)]
#[must_use = "nothing has changed until the transition is committed"]
pub enum Decision {
    /// Everything is as it should be already.
    Unchanged,
    /// The next value and what happened.
    Changed(Box<Change>),
}

/// The next value of a client, with the events that lead to it. Both are committed, or neither (rule 16).
#[derive(Debug)]
pub struct Change {
    next: ClientState,
    events: Vec<Event>,
    added: Vec<SecretId>,
}

/// What there is under a client ID: a client, or what is left of one.
#[derive(Debug)]
pub enum ClientState {
    /// A client.
    Active(Client),
    /// What is left after the client was deleted (rule 13).
    Deleted(Tombstone),
}

/// When each secret was last used; lies outside the record, and so comes in as an argument.
///
/// "Used" means authenticated, or presented and refused as ended or disabled (rule 9).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LastUses(BTreeMap<SecretId, Timestamp>);

impl Client {
    /// The client ID.
    #[must_use]
    pub fn id(&self) -> &ClientId {
        &self.id
    }

    /// The seller that owns it.
    #[must_use]
    pub fn owner(&self) -> &SellerId {
        &self.owner
    }

    /// What the seller says of it.
    #[must_use]
    pub fn details(&self) -> &ClientDetails {
        &self.details
    }

    /// Where it is offered (rule 2).
    #[must_use]
    pub fn availability(&self) -> Availability {
        self.availability
    }

    /// When it was registered or imported.
    #[must_use]
    pub fn registered_at(&self) -> Timestamp {
        self.registered_at
    }

    /// When it was last changed.
    #[must_use]
    pub fn changed_at(&self) -> Timestamp {
        self.changed_at
    }

    /// Counts its commits.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// Its secrets that have not been deleted, in the order of their IDs; ended ones too.
    pub fn secrets(&self) -> impl ExactSizeIterator<Item = &Secret> + Clone {
        self.secrets.iter().map(|held| &held.secret)
    }

    /// The secret with this ID.
    #[must_use]
    pub fn secret(&self, id: SecretId) -> Option<&Secret> {
        self.held(id).map(|held| &held.secret)
    }

    /// The promotions, of each secret at most two: what is in force and what is scheduled (rule 7), or what was scheduled and
    /// has come into force since.
    #[must_use]
    pub fn promotions(&self) -> &[Promotion] {
        &self.promotions
    }

    /// The add-ins that use it, in the order of their IDs (rule 1).
    #[must_use]
    pub fn add_ins(&self) -> &[AddInId] {
        &self.add_ins
    }

    /// The secrets that were deleted and are remembered, so that they stay dead (rule 10).
    pub fn remembered(&self) -> impl ExactSizeIterator<Item = (SecretId, Revocation)> + '_ {
        self.remembered.iter().map(Remembered::secret_and_fate)
    }

    /// The hash of its latest event (rule 16).
    #[must_use]
    pub fn head(&self) -> EventHash {
        self.head
    }

    /// The instant that the client is judged at when the clock says `clock` (rule 19): never earlier than its last
    /// change while that is at most a minute ahead; if it is more, the clock is taken as it is.
    #[must_use]
    pub fn instant(&self, clock: impl Into<Timestamp>) -> Timestamp {
        judged_at(self.changed_at, clock.into())
    }

    /// Whether the clock is more than a minute behind the client's last change (rule 19).
    #[must_use]
    pub fn is_ahead_of(&self, clock: impl Into<Timestamp>) -> bool {
        is_behind(self.changed_at, clock.into())
    }

    /// The secrets that can sign at `t` (rule 6).
    pub(crate) fn signers_at(&self, t: Timestamp) -> impl Iterator<Item = &Secret> + Clone {
        self.secrets.iter().filter(move |held| held.can_sign_at(t)).map(|held| &held.secret)
    }

    pub(crate) fn held(&self, id: SecretId) -> Option<&Held> {
        self.secrets.iter().find(|held| held.secret.id == id)
    }

    /// The instant of a command, once the actor may give it (rules 15 and 19).
    fn admit(&self, context: &CommandContext<'_>) -> Result<Timestamp, Refusal> {
        admit(&self.owner, self.changed_at, context)
    }

    /// The same for what may not wait for a clock to be set (rule 9).
    fn admit_in_emergency(&self, context: &CommandContext<'_>) -> Result<Timestamp, Refusal> {
        admit_in_emergency(&self.owner, self.changed_at, context)
    }

    /// The secret that a command is about.
    fn known(&self, id: SecretId) -> Result<&Secret, Refusal> {
        self.secret(id).ok_or(Refusal::UnknownSecret { secret: id })
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("id", &self.id)
            .field("owner", &self.owner)
            .field("details", &self.details)
            .field("revision", &self.revision)
            .field("secrets", &self.secrets().collect::<Vec<_>>())
            .field("promotions", &self.promotions)
            .field("add_ins", &self.add_ins)
            .finish_non_exhaustive()
    }
}

impl Held {
    /// Whether it can sign at `t`: valid, of a purpose that signs, and with its key here. A record that an older version wrote
    /// may lack the key of a secret that had ended by the clock of that time.
    pub(crate) fn can_sign_at(&self, t: Timestamp) -> bool {
        self.mac_key.is_some() && self.secret.purpose().signs() && self.secret.is_valid_at(t)
    }
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Held").field("secret", &self.secret).finish_non_exhaustive()
    }
}

impl Decision {
    /// The change, if there is one.
    #[must_use]
    pub fn change(self) -> Option<Box<Change>> {
        match self {
            Self::Unchanged => None,
            Self::Changed(change) => Some(change),
        }
    }
}

impl Change {
    /// The next value.
    #[must_use]
    pub fn next(&self) -> &ClientState {
        &self.next
    }

    /// What happened, in order.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The secrets that were added.
    #[must_use]
    pub fn added(&self) -> &[SecretId] {
        &self.added
    }

    /// The next value and what happened, to keep.
    #[must_use]
    pub fn into_parts(self) -> (ClientState, Vec<Event>) {
        (self.next, self.events)
    }
}

impl ClientState {
    /// The client ID.
    #[must_use]
    pub fn id(&self) -> &ClientId {
        match self {
            Self::Active(client) => client.id(),
            Self::Deleted(tombstone) => tombstone.id(),
        }
    }

    /// The seller that owns or owned it.
    #[must_use]
    pub fn owner(&self) -> &SellerId {
        match self {
            Self::Active(client) => client.owner(),
            Self::Deleted(tombstone) => tombstone.owner(),
        }
    }

    /// Counts the commits.
    #[must_use]
    pub fn revision(&self) -> Revision {
        match self {
            Self::Active(client) => client.revision(),
            Self::Deleted(tombstone) => tombstone.revision(),
        }
    }

    /// When it was last changed.
    #[must_use]
    pub fn changed_at(&self) -> Timestamp {
        match self {
            Self::Active(client) => client.changed_at(),
            Self::Deleted(tombstone) => tombstone.changed_at(),
        }
    }

    /// The hash of the latest event.
    #[must_use]
    pub fn head(&self) -> EventHash {
        match self {
            Self::Active(client) => client.head(),
            Self::Deleted(tombstone) => tombstone.head(),
        }
    }

    /// The client, unless it was deleted.
    #[must_use]
    pub fn active(&self) -> Option<&Client> {
        match self {
            Self::Active(client) => Some(client),
            Self::Deleted(_) => None,
        }
    }
}

impl LastUses {
    /// Notes a use; the later one wins.
    pub fn note(&mut self, secret: SecretId, at: Timestamp) {
        self.0.entry(secret).and_modify(|last| *last = (*last).max(at)).or_insert(at);
    }

    /// When the secret was last used, as far as is known.
    #[must_use]
    pub fn of(&self, secret: SecretId) -> Option<Timestamp> {
        self.0.get(&secret).copied()
    }

    /// When the secret counts as last used at `t`: as noted, or at its import if it was imported; the later of those that
    /// can be believed (rule 9).
    pub(crate) fn counted_of(&self, secret: &Secret, t: Timestamp) -> CountedUse {
        let imported_at = match secret.origin() {
            Origin::Generated => None,
            Origin::Imported { .. } => Some(secret.added_at()),
        };
        let both = || self.of(secret.id()).into_iter().chain(imported_at);
        let is_believed = |at: &Timestamp| *at <= believable_until(t);
        CountedUse {
            believed: both().filter(is_believed).max(),
            ahead: both().filter(|at| !is_believed(at)).max(),
        }
    }

    /// Takes what `other` says as well: the later time wins, and one of this side after `believable_until` gives way.
    pub(crate) fn extend_believing(&mut self, other: &Self, believable_until: Timestamp) {
        for (secret, at) in other.iter() {
            if self.of(secret).is_some_and(|known| believable_until < known) {
                self.set(secret, at);
            }
            self.note(secret, at);
        }
    }

    /// Replaces every time after `believable_until` by `at`.
    pub(crate) fn bring_back(&mut self, believable_until: Timestamp, at: Timestamp) {
        for noted in self.0.values_mut().filter(|noted| believable_until < **noted) {
            *noted = at;
        }
    }

    pub(crate) fn set(&mut self, secret: SecretId, at: Timestamp) {
        self.0.insert(secret, at);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (SecretId, Timestamp)> {
        self.0.iter().map(|(secret, at)| (*secret, *at))
    }

    pub(crate) fn retain(&mut self, keep: impl Fn(SecretId) -> bool) {
        self.0.retain(|secret, _| keep(*secret));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// When a secret counts as last used, as of some instant (rule 9).
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct CountedUse {
    pub(crate) believed: Option<Timestamp>,
    /// A time that is more than a minute ahead of the instant: a clock was wrong when it was noted, or is now.
    pub(crate) ahead: Option<Timestamp>,
}

impl CountedUse {
    /// Returns the later of both, each by itself.
    fn max(self, other: Self) -> Self {
        Self { believed: self.believed.max(other.believed), ahead: self.ahead.max(other.ahead) }
    }
}

/// The instant of a command on what `owner` owns and was last changed at `changed_at`, once the actor may give it
/// (rules 15 and 19).
fn admit(
    owner: &SellerId,
    changed_at: Timestamp,
    context: &CommandContext<'_>,
) -> Result<Timestamp, Refusal> {
    let now = admit_in_emergency(owner, changed_at, context)?;
    if is_behind(changed_at, context.now) && !context.actor.is_operator() {
        return Err(Refusal::ClockBehind { by: changed_at.saturating_since(context.now) });
    }
    Ok(now)
}

/// The same for what may not wait for a clock to be set (rule 9).
fn admit_in_emergency(
    owner: &SellerId,
    changed_at: Timestamp,
    context: &CommandContext<'_>,
) -> Result<Timestamp, Refusal> {
    if !context.actor.may_act_for(owner) {
        return Err(Refusal::UnknownClient);
    }
    Ok(judged_at(changed_at, context.now))
}

/// When a client counts as changed after a command at `now`. Only an operator may set it back, which is how a client is
/// healed that was changed under a clock far ahead.
fn changed_at(before: Timestamp, context: &CommandContext<'_>, now: Timestamp) -> Timestamp {
    if context.actor.is_operator() { now } else { now.max(before) }
}

fn judged_at(changed_at: Timestamp, clock: Timestamp) -> Timestamp {
    if is_behind(changed_at, clock) { clock } else { clock.max(changed_at) }
}

/// The latest time that a use can have as seen from `now` (rule 9): a clock that runs ahead of this one by a minute is still
/// taken to be right.
pub(crate) fn believable_until(now: Timestamp) -> Timestamp {
    now.saturating_add(MAX_LEAD)
}

fn is_behind(changed_at: Timestamp, clock: Timestamp) -> bool {
    changed_at.saturating_since(clock) > MAX_LEAD
}

/// How far the last change may be ahead of the clock before it is taken for a mistake (rule 19).
const MAX_LEAD: Duration = Duration::from_secs(60);
