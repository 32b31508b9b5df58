//! `/add-ins/{id}/move`: moves an add-in to another client ID of the seller, in one commit (rule 14).

use askama::Template;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Form, Router};
use client_registry::{ClientId, Outcome};
use serde::Deserialize;

use crate::add_ins::{self, Choice, Found};
use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::pages::head::Head;
use crate::shared::App;
use crate::signed_in::AsSeller;

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/add-ins/{id}/move", get(show).post(move_it))
}

#[derive(Debug, Deserialize)]
struct Typed {
    #[serde(default)]
    client: String,
    /// The client ID that the form was shown for: another tab may have moved the add-in since.
    from: String,
    /// The page to go to, `replace` or the add-in's own.
    #[serde(default)]
    then: String,
}

#[derive(Template)]
#[template(path = "add_in_move.html")]
struct Page {
    frame: Frame,
    found: Found,
    client: Head,
    choices: Vec<Choice>,
    error: Option<String>,
}

async fn show(as_seller: AsSeller, Path(id): Path<String>) -> Result<Response, Failure> {
    shown(as_seller, &id, None).await
}

async fn shown(as_seller: AsSeller, id: &str, error: Option<String>) -> Result<Response, Failure> {
    let found = Found::of(&as_seller, id).await?;
    let Some(client) = found.client.as_ref().map(Head::from) else {
        return as_seller
            .not_done(&found.path(), "The add-in has no client ID to move from: choose one here.")
            .await;
    };
    let choices = add_ins::choices(&as_seller.seller, &found).await?;
    let status = if error.is_some() { 422 } else { 200 };
    let mut response = page(&Page { frame: as_seller.frame, found, client, choices, error }).into_response();
    *response.status_mut() = axum::http::StatusCode::from_u16(status).unwrap_or_default();
    Ok(response)
}

async fn move_it(
    as_seller: AsSeller,
    Path(id): Path<String>,
    Form(form): Form<Typed>,
) -> Result<Response, Failure> {
    let Ok(to) = ClientId::parse(&form.client) else {
        return shown(as_seller, &id, Some("Choose a client ID.".to_owned())).await;
    };
    let mut found = Found::of(&as_seller, &id).await?;
    let then = match form.then.as_str() {
        "replace" => format!("{}/replace?from={}", found.path(), form.from),
        _ => found.path(),
    };
    let add_in = found.listing.add_in()?;
    let outcome = as_seller.client(&form.from)?.move_add_in(add_in.id(), &to).await;
    if matches!(outcome, Ok(Outcome::Changed)) && found.listing.submitted {
        found.listing.submitted = false;
        as_seller.app.catalogue.change(found.listing).await?;
    }
    as_seller.settled(&then, outcome, "The add-in was moved. Submit it again.").await
}
