//! `OAuthError`: an error of OAuth with its ready answer (RFC 6749 section 5.2).
//!
//! The answer is made of constant texts alone, so neither a client secret nor the reason of a denial can get into it.

use std::borrow::Cow;
use std::fmt;
use std::fmt::Write;

use http::header::{CACHE_CONTROL, CONTENT_TYPE, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Response};

use crate::oauth::ErrorCode;
use crate::oauth::fault::{DENIED, RequestFault};
use crate::problem::RETRY_AFTER_SECS;
use crate::registry::{AccessError, Denied};
use crate::store_error::StoreError;

/// An error of OAuth: why a request is not answered as the client wished, and the ready answer.
///
/// [`Registry::authenticate_request`](crate::Registry::authenticate_request) returns it, and an endpoint makes its own ones with
/// [`new`](Self::new). `Display` shows what the caller gets, [`reason`](Self::reason) is for logs.
///
/// ```
/// # use client_registry::oauth::{ErrorCode, OAuthError};
/// let error = OAuthError::new(ErrorCode::UnsupportedGrantType).described("use client_credentials");
/// let answer = error.response();
/// assert_eq!(answer.status(), 400);
/// assert_eq!(answer.headers()["cache-control"], "no-store");
/// assert_eq!(
///     answer.body(),
///     br#"{"error":"unsupported_grant_type","error_description":"use client_credentials"}"#
/// );
/// ```
pub struct OAuthError {
    code: ErrorCode,
    description: Option<&'static str>,
    /// Whether the request had an `Authorization` header, so that a 401 has to name a scheme.
    challenged: bool,
    realm: Cow<'static, str>,
    cause: Cause,
}

/// What lies behind an error.
enum Cause {
    /// Something of the application's.
    Application,
    Fault(RequestFault),
    Access(AccessError),
}

impl OAuthError {
    /// Returns an error of this code without a description.
    #[must_use]
    pub fn new(code: ErrorCode) -> Self {
        let (challenged, realm) = (false, Cow::Borrowed(REALM));
        Self { code, description: None, challenged, realm, cause: Cause::Application }
    }

    pub(crate) fn of_fault(fault: RequestFault, challenged: bool) -> Self {
        Self { challenged, cause: Cause::Fault(fault), ..Self::new(fault.error_code()) }
            .described(fault.description())
    }

    pub(crate) fn of_access(error: AccessError, challenged: bool) -> Self {
        let (code, description) = match &error {
            AccessError::Denied(_) => (ErrorCode::InvalidClient, DENIED),
            AccessError::Unavailable(_) => (ErrorCode::TemporarilyUnavailable, "try again later"),
        };
        Self { challenged, cause: Cause::Access(error), ..Self::new(code) }.described(description)
    }

    /// Adds an `error_description` for developers. It is a constant, so that nothing of a request gets into it by mistake. Of its
    /// characters, those that RFC 6749 section 5.2 does not allow are written as `?`.
    #[must_use]
    pub fn described(self, description: &'static str) -> Self {
        Self { description: Some(description), ..self }
    }

    /// Chooses the realm of `WWW-Authenticate`, which is `oauth` otherwise (RFC 9110 section 11.5). Characters that are not
    /// printable ASCII are written as `?`.
    #[must_use]
    pub fn in_realm(self, realm: impl Into<Cow<'static, str>>) -> Self {
        Self { realm: realm.into(), ..self }
    }

