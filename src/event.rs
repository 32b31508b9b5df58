//! Events: what happened to a client, chained so that its trail is as tamper-evident as its record (rule 16).
//!
//! A command commits its events with its change, or neither. An event names IDs and dates and never holds anything
//! that a client secret could be computed from.

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::details::{Availability, ClientDetails};
use crate::id::{Actor, AddInId, ClientId, SecretId, SellerId, stored_client_id};
use crate::name::{FriendlyName, Label};
use crate::secret::{Origin, Purpose};
use crate::validity::{Timestamp, Validity};

crate::redacted::redacted! {
    /// Counts a client's commits: 1 is the one that made it.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
    #[serde(transparent)]
    pub struct Revision(u64);
}

impl Revision {
    /// Before the first commit: where reading a trail from the start begins.
    pub const ZERO: Self = Self(0);

    /// The revision with this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The one after.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A fact about a client: what, who, when, at which revision, and, where it moved, which secret signed before and
/// after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    #[serde(deserialize_with = "stored_client_id")]
    client_id: ClientId,
    revision: Revision,
    at: Timestamp,
    actor: Actor,
    fact: Fact,
    #[serde(skip_serializing_if = "Option::is_none")]
    signing: Option<Handover>,
    previous: EventHash,
}

impl Event {
    pub(crate) fn new(
        client_id: ClientId,
        revision: Revision,
        at: Timestamp,
        actor: Actor,
        fact: Fact,
        signing: Option<Handover>,
        previous: EventHash,
    ) -> Self {
        Self { client_id, revision, at, actor, fact, signing, previous }
    }

    /// The client that it is about.
    #[must_use]
    pub fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// The revision that its commit made. The events of one commit share it.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// When it was decided.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Who gave the command.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// What happened.
    #[must_use]
    pub fn fact(&self) -> &Fact {
        &self.fact
    }

    /// Which secret signed before and after, if that moved at `at`.
    #[must_use]
    pub fn signing(&self) -> Option<Handover> {
        self.signing
    }

    /// The hash of the client's event before this one; [`EventHash::START`] for the first.
    #[must_use]
    pub fn previous(&self) -> EventHash {
        self.previous
    }

    /// `SHA-256("client-registry/event/1", 0, the event as compact JSON)`.
    #[must_use]
    pub fn hash(&self) -> EventHash {
        // Maps with text keys into memory: there is nothing that could fail.
        let json = serde_json::to_vec(self).unwrap_or_default();
        debug_assert!(!json.is_empty(), "an event is always JSON");
        let mut hasher = Sha256::new();
        hasher.update(LABEL);
        hasher.update([0]);
        hasher.update(json);
        EventHash(hasher.finalize().into())
    }
}

/// Checks that `events` are a client's trail up to `head`, in order and whole, from the event after `start` on.
///
/// # Errors
/// [`BrokenTrail`] names the first event that does not follow the one before, or says that the last is not `head`.
pub fn check_trail<'a>(
    events: impl IntoIterator<Item = &'a Event>,
    start: EventHash,
    head: EventHash,
) -> Result<(), BrokenTrail> {
    let mut last = start;
    for (position, event) in events.into_iter().enumerate() {
        if event.previous != last {
            return Err(BrokenTrail::At { position });
        }
        last = event.hash();
    }
    if last == head { Ok(()) } else { Err(BrokenTrail::Head) }
}

/// A trail from which events are missing, or in which they were edited or reordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BrokenTrail {
    /// The event at this position (from 0) does not follow the one before.
    #[error("event {position} does not follow the one before: the trail was edited or reordered")]
    At {
        /// Counted from 0.
        position: usize,
    },
    /// The last event is not the one that the client's record names.
    #[error("the trail does not end where the client's record says: events are missing or were edited")]
    Head,
}

