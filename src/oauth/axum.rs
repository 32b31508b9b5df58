//! `AuthenticatedClient`: client authentication as an extractor of axum.

use std::fmt;
use std::marker::PhantomData;

use axum_core::RequestExt;
use axum_core::body::Body;
use axum_core::extract::{FromRef, FromRequest, Request};
use axum_core::response::{IntoResponse, Response};
use futures_util::StreamExt;
use http::HeaderMap;
use http::header::{AUTHORIZATION, CONTENT_LENGTH};
use zeroize::{Zeroize, Zeroizing};

use crate::oauth::authenticate::refused;
use crate::oauth::{ClientVerdict, Form, MAX_BODY, OAuthError, ProvenClient, RequestFault};
use crate::problem::ProblemDetails;
use crate::registry::{Authenticated, Registry};
use crate::store::{MemoryStore, Store};
use crate::value::ClientId;

/// The client that authenticated a request, as an extractor of axum 0.8. It takes the body, so it comes last among a handler's arguments;
/// the other parameters of the form are in [`form`](Self::form).
///
/// The registry comes from the state of the router, by [axum's
/// `FromRef`](https://docs.rs/axum/0.8/axum/extract/trait.FromRef.html); `S` is its store. If a request is refused, or its
/// client proves nothing, the extractor answers it, and the handler is not called.
///
/// ```
/// use axum::{Router, response::IntoResponse, routing::post};
/// use client_registry::Registry;
/// use client_registry::oauth::{AuthenticatedClient, ErrorCode, OAuthError};
///
/// async fn token(client: AuthenticatedClient) -> Result<impl IntoResponse, OAuthError> {
///     match client.form().get("grant_type") {
///         Some("client_credentials") => Ok(format!("a token for {}", client.client_id())),
///         _ => Err(OAuthError::new(ErrorCode::UnsupportedGrantType)),
///     }
/// }
///
/// let app: Router = Router::new().route("/token", post(token)).with_state(Registry::in_memory());
/// ```
///
/// With a store of another type, name it: `AuthenticatedClient<PostgresStore>`.
pub struct AuthenticatedClient<S = MemoryStore> {
    client: ProvenClient,
    store: PhantomData<fn() -> S>,
}

impl<S> AuthenticatedClient<S> {
    /// Returns the client ID.
    #[must_use]
    pub fn client_id(&self) -> &ClientId {
        self.client.client_id()
    }

    /// Returns what authenticating found: the client, the secret that it presented, attributes.
    #[must_use]
    pub fn authenticated(&self) -> &Authenticated {
        self.client.authenticated()
    }

    /// Returns the parameters of the form, without the client secret.
    #[must_use]
    pub fn form(&self) -> &Form {
        self.client.form()
    }

    /// Takes the value apart.
    #[must_use]
    pub fn into_parts(self) -> (Authenticated, Form) {
        self.client.into_parts()
    }
}

impl<S> fmt::Debug for AuthenticatedClient<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AuthenticatedClient").field(&self.client).finish()
    }
}

impl<S, State> FromRequest<State> for AuthenticatedClient<S>
where
    S: Store,
    Registry<S>: FromRef<State>,
    State: Send + Sync,
{
    type Rejection = OAuthError;

    async fn from_request(request: Request, state: &State) -> Result<Self, OAuthError> {
        let registry = Registry::from_ref(state);
        let (parts, body) = request.with_limited_body().into_parts();
        let challenged = parts.headers.contains_key(AUTHORIZATION);
        let body = read(body, announced(&parts.headers)).await;
        let body = body.map_err(|fault| refused(fault, challenged))?;
        let verdict = registry.authenticate_request(&parts.headers, parts.uri.query(), &body).await;
        let client = verdict.and_then(ClientVerdict::proven)?;
        Ok(Self { client, store: PhantomData })
    }
}

/// Returns the length that a request announces for its body, if it does.
fn announced(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Reads a body into a buffer that does not grow and is wiped. The pieces that the server read are wiped too, as far as nobody else
/// holds them. A body that is longer than announced is too large.
async fn read(body: Body, announced: Option<usize>) -> Result<Zeroizing<Vec<u8>>, RequestFault> {
    let room = announced.unwrap_or(MAX_BODY);
    if room > MAX_BODY {
        return Err(RequestFault::BodyTooLarge);
    }
    let (mut read, mut pieces) = (Zeroizing::new(Vec::with_capacity(room)), body.into_data_stream());
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| RequestFault::BodyUnreadable)?;
        let fits = room - read.len() >= piece.len();
        if fits {
            read.extend_from_slice(&piece);
        }
        if let Ok(mut piece) = piece.try_into_mut() {
            piece.zeroize();
        }
        if !fits {
            return Err(RequestFault::BodyTooLarge);
        }
    }
    Ok(read)
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        self.response().map(Body::from)
    }
}

impl IntoResponse for ProblemDetails {
    fn into_response(self) -> Response {
        self.response().map(Body::from)
    }
}
