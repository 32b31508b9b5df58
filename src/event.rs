//! Events: what happened to a client, chained so that its trail is as tamper-evident as its record (rule 16).
//!
//! A command commits its events with its change, or neither. An event names IDs and dates and never holds anything
//! that a client secret could be computed from.
//!
//! An event's text is made once. The same bytes are stored, hashed and exported; what parses to the same event from other
//! bytes is refused. How the text is written is a file of its own, so that nobody changes it with the public JSON.

mod hash;
mod public;
mod stored;
mod text;

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

pub use self::hash::{EventHash, InvalidHash};
pub use self::text::EventText;
use crate::secret::{Origin, Purpose};
use crate::store_error::StoreError;
use crate::value::id::stored_client_id;
use crate::value::{
    Actor, AddInId, Availability, ClientDetails, ClientId, FriendlyName, Label, Revision, SecretId, SellerId,
    Timestamp, Validity,
};

/// A fact about a client: what, who, when, at which revision, and, where it moved, which secret signed before and
/// after.
///
/// Its JSON is for applications. What is stored and hashed is its [text](Self::text), which is a form of its own.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    client_id: ClientId,
    revision: Revision,
    at: Timestamp,
    actor: Actor,
    fact: Fact,
    #[serde(skip_serializing_if = "Option::is_none")]
    signing: Option<Handover>,
    previous: EventHash,
    #[serde(skip_serializing)]
    text: EventText,
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
        let none = EventText::from_bytes(Vec::new());
        let mut event = Self { client_id, revision, at, actor, fact, signing, previous, text: none };
        event.text = stored::write(&event);
        event
    }

    /// Reads the event that has this text.
    ///
    /// ```
    /// # use client_registry::*;
    /// # pollster::block_on(async {
    /// # let registry = Registry::in_memory();
    /// # let details = ClientDetails::new("calendar app", "app.contoso.com", "https://app.contoso.com/done")?;
    /// # let contoso = registry.as_seller("contoso")?;
    /// # let issued = contoso.register(details, Lifetime::OneYear).await?;
    /// for event in contoso.client(issued.client_id()).trail(Revision::ZERO, 100).await? {
    ///     assert_eq!(Event::parse(event.text())?, event);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`StoreErrorKind::Tampered`](crate::store_error::StoreErrorKind::Tampered) when the text is not, byte for byte, one that
    /// this crate writes: also when it would read as an event (white space, another order of members, another spelling of
    /// an instant, a member too many or twice).
    /// [`StoreErrorKind::NewerFormat`](crate::store_error::StoreErrorKind::NewerFormat) when it tells a fact that this version
    /// does not know.
    pub fn parse(text: &EventText) -> Result<Self, StoreError> {
        stored::read(text)
    }

    /// The text of the event: the bytes that are stored, hashed and exported. See [`check_trail`] for their form.
    #[must_use]
    pub fn text(&self) -> &EventText {
        &self.text
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

    /// The hash of its [text](Self::text): `SHA-256("client-registry/event/1", 0, text)`, with the label in ASCII and one
    /// byte of zero behind it.
    #[must_use]
    pub fn hash(&self) -> EventHash {
        self.text.hash()
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { client_id, revision, at, actor, fact, signing, previous, text: _ } = self;
        f.debug_struct("Event")
            .field("client_id", client_id)
            .field("revision", revision)
            .field("at", at)
            .field("actor", actor)
            .field("fact", fact)
            .field("signing", signing)
            .field("previous", previous)
            .finish()
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let public::Event { client_id, revision, at, actor, fact, signing, previous } =
            public::Event::deserialize(deserializer)?;
        Ok(Self::new(client_id, revision, at, actor, fact, signing, previous))
    }
}

/// Checks that `events` are a client's trail up to `head`, in order and whole, from the event after `start` on (rule 16).
///
/// `start` is [`EventHash::START`] where the trail is read from its beginning. `head` is what the client's record vouches
/// for: [`ClientHandle::head`](crate::ClientHandle::head), also of a deleted client.
///
/// # Checking without this crate
/// A third party is given the [text](Event::text) of each event, one a line, and the head by another way:
///
/// ```
/// # use client_registry::*;
/// # pollster::block_on(async {
/// # let registry = Registry::in_memory();
/// # let details = ClientDetails::new("calendar app", "app.contoso.com", "https://app.contoso.com/done")?;
/// # let contoso = registry.as_seller("contoso")?;
/// # let issued = contoso.register(details, Lifetime::OneYear).await?;
/// # let client = contoso.client(issued.client_id());
/// # let mut file = Vec::new();
/// let head = client.head().await?;
/// let (mut after, mut last) = (Revision::ZERO, EventHash::START);
/// while last != head {
///     let events = client.trail(after, 1000).await?;
///     for event in &events {
///         file.extend_from_slice(event.text().as_bytes());
///         file.push(b'\n');
///         (after, last) = (event.revision(), event.hash());
///     }
///     if events.is_empty() {
///         return Err("the trail does not end at its head".into());
///     }
/// }
/// println!("{head}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
///
/// These lines of Python check it. They end with exit code 0 where the trail is whole, 1 where it is not, and 2 where it could
/// not be checked, each with a line that says why:
///
/// ```python
#[doc = include_str!("event/verify_trail.py")]
/// ```
///
/// # The chain, to the byte
/// The hash of an event is SHA-256 over the ASCII characters `client-registry/event/1`, one byte of zero, and the text of the
/// event. An event names the hash of the one before as `previous`, in 64 lowercase hexadecimal digits; the first event of
/// a client names 64 zeros. The hash of the last event is the head.
///
/// The text is one JSON object in UTF-8, without white space between its parts, and without a line feed anywhere. Its members,
/// in this order:
///
/// | member | is |
/// | --- | --- |
/// | `client_id` | the client ID |
/// | `revision` | the revision that the commit made, a whole number in decimal digits |
/// | `at` | the instant: `2026-03-01T09:00:00.000Z`, always with three decimals and `Z` |
/// | `actor` | `{"seller":"…"}` or `{"operator":"…"}` |
/// | `fact` | an object: first `what`, then the fields of the [`Fact`] of this name in the order of its documentation |
/// | `signing` | `{"before":…,"after":…}`: which secret signed before and after, a number or `null`. Absent where it did not move |
/// | `previous` | the hash of the event before |
///
/// `signing` is the only member that can be absent; everything else that is not there is `null` (a secret without a label,
/// a validity without an end). A validity is `{"from":…,"until":…}`; details are `friendly_name`, `app_domain` and
/// `redirect_url`; the origin of a secret is `"generated"` or `{"imported":{"key_encoding":"utf8"}}` (or `"base64"`). In
/// strings the quotation mark and the backslash are escaped with a backslash; control characters as `\b`, `\t`, `\n`, `\f`,
/// `\r` or `\u00` with two lowercase hexadecimal digits. No other character is escaped, `/` and those beyond ASCII included.
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

crate::value::redacted::redacted! {
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

crate::value::redacted::redacted! {
    /// Which secret signed before and after an event; `None` where nothing did.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
    pub struct Handover {
        /// The one before.
        pub before: Option<SecretId>,
        /// The one after.
        pub after: Option<SecretId>,
    }
}
