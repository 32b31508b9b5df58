//! JSON Web Tokens that the platform sends to an add-in: HS256 (RFC 7519, RFC 7515, RFC 8725).
//!
//! [`Registry::sign_jwt`](crate::Registry::sign_jwt) makes a token, such as the *context token* that a platform sends with a call
//! to an add-in. [`SecretRing::verify_jwt`](crate::SecretRing::verify_jwt) verifies it and returns its claims. JWT libraries of
//! other languages do the same: the key is the client secret as its [`KeyEncoding`](crate::secret::KeyEncoding) says, which for
//! a generated one is the UTF-8 bytes of its text.
//!
//! ```
//! # use std::time::Duration;
//! # use client_registry::*;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Context {
//!     iss: String,
//!     user: String,
//! }
//!
//! # #[pollster::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let registry = Registry::in_memory();
//! # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
//! # let issued = registry.as_seller("contoso")?.register(details, Lifetime::OneYear).await?;
//! # let id = issued.client_id().clone();
//! let context = Context { iss: "https://platform.example".into(), user: "ann".into() };
//! let token = registry.sign_jwt(&id, &context, Duration::from_secs(300)).await?;
//!
//! let ring = SecretRing::new(id, issued.into_client_secret(), None);
//! let verified = ring.verify_jwt::<Context>(&token)?;
//! assert_eq!(verified.claims().user, "ann");
//! # Ok(()) }
//! ```
//!
//! # The token
//!
//! The header is `{"alg":"HS256","typ":"client-registry+jwt","kid":"1"}`. `kid` is the ID of the secret that signed. `typ` is
//! [`TYPE`], so that no other JWT that the same client secret signs, such as a client assertion, is taken for such a token
//! (RFC 8725 section 3.11).
//!
//! The claims are those of the caller and three that the registry adds:
//!
//! | claim | value |
//! | --- | --- |
//! | `iat` | the reading of the registry's clock, in whole seconds since 1970 |
//! | `exp` | `iat` plus the lifetime, which every token has |
//! | `aud` | the client ID: the add-in that the token is for |
//!
//! The registry has no name, so `iss` is the caller's, as are `sub`, `nbf` and `jti`.
//!
//! # What is verified
//!
//! The header comes first. `alg` must be `HS256` and `typ` must be [`TYPE`], both in exactly this spelling; a token with `crit` is
//! refused. No key is used before that. Nothing else in the header decides anything: `kid` does not choose the key, and `jwk`, `jku`
//! and the like are ignored. Then the signature is verified with both client secrets of the ring, and only then are the claims
//! read: `exp` must be there and lie in the future, `nbf`, if there is one, in the past, both up to a tolerance, and `aud` must be
//! the client ID of the ring, or a list with it.
//!
//! A token has at most [`MAX_LEN`] characters, its header at most 1,024 of them. Each part is base64url without padding and
//! without stray bits (RFC 7515 section 2). A member that stands twice in one object is refused, wherever it is (RFC 8725
//! section 2.4).
//!
//! A valid token can be presented again until it expires: give it a short lifetime. An add-in that must not accept it
//! twice needs a `jti` in each token, and a memory of those that it has seen.

mod error;
mod json;
mod sign;
mod verify;

pub use self::error::{JwtError, SignJwtError};
pub use self::verify::VerifiedJwt;

/// The type of the tokens of a registry: their header has it as `typ`.
pub const TYPE: &str = "client-registry+jwt";
/// The most characters that a token may have: 64 KiB.
pub const MAX_LEN: usize = 64 * 1024;
