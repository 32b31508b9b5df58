//! Who and what a record is about: client IDs, secret IDs, add-ins, sellers, operators.
//!
//! Every ID is parsed once and compared exactly. A client ID is public; that it is well formed says nothing about
//! who presents it.

use std::borrow::Borrow;
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

use crate::value::redacted::redacted;
use crate::value::secret_text::{DEFAULT_PREFIX, could_be_secret};
use crate::value::text::text_value;
use crate::value::{Availability, Field, InvalidValue, Problem};

/// Declares an ID that is a text: parsed by `$check`, cheap to clone, the same text in `Display` and in JSON.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $check:path) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Parses the text.
            ///
            /// # Errors
            /// [`InvalidValue`] when the text is not in the form that the type's documentation gives.
            pub fn parse(text: &str) -> Result<Self, InvalidValue> {
                $check(text)?;
                Ok(Self(Arc::from(text)))
            }
        }

        text_value!($name, "({})");

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

text_id! {
    /// The public name of a client (RFC 6749 section 2.2).
    ///
    /// Ours are lowercase GUIDs, version 4. Imported ones may be 8 to 64 characters of `[A-Za-z0-9._-]`, compared
    /// exactly. A GUID in any other spelling (uppercase, braces, no hyphens) is refused, so that no two IDs are the
    /// same GUID. So is what looks like a generated client secret, of whatever prefix: callers swap the two.
    ClientId, check_client_id
}

text_id! {
    /// The account that owns client IDs. The application has authenticated it.
    ///
    /// 1 to 128 printable ASCII characters without spaces, compared exactly.
    SellerId, check_seller_id
}

text_id! {
    /// Somebody who runs the platform and may act on every client ID.
    ///
    /// 1 to 128 printable ASCII characters without spaces, compared exactly.
    OperatorId, check_operator_id
}

text_id! {
    /// The ID of an add-in, as the application knows it.
    ///
    /// 1 to 128 printable ASCII characters without spaces, compared exactly.
    AddInId, check_add_in_id
}

text_id! {
    /// The name of a key of a [`Keyring`](crate::Keyring). Public: it stands beside each record that the key protects.
    ///
    /// 1 to 32 characters of `[A-Za-z0-9._-]`, compared exactly. A date or a number is a good one.
    KeyId, check_key_id
}

impl ClientId {
    /// A version 4 GUID of 16 random bytes.
    pub(crate) fn from_random(bytes: [u8; 16]) -> Self {
        let guid = uuid::Builder::from_random_bytes(bytes).into_uuid();
        let mut text = Uuid::encode_buffer();
        Self(Arc::from(&*guid.hyphenated().encode_lower(&mut text)))
    }

    /// Whether the text is a client ID, without keeping it.
    #[inline]
    pub(crate) fn is_valid(text: &str) -> bool {
        check_client_id(text).is_ok()
    }

    /// Whether a store may hold a record of this ID. Earlier versions imported IDs that look like client secrets.
    pub(crate) fn may_be_stored(text: &str) -> bool {
        check_stored_client_id(text).is_ok()
    }

    /// Reads back an ID that a store has kept.
    pub(crate) fn stored(text: &str) -> Result<Self, InvalidValue> {
        check_stored_client_id(text)?;
        Ok(Self(Arc::from(text)))
    }
}

redacted! {
    /// The number of a secret within its client: 1 for the first, never reused.
    #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
    #[serde(transparent)]
    pub struct SecretId(#[serde(deserialize_with = "secret_number")] NonZeroU32);
}

impl SecretId {
    /// The secret with this number, or `None` for zero.
    #[must_use]
    pub const fn new(number: u32) -> Option<Self> {
        match NonZeroU32::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The number, from 1 upwards.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0.get()
    }

    /// The ID that follows `last`, or `None` when all 2^32 - 1 are used up.
    pub(crate) fn after(last: Option<Self>) -> Option<Self> {
        match last {
            None => Some(Self(NonZeroU32::MIN)),
            Some(Self(number)) => number.checked_add(1).map(Self),
        }
    }
}

impl FromStr for SecretId {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let invalid = |problem| InvalidValue::new(Field::SecretId, problem);
        if text.is_empty() {
            return Err(invalid(Problem::Empty));
        }
        if text.len() > 10 {
            return Err(invalid(Problem::TooLong { max: 10 }));
        }
        if let Some(at) = text.bytes().position(|b| !b.is_ascii_digit()) {
            return Err(invalid(Problem::Character { at }));
        }
        if text.starts_with('0') {
            return Err(invalid(Problem::Form("begins with a zero")));
        }
        let number = text.parse().map_err(|_| invalid(Problem::Form("is too large")))?;
        Ok(Self(number))
    }
}

