//! `ErrorCode`: the error codes of OAuth, with the HTTP status of each.

use std::fmt;

use http::StatusCode;

/// An error code of a token endpoint (RFC 6749 section 5.2) or of client registration (RFC 7591 section 3.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// The request is malformed, or authenticates in more than one way.
    InvalidRequest,
    /// The client did not prove who it is.
    InvalidClient,
    /// The code, the refresh token or another grant is not valid.
    InvalidGrant,
    /// This client may not use this grant type.
    UnauthorizedClient,
    /// The server does not support the grant type.
    UnsupportedGrantType,
    /// The scope is unknown, malformed or more than the client may have.
    InvalidScope,
    /// The server cannot answer at the moment. RFC 6749 has the word in section 4.1.2.1; status 503 says the same to others.
    TemporarilyUnavailable,
    /// A redirect URI of a registration is not acceptable.
    InvalidRedirectUri,
    /// Other metadata of a registration is not acceptable.
    InvalidClientMetadata,
}

impl ErrorCode {
    /// Returns the word of the RFC.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::InvalidRedirectUri => "invalid_redirect_uri",
            Self::InvalidClientMetadata => "invalid_client_metadata",
        }
    }

    /// Returns the HTTP status: 401 for `invalid_client`, whichever way the client took, 503 for `temporarily_unavailable`, and 400
    /// for all others.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::InvalidClient => StatusCode::UNAUTHORIZED,
            Self::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
