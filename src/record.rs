//! A client as a store keeps it.
//!
//! A store moves records about and cannot look inside: what it may read is a record's ID, revision, key ID and readable
//! body, and it can forge none of them, since all of it is authenticated together with the sealed part, which holds
//! what recognises and signs for the secrets. A registry in memory keeps the live client in place of a sealed record, so
//! that authenticating costs one look-up.

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
pub(crate) use self::opened::{LiveClient, Opened, is_due};
pub use self::registry::KeyState;
pub(crate) use self::registry::RegistryRecord;
pub use self::registry_id::RegistryId;
pub(crate) use self::seal::{ResealError, Sealing, SealingError, missing_key};
use crate::store_error::{StoreError, StoreErrorKind};
use crate::value::{ClientId, KeyId, Revision};

/// Under which a store keeps a record: a client ID, or a reserved ID outside the grammar of client IDs.
///
/// Compared as bytes, never by a collation. Reserved IDs begin with `~`, which sorts after every client ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId<'a>(&'a str);

impl<'a> RecordId<'a> {
    /// The record about the registry itself: which registry this is, and the state of its keys.
    pub const REGISTRY: RecordId<'static> = RecordId("~registry");

    /// Reads back the ID of a record that a store holds. Accepts the client IDs that earlier versions accepted, also those
    /// that look like a client secret.
    ///
    /// # Errors
    /// [`StoreErrorKind::Corrupt`] when it is neither a client ID nor [`REGISTRY`](Self::REGISTRY).
    pub fn parse(text: &'a str) -> Result<Self, StoreError> {
        let is_one = ClientId::may_be_stored(text) || text == Self::REGISTRY.0;
        is_one
            .then_some(Self(text))
            .ok_or_else(|| StoreError::with_source(StoreErrorKind::Corrupt, "not the ID of a record"))
    }

    /// The ID as text: 8 to 64 characters of `[A-Za-z0-9._-]` for a client.
    #[must_use]
    pub fn as_str(&self) -> &'a str {
        self.0
    }

    /// The client's ID, unless it is [reserved](Self::is_reserved).
    #[must_use]
    pub fn client_id(&self) -> Option<ClientId> {
        ClientId::stored(self.0).ok()
    }

    /// Whether it is no client's: such a record has no history, and no look-up or list leads to it.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        self.0.starts_with('~')
    }

    /// Returns the ID of the record of a client whose ID was presented with this text, if it is well formed and does not look
    /// like a client secret.
    pub(crate) fn of_presented(client_id: &'a str) -> Option<Self> {
        ClientId::is_valid(client_id).then_some(Self(client_id))
    }
}

impl<'a> From<&'a ClientId> for RecordId<'a> {
    fn from(client_id: &'a ClientId) -> Self {
        Self(client_id.as_str())
    }
}

impl fmt::Display for RecordId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

/// A client, or what is left of one, as of one revision. Cheap to clone.
///
/// A durable store takes it apart with [`parts`](Self::parts) or [`to_bytes`](Self::to_bytes), keeps the pieces as they
/// are, and puts it together again with [`from_parts`](Self::from_parts) or [`from_bytes`](Self::from_bytes).
#[derive(Clone)]
pub struct Record(Form);

#[derive(Clone)]
enum Form {
    /// Of a registry in memory.
    Live(Opened),
    Sealed(Arc<Sealed>),
}

impl Record {
    pub(crate) fn live(opened: Opened) -> Self {
        Self(Form::Live(opened))
    }

    /// Puts a record together.
    ///
    /// # Errors
    /// [`StoreErrorKind::NewerFormat`] when it is of a format that this version does not know;
    /// [`StoreErrorKind::Corrupt`] when it cannot be a record or has more than [`MAX_RECORD`] bytes. Whether it is one
    /// that was written, the registry finds out when it opens it.
    pub fn from_parts(parts: RecordParts<'_>) -> Result<Self, StoreError> {
        Sealed::new(parts).map(Self::from)
    }

    /// The pieces, to be kept as they are.
    ///
    /// # Errors
    /// [`StoreErrorKind::NotSealed`] when the record is of a registry in memory, which has no keyring.
    pub fn parts(&self) -> Result<RecordParts<'_>, StoreError> {
        self.sealed().map(Sealed::parts)
    }

    /// The same in one piece: see [`RecordParts`] for the layout.
    ///
    /// # Errors
    /// As [`parts`](Self::parts).
    pub fn to_bytes(&self) -> Result<Vec<u8>, StoreError> {
        self.sealed().map(Sealed::to_bytes)
    }

    /// Puts a record together from what [`to_bytes`](Self::to_bytes) made of it.
    ///
    /// # Errors
    /// As [`from_parts`](Self::from_parts).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StoreError> {
        Sealed::from_bytes(bytes).map(Self::from)
    }

    /// Under which it is kept.
    #[must_use]
    pub fn id(&self) -> RecordId<'_> {
        match &self.0 {
            Form::Live(opened) => RecordId::from(opened.client_id()),
            Form::Sealed(sealed) => sealed.id(),
        }
    }

    /// Counts the commits that changed it.
    #[must_use]
    pub fn revision(&self) -> Revision {
        match &self.0 {
            Form::Live(opened) => opened.revision(),
            Form::Sealed(sealed) => sealed.revision(),
        }
    }

    /// The key that protects it; `None` in a registry in memory, which has no keyring.
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
