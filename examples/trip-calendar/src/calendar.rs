//! `GET /`: the trips by date, and what the platform has sent lately.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;

use crate::TripCalendar;
use crate::page::{Ago, page};
use crate::trips::Trip;

pub(crate) fn routes() -> Router<TripCalendar> {
    Router::new().route("/", get(calendar))
}

#[derive(Template)]
#[template(path = "calendar.html")]
struct Page {
    trips: Vec<Trip>,
    messages: Vec<Message>,
}

struct Message {
    kind: String,
    verified_by: String,
    at: Ago,
}

async fn calendar(State(calendar): State<TripCalendar>) -> Response {
    let now = calendar.0.ring.state().at;
    let messages = calendar.0.trips.latest(SHOWN).into_iter().map(|received| Message {
        kind: received.event.kind,
        verified_by: received.verified_by,
        at: Ago::new(received.at, now),
    });
    let messages = messages.collect();
    page(StatusCode::OK, &Page { trips: calendar.0.trips.trips(), messages })
}

const SHOWN: usize = 10;