    /// Returns the error code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// Returns the reason as a stable word, for logs and metrics. Do not send it to the caller.
    ///
    /// It is the [code of the fault](RequestFault::code), or the [code of the reason](crate::Reason::code) of a denial, or
    /// `unavailable`. For an error of the application it is the error code.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match &self.cause {
            Cause::Application => self.code.as_str(),
            Cause::Fault(fault) => fault.code(),
            Cause::Access(AccessError::Denied(denied)) => denied.reason().code(),
            Cause::Access(error) => error.code(),
        }
    }

    /// Returns what is wrong with the request, if that was found without a look at any client.
    #[must_use]
    pub fn fault(&self) -> Option<RequestFault> {
        match self.cause {
            Cause::Fault(fault) => Some(fault),
            _ => None,
        }
    }

    /// Returns the denial, for logs, if the credentials do not match.
    #[must_use]
    pub fn denied(&self) -> Option<&Denied> {
        match &self.cause {
            Cause::Access(AccessError::Denied(denied)) => Some(denied),
            _ => None,
        }
    }

    /// Returns the whole answer: status, headers and JSON.
    ///
    /// A 401 has `WWW-Authenticate` if the request had an `Authorization` header, of whatever scheme: RFC 6749 section 5.2 demands it
    /// there, and a browser asks its user for a password where it sees it elsewhere. Every answer has `Cache-Control: no-store`, a
    /// 503 has `Retry-After`.
    #[must_use]
    pub fn response(&self) -> Response<Vec<u8>> {
        let mut response = Response::new(self.body());
        *response.status_mut() = self.code.status();
        *response.headers_mut() = self.headers();
        response
    }

    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(5);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
        if self.code == ErrorCode::InvalidClient && self.challenged {
            headers.insert(WWW_AUTHENTICATE, challenge(&self.realm));
        }
        if self.code == ErrorCode::TemporarilyUnavailable {
            headers.insert(RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECS));
        }
        headers
    }

    fn body(&self) -> Vec<u8> {
        let mut body = format!("{{\"error\":\"{}\"", self.code);
        if let Some(description) = self.description {
            body.push_str(",\"error_description\":\"");
            body.extend(description.chars().map(|c| if is_allowed(c) { c } else { '?' }));
            body.push('"');
        }
        body.push('}');
        body.into_bytes()
    }
}

impl From<StoreError> for OAuthError {
    /// Returns the answer where the store did not answer, 503: for handlers that ask the registry for more.
    fn from(error: StoreError) -> Self {
        AccessError::Unavailable(error).into()
    }
}

impl From<AccessError> for OAuthError {
    /// Returns the answer to a caller that was authenticated by other means than an `Authorization` header.
    fn from(error: AccessError) -> Self {
        Self::of_access(error, false)
    }
}

impl fmt::Display for OAuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.description {
            Some(description) => write!(f, "{}: {description}", self.code),
            None => write!(f, "{}", self.code),
        }
    }
}

impl std::error::Error for OAuthError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.cause {
            Cause::Access(error) => Some(error),
            Cause::Application | Cause::Fault(_) => None,
        }
    }
}

impl fmt::Debug for OAuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthError")
            .field("code", &self.code)
            .field("reason", &self.reason())
            .finish_non_exhaustive()
    }
}

/// Returns the challenge of a realm (RFC 7617 sections 2 and 2.1).
fn challenge(realm: &str) -> HeaderValue {
    let mut text = String::from("Basic realm=\"");
    for character in realm.chars() {
        match character {
            '"' | '\\' => text.extend(['\\', character]),
            ' '..='~' => text.push(character),
            _ => text.push('?'),
        }
    }
    let _ = text.write_str("\", charset=\"UTF-8\"");
    HeaderValue::try_from(text)
        .unwrap_or(HeaderValue::from_static("Basic realm=\"oauth\", charset=\"UTF-8\""))
}

/// Returns whether a description may have a character (RFC 6749 section 5.2).
fn is_allowed(character: char) -> bool {
    matches!(character, ' '..='!' | '#'..='[' | ']'..='~')
}

const REALM: &str = "oauth";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_a_code_of_its_own_and_a_description_that_may_be_sent() {
        let codes: std::collections::BTreeSet<_> = RequestFault::ALL.iter().map(|f| f.code()).collect();
        assert_eq!(codes.len(), RequestFault::ALL.len());
        for fault in RequestFault::ALL {
            assert!(fault.description().chars().all(is_allowed), "{fault:?}");
            let error = fault.into_error(true);
            assert_eq!((error.reason(), error.fault()), (fault.code(), Some(*fault)));
            let json: serde_json::Value = serde_json::from_slice(error.response().body()).unwrap();
            assert_eq!(json["error_description"], fault.to_string());
            assert_eq!(json["error"], fault.error_code().as_str());
        }
    }

    #[test]
    fn a_realm_and_a_description_cannot_break_out() {
        let error = RequestFault::NotAClientId.into_error(true);
        assert_eq!(
            error.response().headers()["www-authenticate"],
            "Basic realm=\"oauth\", charset=\"UTF-8\""
        );
        let error = error.in_realm("a\"b\\c\r\nd\u{e9}").described("a\"b\\c\n");
        let response = error.response();
        assert_eq!(
            response.headers()["www-authenticate"],
            "Basic realm=\"a\\\"b\\\\c??d?\", charset=\"UTF-8\""
        );
        assert_eq!(response.body(), br#"{"error":"invalid_client","error_description":"a?b?c?"}"#);
        assert!(
            !OAuthError::new(ErrorCode::InvalidClient).response().headers().contains_key("www-authenticate")
        );
    }
}
