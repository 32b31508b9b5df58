//! `ClientRequest`: what a request presents, told from headers, query and form alone.
//!
//! This is pure: no registry, no clock, no log. Exactly one way of authenticating a request is accepted, and whatever is ambiguous
//! is refused, since two readers of one request must not come to two clients.

use http::HeaderMap;
use http::header::{AUTHORIZATION, CONTENT_TYPE};

use crate::oauth::basic::Basic;
use crate::oauth::fault::RequestFault;
use crate::oauth::form::{CLIENT_ID, CLIENT_SECRET, Form, decodes_to, split_once, text};
use crate::oauth::{MAX_QUERY, OAuthError};

/// A request to an endpoint at which clients authenticate, parsed and not yet judged.
///
/// [`Registry::authenticate_client`](crate::Registry::authenticate_client) judges it. Its `Debug` shows no client secret and no
/// parameter.
///
/// ```
/// # use client_registry::oauth::{ClientAuthMethod, ClientRequest};
/// let mut headers = http::HeaderMap::new();
/// headers.insert("content-type", "application/x-www-form-urlencoded".parse()?);
/// headers.insert("authorization", "Basic Y2FsZW5kYXItYXBwOnNlY3JldA==".parse()?);
/// let request = ClientRequest::parse(&headers, None, b"grant_type=client_credentials")?;
/// assert_eq!(request.method(), ClientAuthMethod::SecretBasic);
/// assert_eq!(request.client_id(), "calendar-app");
/// assert_eq!(request.form().get("grant_type"), Some("client_credentials"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ClientRequest {
    pub(crate) presented: Presented,
    pub(crate) form: Form,
}

/// What a request presents.
#[derive(Debug)]
pub(crate) enum Presented {
    Basic(Basic),
    /// Client ID and client secret are in the form.
    Post,
    /// Only a client ID is in the form.
    ClientId,
}

/// The way in which a client authenticates, with the name that RFC 7591 section 2 gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClientAuthMethod {
    /// `client_secret_basic`: in the `Authorization` header.
    SecretBasic,
    /// `client_secret_post`: in the body.
    SecretPost,
    /// `none`: a client ID alone, which proves nothing.
    None,
}

impl ClientAuthMethod {
    /// Returns the name, as in `token_endpoint_auth_methods_supported` (RFC 8414 section 2).
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SecretBasic => "client_secret_basic",
            Self::SecretPost => "client_secret_post",
            Self::None => "none",
        }
    }
}

impl ClientRequest {
    /// Parses a request from its headers, the query of its URL and its body.
    ///
    /// Nothing is looked up. What exceeds [`MAX_AUTHORIZATION`](crate::oauth::MAX_AUTHORIZATION), [`MAX_QUERY`] or
    /// [`MAX_BODY`](crate::oauth::MAX_BODY) is refused before it is parsed. What is allocated is as large as the body, and less than twice
    /// as large as the header. The caller's own buffers, which hold the client secret as well, are the caller's to wipe.
    ///
    /// # Errors
    /// `invalid_request` or `invalid_client`, as the [fault](OAuthError::fault) says.
    pub fn parse(headers: &HeaderMap, query: Option<&str>, body: &[u8]) -> Result<Self, OAuthError> {
        let values = |name| headers.get_all(name).iter().map(http::HeaderValue::as_bytes);
        Self::parse_values(values(AUTHORIZATION), values(CONTENT_TYPE), query, body)
    }

