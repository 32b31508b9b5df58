//! `GET /add-ins/{id}/open`: shows the add-in in a frame. It learns who looks at it by a context token, a JWT that the marketplace signs
//! with the add-in's signing secret. The token is posted into the frame: in an address it would be in the history and in logs.

use std::time::Duration;

use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::get;
use client_registry::problem::ProblemDetails;
use serde::Serialize;

use crate::add_ins::Found;
use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::shared::App;
use crate::signed_in::AsSeller;

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/add-ins/{id}/open", get(show))
}

/// The claims of the context token. The registry adds `aud`, `iat` and `exp`.
#[derive(Serialize)]
struct Context<'a> {
    iss: &'a str,
    sub: &'a str,
    name: &'a str,
}

#[derive(Template)]
#[template(path = "add_in_open.html")]
struct Page {
    frame: Frame,
    found: Found,
    url: String,
    token: String,
}

async fn show(as_seller: AsSeller, Path(id): Path<String>) -> Result<Response, Failure> {
    let found = Found::of(&as_seller, &id).await?;
    let app = &as_seller.app;
    let framed = app.trip_calendar.as_ref().filter(|framed| framed.add_in == found.listing.id);
    let (Some(framed), Some(client)) = (framed, &found.client) else {
        return as_seller
            .not_done(&found.path(), "Only the trip calendar can be opened here, with a client ID.")
            .await;
    };
    let who = as_seller.seller.id().as_str();
    let claims = Context { iss: &app.issuer, sub: who, name: who };
    let token = app.registry.sign_jwt(client.client().id(), &claims, LIFETIME).await;
    let token = token.map_err(|error| Failure::of(&ProblemDetails::from(&error)))?;
    let url = framed.url.clone();
    Ok(page(&Page { frame: as_seller.frame, found, url, token }))
}

/// How long the token is good: as long as it takes to post it.
const LIFETIME: Duration = Duration::from_secs(60);
