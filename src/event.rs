//! Events: what happened to a client, chained so that its trail is as tamper-evident as its record (rule 16).
//!
//! An [`Event`] states one [`Fact`] about one client, with who did it, when, and at which revision. A command commits its
//! events with its change, or neither. Each event carries the hash of the one before, so [`check_trail`] finds an event that
//! was edited, dropped or reordered, and so does a third party with twenty lines of Python. An event names IDs and dates and
//! never holds anything from which a client secret could be computed.
//!
//! ```
//! # use client_registry::*;
//! # pollster::block_on(async {
//! # let registry = Registry::in_memory();
//! # let details = ClientDetails::new("calendar app", "app.contoso.com", "https://app.contoso.com/done")?;
//! # let contoso = registry.as_seller("contoso")?;
//! # let issued = contoso.register(details, Lifetime::OneYear).await?;
//! use client_registry::event::{EventHash, check_trail};
//! use client_registry::value::Revision;
//!
//! let calendar = contoso.client(issued.client_id());
//! let events = calendar.trail(Revision::ZERO, 100).await?;
//! check_trail(&events, EventHash::START, calendar.head().await?)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! An event has two forms. Its [text](Event::text) is made once: the same bytes are stored, hashed and exported, and other
//! bytes that parse to the same event are refused. Its public JSON is for applications. The two are written by different files,
//! so a change of the public JSON cannot reach what is stored.

mod fact;
mod hash;
mod public;
mod stored;
mod text;
mod trail;

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use self::fact::{Fact, Handover};
pub use self::hash::{EventHash, InvalidHash};
pub use self::text::EventText;
pub use self::trail::{BrokenTrail, check_trail};
use crate::store_error::StoreError;
use crate::value::{Actor, ClientId, Revision, Timestamp};

/// A fact about a client: what happened, who did it, when, at which revision, and, if it changed, which secret signed before
/// and after.
///
/// Its JSON is for applications. The bytes that are stored and hashed are its [text](Self::text), which has a form of its own.
#[derive(Clone, PartialEq, Eq)]
pub struct Event {
    public: public::Event,
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
        Self::of(public::Event { client_id, revision, at, actor, fact, signing, previous })
    }

    fn of(public: public::Event) -> Self {
        let text = stored::write(&public);
        Self { public, text }
    }

    /// Reads an event from its text.
    ///
    /// ```
    /// # use client_registry::*;
    /// # use client_registry::value::Revision;
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
    /// [`StoreErrorKind::Tampered`](crate::store::StoreErrorKind::Tampered) if the text is not, byte for byte, one that this
    /// crate writes, even if it would parse as an event (white space, another order of members, another spelling of an instant,
    /// an additional or repeated member). [`StoreErrorKind::NewerFormat`](crate::store::StoreErrorKind::NewerFormat) if it
    /// tells a fact that this version does not know.
    pub fn parse(text: &EventText) -> Result<Self, StoreError> {
        stored::read(text)
    }

    /// Returns the text of the event: the bytes that are stored, hashed and exported. [`check_trail`] documents their form.
    #[must_use]
    pub fn text(&self) -> &EventText {
        &self.text
    }

    /// Returns the client that the event is about.
    #[must_use]
    pub fn client_id(&self) -> &ClientId {
        &self.public.client_id
    }

    /// Returns the revision that the commit made. The events of one commit share it.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.public.revision
    }

    /// Returns the instant of the command.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.public.at
    }

    /// Returns the actor that gave the command.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.public.actor
    }

    /// Returns what happened.
    #[must_use]
    pub fn fact(&self) -> &Fact {
        &self.public.fact
    }

    /// Returns which secret signed before and after, if that changed with the event.
    #[must_use]
    pub fn signing(&self) -> Option<Handover> {
        self.public.signing
    }

    /// Returns the hash of the client's previous event, which is [`EventHash::START`] for the first event.
    #[must_use]
    pub fn previous(&self) -> EventHash {
        self.public.previous
    }

    /// Returns the hash of the [text](Self::text): `SHA-256("client-registry/event/1", 0, text)`, with the label in ASCII and one
    /// zero byte after it.
    #[must_use]
    pub fn hash(&self) -> EventHash {
        self.text.hash()
    }
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.public.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        public::Event::deserialize(deserializer).map(Self::of)
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.public.fmt(f)
    }
}
