//! `POST /events`: what the platform tells the add-in, as Standard Webhooks. Either client secret verifies it, so nothing is lost in a
//! rotation; what comes twice is handled once.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use client_registry::webhooks::{WebhookError, WebhookHeaders};
use serde::{Deserialize, Serialize};

use crate::TripCalendar;
use crate::page::slot_name;
use crate::trips::{Received, Trip};

pub(crate) fn routes() -> Router<TripCalendar> {
    Router::new().route("/events", post(receive)).layer(DefaultBodyLimit::max(16 * 1024))
}

/// A message of the platform. What its type adds that is not known here is left alone.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Event {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// What a message about a trip says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) data: Option<Trip>,
}

/// A message of a type that is not about trips may hold anything else as its data.
#[derive(Deserialize)]
struct AnyEvent {
    #[serde(rename = "type")]
    kind: String,
}

/// Answers 204 to a message that is kept, or was before: the platform need not send it again.
async fn receive(State(calendar): State<TripCalendar>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let parts = Arc::clone(&calendar.0);
    let verified = WebhookHeaders::parse(&headers)
        .and_then(|headers| parts.receiver.verify(&headers, &body).map(|verified| (headers, verified)));
    let (headers, verified) = match verified {
        Ok(verified) => verified,
        Err(WebhookError::Replayed) => return StatusCode::NO_CONTENT,
        Err(error) => {
            tracing::warn!(%error, "a message was refused");
            parts.trips.count_refused();
            return StatusCode::from_u16(error.kind().http_status()).unwrap_or(StatusCode::BAD_REQUEST);
        }
    };
    let Some(event) = read(&body) else { return StatusCode::BAD_REQUEST };
    let received = Received {
        id: headers.id().to_owned(),
        at: parts.ring.state().at,
        verified_by: slot_name(verified.slot()).to_owned(),
        event,
    };
    // A file is written. The message is kept even if the platform goes away meanwhile.
    let keeping = tokio::task::spawn_blocking(move || {
        let kept = parts.trips.keep(received);
        if kept.is_err() {
            parts.receiver.forget(&headers);
        }
        kept
    });
    match keeping.await {
        Ok(Ok(())) => StatusCode::NO_CONTENT,
        Ok(Err(error)) => {
            tracing::error!(%error, "a message cannot be kept, the platform has to send it again");
            StatusCode::SERVICE_UNAVAILABLE
        }
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// Reads a message. One about trips has to say which trip.
fn read(body: &[u8]) -> Option<Event> {
    let kind = serde_json::from_slice::<AnyEvent>(body).ok()?.kind;
    match kind.starts_with("trip.") {
        true => serde_json::from_slice(body).ok().filter(|event: &Event| event.data.is_some()),
        false => Some(Event { kind, data: None }),
    }
}
