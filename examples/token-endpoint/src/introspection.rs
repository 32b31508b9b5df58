//! `POST /introspect`: what a token stands for (RFC 7662). The caller authenticates as at `/token`.
//!
//! A client learns about its own tokens. One with the attribute `resource_server` learns about everybody's: an operator gives it to the
//! servers that accept tokens.

use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::response::IntoResponse;
use axum::{Json, Router, routing::post};
use client_registry::oauth::{ErrorCode, OAuthError};
use serde_json::json;

use crate::token::Client;
use crate::{Server, observe};

/// The attribute of a client that may ask about every token.
pub const RESOURCE_SERVER: &str = "resource_server";

pub(crate) fn routes() -> Router<Server> {
    Router::new().route("/introspect", post(introspect))
}

async fn introspect(State(server): State<Server>, client: Client) -> Result<impl IntoResponse, OAuthError> {
    let client = observe::verdict("introspect", client)?;
    let Some(text) = client.form().get("token") else {
        return Err(OAuthError::new(ErrorCode::InvalidRequest).described("token is missing"));
    };
    let found = server.tokens.find(&server.registry, text).await?;
    let may_see_all = client.authenticated().attributes().get(RESOURCE_SERVER).is_some();
    let answer = match found.filter(|token| may_see_all || token.client_id == *client.client_id()) {
        Some(token) => json!({
            "active": true,
            "client_id": token.client_id,
            "token_type": "Bearer",
            "iat": token.issued.as_secs(),
            "exp": token.ends.as_secs(),
            "iss": server.issuer,
        }),
        None => json!({"active": false}),
    };
    Ok(([(CACHE_CONTROL, "no-store")], Json(answer)))
}
