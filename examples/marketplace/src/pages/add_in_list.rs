//! `GET /add-ins`: the add-ins of a seller.

use askama::Template;
use axum::Router;
use axum::response::Response;
use axum::routing::get;

use crate::add_ins::{self, Found};
use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::shared::App;
use crate::signed_in::AsSeller;
use crate::words;

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/add-ins", get(show))
}

#[derive(Template)]
#[template(path = "add_in_list.html")]
struct Page {
    frame: Frame,
    rows: Vec<Row>,
}

struct Row {
    path: String,
    name: String,
    availability: &'static str,
    client: Option<String>,
    submitted: bool,
    missing: usize,
}

async fn show(as_seller: AsSeller) -> Result<Response, Failure> {
    let mut rows = Vec::new();
    for listing in as_seller.app.catalogue.of(as_seller.seller.id().as_str()).await? {
        let client = as_seller.seller.client_of(listing.add_in()?.id()).await?;
        let found = Found { listing, client };
        let named =
            |client: &client_registry::Snapshot| client.client().details().friendly_name().to_string();
        rows.push(Row {
            path: add_ins::path(&found.listing),
            name: found.listing.name.clone(),
            availability: words::availability(found.listing.availability()),
            client: found.client.as_ref().map(named),
            submitted: found.listing.submitted,
            missing: found.missing().len(),
        });
    }
    Ok(page(&Page { frame: as_seller.frame, rows }))
}
