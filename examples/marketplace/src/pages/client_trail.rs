//! `GET /clients/{id}/trail`: all that happened to a client ID, also after its deletion.

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
use crate::trail::Trail;

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/clients/{id}/trail", get(show))
}

#[derive(Template)]
#[template(path = "client_trail.html")]
struct Page<'a> {
    frame: Frame,
    id: &'a ClientId,
    /// The friendly name, unless the client ID was deleted.
    name: Option<String>,
    trail: Trail,
}

async fn show(as_seller: AsSeller, Path(id): Path<String>) -> Result<Response, Failure> {
    let client = as_seller.client(&id)?;
    let trail = Trail::read(&client, as_seller.now()).await?;
    let name = client.snapshot().await.ok().map(|found| found.client().details().friendly_name().to_string());
    Ok(page(&Page { frame: as_seller.frame, id: client.id(), name, trail }))
}
