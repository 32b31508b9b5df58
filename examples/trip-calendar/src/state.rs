//! `GET /state`: which client secret works, for those who operate the add-in; `GET /state.json` for what watches it. Neither shows a client
//! secret.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use client_registry::Timestamp;
use client_registry::ring::SlotState;
use serde_json::json;

use crate::TripCalendar;
use crate::page::{Ago, page, slot_name};

pub(crate) fn routes() -> Router<TripCalendar> {
    Router::new().route("/state", get(state)).route("/state.json", get(state_json))
}

#[derive(Template)]
#[template(path = "state.html")]
struct Page {
    client_id: String,
    tried_first: &'static str,
    slots: Vec<SlotRow>,
    /// The file that takes a new client secret.
    secondary_file: Option<String>,
    calls: (u64, u64),
    messages: (u64, u64),
}

struct SlotRow {
    name: &'static str,
    /// What is known, in a word or two, as nothing on this page is said by colour alone.
    verdict: &'static str,
    held_since: Ago,
    accepted: Option<Ago>,
    refused: Option<Ago>,
    verified: Option<Ago>,
}

async fn state(State(calendar): State<TripCalendar>) -> Response {
    let parts = &calendar.0;
    let state = parts.ring.state();
    let mut slots = vec![row("Primary", &state.primary, state.at)];
    slots.extend(state.secondary.as_ref().map(|secondary| row("Secondary", secondary, state.at)));
    let page_of = Page {
        client_id: state.client_id.to_string(),
        tried_first: slot_name(state.tried_first),
        slots,
        secondary_file: parts.config.secondary.as_ref().map(|path| path.display().to_string()),
        calls: parts.platform.counts(),
        messages: parts.trips.counts(),
    };
    page(StatusCode::OK, &page_of)
}

fn row(name: &'static str, slot: &SlotState, now: Timestamp) -> SlotRow {
    let ago = |at: Option<Timestamp>| at.map(|at| Ago::new(at, now));
    let verdict = match (slot.works_since, slot.last_refused, slot.last_verified) {
        (Some(_), _, _) => "works",
        (None, Some(_), _) => "refused",
        (None, None, Some(_)) => "verifies",
        (None, None, None) => "not used yet",
    };
    SlotRow {
        name,
        verdict,
        held_since: Ago::new(slot.held_since, now),
        accepted: ago(slot.last_accepted),
        refused: ago(slot.last_refused),
        verified: ago(slot.last_verified),
    }
}

async fn state_json(State(calendar): State<TripCalendar>) -> Response {
    let parts = &calendar.0;
    let (succeeded, failed) = parts.platform.counts();
    let (accepted, refused) = parts.trips.counts();
    let body = json!({
        "ring": parts.ring.state(),
        "calls": {"succeeded": succeeded, "failed": failed},
        "messages": {"accepted": accepted, "refused": refused},
    });
    ([(CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
