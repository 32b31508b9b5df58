//! Attributes: a few strings that an application attaches to a client (rule 24).
//!
//! They are for scopes, networks and environments. The crate gives them no meaning: it checks their size, keeps them with the
//! client, and returns them when the client authenticates. They are as public as a label.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::value::redacted::redact;
use crate::value::secret_text::shown;
use crate::value::{Field, InvalidValue, Problem};

/// The attributes of a client: strings by key, as the application gave them (rule 24).
///
/// A key has 1 to 64 characters, and a value up to 512, without control characters. All keys and values together have at most
/// 4 KiB of UTF-8. Their JSON is an object of strings.
///
/// ```
/// use client_registry::value::Attributes;
///
/// let attributes = Attributes::new([("scopes", "calendar.read calendar.write"), ("environment", "test")])?;
/// assert_eq!(attributes.get("environment"), Some("test"));
/// assert_eq!(attributes.get("network"), None);
/// # Ok::<(), client_registry::InvalidValue>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Attributes(BTreeMap<Box<str>, Box<str>>);

impl Attributes {
    /// No attributes.
    pub(crate) const NONE: Self = Self(BTreeMap::new());

    /// Checks keys and values.
    ///
    /// # Errors
    /// [`InvalidValue`] if a key is empty, too long or given twice, if a value is too long or all together are, or if one has a
    /// control character.
    pub fn new<K: AsRef<str>, V: AsRef<str>>(
        attributes: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self, InvalidValue> {
        let mut checked = Self::default();
        let mut bytes = 0;
        for (key, value) in attributes {
            checked.add(key.as_ref(), value.as_ref(), &mut bytes)?;
        }
        Ok(checked)
    }

    /// Returns these attributes with the value of one key replaced or added.
    ///
    /// ```
    /// # use client_registry::value::Attributes;
    /// let attributes = Attributes::new([("environment", "test")])?.with("environment", "production")?;
    /// assert_eq!(attributes.get("environment"), Some("production"));
    /// # Ok::<(), client_registry::InvalidValue>(())
    /// ```
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with(&self, key: &str, value: &str) -> Result<Self, InvalidValue> {
        Self::new(self.iter().filter(|(other, _)| *other != key).chain([(key, value)]))
    }

    /// Returns the value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(|value| &**value)
    }

    /// Returns keys and values, in the order of the keys' bytes.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (&**key, &**value))
    }

    /// Returns the number of attributes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn add(&mut self, key: &str, value: &str, bytes: &mut usize) -> Result<(), InvalidValue> {
        let invalid = |problem| Err(InvalidValue::new(Field::Attributes, problem));
        if key.is_empty() {
            return invalid(Problem::Form("have an empty key"));
        }
        // A character has at most four bytes, so a megabyte is refused without being read.
        if key.len() > 4 * MAX_KEY || key.chars().count() > MAX_KEY {
            return invalid(Problem::Form("have a key of more than 64 characters"));
        }
        if value.len() > 4 * MAX_VALUE || value.chars().count() > MAX_VALUE {
            return invalid(Problem::Form("have a value of more than 512 characters"));
        }
        if key.chars().chain(value.chars()).any(char::is_control) {
            return invalid(Problem::Form("have a control character"));
        }
        *bytes += key.len() + value.len();
        if *bytes > MAX_BYTES {
            return invalid(Problem::Form("have more than 4 KiB together"));
        }
        match self.0.insert(Box::from(key), Box::from(value)) {
            None => Ok(()),
            Some(_) => invalid(Problem::Form("name a key twice")),
        }
    }
}

impl Serialize for Attributes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

/// Checks each attribute as it is read, so that no more than one is in memory before it is known to be short enough.
impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Attributes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of strings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Attributes, A::Error> {
                let (mut attributes, mut bytes) = (Attributes::default(), 0);
                while let Some((key, value)) = members.next_entry::<String, String>()? {
                    attributes.add(&key, &value, &mut bytes).map_err(A::Error::custom)?;
                }
                Ok(attributes)
            }
        }

        deserializer.deserialize_map(Members).map_err(|error| redact(error, "attributes"))
    }
}

/// Without what looks like a client secret: values are logged before a command has refused them.
impl fmt::Debug for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(key, value)| (shown(key), shown(value)))).finish()
    }
}

const MAX_KEY: usize = 64;
const MAX_VALUE: usize = 512;
/// The most bytes of all keys and values.
const MAX_BYTES: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(attributes: &[(&str, &str)]) -> Option<Problem> {
        Attributes::new(attributes.iter().copied()).err().map(|error| error.problem())
    }

    #[test]
    fn rule_24_keys_and_values_have_limits() {
        let (key, value) = ("\u{e9}".repeat(64), "\u{1f4c5}".repeat(512));
        assert_eq!(problem(&[(&key, &value)]), None);
        assert_eq!(problem(&[("a", ""), ("A", "")]), None);
        assert!(problem(&[("", "x")]).is_some());
        assert!(problem(&[(&format!("{key}a"), "")]).is_some());
        assert!(problem(&[("a", &format!("{value}a"))]).is_some());
        assert!(problem(&[("a\nb", "")]).is_some());
        assert!(problem(&[("a", "\0")]).is_some());
        assert!(problem(&[("a", "1"), ("b", ""), ("a", "1")]).is_some());

        let eight: Vec<_> = (0..8).map(|n| (format!("key{n}"), "x".repeat(508))).collect();
        let mut eight: Vec<_> = eight.iter().map(|(key, value)| (&**key, &**value)).collect();
        assert_eq!(problem(&eight), None);
        eight.push(("k", ""));
        assert_eq!(problem(&eight), Some(Problem::Form("have more than 4 KiB together")));
    }

    #[test]
    fn json_is_an_object_of_strings_and_checked() {
        let attributes = Attributes::new([("b", "2"), ("a", "1")]).unwrap();
        assert_eq!(serde_json::to_string(&attributes).unwrap(), r#"{"a":"1","b":"2"}"#);
        assert_eq!(serde_json::from_str::<Attributes>(r#"{"b":"2","a":"1"}"#).unwrap(), attributes);
        for bad in [r#"{"a":1}"#, r#"{"":"x"}"#, r#"{"a":"1","a":"2"}"#, "[]", r#"[["a","1"]]"#, "null"] {
            assert!(serde_json::from_str::<Attributes>(bad).is_err(), "{bad}");
        }
    }
}
