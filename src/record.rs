//! Records: a client as a store keeps it, readable for the store, sealed and authenticated under the keyring (rule 8).
//!
//! A store moves a [`Record`] about. It may read the record's ID, revision, key ID and body, and can forge none of them: all of
//! it is authenticated together with the sealed part, which holds the verifiers and signing keys. The [`Keyring`] is the
//! caller's and is kept apart from the store; its primary key seals, the others open older records. An in-memory registry keeps
//! the live client in place of a sealed record, so that authenticating costs one look-up.
//!
//! ```
//! use client_registry::Keyring;
//! use client_registry::value::KeyId;
//!
//! let keyring = Keyring::generate(KeyId::parse("2026")?)?;
//! // Keep this text where the platform keeps its secrets, and never beside the store.
//! let text = keyring.expose(str::to_owned);
//! assert_eq!(Keyring::parse(&text)?.primary().as_str(), "2026");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`RecordParts`] documents the layout to the byte, for stores that keep the pieces in columns. Formats are stored: they must
//! not change.

mod body;
mod frame;
pub(crate) mod keyring;
mod opened;
mod registry;
mod registry_id;
mod seal;

pub(crate) use self::keyring::{CheckValue, NamedKey};
pub use self::keyring::{Keyring, KeyringVariableError};

use std::fmt;
use std::sync::Arc;

pub use self::frame::{MAX_RECORD, RecordParts};
pub(crate) use self::frame::{ORDINARY_RECORD, Sealed};
pub(crate) use self::opened::Opened;
pub use self::registry::KeyState;
pub(crate) use self::registry::RegistryRecord;
pub use self::registry_id::RegistryId;
pub(crate) use self::seal::{ResealError, Sealing, SealingError, missing_key};
use crate::store_error::{StoreError, StoreErrorKind};
use crate::value::{ClientId, KeyId, Revision};

/// The ID under which a store keeps a record: a client ID, or a reserved ID outside the grammar of client IDs.
///
/// IDs are compared as bytes, never by a collation. Reserved IDs begin with `~`, which sorts after every client ID.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId<'a>(
    /// A text. Its bytes are what most look at.
    &'a [u8],
);

impl<'a> RecordId<'a> {
    /// The record of the registry itself: its ID, and the state of its keys.
    pub const REGISTRY: RecordId<'static> = RecordId(b"~registry");

    /// Parses the ID of a record that a store holds. It accepts every client ID that an earlier version accepted, also one that
    /// looks like a client secret.
    ///
    /// # Errors
    /// [`StoreErrorKind::Corrupt`] if it is neither a client ID nor [`REGISTRY`](Self::REGISTRY).
    pub fn parse(text: &'a str) -> Result<Self, StoreError> {
        let is_one = ClientId::may_be_stored(text) || text.as_bytes() == Self::REGISTRY.0;
        is_one
            .then_some(Self(text.as_bytes()))
            .ok_or_else(|| StoreError::with_source(StoreErrorKind::Corrupt, "not the ID of a record"))
    }

    /// Returns the ID as text: 8 to 64 characters of `[A-Za-z0-9._-]` for a client.
    #[must_use]
    #[expect(clippy::expect_used, reason = "unreachable: it is made of a text")]
    pub fn as_str(&self) -> &'a str {
        std::str::from_utf8(self.0).expect("the ID of a record is ASCII")
    }

    /// Returns the bytes of the text.
    #[inline]
    pub(crate) fn as_bytes(&self) -> &'a [u8] {
        self.0
    }

    /// Returns the client ID, unless the ID is [reserved](Self::is_reserved).
    #[must_use]
    pub fn client_id(&self) -> Option<ClientId> {
        ClientId::stored(self.as_str()).ok()
    }

    /// Returns whether the ID is reserved. Such a record has no history, and no look-up or list leads to it.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        self.0.starts_with(b"~")
    }

    /// Returns whether it is the ID of this client.
    #[inline]
    pub(crate) fn is_of(&self, client_id: &ClientId) -> bool {
        client_id.is(self.0)
    }

    /// Returns the record ID of a presented client ID, if it is well formed.
    pub(crate) fn of_presented(client_id: &'a str) -> Option<Self> {
        ClientId::may_be_stored(client_id).then_some(Self(client_id.as_bytes()))
    }

    /// Returns the record ID of a presented client ID, if it has the form of a generated one.
    #[inline]
    pub(crate) fn of_guid(client_id: &'a str) -> Option<Self> {
        ClientId::is_our_guid(client_id).then_some(Self(client_id.as_bytes()))
    }
}

