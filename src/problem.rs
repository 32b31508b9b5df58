//! Errors as answers over HTTP: the problem details of RFC 9457, as data, for any framework.
//!
//! There is one table, that of [the codes](crate::ErrorKind#codes): an error has a code and a kind, and the kind has an HTTP status.
//! [`ProblemDetails`] is made from every error of this crate, and says to the outside what the outside may know.
//!
//! ```
//! use client_registry::problem::ProblemDetails;
//! # use client_registry::*;
//!
//! let error = ClientDetails::new("calendar", "contoso.com", "contoso.com/done").unwrap_err();
//! let problem = ProblemDetails::from(&error);
//! assert_eq!((problem.status(), problem.code()), (400, "invalid_value"));
//! let json = serde_json::to_value(&problem)?; // as application/problem+json
//! assert_eq!(json["title"], "Bad Request");
//! assert!(json["detail"].as_str().is_some_and(|detail| detail.starts_with("redirect URL has no scheme")));
//! # Ok::<(), serde_json::Error>(())
//! ```
//!
//! # What is told
//!
//! `detail` is the error's own text where a rule stands against a command, or a value is not well formed: such texts name nothing that the
//! actor may not see (rule 15), and never repeat a client secret. So it is where a JSON Web Token or a webhook was not accepted, for whose
//! sender it is. Everything else says no more than its kind: what a store, a keyring, an
//! export or the configuration of a ring has met is for logs. A denial says the same whatever its reason (rule 5).

//!
//! # In axum
//!
//! With the feature `axum`, problem details are a response. `?` makes them of any error, by a type of the application's:
//!
//! ```
//! # use client_registry::problem::ProblemDetails;
//! struct Problem(ProblemDetails); // and `impl IntoResponse`, which returns `self.0.into_response()`
//!
//! impl<E> From<E> for Problem
//! where
//!     for<'a> ProblemDetails: From<&'a E>,
//! {
//!     fn from(error: E) -> Self {
//!         Self(ProblemDetails::from(&error))
//!     }
//! }
//!
//! # fn parse() -> Result<client_registry::ClientId, Problem> {
//! Ok(client_registry::ClientId::parse("calendar")?)
//! # }
//! ```
//!
//! Take `Path<String>` and parse the ID in the handler. axum's own answer to `Path<ClientId>` repeats the text that is not one, which may be
//! a client secret in the wrong place.

mod errors;

use std::borrow::Cow;

use serde::{Serialize, Serializer};

use crate::value::ErrorKind;

/// The problem details of an error (RFC 9457 section 3): `type`, `title`, `status`, `detail`, and the member `code`. It is made with
/// `ProblemDetails::from(&error)`.
///
/// `type` is `about:blank`, which says that status and `title` tell all there is (RFC 9457 section 4.2.1), and programs go by
/// `code`. A service that describes the codes under an address of its own states it with [`with_types_at`](Self::with_types_at).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProblemDetails {
    types_at: Option<Cow<'static, str>>,
    kind: ErrorKind,
    code: &'static str,
    detail: Cow<'static, str>,
}

impl ProblemDetails {
    /// The media type of the JSON (RFC 9457 section 6.1).
    pub const CONTENT_TYPE: &'static str = "application/problem+json";

    /// Returns problem details whose detail is the text of the error, unless its kind is one of which nothing is told.
    fn telling(code: &'static str, kind: ErrorKind, error: &dyn std::fmt::Display) -> Self {
        match kind {
            ErrorKind::Unauthenticated | ErrorKind::Unavailable => Self::silent(code, kind),
            _ => Self::spelling_out(code, kind, error),
        }
    }

    /// Returns problem details whose detail is the text of the error.
    fn spelling_out(code: &'static str, kind: ErrorKind, error: &dyn std::fmt::Display) -> Self {
        Self { types_at: None, kind, code, detail: error.to_string().into() }
    }

