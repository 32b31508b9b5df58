//! `POST /ping`: a client asks for a test message to its webhook. The address is the client's attribute `webhook_url`, which the
//! platform writes: a caller cannot choose where this server sends to.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Router, routing::post};
use client_registry::entropy::{Entropy, SystemEntropy};
use client_registry::oauth::{ErrorCode, OAuthError};
use data_encoding::HEXLOWER;
use serde_json::json;

use crate::token::Client;
use crate::{Server, observe, webhook};

/// The attribute with the address that messages to a client go to.
pub const WEBHOOK_URL: &str = "webhook_url";

pub(crate) fn routes() -> Router<Server> {
    Router::new().route("/ping", post(ping))
}

/// Answers 204 if the add-in has accepted the message, 502 if it has not.
async fn ping(State(server): State<Server>, client: Client) -> Result<Response, OAuthError> {
    let client = observe::verdict("ping", client)?;
    let Some(url) = client.authenticated().attributes().get(WEBHOOK_URL) else {
        return Err(OAuthError::new(ErrorCode::InvalidRequest).described("this client has no webhook"));
    };
    let mut random = [0; 16];
    if SystemEntropy.fill(&mut random).is_err() {
        return Err(OAuthError::new(ErrorCode::TemporarilyUnavailable));
    }
    let message_id = format!("msg_{}", HEXLOWER.encode(&random));
    let event = json!({"type": "ping", "client_id": client.client_id()});
    let target = (client.client_id(), url);
    for attempt in 0..ATTEMPTS {
        tokio::time::sleep(PAUSE * attempt).await;
        match webhook::send(&server, target, &message_id, &event).await {
            Ok(status) if status.is_success() => return Ok(StatusCode::NO_CONTENT.into_response()),
            Ok(status) => tracing::warn!(%message_id, %status, "the add-in did not accept a webhook"),
            Err(error) => tracing::warn!(%message_id, error, "a webhook could not be sent"),
        }
    }
    Ok(StatusCode::BAD_GATEWAY.into_response())
}

const ATTEMPTS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(200);