impl<'a> From<&'a ClientId> for RecordId<'a> {
    fn from(client_id: &'a ClientId) -> Self {
        Self(client_id.as_bytes())
    }
}

impl fmt::Display for RecordId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for RecordId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RecordId").field(&self.as_str()).finish()
    }
}

/// A client or a tombstone at one revision, as a store keeps it. Cloning is cheap.
///
/// A durable store takes a record apart with [`parts`](Self::parts) or [`to_bytes`](Self::to_bytes), keeps the pieces
/// unchanged, and puts it together again with [`from_parts`](Self::from_parts) or [`from_bytes`](Self::from_bytes).
#[derive(Clone)]
pub struct Record(Form);

#[derive(Clone)]
enum Form {
    /// A record of an in-memory registry.
    Live(Opened),
    Sealed(Arc<Sealed>),
}

impl Record {
    pub(crate) fn live(opened: Opened) -> Self {
        Self(Form::Live(opened))
    }

    /// Returns the record of these parts.
    ///
    /// # Errors
    /// [`StoreErrorKind::NewerFormat`] if this version does not know its format; [`StoreErrorKind::Corrupt`] if it cannot be a
    /// record or has more than [`MAX_RECORD`] bytes. The registry authenticates it later, when it opens the record.
    pub fn from_parts(parts: RecordParts<'_>) -> Result<Self, StoreError> {
        Sealed::new(parts).map(Self::from)
    }

    /// Returns the parts, to be kept unchanged.
    ///
    /// # Errors
    /// [`StoreErrorKind::NotSealed`] if the record belongs to an in-memory registry, which has no keyring.
    pub fn parts(&self) -> Result<RecordParts<'_>, StoreError> {
        self.sealed().map(Sealed::parts)
    }

    /// Returns the record in one piece; see [`RecordParts`] for the layout.
    ///
    /// # Errors
    /// As [`parts`](Self::parts).
    pub fn to_bytes(&self) -> Result<Vec<u8>, StoreError> {
        self.sealed().map(Sealed::to_bytes)
    }

    /// Returns the record that [`to_bytes`](Self::to_bytes) was called on.
    ///
    /// # Errors
    /// As [`from_parts`](Self::from_parts).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StoreError> {
        Sealed::from_bytes(bytes).map(Self::from)
    }

    /// Returns the ID under which the record is kept.
    #[must_use]
    pub fn id(&self) -> RecordId<'_> {
        match &self.0 {
            Form::Live(opened) => RecordId::from(opened.client_id()),
            Form::Sealed(sealed) => sealed.id(),
        }
    }

    /// Returns the revision, which counts the commits that changed the record.
    #[must_use]
    pub fn revision(&self) -> Revision {
        match &self.0 {
            Form::Live(opened) => opened.revision(),
            Form::Sealed(sealed) => sealed.revision(),
        }
    }

    /// Returns the key that protects the record, or `None` in an in-memory registry, which has no keyring.
    #[must_use]
    pub fn key_id(&self) -> Option<&KeyId> {
        match &self.0 {
            Form::Live(_) => None,
            Form::Sealed(sealed) => Some(sealed.key_id()),
        }
    }

    pub(crate) fn as_live(&self) -> Option<&Opened> {
        match &self.0 {
            Form::Live(opened) => Some(opened),
            Form::Sealed(_) => None,
        }
    }

    #[inline]
    pub(crate) fn into_live(self) -> Result<Opened, Arc<Sealed>> {
        match self.0 {
            Form::Live(opened) => Ok(opened),
            Form::Sealed(sealed) => Err(sealed),
        }
    }

    pub(crate) fn sealed(&self) -> Result<&Sealed, StoreError> {
        match &self.0 {
            Form::Live(_) => Err(StoreError::new(StoreErrorKind::NotSealed)),
            Form::Sealed(sealed) => Ok(sealed),
        }
    }
}

impl From<Sealed> for Record {
    fn from(sealed: Sealed) -> Self {
        Self(Form::Sealed(Arc::new(sealed)))
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("id", &self.id().as_str())
            .field("revision", &self.revision())
            .field("key_id", &self.key_id())
            .finish_non_exhaustive()
    }
}
