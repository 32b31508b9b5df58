//! What all pages have in common: their headers, the stylesheet, and instants in words.

use askama::Template;
use axum::Router;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use client_registry::Timestamp;
use client_registry::ring::Slot;

use crate::TripCalendar;

pub(crate) fn routes() -> Router<TripCalendar> {
    let style = [
        (CONTENT_TYPE, "text/css; charset=utf-8"),
        (CACHE_CONTROL, "max-age=60"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Router::new().route("/style.css", get((style, include_str!("../templates/style.css"))))
}

/// Returns a page that no other site may show in a frame.
pub(crate) fn page(status: StatusCode, template: &impl Template) -> Response {
    framed_by("'none'", status, template)
}

/// Returns a page that pages of the origins given may show in a frame.
pub(crate) fn framed_by(origins: &str, status: StatusCode, template: &impl Template) -> Response {
    let Ok(html) = template.render() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let policy = format!(
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors {origins}"
    );
    let Ok(policy) = HeaderValue::from_str(&policy) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let headers = [
        (CONTENT_SECURITY_POLICY, policy),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (status, headers, Html(html)).into_response()
}

/// An instant as it is shown: how long ago, with the exact value beside it.
#[derive(Debug, Clone)]
pub(crate) struct Ago {
    pub(crate) words: String,
    pub(crate) exact: String,
}

impl Ago {
    /// Returns `then` as it is shown at `now`.
    pub(crate) fn new(then: Timestamp, now: Timestamp) -> Self {
        let seconds = now.saturating_since(then).as_secs();
        let count =
            |count: u64, unit: &str| format!("{count} {unit}{} ago", if count == 1 { "" } else { "s" });
        let words = match seconds {
            0..5 => "just now".to_owned(),
            5..60 => count(seconds, "second"),
            60..3_600 => count(seconds / 60, "minute"),
            3_600..86_400 => count(seconds / 3_600, "hour"),
            _ => count(seconds / 86_400, "day"),
        };
        Self { words, exact: then.to_string() }
    }
}

pub(crate) fn slot_name(slot: Slot) -> &'static str {
    match slot {
        Slot::Primary => "primary",
        Slot::Secondary => "secondary",
    }
}
