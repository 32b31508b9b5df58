//! [Standard Webhooks](https://www.standardwebhooks.com), both sides: the symmetric signatures, `v1`.
//!
//! The platform sends a message with three headers, which [`Registry::sign_webhook`](crate::Registry::sign_webhook) makes, or, in
//! an overlap, [`sign_webhook_with_all`](crate::Registry::sign_webhook_with_all). The add-in verifies headers and body with
//! [`SecretRing::verify_webhook`](crate::SecretRing::verify_webhook), or with a [`WebhookReceiver`], which refuses on request a message that
//! comes twice. Both sides work with any library of the specification.
//!
//! ```
//! # use client_registry::*;
//! use client_registry::ring::Slot;
//! use client_registry::webhooks::WebhookHeaders;
//!
//! # #[pollster::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let registry = Registry::in_memory();
//! # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
//! # let issued = registry.as_seller("contoso")?.register(details, Lifetime::OneYear).await?;
//! # let id = issued.client_id().clone();
//! let body = br#"{"type":"calendar.changed"}"#;
//! let headers = registry.sign_webhook(&id, "msg_1", body).await?;
//! for (name, value) in headers.pairs() {
//!     println!("{name}: {value}"); // webhook-id, webhook-timestamp, webhook-signature
//! }
//!
//! // The add-in reads them from the request: of `http`, for example, with `WebhookHeaders::parse(request.headers())`.
//! let ring = SecretRing::new(id, issued.into_client_secret(), None);
//! let received = WebhookHeaders::parse(headers.pairs())?;
//! assert_eq!(ring.verify_webhook(&received, body)?.slot(), Slot::Primary);
//! # Ok(()) }
//! ```
//!
//! # The headers
//!
//! | header | value |
//! | --- | --- |
//! | `webhook-id` | the ID of the message: 1 to 256 printable ASCII characters, without spaces and full stops. It stays the same when the message is sent again |
//! | `webhook-timestamp` | when the message was signed: whole seconds since 1970 |
//! | `webhook-signature` | `v1,` and the padded base64 of the HMAC-SHA-256 of `{id}.{timestamp}.{body}`; several are separated by a space |
//!
//! A full stop in an ID would let an attacker shift characters between ID, timestamp and body, so both sides refuse it.
//!
//! # Keys
//!
//! The libraries take a key in the form `whsec_` and base64. [`ClientSecret::expose_whsec`](crate::ClientSecret::expose_whsec) shows a
//! client secret in that form, beside its text: the key is the UTF-8 bytes of the text. A key of that form comes in with
//! [`SharedSecret::parse_whsec`](crate::ring::SharedSecret::parse_whsec) and
//! [`SecretSource::in_whsec_form`](crate::ring::SecretSource::in_whsec_form) for a ring, and with
//! [`ImportedSecret::parse_whsec`](crate::client::ImportedSecret::parse_whsec) for a registry.

mod error;
mod guard;
mod headers;
mod receive;
mod sign;

pub use self::error::{SignWebhookError, WebhookError};
pub use self::headers::WebhookHeaders;
pub use self::receive::{VerifiedWebhook, WebhookReceiver};
