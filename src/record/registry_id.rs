//! The ID of a registry, by which a node refuses another registry's store.

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;

use crate::value::{Field, InvalidValue, Problem};

/// The ID of a registry: 16 random bytes, drawn when it was made. Its text form is 32 lowercase hexadecimal digits.
///
/// It is public, stands in every record, and stays the same when the registry moves to another store. An application that has
/// it in its configuration can [expect](crate::RegistryBuilder::expect_registry) its own registry and refuse any other.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RegistryId([u8; 16]);

impl RegistryId {
    pub(crate) fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Parses a registry ID.
    ///
    /// # Errors
    /// [`InvalidValue`] if the text is not 32 lowercase hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        let mut bytes = [0; 16];
        let is_one = HEXLOWER.decode_len(text.len()) == Ok(16)
            && HEXLOWER.decode_mut(text.as_bytes(), &mut bytes).is_ok();
        match is_one {
            true => Ok(Self(bytes)),
            false => Err(InvalidValue::new(
                Field::RegistryId,
                Problem::Form("is not 32 lowercase hexadecimal digits"),
            )),
        }
    }

    /// Returns the 16 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl FromStr for RegistryId {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        Self::parse(text)
    }
}

impl fmt::Display for RegistryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        HEXLOWER.encode_display(&self.0).fmt(f)
    }
}

impl fmt::Debug for RegistryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RegistryId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_text_is_its_bytes_in_lowercase() {
        let text = "000102030405060708090a0b0c0d0eff";
        let id = RegistryId::parse(text).unwrap();
        assert_eq!(*id.as_bytes(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255]);
        assert_eq!((id.to_string(), format!("{id:?}")), (text.to_owned(), format!("RegistryId({text})")));
        for bad in
            ["", &text[1..], &text[2..], &text.to_uppercase(), &format!("{text}00"), &text.replace('a', "g")]
        {
            assert_eq!(RegistryId::parse(bad).unwrap_err().field(), Field::RegistryId, "{bad}");
        }
    }
}
