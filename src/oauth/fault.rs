//! `RequestFault`: what is wrong with a request before anybody's secret is looked at.

use std::fmt;

use crate::oauth::{ErrorCode, OAuthError};

/// A fault of a request that is found before any client is looked up. Its `Display` goes to the caller; its
/// [code](RequestFault::code) is for logs and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RequestFault {
    /// There is more than one `Authorization` header.
    TwoAuthorizations,
    /// The `Authorization` header is longer than [`MAX_AUTHORIZATION`](crate::oauth::MAX_AUTHORIZATION).
    AuthorizationTooLong,
    /// The `Authorization` header has the scheme Basic and no base64 of an ID, a colon and a secret behind it.
    MalformedAuthorization,
    /// The `Authorization` header has another scheme than Basic.
    UnsupportedScheme,
    /// A client secret or a client assertion is in the URL, where it gets into logs (RFC 6749 section 2.3.1).
    SecretInQuery,
    /// The query of the URL is longer than [`MAX_QUERY`](crate::oauth::MAX_QUERY).
    QueryTooLong,
    /// There is a body, and `Content-Type` is not `application/x-www-form-urlencoded` alone.
    NotAForm,
    /// The body has more than [`MAX_BODY`](crate::oauth::MAX_BODY) bytes.
    BodyTooLarge,
    /// The body could not be read to its end.
    BodyUnreadable,
    /// The body has more than [`MAX_PARAMETERS`](crate::oauth::MAX_PARAMETERS) parameters.
    TooManyParameters,
    /// A parameter stands twice (RFC 6749 section 3.2).
    Repeated,
    /// A parameter is not UTF-8.
    NotUtf8,
    /// The client authenticates in more than one way (RFC 6749 section 2.3).
    TwoMethods,
    /// There are two client IDs: that of the header or the body, and another one in the body or the URL.
    ClientIdsDiffer,
    /// There is a client secret in the body, and no client ID.
    NoClientId,
    /// The client authenticates with a signed JWT: `client_secret_jwt` or `private_key_jwt` (RFC 7523 section 2.2). That needs
    /// a guard against replays which all nodes share, and is not offered.
    Assertion,
    /// There is neither a client ID nor any client authentication.
    NoCredentials,
    /// There is a client ID without a client secret, and no client can have such an ID. It was not looked up.
    NotAClientId,
    /// There is a client ID without a client secret, where only clients with a secret may come.
    Unproven,
}

impl RequestFault {
    /// Every fault.
    pub const ALL: &'static [Self] = &[
        Self::TwoAuthorizations,
        Self::AuthorizationTooLong,
        Self::MalformedAuthorization,
        Self::UnsupportedScheme,
        Self::SecretInQuery,
        Self::QueryTooLong,
        Self::NotAForm,
        Self::BodyTooLarge,
        Self::BodyUnreadable,
        Self::TooManyParameters,
        Self::Repeated,
        Self::NotUtf8,
        Self::TwoMethods,
        Self::ClientIdsDiffer,
        Self::NoClientId,
        Self::Assertion,
        Self::NoCredentials,
        Self::NotAClientId,
        Self::Unproven,
    ];

    /// Returns the stable code of this fault, in snake case, for logs and metrics.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.row().0
    }

    /// Returns the error code that the caller gets (RFC 6749 section 5.2).
    #[must_use]
    pub fn error_code(self) -> ErrorCode {
        self.row().1
    }

    /// Returns the answer to a request with this fault. `challenged` says whether the request had an `Authorization` header.
    pub(crate) fn into_error(self, challenged: bool) -> OAuthError {
        OAuthError::of_fault(self, challenged)
    }

    pub(crate) fn description(self) -> &'static str {
        self.row().2
    }

    /// Code, error code and description. A description has no quotes and no backslashes (RFC 6749 section 5.2).
    fn row(self) -> (&'static str, ErrorCode, &'static str) {
        use ErrorCode::{InvalidClient, InvalidRequest};
        match self {
            Self::TwoAuthorizations => (
                "two_authorizations",
                InvalidRequest,
                "there is more than one Authorization header: send one",
            ),
            Self::AuthorizationTooLong => {
                ("authorization_too_long", InvalidRequest, "the Authorization header is too long")
            }
            Self::MalformedAuthorization => (
                "malformed_authorization",
                InvalidRequest,
                "the Authorization header does not hold base64 of a client ID, a colon and a client secret",
            ),
            Self::UnsupportedScheme => (
                "unsupported_scheme",
                InvalidClient,
                "the Authorization header has an unsupported scheme: use Basic",
            ),
            Self::SecretInQuery => (
                "secret_in_query",
                InvalidRequest,
                "client credentials are not accepted in the URL: send them in the header or the body, and replace the \
                 client secret, which may be in logs now",
            ),
            Self::QueryTooLong => ("query_too_long", InvalidRequest, "the query of the URL is too long"),
            Self::NotAForm => (
                "not_a_form",
                InvalidRequest,
                "the body is not a form: send it as application/x-www-form-urlencoded",
            ),
            Self::BodyTooLarge => ("body_too_large", InvalidRequest, "the body is too large"),
            Self::BodyUnreadable => {
                ("body_unreadable", InvalidRequest, "the body could not be read to its end")
            }
            Self::TooManyParameters => {
                ("too_many_parameters", InvalidRequest, "the body has too many parameters")
            }
            Self::Repeated => {
                ("repeated_parameter", InvalidRequest, "a parameter stands more than once: send it once")
            }
            Self::NotUtf8 => ("not_utf8", InvalidRequest, "a parameter is not UTF-8"),
            Self::TwoMethods => (
                "two_methods",
                InvalidRequest,
                "the client authenticates in more than one way: use the Authorization header or the body, not both",
            ),
            Self::ClientIdsDiffer => (
                "client_ids_differ",
                InvalidRequest,
                "there are two client IDs that differ: send one, in the Authorization header or in the body",
            ),
            Self::NoClientId => {
                ("no_client_id", InvalidRequest, "there is a client_secret without a client_id")
            }
            Self::Assertion => (
                "assertion",
                InvalidClient,
                "client assertions are not supported: use client_secret_basic or client_secret_post",
            ),
            Self::NoCredentials => (
                "no_credentials",
                InvalidClient,
                "there is no client authentication: use client_secret_basic or client_secret_post",
            ),
            Self::NotAClientId => ("not_a_client_id", InvalidClient, DENIED),
            Self::Unproven => (
                "unproven",
                InvalidClient,
                "the client must authenticate: use client_secret_basic or client_secret_post",
            ),
        }
    }
}

impl fmt::Display for RequestFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.description())
    }
}

/// What every denial says, whatever its reason.
pub(crate) const DENIED: &str = "client authentication failed";
