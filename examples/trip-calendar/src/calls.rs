//! `POST /call` and `POST /message`: buttons that call the platform, and show what it answered.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::post;

use crate::TripCalendar;
use crate::page::{page, slot_name};
use crate::platform::PlatformError;

pub(crate) fn routes() -> Router<TripCalendar> {
    Router::new().route("/call", post(call)).route("/message", post(message))
}

#[derive(Template)]
#[template(path = "call.html")]
struct Page {
    succeeded: bool,
    said: String,
}

/// Gets an access token, if there is none that is good, and asks the platform what it stands for.
async fn call(State(calendar): State<TripCalendar>) -> Response {
    answer(calendar.0.platform.ask().await.map(|answer| {
        let by = slot_name(answer.token_by);
        format!(
            "It knows this add-in as {}. The access token was obtained with the {by} client secret.",
            answer.client_id
        )
    }))
}

/// Asks the platform for a test message.
async fn message(State(calendar): State<TripCalendar>) -> Response {
    let sent = calendar.0.platform.ask_for_a_message().await;
    answer(sent.map(|()| "It has sent a test message, which is in the calendar.".to_owned()))
}

fn answer(said: Result<String, PlatformError>) -> Response {
    match said {
        Ok(said) => page(StatusCode::OK, &Page { succeeded: true, said }),
        Err(error) => page(StatusCode::BAD_GATEWAY, &Page { succeeded: false, said: sentence(&error) }),
    }
}

/// Returns an error as a sentence: it begins with a small letter, and has no full stop.
fn sentence(error: &PlatformError) -> String {
    let text = error.to_string();
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", characters.as_str())
}
