//! Errors of signing and of verifying a token. None holds a part of a token or of a client secret, unless the caller's own type puts one
//! into the problem of [`JwtError::Claims`].

use crate::registry::SignError;
use crate::ring::SignatureMismatch;
use crate::value::Timestamp;
use crate::value::coded::coded;

/// The reason why a token was not signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignJwtError {
    /// `serde` cannot write the claims as JSON, or they are no object, or one of its members stands twice, or a date is no number.
    #[error(
        "the claims are not a JSON object in which each member stands once and nbf is a number: use a struct, or a map with text keys"
    )]
    Claims,
    /// The claims have a member that the registry adds.
    #[error("the claims have a member {name}, which the registry adds: leave it out")]
    Reserved {
        /// The name of the member: `iat`, `exp` or `aud`.
        name: &'static str,
    },
    /// The claims have more than 48,000 bytes.
    #[error(
        "the claims have more than 48,000 bytes of JSON: send less, or an address where the rest can be read"
    )]
    TooLarge,
    /// The lifetime is shorter than a second.
    #[error("the lifetime of the token is less than a second: give it at least one")]
    Lifetime,
    /// The client does not sign at the moment, or the store did not answer.
    #[error(transparent)]
    Sign(#[from] SignError),
}

coded! {
    SignJwtError {
        Self::Claims => Invalid "claims_invalid",
        Self::Reserved { .. } => Invalid "claims_reserved",
        Self::TooLarge => Invalid "claims_too_large",
        Self::Lifetime => Invalid "lifetime_too_short",
        ;
        Self::Sign(error) => error,
    }
}

/// The reason why a token was not accepted. Every reason but [`Claims`](Self::Claims) is answered with 401.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwtError {
    /// The text is longer than a token may be. Nothing of it was decoded.
    #[error("the token has more than 65536 characters, or a header of more than 1024")]
    TooLong,
    /// The text is not a token.
    #[error("the token is malformed: {problem}")]
    Malformed {
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The header names another algorithm than HS256, or none. No key was used.
    #[error("the token is not signed with HS256, the only algorithm that is accepted")]
    Algorithm,
    /// The header has `crit`: the token must not be accepted by a reader that does not know what it lists (RFC 7515 section 4.1.11).
    #[error("the token has critical header members (crit), and this verifier supports none")]
    Critical,
    /// The header has another `typ`, or none.
    #[error("the token does not have the type {}: it was made for another purpose", crate::jwt::TYPE)]
    Type,
    /// Neither client secret of the ring signed the token.
    #[error(transparent)]
    Signature(#[from] SignatureMismatch),
    /// The token has expired.
    #[error(
        "the token has expired: it was valid until {at}; if it was made a moment ago, compare the clocks of both sides"
    )]
    Expired {
        /// Its `exp`.
        at: Timestamp,
    },
    /// The token is not valid yet.
    #[error("the token is not valid before {from}: if it was made for now, compare the clocks of both sides")]
    NotYetValid {
        /// Its `nbf`.
        from: Timestamp,
    },
    /// The token is for another client ID.
    #[error("the token is for another audience: its aud does not name the client ID of this ring")]
    Audience,
    /// The token was verified, and its claims are not what the caller wants to read.
    #[error("the claims of the token do not have the expected form: {problem}")]
    Claims {
        /// The message of `serde`, without the values that it found. A message of the caller's own type is repeated up to its
        /// first quotation mark.
        problem: String,
    },
}

coded! {
    JwtError {
        Self::TooLong => Unauthenticated "token_too_long",
        Self::Malformed { .. } => Unauthenticated "token_malformed",
        Self::Algorithm => Unauthenticated "token_algorithm",
        Self::Critical => Unauthenticated "token_critical",
        Self::Type => Unauthenticated "token_type",
        Self::Expired { .. } => Unauthenticated "token_expired",
        Self::NotYetValid { .. } => Unauthenticated "token_not_yet_valid",
        Self::Audience => Unauthenticated "token_audience",
        Self::Claims { .. } => Invalid "token_claims",
        ;
        Self::Signature(error) => error,
    }
}
