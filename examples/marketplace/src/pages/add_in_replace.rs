//! `GET /add-ins/{id}/replace?from=…`: the guided path "delete a client ID but continue to offer the add-in". Each step is done on its own
//! page; this one says which are done, as the registry and the catalogue say, and which is next. So it goes on where it was, whatever
//! happened in between.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query};
use axum::response::Response;
use axum::routing::get;
use client_registry::{ClientId, Error, Refusal};
use serde::Deserialize;

use crate::add_ins::{self, Choice, Found};
use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::pages::head::Head;
use crate::shared::App;
use crate::signed_in::AsSeller;

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/add-ins/{id}/replace", get(show))
}

#[derive(Debug, Deserialize)]
struct Asked {
    #[serde(default)]
    from: String,
}

#[derive(Template)]
#[template(path = "add_in_replace.html")]
struct Page {
    frame: Frame,
    found: Found,
    /// The client ID to be deleted, and its name unless that was done.
    from: ClientId,
    old: Option<Head>,
    /// The client ID that the add-in has now.
    present: Option<Head>,
    choices: Vec<Choice>,
    moved: bool,
    deleted: bool,
    /// How many other add-ins still use the old one.
    others: usize,
}

async fn show(
    as_seller: AsSeller,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    let found = Found::of(&as_seller, &id).await?;
    let present = found.client.as_ref().map(Head::from);
    let from = ClientId::parse(&asked.from).ok().or_else(|| present.as_ref().map(|client| client.id.clone()));
    let Some(from) = from else {
        return as_seller.not_done(&found.path(), "The add-in has no client ID: choose one here.").await;
    };
    let (old, others, deleted) = match as_seller.seller.client(&from).snapshot().await {
        Ok(snapshot) => {
            let others = snapshot.client().add_ins().iter().filter(|one| one.as_str() != found.listing.id);
            (Some(Head::from(&snapshot)), others.count(), false)
        }
        Err(Error::Refused(Refusal::ClientDeleted)) => (None, 0, true),
        Err(error) => return Err(error.into()),
    };
    let choices = add_ins::choices(&as_seller.seller, &found).await?;
    let moved = present.as_ref().is_some_and(|present| present.id != from);
    let frame = as_seller.frame;
    Ok(page(&Page { frame, found, from, old, present, choices, moved, deleted, others }))
}
