//! The error of a ring's configuration. It names the place, and repeats nothing of what is there (rule 8).

use std::fmt;

use crate::store_error::with_sources;
use crate::value::coded::coded;
use crate::value::{Field, InvalidValue, variable};

/// The reason why a [`SecretRing`](crate::SecretRing) could not be made or reloaded. It repeats nothing of a client secret.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RingConfigError {
    /// The variable is not set, or the file does not exist.
    #[error("{place} {}: put the {field} there", place.is_missing())]
    Missing {
        /// Where the value should be.
        place: Place,
        /// What should be there.
        field: Field,
    },
    /// The variable or the file is empty, or holds only white space.
    #[error("{place} is empty: put the {field} there")]
    Empty {
        /// Where the value should be.
        place: Place,
        /// What should be there.
        field: Field,
    },
    /// The value of the variable is not Unicode, or the file is not UTF-8.
    #[error("{place} does not hold UTF-8 text: write the {field} there as UTF-8")]
    NotUnicode {
        /// Where the value is.
        place: Place,
        /// What should be there.
        field: Field,
    },
    /// The file has more than 4 KiB. It was not read.
    #[error("{place} has more than 4 KiB: put the client secret there, and nothing else")]
    TooLarge {
        /// The file.
        place: Place,
    },
    /// It is a directory, a pipe or a device.
    #[error("{place} is not a regular file: name a file that holds the client secret")]
    NotAFile {
        /// The file.
        place: Place,
    },
    /// The file could not be read.
    #[error("{place} could not be read ({problem}): check that this process may read it")]
    Unreadable {
        /// The file.
        place: Place,
        /// What the operating system answered.
        problem: std::io::ErrorKind,
    },
    /// The variable or the file holds a text that is not valid. The source of the error says why.
    #[error("{place} does not hold a valid {field}")]
    Invalid {
        /// Where the value is.
        place: Place,
        /// What should be there.
        field: Field,
        /// What is wrong with the value.
        source: InvalidValue,
    },
    /// A client secret is given in a variable, and in a file that another variable names.
    #[error("the environment variables {} and {} are both set: unset one of them", variables[0], variables[1])]
    SetTwice {
        /// The names of the two variables.
        variables: [&'static str; 2],
    },
}

coded! {
    RingConfigError {
        Self::Missing { .. } => Invalid "source_missing",
        Self::Empty { .. } => Invalid "source_empty",
        Self::NotUnicode { .. } => Invalid "source_not_unicode",
        Self::TooLarge { .. } => Invalid "source_too_large",
        Self::NotAFile { .. } => Invalid "source_not_a_file",
        Self::Unreadable { .. } => Unavailable "source_unreadable",
        Self::Invalid { .. } => Invalid "source_invalid",
        Self::SetTwice { .. } => Invalid "source_set_twice",
    }
}

/// Prints the code and the words: a `main` that returns the error prints this, and an administrator reads it.
impl fmt::Debug for RingConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RingConfigError({}): {}", self.code(), with_sources(self))
    }
}

/// The place that a [`RingConfigError`] is about. A name that could be a client secret is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// An environment variable, by its name.
    Variable(Option<String>),
    /// A file, by its path.
    File(Option<String>),
}

impl Place {
    pub(super) fn variable(name: &str) -> Self {
        Self::Variable(variable::shown(name).map(str::to_owned))
    }

    fn is_missing(&self) -> &'static str {
        match self {
            Self::Variable(_) => "is not set",
            Self::File(_) => "does not exist",
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(Some(name)) => write!(f, "the environment variable {name}"),
            Self::Variable(None) => f.write_str("the environment variable of that name"),
            Self::File(Some(path)) => write!(f, "the file {path}"),
            Self::File(None) => f.write_str("the file at that path"),
        }
    }
}
