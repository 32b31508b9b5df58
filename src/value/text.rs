//! What all values that are a checked text share: conversions, `Display`, and reading from JSON without copying or repeating
//! the text.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserializer;
use serde::de::{Error, Visitor};

use crate::value::redacted::redact;

/// Deserializes a value from a string in place: nothing is copied before the string is known to be valid, and no error repeats
/// it.
pub(crate) fn deserialize<'de, D, T, E>(
    deserializer: D,
    parse: fn(&str) -> Result<T, E>,
) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    E: fmt::Display,
{
    struct Text<T, E>(fn(&str) -> Result<T, E>, PhantomData<T>);

    impl<T, E: fmt::Display> Visitor<'_> for Text<T, E> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_str<F: Error>(self, text: &str) -> Result<T, F> {
            (self.0)(text).map_err(F::custom)
        }
    }

    deserializer.deserialize_str(Text(parse, PhantomData)).map_err(|error| redact(error, "text"))
}

/// Implements the conversions, `Display` and `Debug` of a value that is a text checked by its `parse`.
macro_rules! text_value {
    ($name:ident, $debug:literal) => {
        impl $name {
            /// Returns the text, exactly as it is stored.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        crate::value::text::text_value!(@of $name, $debug);
    };
    // Of a value with an `as_str` of its own.
    (@of $name:ident, $debug:literal) => {
        impl FromStr for $name {
            type Err = InvalidValue;

            fn from_str(text: &str) -> Result<Self, InvalidValue> {
                Self::parse(text)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::value::text::deserialize(deserializer, Self::parse)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        /// Without what looks like a client secret: values are logged before a command has refused them.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), $debug), crate::value::secret_text::shown(self.as_str()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}
pub(crate) use text_value;
