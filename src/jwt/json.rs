//! The JSON of a header or of claims, read strictly: an object, in which no object has a member twice.
//!
//! Readers differ in which of two members counts, so a text with two means one thing to the signer and another to the verifier
//! (RFC 8725 section 2.4).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};

use crate::value::Timestamp;

/// The members of a header or of claims.
pub(super) struct Members(BTreeMap<String, Member>);

/// The value of a member, as far as a verifier needs it.
enum Member {
    Text(String),
    Texts(Vec<String>),
    /// A `NumericDate`.
    Date(Timestamp),
    Other,
}

impl Members {
    /// Reads the members of an object; `None` if the text is none, if a member stands twice, or if a date is no number.
    pub(super) fn read(json: &[u8]) -> Option<Self> {
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        let members = deserializer.deserialize_map(ReadMembers).ok()?;
        deserializer.end().is_ok().then_some(members)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Returns the text of a member that is one.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.0.get(name)? {
            Member::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns whether a member is this text, or a list of texts with it.
    pub(super) fn names(&self, name: &str, wanted: &str) -> bool {
        match self.0.get(name) {
            Some(Member::Text(text)) => text == wanted,
            Some(Member::Texts(texts)) => texts.iter().any(|text| text == wanted),
            _ => false,
        }
    }

    /// Returns the instant of a member that is one of [`DATES`].
    pub(super) fn date(&self, name: &str) -> Option<Timestamp> {
        match self.0.get(name)? {
            Member::Date(date) => Some(*date),
            _ => None,
        }
    }
}

/// Reads the members of an object.
struct ReadMembers;

impl<'de> Visitor<'de> for ReadMembers {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = BTreeMap::new();
        while let Some(name) = map.next_key::<String>()? {
            let member = match DATES.contains(&&*name) {
                true => Member::Date(instant(map.next_value()?)),
                false => map.next_value_seed(ReadMember)?,
            };
            if members.insert(name, member).is_some() {
                return Err(A::Error::custom(TWICE));
            }
        }
        Ok(Members(members))
    }
}

/// Reads the value of a member, whatever it is.
struct ReadMember;

impl<'de> DeserializeSeed<'de> for ReadMember {
    type Value = Member;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Member, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ReadMember {
    type Value = Member;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Member, E> {
        Ok(Member::Text(text.to_owned()))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Member, E> {
        Ok(Member::Other)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Member, E> {
        Ok(Member::Other)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Member, E> {
        Ok(Member::Other)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Member, E> {
        Ok(Member::Other)
    }

    fn visit_unit<E: Error>(self) -> Result<Member, E> {
        Ok(Member::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Member, A::Error> {
        let mut texts = Some(Vec::new());
        while let Some(item) = items.next_element_seed(ReadMember)? {
            match (item, &mut texts) {
                (Member::Text(text), Some(texts)) => texts.push(text),
                _ => texts = None,
            }
        }
        Ok(texts.map_or(Member::Other, Member::Texts))
    }

    /// Also what `serde_json` shows of a number, if another crate has turned on its feature `arbitrary_precision`.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Member, A::Error> {
        let mut names = BTreeSet::new();
        while let Some(name) = map.next_key::<String>()? {
            map.next_value_seed(ReadMember)?;
            if !names.insert(name) {
                return Err(A::Error::custom(TWICE));
            }
        }
        Ok(Member::Other)
    }
}

/// Returns the instant of a `NumericDate` (RFC 7519 section 2), which may have a fraction, at most at the ends of the calendar.
#[expect(clippy::cast_possible_truncation, reason = "it saturates, and so does the calendar")]
fn instant(seconds: f64) -> Timestamp {
    let millis = (seconds * 1000.0).floor() as i64;
    let bounded = millis.clamp(Timestamp::MIN.as_millis(), Timestamp::MAX.as_millis());
    Timestamp::from_millis(bounded).unwrap_or(Timestamp::MAX)
}

/// The members that are a `NumericDate` (RFC 7519 section 4.1).
const DATES: [&str; 3] = ["exp", "iat", "nbf"];
const TWICE: &str = "a member stands twice";
