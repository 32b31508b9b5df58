//! The client ID: the public name of a client (RFC 6749 section 2.2).
//!
//! Two grammars meet here. What callers present is refused if it looks like a client secret, since the two get swapped. What a
//! store has kept is read in a wider grammar, since earlier versions imported such IDs. [`is_our_guid`] is the fast path of
//! every request: measure before touching it.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::value::bytes::all;
use crate::value::id::is_plain;
use crate::value::secret_text::{DEFAULT_PREFIX, could_be_secret};
use crate::value::text::text_value;
use crate::value::{Field, InvalidValue, Problem};

/// A client ID: the public name of a client (RFC 6749 section 2.2). It proves nothing about the caller that presents it.
///
/// The registry issues lowercase version 4 GUIDs. Imported IDs may be 8 to 64 characters of `[A-Za-z0-9._-]`, compared
/// exactly. A GUID in any other spelling (uppercase, braces, no hyphens) is refused, so that no two IDs are the same GUID.
/// A text that looks like a generated client secret, with any prefix, is refused too, since callers confuse the two.
#[derive(Clone)]
pub struct ClientId(Text);

/// The text of a client ID. A GUID, as nearly every one is, lies in place: a copy of it allocates nothing, counts no references, and
/// is compared where it lies. The tag takes a word, since behind a single byte each copy would cut what follows in other pieces,
/// and the processor would wait for the one before.
#[derive(Clone)]
#[repr(u32)]
enum Text {
    Guid([u8; GUID]),
    Other(Arc<str>),
}

impl ClientId {
    /// Parses an ID.
    ///
    /// # Errors
    /// [`InvalidValue`] if the text does not have the form that the documentation of the type gives.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        check_client_id(text)?;
        Ok(Self::of(text))
    }

    /// Returns the text, exactly as it is stored.
    #[must_use]
    #[expect(clippy::expect_used, reason = "unreachable: a GUID is made of `[0-9a-f-]` alone")]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Text::Guid(text) => std::str::from_utf8(text).expect("a GUID is ASCII"),
            Text::Other(text) => text,
        }
    }

    /// Returns the bytes of the text.
    #[inline]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Text::Guid(text) => text,
            Text::Other(text) => text.as_bytes(),
        }
    }

    /// Returns whether these are the bytes of the text.
    #[inline]
    pub(crate) fn is(&self, text: &[u8]) -> bool {
        match &self.0 {
            // The length is known: no call compares the two.
            Text::Guid(own) => <&[u8; GUID]>::try_from(text).is_ok_and(|text| own == text),
            Text::Other(own) => own.as_bytes() == text,
        }
    }

    /// Returns the version 4 GUID of 16 random bytes.
    pub(crate) fn from_random(bytes: [u8; 16]) -> Self {
        let guid = uuid::Builder::from_random_bytes(bytes).into_uuid();
        let mut text = Uuid::encode_buffer();
        Self::of(guid.hyphenated().encode_lower(&mut text))
    }

    /// Returns whether the text is a client ID as the registry issues them. No client secret has that form.
    #[inline]
    pub(crate) fn is_our_guid(text: &str) -> bool {
        is_our_guid(text)
    }

    /// Returns whether a store may hold a record with this ID. Earlier versions imported IDs that look like client secrets.
    pub(crate) fn may_be_stored(text: &str) -> bool {
        check_stored_client_id(text).is_ok()
    }

    /// Parses an ID that a store has kept.
    pub(crate) fn stored(text: &str) -> Result<Self, InvalidValue> {
        check_stored_client_id(text)?;
        Ok(Self::of(text))
    }

    /// Returns the ID of a text that was checked.
    fn of(text: &str) -> Self {
        match text.as_bytes().try_into() {
            Ok(guid) if is_our_guid(text) => Self(Text::Guid(guid)),
            _ => Self(Text::Other(Arc::from(text))),
        }
    }
}

text_value!(@of ClientId, "({})");

impl Borrow<str> for ClientId {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq for ClientId {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for ClientId {}

impl PartialOrd for ClientId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ClientId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

/// As the text, which it borrows as.
impl Hash for ClientId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl Serialize for ClientId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

fn check_client_id(text: &str) -> Result<(), InvalidValue> {
    if is_our_guid(text) {
        return Ok(());
    }
    check_stored_client_id(text)?;
    match could_be_secret(text, DEFAULT_PREFIX) {
        true => Err(InvalidValue::new(Field::ClientId, Problem::ClientSecret)),
        false => Ok(()),
    }
}

fn check_stored_client_id(text: &str) -> Result<(), InvalidValue> {
    if is_our_guid(text) {
        return Ok(());
    }
    let invalid = |problem| Err(InvalidValue::new(Field::ClientId, problem));
    match text.len() {
        0 => return invalid(Problem::Empty),
        1..8 => return invalid(Problem::TooShort { min: 8 }),
        8..=64 => {}
        _ => return invalid(Problem::TooLong { max: 64 }),
    }
    if !all(text.as_bytes(), is_plain)
        && let Some(at) = text.bytes().position(|b| !is_plain(b))
    {
        return invalid(Problem::Character { at });
    }
    let may_be_guid = matches!(text.len(), 32 | 36);
    if may_be_guid && let Ok(guid) = Uuid::try_parse(text) {
        let mut ours = Uuid::encode_buffer();
        if *guid.hyphenated().encode_lower(&mut ours) != *text {
            return invalid(Problem::Form("is a GUID that is not in lowercase with hyphens"));
        }
    }
    Ok(())
}

/// Returns whether the text is a GUID in the one spelling that is a client ID, which nearly every presented ID is. There is no
/// branch per character, so that the compiler looks at many at once.
#[inline]
fn is_our_guid(text: &str) -> bool {
    const SHAPE: [u8; GUID] = *b"xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    let Ok(text) = <[u8; GUID]>::try_from(text.as_bytes()) else {
        return false;
    };
    text.into_iter().zip(SHAPE).fold(true, |so_far, (b, shape)| {
        let digit = b.is_ascii_digit() | matches!(b, b'a'..=b'f');
        so_far & ((b == b'-') == (shape == b'-')) & (digit | (b == b'-'))
    })
}

/// Deserializes a client ID that was stored as JSON, in the wider grammar of [`ClientId::stored`].
pub(crate) fn stored_client_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ClientId, D::Error> {
    crate::value::text::deserialize(deserializer, ClientId::stored)
}

/// The length of a GUID in its one spelling.
const GUID: usize = 36;

#[cfg(test)]
mod tests {
    use super::*;

    /// The fast path takes what is such a GUID, and nothing else. Two characters are exchanged at a time, so that no two faults
    /// make up for one another.
    #[test]
    fn the_fast_path_is_for_lowercase_guids_with_hyphens() {
        let guid = "0b54f1a6-3c5e-4b0f-9c3e-6f0d6a1f2e3b";
        assert!(is_our_guid(guid));
        assert!(!is_our_guid(&guid[1..]) && !is_our_guid(&format!("{guid}0")));
        for (first, second) in (0..36).flat_map(|second| (0..=second).map(move |first| (first, second))) {
            for (one, other) in
                b"0fgA- ".iter().flat_map(|one| b"9a/G-.".iter().map(move |other| (*one, *other)))
            {
                let mut text = guid.as_bytes().to_vec();
                (text[first], text[second]) = (one, other);
                let text = String::from_utf8(text).unwrap();
                let is_guid = text.split('-').map(str::len).eq([8, 4, 4, 4, 12])
                    && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f' | b'-'));
                assert_eq!(is_our_guid(&text), is_guid, "{text}");
            }
        }
    }
}
