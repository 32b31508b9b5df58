//! The IDs that are texts chosen by the application: sellers, operators, add-ins, keys.
//!
//! Every ID is parsed once and compared exactly. They are public, printed in logs and stored beside records, so none of them
//! may hold a client secret; commands refuse one that does (rule 8).

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::Serialize;

use crate::value::text::text_value;
use crate::value::{Field, InvalidValue, Problem};

/// Declares an ID that is a text: `$check` parses it, cloning is cheap, and `Display` and JSON show the same text.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $check:path) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Parses an ID.
            ///
            /// # Errors
            /// [`InvalidValue`] if the text does not have the form that the page of this type describes.
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
    /// The ID of a seller: the account that owns client IDs. The application authenticates sellers, and passes their IDs.
    ///
    /// 1 to 128 printable ASCII characters without spaces, compared exactly.
    SellerId, check_seller_id
}

text_id! {
    /// The ID of an operator, who runs the platform and may act on every client ID.
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
    /// The name of a key of a [`Keyring`](crate::Keyring). It is public: it stands beside each record that the key protects.
    ///
    /// 1 to 32 characters of `[A-Za-z0-9._-]`, compared exactly. A date or a number makes a good name.
    KeyId, check_key_id
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

/// Returns whether a byte may stand in a client ID or a key ID.
pub(super) fn is_plain(b: u8) -> bool {
    b.is_ascii_alphanumeric() | matches!(b, b'.' | b'_' | b'-')
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
