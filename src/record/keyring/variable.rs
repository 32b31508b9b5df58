//! Reading a keyring from an environment variable. No error repeats what the variable holds (rule 8).

use std::ffi::OsString;
use std::fmt;

use crate::record::Keyring;
use crate::store_error::with_sources;
use crate::value::InvalidValue;
use crate::value::coded::coded;
use crate::value::variable::{self, NoText};

/// The reason why no keyring could be read from an environment variable.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyringVariableError {
    /// The variable is not set.
    #[error("the environment variable {variable} is not set: set it to the text of a keyring")]
    NotSet {
        /// Its name.
        variable: String,
    },
    /// The variable is set but empty, or holds only white space.
    #[error("the environment variable {variable} is empty: set it to the text of a keyring")]
    Empty {
        /// Its name.
        variable: String,
    },
    /// The value of the variable is not Unicode.
    #[error("the environment variable {variable} is not Unicode text: set it to the text of a keyring")]
    NotUnicode {
        /// Its name.
        variable: String,
    },
    /// The value of the variable is not a keyring.
    #[error("the environment variable {variable} does not hold a keyring")]
    Invalid {
        /// Its name.
        variable: String,
        /// What is wrong with the text.
        source: InvalidValue,
    },
}

coded! {
    KeyringVariableError {
        Self::NotSet { .. } => Invalid "variable_not_set",
        Self::Empty { .. } => Invalid "variable_empty",
        Self::NotUnicode { .. } => Invalid "variable_not_unicode",
        Self::Invalid { .. } => Invalid "variable_invalid",
    }
}

/// Prints the code and the words: a `main` that returns the error prints this, and an administrator reads it.
impl fmt::Debug for KeyringVariableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyringVariableError({}): {}", self.code(), with_sources(self))
    }
}

pub(super) fn read(variable: &str) -> Result<Keyring, KeyringVariableError> {
    parse(variable, std::env::var_os(variable))
}

/// Parses the value of a variable, and wipes it whatever it is.
fn parse(variable: &str, value: Option<OsString>) -> Result<Keyring, KeyringVariableError> {
    let text = variable::text(value);
    let variable = variable::shown(variable).unwrap_or("of that name").to_owned();
    match text {
        Ok(text) => {
            Keyring::parse(&text).map_err(|source| KeyringVariableError::Invalid { variable, source })
        }
        Err(NoText::NotSet) => Err(KeyringVariableError::NotSet { variable }),
        Err(NoText::Empty) => Err(KeyringVariableError::Empty { variable }),
        Err(NoText::NotUnicode) => Err(KeyringVariableError::NotUnicode { variable }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYRING: &str = "2026:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    #[test]
    fn what_is_wrong_with_a_variable_is_said_with_its_name() {
        let keyring = parse("KEYS", Some(format!(" {KEYRING}\n").into())).unwrap();
        assert_eq!(keyring.primary().as_str(), "2026");
        for (value, says) in [
            (None, "the environment variable KEYS is not set"),
            (Some(""), "the environment variable KEYS is empty"),
            (Some(" \n"), "the environment variable KEYS is empty"),
            (Some("2026"), "the environment variable KEYS does not hold a keyring"),
        ] {
            let error = parse("KEYS", value.map(OsString::from)).unwrap_err();
            assert!(error.to_string().starts_with(says), "{error}");
        }
        let error = read("CLIENT_REGISTRY_NO_SUCH_VARIABLE").unwrap_err();
        assert!(error.to_string().contains("CLIENT_REGISTRY_NO_SUCH_VARIABLE is not set: set it"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn bytes_that_are_not_unicode_are_called_so_and_not_repeated() {
        use std::os::unix::ffi::OsStringExt;
        let value = [KEYRING.as_bytes(), b"\xff"].concat();
        let error = parse("KEYS", Some(OsString::from_vec(value))).unwrap_err();
        assert_eq!(error, KeyringVariableError::NotUnicode { variable: "KEYS".to_owned() });
        assert!(!format!("{error} {error:?}").contains("AAECAw"));
    }

    /// What the variable holds, passed as its name.
    #[test]
    fn a_name_that_is_none_is_not_repeated() {
        let error = parse(KEYRING, None).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("AAECAw"), "{error}");
        let secret = crate::value::secret_text::write("crs", &[7; 32]);
        let error = parse(&secret, None).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(&secret[4..12]), "{error}");
    }
}
