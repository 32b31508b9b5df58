//! A webhook: a message to an add-in, with the headers of Standard Webhooks. Sent with every secret that signs, so that an add-in
//! verifies it before, during and after a rotation.

use std::error::Error;

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use client_registry::ClientId;
use serde_json::Value;

use crate::Server;

/// Sends an event to the add-in behind a client ID, and returns the status of its answer. To send an event again, keep the message ID: the
/// add-in knows by it what it has handled already.
pub async fn send(
    server: &Server,
    (client_id, url): (&ClientId, &str),
    message_id: &str,
    event: &Value,
) -> Result<StatusCode, Box<dyn Error + Send + Sync>> {
    let body = event.to_string();
    let headers = server.registry.sign_webhook_with_all(client_id, message_id, body.as_bytes()).await?;
    let mut request = server.http.post(url).header(CONTENT_TYPE, "application/json").body(body);
    for (name, value) in headers.pairs() {
        request = request.header(name, value);
    }
    Ok(request.send().await?.status())
}