crate::redacted::redacted! {
    /// What happened to a client.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    #[serde(tag = "what", rename_all = "snake_case")]
    #[non_exhaustive]
    pub enum Fact {
        /// A client ID was registered.
        ClientRegistered {
            /// Whose it is.
            owner: SellerId,
            /// Its details.
            details: ClientDetails,
            /// Where it is offered.
            availability: Availability,
        },
        /// A client ID was moved in (rule 18).
        ClientImported {
            /// Whose it is.
            owner: SellerId,
            /// Its details.
            details: ClientDetails,
            /// Where it is offered.
            availability: Availability,
        },
        /// The details are others from now on.
        DetailsChanged {
            /// The new ones.
            details: ClientDetails,
        },
        /// A secret was generated or imported.
        SecretAdded {
            /// Its ID.
            secret: SecretId,
            /// What somebody called it.
            label: Option<Label>,
            /// What it is good for.
            purpose: Purpose,
            /// From when until when.
            validity: Validity,
            /// Where it was made.
            origin: Origin,
        },
        /// A rotation replaced a secret, which ends by itself (rule 11).
        SecretReplaced {
            /// The one that ends.
            secret: SecretId,
            /// The one that comes after it.
            by: SecretId,
            /// From when until when it is valid from now on.
            validity: Validity,
        },
        /// A secret was switched off, and its promotions withdrawn (rules 7 and 12).
        SecretDisabled {
            /// Its ID.
            secret: SecretId,
        },
        /// A secret was switched on again (rule 12).
        SecretEnabled {
            /// Its ID.
            secret: SecretId,
        },
        /// A secret was deleted, and its promotions withdrawn (rules 7 and 9).
        SecretDeleted {
            /// Its ID.
            secret: SecretId,
        },
        /// A deleted secret is known to be in the wrong hands (rule 10).
        SecretCompromised {
            /// Its ID.
            secret: SecretId,
        },
        /// A secret that ended longest ago made room (rule 3).
        SecretForgotten {
            /// Its ID.
            secret: SecretId,
        },
        /// A secret was chosen to sign from now on (rule 7).
        SecretPromoted {
            /// Its ID.
            secret: SecretId,
        },
        /// A secret was chosen to sign from an instant on (rule 7).
        PromotionScheduled {
            /// Its ID.
            secret: SecretId,
            /// From then on.
            from: Timestamp,
        },
        /// A scheduled promotion was taken back (rule 7).
        PromotionWithdrawn {
            /// The secret's ID.
            secret: SecretId,
            /// When it would have begun.
            from: Timestamp,
        },
        /// An add-in uses this client ID from now on (rule 1).
        AddInAssociated {
            /// Its ID.
            add_in: AddInId,
        },
        /// An add-in no longer uses this client ID.
        AddInDissociated {
            /// Its ID.
            add_in: AddInId,
        },
        /// An add-in came from another client ID (rule 14).
        AddInMovedIn {
            /// Its ID.
            add_in: AddInId,
            /// Where it came from.
            #[serde(deserialize_with = "stored_client_id")]
            from: ClientId,
        },
        /// An add-in went to another client ID (rule 14).
        AddInMovedOut {
            /// Its ID.
            add_in: AddInId,
            /// Where it went.
            #[serde(deserialize_with = "stored_client_id")]
            to: ClientId,
        },
        /// The client ID was deleted, with all its secrets and associations (rule 13).
        ClientDeleted {
            /// The name that is free again.
            friendly_name: FriendlyName,
            /// The add-ins that lost access.
            add_ins: Vec<AddInId>,
        },
    }
}

crate::redacted::redacted! {
    /// Which secret signed before and after an event; `None` where nothing did.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
    pub struct Handover {
        /// The one before.
        pub before: Option<SecretId>,
        /// The one after.
        pub after: Option<SecretId>,
    }
}

/// The hash of an event, by which the next one refers to it. 64 lowercase hexadecimal digits as text.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct EventHash([u8; 32]);

impl EventHash {
    /// What the first event of a client refers to.
    pub const START: Self = Self([0; 32]);

    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FromStr for EventHash {
    type Err = InvalidHash;

    fn from_str(text: &str) -> Result<Self, InvalidHash> {
        let mut bytes = [0; 32];
        match HEXLOWER.decode_len(text.len()) {
            Ok(32) => HEXLOWER.decode_mut(text.as_bytes(), &mut bytes).map_err(|_| InvalidHash)?,
            _ => return Err(InvalidHash),
        };
        Ok(Self(bytes))
    }
}

/// A text that is not 64 lowercase hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event's hash is 64 lowercase hexadecimal digits")]
pub struct InvalidHash;

impl Serialize for EventHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EventHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::text::deserialize(deserializer, Self::from_str)
    }
}

impl fmt::Display for EventHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        HEXLOWER.encode_display(&self.0).fmt(f)
    }
}

impl fmt::Debug for EventHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventHash({self})")
    }
}

const LABEL: &str = "client-registry/event/1";
