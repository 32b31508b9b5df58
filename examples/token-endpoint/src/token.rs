//! `POST /token`: an access token for a client that proves who it is (RFC 6749 section 4.4).
//!
//! The extractor authenticates the client, by Basic or in the form, before the handler runs. What it refuses is an answer already.

use axum::extract::{FromRef, State};
use axum::http::header::CACHE_CONTROL;
use axum::response::IntoResponse;
use axum::{Json, Router, routing::post};
use client_registry::Registry;
use client_registry::oauth::{AuthenticatedClient, ErrorCode, OAuthError};
use client_registry::store::DynStore;
use serde_json::json;

use crate::{Server, observe};

/// A client as a handler takes it. Without metrics, `AuthenticatedClient<DynStore>` alone is enough.
pub(crate) type Client = Result<AuthenticatedClient<DynStore>, OAuthError>;

pub(crate) fn routes() -> Router<Server> {
    Router::new().route("/token", post(token))
}

async fn token(State(server): State<Server>, client: Client) -> Result<impl IntoResponse, OAuthError> {
    let client = observe::verdict("token", client)?;
    match client.form().get("grant_type") {
        Some("client_credentials") => {}
        Some(_) => return Err(OAuthError::new(ErrorCode::UnsupportedGrantType)),
        None => return Err(OAuthError::new(ErrorCode::InvalidRequest).described("grant_type is missing")),
    }
    let (token, lifetime) = server.tokens.issue(client.authenticated())?;
    let answer = json!({"access_token": token, "token_type": "Bearer", "expires_in": lifetime.as_secs()});
    Ok(([(CACHE_CONTROL, "no-store")], Json(answer)))
}

/// Where the extractor finds the registry.
impl FromRef<Server> for Registry<DynStore> {
    fn from_ref(server: &Server) -> Self {
        server.registry.clone()
    }
}
