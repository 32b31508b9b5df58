//! The revision of a client: the number of its commits, by which stores detect conflicting writes.

use std::fmt;

use serde::Serialize;

use crate::value::redacted::redacted;

redacted! {
    /// The number of a client's commits. The commit that created the client is 1.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
    #[serde(transparent)]
    pub struct Revision(u64);
}

impl Revision {
    /// The revision before the first commit: pass it to read a trail from the start.
    pub const ZERO: Self = Self(0);

    /// Returns the revision with this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Returns the number.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }

    /// Returns the next revision.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