    /// Parses a request of a server whose headers are of another type, given every value of `Authorization` and of `Content-Type`.
    ///
    /// # Errors
    /// As for [`parse`](Self::parse).
    pub fn parse_values<'v>(
        authorization: impl IntoIterator<Item = &'v [u8]>,
        content_type: impl IntoIterator<Item = &'v [u8]>,
        query: Option<&str>,
        body: &[u8],
    ) -> Result<Self, OAuthError> {
        let mut authorization = authorization.into_iter();
        let first = authorization.next();
        let parsed = match authorization.next() {
            Some(_) => Err(RequestFault::TwoAuthorizations),
            None => Self::read(first, content_type, query, body),
        };
        parsed.map_err(|fault| fault.into_error(first.is_some()))
    }

    fn read<'v>(
        authorization: Option<&[u8]>,
        content_type: impl IntoIterator<Item = &'v [u8]>,
        query: Option<&str>,
        body: &[u8],
    ) -> Result<Self, RequestFault> {
        let query = query.unwrap_or_default();
        check_query(query)?;
        if !body.is_empty() && !is_form(content_type) {
            return Err(RequestFault::NotAForm);
        }
        let form = Form::read(body)?;
        let basic = authorization.map(Basic::parse).transpose()?;
        let request = Self { presented: present(basic, &form)?, form };
        match names_another(query, request.client_id_bytes()) {
            true => Err(RequestFault::ClientIdsDiffer),
            false => Ok(request),
        }
    }

    /// Returns the way in which the client authenticates.
    #[must_use]
    pub fn method(&self) -> ClientAuthMethod {
        match self.presented {
            Presented::Basic(_) => ClientAuthMethod::SecretBasic,
            Presented::Post => ClientAuthMethod::SecretPost,
            Presented::ClientId => ClientAuthMethod::None,
        }
    }

    /// Returns the client ID as it was presented. It proves nothing, need not be one, and may be a client secret that was put in
    /// the wrong place: do not log it.
    #[must_use]
    pub fn client_id(&self) -> &str {
        text(self.client_id_bytes())
    }

    fn client_id_bytes(&self) -> &[u8] {
        match &self.presented {
            Presented::Basic(basic) => basic.client_id(),
            Presented::Post | Presented::ClientId => self.form.raw(CLIENT_ID).unwrap_or_default(),
        }
    }

    /// Returns the parameters of the form, without the client secret.
    #[must_use]
    pub fn form(&self) -> &Form {
        &self.form
    }
}

/// Returns the one way in which a request authenticates.
fn present(basic: Option<Basic>, form: &Form) -> Result<Presented, RequestFault> {
    // An empty client secret is a client secret. An empty client ID counts as left out (RFC 6749 section 3.2).
    let secret = form.raw(CLIENT_SECRET);
    let client_id = form.raw(CLIENT_ID).filter(|id| !id.is_empty());
    let assertion = ASSERTION.iter().any(|name| form.raw(name).is_some());
    match (basic, secret, client_id) {
        (Some(_), Some(_), _) => Err(RequestFault::TwoMethods),
        (basic, secret, _) if assertion => match basic.is_some() || secret.is_some() {
            true => Err(RequestFault::TwoMethods),
            false => Err(RequestFault::Assertion),
        },
        (Some(basic), None, Some(id)) if id != basic.client_id() => Err(RequestFault::ClientIdsDiffer),
        (Some(basic), None, _) => Ok(Presented::Basic(basic)),
        (None, Some(_), Some(_)) => Ok(Presented::Post),
        (None, Some(_), None) => Err(RequestFault::NoClientId),
        (None, None, Some(_)) => Ok(Presented::ClientId),
        (None, None, None) => Err(RequestFault::NoCredentials),
    }
}

/// Refuses a query that holds a credential.
fn check_query(query: &str) -> Result<(), RequestFault> {
    if query.len() > MAX_QUERY {
        return Err(RequestFault::QueryTooLong);
    }
    let is_credential = |name| [CLIENT_SECRET, b"client_assertion"].iter().any(|held| decodes_to(name, held));
    match pairs(query).any(|(name, _)| is_credential(name)) {
        true => Err(RequestFault::SecretInQuery),
        false => Ok(()),
    }
}

/// Returns whether a query has a client ID that is not this one: a gateway that reads the URL alone would come to another client. An empty
/// one counts as left out.
fn names_another(query: &str, client_id: &[u8]) -> bool {
    let is_other = |value: &[u8]| !value.is_empty() && !decodes_to(value, client_id);
    pairs(query).any(|(name, value)| decodes_to(name, CLIENT_ID) && is_other(value))
}

/// Returns the names and values of a query, not decoded.
fn pairs(query: &str) -> impl Iterator<Item = (&[u8], &[u8])> {
    query.as_bytes().split(|b| *b == b'&').map(|pair| split_once(pair, b'=').unwrap_or((pair, b"")))
}

/// Returns whether there is one `Content-Type`, and it is that of a form, with or without parameters.
fn is_form<'v>(content_type: impl IntoIterator<Item = &'v [u8]>) -> bool {
    let mut values = content_type.into_iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return false;
    };
    let media_type = split_once(value, b';').map_or(value, |(media_type, _)| media_type);
    media_type.trim_ascii().eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
}

/// The parameters of `client_secret_jwt` and `private_key_jwt` (RFC 7521 section 4.2).
const ASSERTION: [&[u8]; 2] = [b"client_assertion", b"client_assertion_type"];
