//! The value of an environment variable that holds a secret: read without leaving a copy behind, and named without repeating what it
//! holds (rule 8).

use std::ffi::OsString;

use zeroize::Zeroizing;

use crate::value::Policy;
use crate::value::secret_text::could_be_secret;

/// The reason why a variable holds no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoText {
    NotSet,
    /// It is empty, or holds only white space.
    Empty,
    NotUnicode,
}

/// Returns the text of a variable's value, which is wiped whatever it is.
pub(crate) fn text(value: Option<OsString>) -> Result<Zeroizing<String>, NoText> {
    let text = match value.ok_or(NoText::NotSet)?.into_string() {
        Ok(text) => Zeroizing::new(text),
        Err(bytes) => {
            drop(Zeroizing::new(bytes.into_encoded_bytes()));
            return Err(NoText::NotUnicode);
        }
    };
    if text.trim().is_empty() { Err(NoText::Empty) } else { Ok(text) }
}

/// Returns the name of a variable, or `None` if it looks like a value: callers pass the value in place of the name.
pub(crate) fn shown(variable: &str) -> Option<&str> {
    let is_name = variable.len() <= 128 && variable.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let is_secret = could_be_secret(variable, Policy::default().secret_prefix());
    (is_name && !is_secret).then_some(variable)
}
