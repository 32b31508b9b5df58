//! `/add-ins/{id}/submit`: submits an add-in, or lists what is missing.

use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::add_ins::Found;
use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::shared::App;
use crate::signed_in::AsSeller;

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/add-ins/{id}/submit", get(show).post(submit))
}

#[derive(Template)]
#[template(path = "add_in_submit.html")]
struct Page {
    frame: Frame,
    found: Found,
    missing: Vec<String>,
}

async fn show(as_seller: AsSeller, Path(id): Path<String>) -> Result<Response, Failure> {
    let found = Found::of(&as_seller, &id).await?;
    let missing = found.missing();
    Ok(page(&Page { frame: as_seller.frame, found, missing }))
}

async fn submit(as_seller: AsSeller, Path(id): Path<String>) -> Result<Response, Failure> {
    let mut found = Found::of(&as_seller, &id).await?;
    let missing = found.missing();
    if !missing.is_empty() {
        let shown = page(&Page { frame: as_seller.frame, found, missing });
        return Ok((StatusCode::CONFLICT, shown).into_response());
    }
    let to = found.path();
    found.listing.submitted = true;
    as_seller.app.catalogue.change(found.listing).await?;
    as_seller.go(&to, "The add-in was submitted.").await
}
