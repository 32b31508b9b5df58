//! How errors map onto what a service answers.

/// What the caller can do about an error. What the registry, the ring and the core answer has a `kind()`; a store's own
/// errors have a [`StoreErrorKind`](crate::store_error::StoreErrorKind).
#[doc = include_str!("codes.md")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request is not well formed or not allowed: correct it.
    Invalid,
    /// The caller is not who it says. One answer, whatever the reason.
    Unauthenticated,
    /// There is no such thing, or none that this actor may see.
    NotFound,
    /// It was there and was deleted for good: do not ask again.
    Gone,
    /// It does not fit what is there now: look again, then decide.
    Conflict,
    /// Nothing can be said or done at the moment: try again later.
    Unavailable,
}

impl ErrorKind {
    /// The HTTP status (RFC 9110 section 15) that says the same.
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
