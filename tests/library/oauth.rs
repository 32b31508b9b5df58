//! Client authentication for OAuth servers: what is accepted, what is refused and how, and that nothing of a client secret stays behind.

#[cfg(feature = "axum")]
mod axum;
mod judging;
mod malformed;
mod matrix;
mod registering;
mod spellings;

use client_registry::oauth::{ClientVerdict, OAuthError};
use client_registry::store::Store;
use client_registry::{Reason, Registry};
use data_encoding::BASE64;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use pollster::block_on;

const FORM: &str = "application/x-www-form-urlencoded";

/// A request, as a test builds it.
#[derive(Clone, Default)]
struct Sent {
    headers: HeaderMap,
    query: Option<String>,
    body: Vec<u8>,
}

impl Sent {
    fn new() -> Self {
        Self::default()
    }

    fn header(mut self, name: http::HeaderName, value: impl AsRef<[u8]>) -> Self {
        self.headers.append(name, HeaderValue::from_bytes(value.as_ref()).unwrap());
        self
    }

    fn authorization(self, value: impl AsRef<[u8]>) -> Self {
        self.header(AUTHORIZATION, value)
    }

    /// Client ID and client secret as they are.
    fn basic(self, id: &str, secret: &str) -> Self {
        self.authorization(basic(format!("{id}:{secret}").as_bytes()))
    }

    fn form(self, body: impl Into<Vec<u8>>) -> Self {
        let sent = self.header(CONTENT_TYPE, FORM);
        Self { body: body.into(), ..sent }
    }

    fn query(self, query: &str) -> Self {
        Self { query: Some(query.to_owned()), ..self }
    }

    fn to<S: Store>(&self, registry: &Registry<S>) -> Result<ClientVerdict, OAuthError> {
        block_on(registry.authenticate_request(&self.headers, self.query.as_deref(), &self.body))
    }
}

fn basic(pair: &[u8]) -> String {
    format!("Basic {}", BASE64.encode(pair))
}

/// What the form encoding of another crate makes of a text.
fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// Every byte that is no letter and no digit as an escape, as some senders have it.
fn all_escaped(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

fn reason(error: &OAuthError) -> Option<Reason> {
    error.denied().map(|denied| denied.reason())
}
