//! `GET /clients/{id}`: everything about a client ID.

use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::get;
use client_registry::ClientId;

use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::shared::App;
use crate::signed_in::AsSeller;

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/clients/{id}", get(show))
}

#[derive(Template)]
#[template(path = "client_summary.html")]
struct Page<'a> {
    frame: Frame,
    id: &'a ClientId,
    name: &'a str,
}

async fn show(as_seller: AsSeller, Path(id): Path<String>) -> Result<Response, Failure> {
    let client = as_seller.client(&id)?;
    let snapshot = client.snapshot().await?;
    let name = snapshot.client().details().friendly_name().as_str();
    Ok(page(&Page { frame: as_seller.frame, id: client.id(), name }))
}
