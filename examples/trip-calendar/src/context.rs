//! `POST /context`: the page that the platform shows in a frame. The platform posts a context token (a JWT, HS256), which says who looks at
//! it. It is posted and not a part of the address, which would be in the history and in logs.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::post;
use axum::{Form, Router};
use client_registry::SecretRing;
use client_registry::jwt::{JwtError, VerifiedJwt};
use serde::Deserialize;

use crate::TripCalendar;
use crate::page::{framed_by, slot_name};
use crate::trips::Trip;

pub(crate) fn routes() -> Router<TripCalendar> {
    Router::new().route("/context", post(context))
}

#[derive(Deserialize)]
struct Posted {
    token: String,
}

/// What the platform says in a context token.
#[derive(Deserialize)]
struct Context {
    /// The platform.
    iss: String,
    /// The user's ID.
    sub: String,
    /// The user's name, as the platform shows it.
    name: Option<String>,
}

#[derive(Template)]
#[template(path = "context.html")]
struct Page {
    user: String,
    signed_with: String,
    verified_by: &'static str,
    trips: Vec<Trip>,
}

#[derive(Template)]
#[template(path = "refused.html")]
struct Refused;

async fn context(State(calendar): State<TripCalendar>, Form(posted): Form<Posted>) -> Response {
    let parts = Arc::clone(&calendar.0);
    let platform = parts.platform.origin();
    match verify(&parts.ring, &posted.token, &parts.config.platform) {
        Ok(verified) => {
            let signed_with = verified.secret_id().map_or("unknown".to_owned(), |id| id.to_string());
            let verified_by = slot_name(verified.slot());
            let Context { sub, name, .. } = verified.into_claims();
            let trips = parts.trips.trips();
            let page = Page { user: name.unwrap_or(sub), signed_with, verified_by, trips };
            framed_by(platform, StatusCode::OK, &page)
        }
        Err(error) => {
            tracing::warn!(error, "a context token was refused");
            framed_by(platform, StatusCode::UNAUTHORIZED, &Refused)
        }
    }
}

fn verify(ring: &SecretRing, token: &str, platform: &str) -> Result<VerifiedJwt<Context>, String> {
    let verified: VerifiedJwt<Context> =
        ring.verify_jwt(token).map_err(|error: JwtError| error.to_string())?;
    match verified.claims().iss == platform {
        true => Ok(verified),
        false => Err("its iss is another platform".to_owned()),
    }
}