impl fmt::Display for SecretId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for SecretId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretId({})", self.0)
    }
}

/// Reads the number. An error of serde's own would repeat a text that stands in its place.
fn secret_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NonZeroU32, D::Error> {
    let invalid = InvalidValue::new(Field::SecretId, Problem::Form("is not such a number"));
    NonZeroU32::deserialize(deserializer).map_err(|_| serde::de::Error::custom(invalid))
}

redacted! {
    /// An add-in: what a client ID is associated with (rule 1). The application vouches that the actor owns it.
    #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
    pub struct AddIn {
        id: AddInId,
        availability: Availability,
    }
}

impl AddIn {
    /// The add-in with this ID; its availability never changes (rule 2).
    ///
    /// # Errors
    /// [`InvalidValue`] when the ID is not 1 to 128 printable ASCII characters without spaces.
    pub fn new(id: &str, availability: Availability) -> Result<Self, InvalidValue> {
        Ok(Self { id: AddInId::parse(id)?, availability })
    }

    /// The add-in's ID.
    #[must_use]
    pub fn id(&self) -> &AddInId {
        &self.id
    }

    /// Where the add-in is offered.
    #[must_use]
    pub fn availability(&self) -> Availability {
        self.availability
    }
}

redacted! {
    /// The seller or operator behind a command; every event names one (rule 16).
    ///
    /// Exhaustive on purpose: whoever decides what an actor may do has to decide it for each.
    #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Actor {
        /// A seller, who sees and touches only its own client IDs (rule 15).
        Seller(SellerId),
        /// An operator, who may act on every client ID.
        Operator(OperatorId),
    }
}

impl Actor {
    /// Whether the actor may see and change what `owner` owns (rule 15).
    #[must_use]
    pub fn may_act_for(&self, owner: &SellerId) -> bool {
        match self {
            Self::Seller(seller) => seller == owner,
            Self::Operator(_) => true,
        }
    }

    pub(crate) fn is_operator(&self) -> bool {
        matches!(self, Self::Operator(_))
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seller(id) => write!(f, "seller {id}"),
            Self::Operator(id) => write!(f, "operator {id}"),
        }
    }
}

#[inline]
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
    if let Some(at) = text.bytes().position(|b| !is_plain(b)) {
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

/// Whether the text is a GUID in the one spelling that is a client ID: what nearly everybody presents, seen at a
/// glance. No branch for any character, so that many are looked at together.
#[inline]
fn is_our_guid(text: &str) -> bool {
    const SHAPE: [u8; 36] = *b"xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    let Ok(text) = <[u8; 36]>::try_from(text.as_bytes()) else {
        return false;
    };
    text.into_iter().zip(SHAPE).fold(true, |so_far, (b, shape)| {
        let digit = b.is_ascii_digit() | matches!(b, b'a'..=b'f');
        so_far & ((b == b'-') == (shape == b'-')) & (digit | (b == b'-'))
    })
}

/// For members of what is kept as JSON: an ID that was good enough once is read back.
pub(crate) fn stored_client_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ClientId, D::Error> {
    crate::value::text::deserialize(deserializer, ClientId::stored)
}

fn check_seller_id(text: &str) -> Result<(), InvalidValue> {
    check_account_id(Field::SellerId, text)
}

fn check_operator_id(text: &str) -> Result<(), InvalidValue> {
    check_account_id(Field::OperatorId, text)
}

fn check_add_in_id(text: &str) -> Result<(), InvalidValue> {
    check_account_id(Field::AddInId, text)
}

fn check_key_id(text: &str) -> Result<(), InvalidValue> {
    let invalid = |problem| Err(InvalidValue::new(Field::KeyId, problem));
    match text.len() {
        0 => return invalid(Problem::Empty),
        1..=32 => {}
        _ => return invalid(Problem::TooLong { max: 32 }),
    }
    match text.bytes().position(|b| !is_plain(b)) {
        Some(at) => invalid(Problem::Character { at }),
        None => Ok(()),
    }
}

/// What client IDs and key IDs are made of.
fn is_plain(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-')
}

fn check_account_id(field: Field, text: &str) -> Result<(), InvalidValue> {
    let invalid = |problem| Err(InvalidValue::new(field, problem));
    if text.is_empty() {
        return invalid(Problem::Empty);
    }
    if text.len() > 128 {
        return invalid(Problem::TooLong { max: 128 });
    }
    match text.bytes().position(|b| !b.is_ascii_graphic()) {
        Some(at) => invalid(Problem::Character { at }),
        None => Ok(()),
    }
}
