//! The pure core: one client ID with its secrets, promotions and add-ins, and every rule that can be decided from it alone.
//!
//! [`Client`] knows no store, clock, randomness or keyring. A command takes what it needs as arguments, decides everything
//! first, and then returns the next [`Client`] together with its events as a [`Decision`]; it never changes the value that it
//! is called on. Either both are committed, or neither (rule 16). A [`Plan`] is the same code with its result not applied, so a
//! plan and its command cannot disagree. Queries are decided here as well: whether a presented client secret
//! [authenticates](Client::authenticate), which secret [signs](Client::sign), and whether a signature
//! [verifies](Client::verify).
//!
//! Applications use the [`Registry`](crate::Registry), which loads a client, calls this module and commits. Use this module
//! directly to test the rules, to simulate a client at a later time, or to write a registry of your own:
//!
//! ```
//! use client_registry::client::{Client, CommandContext};
//! use client_registry::entropy::SystemEntropy;
//! use client_registry::value::Actor;
//! use client_registry::*;
//!
//! let (policy, owner) = (Policy::default(), SellerId::parse("contoso")?);
//! let (actor, now) = (Actor::Seller(owner.clone()), Timestamp::parse("2026-03-01T09:00:00Z")?);
//! let context = CommandContext { actor: &actor, policy: &policy, now };
//! let details = ClientDetails::new("calendar app", "app.contoso.com", "https://app.contoso.com/done")?;
//! let secret = ClientSecret::generate(&policy, &SystemEntropy)?;
//! let (id, year) = (ClientId::parse("calendar-app")?, NewSecret::lasting(Lifetime::OneYear));
//! let decision = Client::register(id, owner, details, Availability::Worldwide, &year, &secret, &context)?;
//! let (state, events) = decision.change().ok_or("a registration is a change")?.into_parts();
//! let client = state.active().ok_or("it was not deleted")?;
//! assert_eq!(client.signing_at(now).secret(), SecretId::new(1));
//! assert_eq!(events.len(), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! In the source, each family of commands has a file of its own, and so has each type that they share. No file here may read a
//! clock, a store or the source of randomness.

mod access;
mod add_ins;
mod attributes;
mod chain;
mod context;
mod decision;
mod deletion;
mod draft;
mod ends;
mod extras;
mod gathered;
mod held;
mod import;
pub(crate) mod kept;
mod last_uses;
mod leaked;
pub(crate) mod overlap;
pub(crate) mod plan;
mod planning;
mod promotion;
mod reason;
mod recognition;
mod refusal;
mod registration;
mod rotation;
mod secrets;
mod signatures;
mod signing;
mod state;
mod suspension;
mod tombstone;
mod transfer;
mod weakness;

pub use self::access::Denial;
pub use self::add_ins::{MAX_ADD_INS, Move};
pub use self::context::CommandContext;
pub(crate) use self::context::believable_until;
pub use self::decision::{Change, Decision};
pub use self::deletion::Replacement;
pub(crate) use self::held::{Held, is_due};
pub use self::import::{ImportedClient, ImportedSecret};
pub use self::last_uses::LastUses;
pub(crate) use self::leaked::may_hold;
pub use self::leaked::{LeakedSecret, LeakedState};
pub(crate) use self::plan::SecretRemoval;
pub use self::plan::{
    CallingOff, ClientDeletion, ClosingEarly, ConfirmError, EndMove, Obstacle, Plan, Planned, SecretDeletion,
    SecretDisabling, SecretUse,
};
pub use self::promotion::Promotion;
pub use self::reason::Reason;
pub use self::refusal::Refusal;
pub(crate) use self::refusal::use_in_words;
pub use self::rotation::Rotation;
pub use self::secrets::NewSecret;
pub use self::signing::{Signing, Span, Timeline};
pub use self::state::ClientState;
pub use self::suspension::Suspension;
pub use self::tombstone::{Revocation, Tombstone};

use self::context::{admit, admit_in_emergency, is_behind, judged_at};
use self::extras::Extras;
use self::signing::Foreseen;
use self::tombstone::Remembered;
use crate::event::EventHash;
use crate::secret::{Secret, VerifierPrefix};
use crate::value::{
    AddInId, Attributes, Availability, ClientDetails, ClientId, Revision, SecretId, SellerId, Timestamp,
};

/// A client ID with everything that belongs to it, as of its latest change.
///
/// A client is a value: commands return the next one, and never change the one that they are called on. It is not `Clone`,
/// since it holds verifiers and signing keys. [`Snapshot::client`](crate::Snapshot::client) shows one of a registry.
#[repr(C)] // what a request reads lies together
pub struct Client {
    prefix: VerifierPrefix,
    /// In the order of their IDs.
    secrets: Box<[Held]>,
    extras: Option<Box<Extras>>,
    changed_at: Timestamp,
    foreseen: Foreseen,
    id: ClientId,
    owner: SellerId,
    details: ClientDetails,
    registered_at: Timestamp,
    revision: Revision,
    /// The number of facts so far: it orders what happened at one instant.
    steps: u64,
    head: EventHash,
    last_secret: Option<SecretId>,
    availability: Availability,
}

