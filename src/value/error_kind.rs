//! The kinds of errors, and the HTTP status of each.
//!
//! Every error of the registry, the ring and the core maps to one of these kinds, so that a service needs one match for all.

/// The kind of an error: what the caller can do about it, with an HTTP status. Errors of the registry, the ring and the core
/// have a `kind()` that returns it; errors of a store have a [`StoreErrorKind`](crate::store::StoreErrorKind) instead.
#[doc = include_str!("codes.md")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request is malformed or not allowed: correct it.
    Invalid,
    /// The caller did not prove who it is. Send the same answer for every reason.
    Unauthenticated,
    /// The thing does not exist, or this actor may not see it.
    NotFound,
    /// The thing existed and was deleted for good: do not ask again.
    Gone,
    /// The request conflicts with the current state: look again, then decide.
    Conflict,
    /// The service cannot answer at the moment: try again later.
    Unavailable,
}

impl ErrorKind {
    /// Returns the matching HTTP status (RFC 9110 section 15).
    #[must_use]
    pub fn http_status(self) -> u16 {
        match self {
            Self::Invalid => 400,
            Self::Unauthenticated => 401,
            Self::NotFound => 404,
            Self::Gone => 410,
            Self::Conflict => 409,
            Self::Unavailable => 503,
        }
    }
}
