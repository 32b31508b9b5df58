//! Client authentication for OAuth servers: from a request's headers, query and form to a verdict and a ready answer. Needs the
//! feature `oauth`.
//!
//! There is no I/O and no framework here: requests and answers are the types of the `http` crate, which axum and hyper use, and
//! [`ClientRequest::parse_values`] takes those of others. With the feature `axum` there is an extractor, `AuthenticatedClient`.
//!
//! ```
//! use client_registry::oauth::{ClientVerdict, ErrorCode, OAuthError};
//! use client_registry::{ClientDetails, Lifetime, Registry};
//! # use data_encoding::BASE64;
//!
//! # #[pollster::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let registry = Registry::in_memory();
//! let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
//! let issued = registry.as_seller("contoso")?.register(details, Lifetime::OneYear).await?;
//!
//! # let pair = format!("{}:{}", issued.client_id(), issued.client_secret().expose());
//! # let request = http::Request::post("/token")
//! #     .header("authorization", format!("Basic {}", BASE64.encode(pair.as_bytes())))
//! #     .header("content-type", "application/x-www-form-urlencoded")
//! #     .body(b"grant_type=client_credentials".to_vec())?;
//! let verdict = registry.authenticate_request(request.headers(), request.uri().query(), request.body()).await;
//! let answer = match verdict.and_then(ClientVerdict::proven) {
//!     Ok(client) if client.form().get("grant_type") == Some("client_credentials") => {
//!         http::Response::new(b"a token".to_vec())
//!     }
//!     Ok(_) => OAuthError::new(ErrorCode::UnsupportedGrantType).response(),
//!     Err(error) => error.response(),
//! };
//! assert_eq!(answer.status(), 200);
//! # Ok(()) }
//! ```
//!
//! # What is accepted
//!
//! | request | verdict or answer |
//! | --- | --- |
//! | Basic, or `client_id` and `client_secret` in the form | [`Proven`](ClientVerdict::Proven), or `invalid_client`, 401 |
//! | `client_id` alone | [`Unproven`](ClientVerdict::Unproven): nothing is looked up |
//! | no client ID at all; alone, a client ID that no client can have; an `Authorization` header of another scheme; a client assertion (`client_secret_jwt`, `private_key_jwt`) | `invalid_client`, 401 |
//! | two of Basic, a client secret in the form and an assertion, an empty one too; two `Authorization` headers; two client IDs that differ, also if one is in the URL | `invalid_request`, 400 |
//! | a parameter that stands twice; a body that is not a form; Basic without base64 or colon; more than [`MAX_BODY`], [`MAX_AUTHORIZATION`], [`MAX_QUERY`] or [`MAX_PARAMETERS`] | `invalid_request`, 400 |
//! | a client secret or an assertion in the URL | `invalid_request`, 400 |
//! | a client ID with a client secret, if the client has to be looked up and the store does not answer | `temporarily_unavailable`, 503 with `Retry-After` |
//!
//! An empty `client_secret` is a wrong client secret, not a missing one.
//!
//! Every answer has the body of RFC 6749 section 5.2, made of constant texts: why a client was denied is in the log and in
//! [`OAuthError::reason`]. What this module keeps of a request lies in memory that is wiped. The server's own buffers are not
//! in its reach.
//!
//! [`ClientMetadata`] and [`ClientInformation`] speak the names of dynamic client registration (RFC 7591).

mod authenticate;
#[cfg(feature = "axum")]
mod axum;
mod basic;
mod client;
mod error;
mod error_code;
mod expiry;
mod fault;
mod form;
mod information;
mod metadata;
mod request;

pub use self::authenticate::ClientVerdict;
#[cfg(feature = "axum")]
#[cfg_attr(docsrs, doc(cfg(feature = "axum")))]
pub use self::axum::AuthenticatedClient;
pub use self::client::{ProvenClient, UnprovenClient};
pub use self::error::OAuthError;
pub use self::error_code::ErrorCode;
pub use self::expiry::{end_from, expires_at, lifetime_from};
pub use self::fault::RequestFault;
pub use self::form::Form;
pub use self::information::{ClientInformation, ExposedInformation};
pub use self::metadata::ClientMetadata;
pub use self::request::{ClientAuthMethod, ClientRequest};

/// The longest value of an `Authorization` header, in bytes. The longest client ID and client secret take 2,314, with every character
/// escaped.
pub const MAX_AUTHORIZATION: usize = 4 * 1024;
/// The largest body, in bytes. A server that collects a body of that size, and its decoding here, take less than 64 KiB together.
pub const MAX_BODY: usize = 24 * 1024;
/// The largest number of parameters in a body.
pub const MAX_PARAMETERS: usize = 64;
/// The longest query of a URL, in bytes.
pub const MAX_QUERY: usize = 8 * 1024;
