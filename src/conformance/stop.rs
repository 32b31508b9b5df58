//! Why a case ends before its end.

use std::error::Error;
use std::fmt::{Debug, Display};

use crate::client::Refusal;
use crate::conformance::Skip;
use crate::entropy::EntropyError;
use crate::store::CommitError;
use crate::store_error::StoreError;
use crate::value::InvalidValue;

/// What a case comes to.
pub(super) type Checked<T = ()> = Result<T, Stop>;

/// Why a case ends before its end.
pub(super) enum Stop {
    /// The suite could not make what it was to write.
    Unprepared(String),
    /// The store did not do what the contract says.
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

    /// Not the store's fault.
    pub(super) fn unprepared(why: &dyn Debug) -> Self {
        Self::Unprepared(format!("{why:?}"))
    }

    /// Says where it was.
    pub(super) fn when(self, when: &str) -> Self {
        match self {
            Self::Failed(what) => Self::Failed(format!("{when}: {what}")),
            Self::Unanswered(what) => Self::Unanswered(format!("{when}: {what}")),
            other @ (Self::Unprepared(_) | Self::Skipped(_)) => other,
        }
    }
}

/// Fails with a sentence unless something holds.
macro_rules! ensure {
    ($holds:expr, $($otherwise:tt)+) => {
        if !$holds {
            return Err($crate::conformance::stop::Stop::failed(format!($($otherwise)+)));
        }
    };
}
pub(super) use ensure;

/// Fails unless what was found is what was expected.
pub(super) fn same<T: PartialEq + Debug>(what: &str, found: T, expected: T) -> Checked {
    ensure!(found == expected, "{what}: expected {}, found {}", brief(&expected), brief(&found));
    Ok(())
}

/// A store may stop answering until it is opened again: what it says then is an error, and fails no case.
pub(super) fn is_down(stop: Stop) -> Checked {
    match stop {
        Stop::Unanswered(_) => Ok(()),
        other => Err(other),
    }
}

/// Not more than anybody would read.
pub(super) fn brief(value: &dyn Debug) -> String {
    const MAX: usize = 600;
    let text = format!("{value:?}");
    match text.char_indices().nth(MAX) {
        None => text,
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}

/// An error with everything behind it.
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
