//! The bytes of a record: the readable parts and the sealed part, in one piece or in several.
//!
//! This is a stored format: it must not change. A length is checked before anything is allocated, so a damaged record cannot
//! exhaust the memory.

use std::fmt;

use super::RecordId;
use crate::store_error::{StoreError, StoreErrorKind};
use crate::value::{KeyId, Revision};

/// The parts of a record.
///
/// In one piece they follow one another, with numbers in big-endian order: format (2 bytes), registry ID (16), revision (8),
/// length of the ID (1) and ID, length of the key ID (1) and key ID, length of the body (4) and body, length of the sealed part
/// (4) and sealed part. Everything before the length of the sealed part is authenticated with it.
///
/// Exhaustive on purpose: a store that leaves a part out cannot return the record.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RecordParts<'a> {
    /// The format of the body and the sealed part.
    pub format: u16,
    /// The registry that wrote the record.
    pub registry_id: [u8; 16],
    /// The ID under which the record is kept.
    pub id: RecordId<'a>,
    /// The number of commits that changed the record.
    pub revision: Revision,
    /// The key that protects the record.
    pub key_id: &'a KeyId,
    /// JSON with details, dates and states, from which no client secret can be computed. A store keeps exactly these bytes.
    pub body: &'a str,
    /// The encrypted verifiers and signing keys.
    pub sealed: &'a [u8],
}

impl RecordParts<'_> {
    /// Returns the size in one piece, in bytes.
    pub(crate) fn size(&self) -> usize {
        HEAD + self.id.as_str().len() + self.key_id.as_str().len() + self.body.len() + self.sealed.len()
    }
}

impl fmt::Debug for RecordParts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordParts")
            .field("id", &self.id.as_str())
            .field("revision", &self.revision)
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

/// A record as a durable store keeps it.
pub(crate) struct Sealed {
    format: u16,
    registry_id: [u8; 16],
    id: Box<str>,
    revision: Revision,
    key_id: KeyId,
    body: Box<str>,
    sealed: Box<[u8]>,
}

impl Sealed {
    pub(crate) fn new(parts: RecordParts<'_>) -> Result<Self, StoreError> {
        check_format(parts.format)?;
        if parts.size() > MAX_RECORD {
            return Err(corrupt("a record has more than 64 KiB"));
        }
        let RecordParts { format, registry_id, id, revision, key_id, body, sealed } = parts;
        Ok(Self {
            format,
            registry_id,
            id: id.as_str().into(),
            revision,
            key_id: key_id.clone(),
            body: body.into(),
            sealed: sealed.into(),
        })
    }

    pub(crate) fn id(&self) -> RecordId<'_> {
        RecordId(self.id.as_bytes())
    }

    pub(crate) fn registry_id(&self) -> [u8; 16] {
        self.registry_id
    }

    pub(crate) fn revision(&self) -> Revision {
        self.revision
    }

    pub(crate) fn key_id(&self) -> &KeyId {
        &self.key_id
    }

    pub(crate) fn body(&self) -> &str {
        &self.body
    }

    pub(crate) fn sealed(&self) -> &[u8] {
        &self.sealed
    }

    pub(crate) fn parts(&self) -> RecordParts<'_> {
        RecordParts {
            format: self.format,
            registry_id: self.registry_id,
            id: self.id(),
            revision: self.revision,
            key_id: &self.key_id,
            body: &self.body,
            sealed: &self.sealed,
        }
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = readable(&self.parts());
        bytes.extend(length(self.sealed.len()));
        bytes.extend_from_slice(&self.sealed);
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, StoreError> {
        if bytes.len() > MAX_RECORD {
            return Err(corrupt("a record has more than 64 KiB"));
        }
        let mut rest = Rest(bytes);
        let format = u16::from_be_bytes(rest.array()?);
        check_format(format)?;
        let registry_id = rest.array()?;
        let revision = Revision::new(u64::from_be_bytes(rest.array()?));
        let id = rest.short_text()?;
        let key_id = KeyId::parse(rest.short_text()?).map_err(corrupt)?;
        let body = rest.long()?;
        let body = str::from_utf8(body).map_err(corrupt)?;
        let sealed = rest.long()?;
        if !rest.0.is_empty() {
            return Err(corrupt("something follows the record"));
        }
        let id = RecordId::parse(id)?;
        Self::new(RecordParts { format, registry_id, id, revision, key_id: &key_id, body, sealed })
    }
}

/// Returns the bytes that are authenticated with the sealed part.
#[expect(clippy::expect_used, reason = "unreachable: client IDs and key IDs are at most 64 characters")]
pub(super) fn readable(parts: &RecordParts<'_>) -> Vec<u8> {
    let RecordParts { format, registry_id, id, revision, key_id, body, sealed: _ } = parts;
    let mut bytes = Vec::with_capacity(parts.size());
    bytes.extend(format.to_be_bytes());
    bytes.extend(registry_id);
    bytes.extend(revision.number().to_be_bytes());
    for text in [id.as_str(), key_id.as_str()] {
        bytes.push(u8::try_from(text.len()).expect("an ID has at most 64 characters"));
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes.extend(length(body.len()));
    bytes.extend_from_slice(body.as_bytes());
    bytes
}

/// The bytes that have not been read yet.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], StoreError> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or_else(|| corrupt("a record is cut short"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], StoreError> {
        self.take(N)?.try_into().map_err(corrupt)
    }

    fn short_text(&mut self) -> Result<&'a str, StoreError> {
        let [len] = self.array()?;
        str::from_utf8(self.take(len.into())?).map_err(corrupt)
    }

    fn long(&mut self) -> Result<&'a [u8], StoreError> {
        let len = u32::from_be_bytes(self.array()?);
        self.take(usize::try_from(len).map_err(corrupt)?)
    }
}

fn check_format(format: u16) -> Result<(), StoreError> {
    match format {
        1..=FORMAT => Ok(()),
        0 => Err(corrupt("there is no format 0")),
        _ => Err(StoreError::new(StoreErrorKind::NewerFormat)),
    }
}

#[expect(
    clippy::expect_used,
    reason = "unreachable: the texts of a record are bounded, and with them its size"
)]
fn length(len: usize) -> [u8; 4] {
    u32::try_from(len).expect("a part of a record is shorter than 4 GiB").to_be_bytes()
}

fn corrupt(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
    StoreError::with_source(StoreErrorKind::Corrupt, source)
}

/// The maximum size of a record in bytes.
pub const MAX_RECORD: usize = 64 * 1024;
/// The maximum size that ordinary commands give a record, in bytes. The rest is left to those that remove a secret.
pub(crate) const ORDINARY_RECORD: usize = 60 * 1024;
/// The format in which this version writes. It reads that one and all before it. Format 2 has what a client gives up in a
/// rotation, ends that were moved, suspension, transfer and attributes (rules 11 and 20 to 24).
pub(super) const FORMAT: u16 = 2;
/// The bytes of a record besides IDs, body and sealed part.
const HEAD: usize = 2 + 16 + 8 + 1 + 1 + 4 + 4;