impl Client {
    /// Returns the client ID.
    #[must_use]
    pub fn id(&self) -> &ClientId {
        &self.id
    }

    /// Returns the seller that owns the client ID.
    #[must_use]
    pub fn owner(&self) -> &SellerId {
        &self.owner
    }

    /// Returns the details that the seller gave: friendly name, app domain and redirect URL.
    #[must_use]
    pub fn details(&self) -> &ClientDetails {
        &self.details
    }

    /// Returns where the client ID is offered (rule 2).
    #[must_use]
    pub fn availability(&self) -> Availability {
        self.availability
    }

    /// Returns the attributes that the application attached (rule 24).
    #[must_use]
    pub fn attributes(&self) -> &Attributes {
        &self.extras().attributes
    }

    /// Returns since when and by whom the client is suspended, if it is (rule 20).
    #[must_use]
    pub fn suspension(&self) -> Option<&Suspension> {
        self.extras().suspension.as_ref()
    }

    /// Returns when the client was registered or imported.
    #[must_use]
    pub fn registered_at(&self) -> Timestamp {
        self.registered_at
    }

    /// Returns when the client was transferred to its present owner, if it was (rule 22).
    #[must_use]
    pub fn transferred_at(&self) -> Option<Timestamp> {
        self.extras().transferred_at
    }

    /// Returns when the client was last changed.
    #[must_use]
    pub fn changed_at(&self) -> Timestamp {
        self.changed_at
    }

    /// Returns the revision, which counts the commits of the client.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// Returns the secrets that have not been deleted, ended ones included, in the order of their IDs.
    pub fn secrets(&self) -> impl ExactSizeIterator<Item = &Secret> + Clone {
        self.secrets.iter().map(|held| &held.secret)
    }

    /// Returns the secret with this ID; `None` if the client has no such secret, or it was deleted.
    #[must_use]
    pub fn secret(&self, id: SecretId) -> Option<&Secret> {
        self.held(id).map(|held| &held.secret)
    }

    /// Returns the promotions, at most two of each secret: one that is in force, and one that is scheduled or has taken effect
    /// since (rule 7).
    #[must_use]
    pub fn promotions(&self) -> &[Promotion] {
        &self.extras().promotions
    }

    /// Returns the add-ins that use the client ID, in the order of their IDs (rule 1).
    #[must_use]
    pub fn add_ins(&self) -> &[AddInId] {
        &self.extras().add_ins
    }

    /// Returns the deleted secrets whose verifiers are kept, so that they cannot come back (rule 10).
    pub fn remembered(&self) -> impl ExactSizeIterator<Item = (SecretId, Revocation)> + '_ {
        self.candidates().iter().map(Remembered::secret_and_revocation)
    }

    /// Returns the hash of the latest event (rule 16).
    #[must_use]
    pub fn head(&self) -> EventHash {
        self.head
    }

    /// Returns the instant to pass as `t` to the other methods when the clock reads `clock` (rule 19).
    ///
    /// It is the later of the reading and the last change. If the last change is more than a minute later than the reading, it
    /// is the reading.
    #[must_use]
    pub fn instant(&self, clock: impl Into<Timestamp>) -> Timestamp {
        judged_at(self.changed_at, clock.into())
    }

    /// Returns whether the clock is more than a minute behind the client's last change (rule 19).
    #[must_use]
    pub fn is_ahead_of(&self, clock: impl Into<Timestamp>) -> bool {
        is_behind(self.changed_at, clock.into())
    }

    /// Returns the secrets that can sign at `t` (rule 6).
    pub(crate) fn signers_at(&self, t: Timestamp) -> impl Iterator<Item = &Secret> + Clone {
        self.able_at(t).map(|held| &held.secret)
    }

    /// Returns the secrets that can sign at `t`, with their keys.
    fn able_at(&self, t: Timestamp) -> impl Iterator<Item = &Held> + Clone {
        self.secrets.iter().filter(move |held| held.can_sign_at(t))
    }

    pub(crate) fn held(&self, id: SecretId) -> Option<&Held> {
        let is_it = |held: &&Held| held.secret.id == id;
        // The IDs since the last one that was deleted follow one another: most often no other secret is looked at.
        let from_end = self.last_secret.and_then(|last| last.number().checked_sub(id.number()));
        let expected =
            from_end.and_then(|from_end| self.secrets.iter().nth_back(usize::try_from(from_end).ok()?));
        expected.filter(is_it).or_else(|| {
            let position = self.secrets.partition_point(|held| held.secret.id < id);
            self.secrets.get(position).filter(is_it)
        })
    }

    /// Returns the instant of a command, if the actor may give it (rules 15 and 19).
    fn admit(&self, context: &CommandContext<'_>) -> Result<Timestamp, Refusal> {
        admit(&self.owner, self.changed_at, context)
    }

    /// As [`admit`](Self::admit), for a command that must not wait until a clock is corrected (rule 9).
    fn admit_in_emergency(&self, context: &CommandContext<'_>) -> Result<Timestamp, Refusal> {
        admit_in_emergency(&self.owner, self.changed_at, context)
    }

    /// Returns the secret that a command is about.
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
            .field("promotions", &self.promotions())
            .field("add_ins", &self.add_ins())
            .finish_non_exhaustive()
    }
}
