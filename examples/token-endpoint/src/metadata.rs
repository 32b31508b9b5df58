//! `GET /.well-known/oauth-authorization-server`: what this server can do (RFC 8414).

use axum::extract::State;
use axum::{Json, Router, routing::get};
use client_registry::oauth::ClientAuthMethod;
use serde_json::{Value, json};

use crate::Server;

pub(crate) fn routes() -> Router<Server> {
    Router::new().route("/.well-known/oauth-authorization-server", get(metadata))
}

async fn metadata(State(server): State<Server>) -> Json<Value> {
    let issuer = &*server.issuer;
    let methods = [ClientAuthMethod::SecretBasic, ClientAuthMethod::SecretPost].map(ClientAuthMethod::as_str);
    Json(json!({
        "issuer": issuer,
        "token_endpoint": format!("{issuer}/token"),
        "token_endpoint_auth_methods_supported": methods,
        "introspection_endpoint": format!("{issuer}/introspect"),
        "introspection_endpoint_auth_methods_supported": methods,
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
    }))
}
