//! The reasons why a case ends early, and the checks that end it.

use std::error::Error;
use std::fmt::{Debug, Display};

use crate::client::Refusal;
use crate::conformance::Skip;
use crate::entropy::EntropyError;
use crate::store::CommitError;
use crate::store_error::StoreError;
use crate::value::InvalidValue;

/// The result of a case or of a check.
pub(super) type Checked<T = ()> = Result<T, Stop>;

/// The reason why a case ends early.
pub(super) enum Stop {
    /// The suite could not make the change that it was to write.
    Unprepared(String),
    /// The store broke the contract.
    Failed(String),
    /// A look-up was answered with an error.
    Unanswered(String),
    /// The factory cannot arrange what the case needs.
    Skipped(Skip),
}

impl Stop {
    pub(super) fn failed(what: impl Into<String>) -> Self {
        Self::Failed(what.into())
    }

    /// An error of the suite, not of the store.
    pub(super) fn unprepared(why: &dyn Debug) -> Self {
        Self::Unprepared(format!("{why:?}"))
    }

    /// Adds where the case was.
    pub(super) fn when(self, when: &str) -> Self {
        match self {
            Self::Failed(what) => Self::Failed(format!("{when}: {what}")),
            Self::Unanswered(what) => Self::Unanswered(format!("{when}: {what}")),
            other @ (Self::Unprepared(_) | Self::Skipped(_)) => other,
        }
    }
}

/// Fails with a message unless a condition holds.
macro_rules! ensure {
    ($holds:expr, $($otherwise:tt)+) => {
        if !$holds {
            return Err($crate::conformance::stop::Stop::failed(format!($($otherwise)+)));
        }
    };
}
pub(super) use ensure;

/// Fails unless the found value is the expected one.
pub(super) fn same<T: PartialEq + Debug>(what: &str, found: T, expected: T) -> Checked {
    ensure!(found == expected, "{what}: expected {}, found {}", brief(&expected), brief(&found));
    Ok(())
}

/// Ignores a look-up that was answered with an error: after a failure, a store may refuse to answer until it is opened again.
pub(super) fn is_down(stop: Stop) -> Checked {
    match stop {
        Stop::Unanswered(_) => Ok(()),
        other => Err(other),
    }
}

/// A value in at most 600 characters.
pub(super) fn brief(value: &dyn Debug) -> String {
    const MAX: usize = 600;
    let text = format!("{value:?}");
    match text.char_indices().nth(MAX) {
        None => text,
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}

/// An error with all its sources.
pub(super) fn in_full(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut behind = error.source();
    while let Some(source) = behind {
        text = format!("{text}: {source}");
        behind = source.source();
    }
    text
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Unanswered(format!("the store answered: {}", in_full(&error)))
    }
}

impl From<CommitError> for Stop {
    fn from(error: CommitError) -> Self {
        Self::failed(format!("the store did not acknowledge a commit: {}", in_full(&error)))
    }
}

impl From<Skip> for Stop {
    fn from(skip: Skip) -> Self {
        Self::Skipped(skip)
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::unprepared(&refusal)
    }
}

impl From<InvalidValue> for Stop {
    fn from(invalid: InvalidValue) -> Self {
        Self::unprepared(&invalid)
    }
}

impl From<EntropyError> for Stop {
    fn from(error: EntropyError) -> Self {
        Self::unprepared(&error)
    }
}

impl Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Failed(what) | Self::Unanswered(what) => f.write_str(what),
            Self::Unprepared(why) => f.write_str(why),
            Self::Skipped(skip) => write!(f, "skipped: {skip}"),
        }
    }
}
