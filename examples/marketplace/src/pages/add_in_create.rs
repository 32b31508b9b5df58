//! `/add-ins/new`: a new add-in.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Form, Router};
use client_registry::entropy::{Entropy, SystemEntropy};
use client_registry::value::FriendlyName;
use data_encoding::HEXLOWER;
use serde::Deserialize;

use crate::add_ins;
use crate::catalogue::Listing;
use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::shared::App;
use crate::signed_in::AsSeller;

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/add-ins/new", get(show).post(create))
}

#[derive(Debug, Default, Deserialize)]
struct Typed {
    #[serde(default)]
    name: String,
    #[serde(default)]
    availability: String,
}

#[derive(Template)]
#[template(path = "add_in_create.html")]
struct Page {
    frame: Frame,
    form: Typed,
    error: Option<String>,
}

async fn show(as_seller: AsSeller) -> Response {
    page(&Page { frame: as_seller.frame, form: Typed::default(), error: None })
}

async fn create(as_seller: AsSeller, Form(form): Form<Typed>) -> Result<Response, Failure> {
    if let Some(error) = wrong_name(&form.name) {
        let shown = Page { frame: as_seller.frame, form, error: Some(error) };
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&shown)).into_response());
    }
    let mut random = [0; 6];
    SystemEntropy.fill(&mut random).map_err(|error| Failure::internal(&error))?;
    let listing = Listing {
        id: format!("add-in-{}", HEXLOWER.encode(&random)),
        owner: as_seller.seller.id().as_str().to_owned(),
        name: form.name,
        china: form.availability == "china",
        oauth: false,
        package: String::new(),
        blocks_others: false,
        submitted: false,
    };
    let to = add_ins::path(&listing);
    as_seller.app.catalogue.add(listing).await?;
    as_seller.go(&to, "The add-in was created. Choose its client ID next.").await
}

/// Returns what is wrong with the name of an add-in. It follows the rules of a friendly name.
pub(crate) fn wrong_name(name: &str) -> Option<String> {
    let accepted = "1 to 100 characters, no control or invisible characters, no space at the ends";
    FriendlyName::parse(name).err().map(|_| format!("Choose another name: {accepted}."))
}