    /// Returns problem details whose detail says no more than the kind.
    fn silent(code: &'static str, kind: ErrorKind) -> Self {
        let detail = match kind {
            ErrorKind::Invalid => "the request cannot be carried out: the code says why",
            ErrorKind::Unauthenticated => "the credentials or the signature do not match",
            ErrorKind::NotFound => "there is no such thing, or this actor may not see it",
            ErrorKind::Gone => "it was deleted for good: do not ask again",
            ErrorKind::Conflict => "the request conflicts with the current state: look again, then decide",
            ErrorKind::Unavailable if code == UNRESOLVED => {
                "it is not known whether the change was made: look before giving the command again"
            }
            ErrorKind::Unavailable => "the service cannot answer at the moment: try again later",
        };
        Self { types_at: None, kind, code, detail: detail.into() }
    }

    /// States the address under which each code is described, such as `https://docs.contoso.com/errors/`: `type` is that and
    /// the code.
    #[must_use]
    pub fn with_types_at(self, address: impl Into<Cow<'static, str>>) -> Self {
        Self { types_at: Some(address.into()), ..self }
    }

    /// Returns the HTTP status, which is that of the kind ([`ErrorKind::http_status`]).
    #[must_use]
    pub fn status(&self) -> u16 {
        self.kind.http_status()
    }

    /// Returns what the caller can do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Returns the stable code, in snake case. [The table](crate::ErrorKind#codes) lists all codes.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// Returns the phrase of the status (RFC 9110 section 15).
    #[must_use]
    pub fn title(&self) -> &'static str {
        match self.kind {
            ErrorKind::Invalid => "Bad Request",
            ErrorKind::Unauthenticated => "Unauthorized",
            ErrorKind::NotFound => "Not Found",
            ErrorKind::Gone => "Gone",
            ErrorKind::Conflict => "Conflict",
            ErrorKind::Unavailable => "Service Unavailable",
        }
    }

    /// Returns what the caller is told, in plain English.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// Returns how many seconds the caller should wait before it asks again, for `Retry-After` (RFC 9110 section 10.2.3). `None` if
    /// asking again does not help, and for `unresolved`: the same command given again may issue another client secret.
    #[must_use]
    pub fn retry_after_secs(&self) -> Option<u32> {
        (self.kind == ErrorKind::Unavailable && self.code != UNRESOLVED).then_some(RETRY_AFTER_SECS)
    }

    /// Returns the URI of the problem type.
    fn type_uri(&self) -> Cow<'_, str> {
        match &self.types_at {
            Some(address) => Cow::Owned(format!("{address}{}", self.code)),
            None => Cow::Borrowed("about:blank"),
        }
    }

    /// Returns the whole answer: status, headers and JSON, with `Cache-Control: no-store`, and `Retry-After` where it
    /// [helps](Self::retry_after_secs).
    ///
    /// A server that answers 401 must also send `WWW-Authenticate` (RFC 9110 section 11.6.1). Only the endpoint knows its scheme: add
    /// the header there. A token endpoint answers with [`OAuthError::response`](crate::oauth::OAuthError::response), which has it.
    #[cfg(feature = "oauth")]
    #[cfg_attr(docsrs, doc(cfg(feature = "oauth")))]
    #[must_use]
    pub fn response(&self) -> http::Response<Vec<u8>> {
        use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
        // A map of texts and one number is always written.
        let mut response = http::Response::new(serde_json::to_vec(self).unwrap_or_default());
        *response.status_mut() =
            http::StatusCode::from_u16(self.status()).unwrap_or(http::StatusCode::SERVICE_UNAVAILABLE);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(Self::CONTENT_TYPE));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(secs) = self.retry_after_secs() {
            headers.insert(RETRY_AFTER, HeaderValue::from(secs));
        }
        response
    }
}

impl Serialize for ProblemDetails {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        /// The members, in the order of RFC 9457.
        #[derive(Serialize)]
        #[serde(rename = "ProblemDetails")]
        struct Members<'a> {
            r#type: Cow<'a, str>,
            title: &'static str,
            status: u16,
            detail: &'a str,
            code: &'static str,
        }
        let (r#type, title, status) = (self.type_uri(), self.title(), self.status());
        Members { r#type, title, status, detail: &self.detail, code: self.code }.serialize(serializer)
    }
}

/// How long a caller should wait before it asks again.
pub(crate) const RETRY_AFTER_SECS: u32 = 5;
/// The code of [`Error::Unresolved`](crate::Error::Unresolved).
const UNRESOLVED: &str = "unresolved";
