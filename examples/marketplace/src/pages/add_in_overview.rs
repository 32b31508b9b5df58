//! `/add-ins/{id}`: an add-in, the tick "my add-in is a service and requires server to server authorization", and the choice of its
//! client ID by friendly name.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Form, Router};
use client_registry::{ClientId, Outcome};
use serde::Deserialize;

use crate::add_ins::{self, Choice, Found};
use crate::events::Delivery;
use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::pages::add_in_create::wrong_name;
use crate::pages::head::Head;
use crate::shared::{App, Framed};
use crate::signed_in::AsSeller;
use crate::words::{self, When};

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/add-ins/{id}", get(show).post(save))
}

#[derive(Debug, Deserialize)]
struct Typed {
    #[serde(default)]
    name: String,
    #[serde(default)]
    package: String,
    #[serde(default)]
    blocks_others: Option<String>,
    #[serde(default)]
    oauth: Option<String>,
    #[serde(default)]
    client: String,
}

#[derive(Template)]
#[template(path = "add_in_overview.html")]
struct Page {
    frame: Frame,
    found: Found,
    availability: &'static str,
    client: Option<Head>,
    choices: Vec<Choice>,
    /// The client ID that was chosen, where something else is wrong.
    chosen: Option<ClientId>,
    missing: Vec<String>,
    webhook: Option<String>,
    deliveries: Vec<(When, Delivery)>,
    framed: Option<Framed>,
    error: Option<String>,
    client_error: Option<String>,
}

impl Page {
    async fn of(as_seller: AsSeller, found: Found) -> Result<Self, Failure> {
        let (app, now) = (&as_seller.app, as_seller.now());
        let kept = found.client.as_ref().map(client_registry::Snapshot::client);
        let webhook = kept.and_then(|client| client.attributes().get(token_endpoint::ping::WEBHOOK_URL));
        let deliveries = kept.map(|client| app.deliveries.to(client.id())).unwrap_or_default();
        Ok(Self {
            availability: words::availability(found.listing.availability()),
            client: found.client.as_ref().map(Head::from),
            choices: add_ins::choices(&as_seller.seller, &found).await?,
            chosen: None,
            missing: found.missing(),
            webhook: webhook.map(str::to_owned),
            deliveries: deliveries.into_iter().map(|one| (When::new(one.at, now), one)).collect(),
            framed: app.trip_calendar.clone().filter(|framed| framed.add_in == found.listing.id),
            frame: as_seller.frame,
            found,
            error: None,
            client_error: None,
        })
    }
}

async fn show(as_seller: AsSeller, Path(id): Path<String>) -> Result<Response, Failure> {
    let found = Found::of(&as_seller, &id).await?;
    Ok(page(&Page::of(as_seller, found).await?))
}

async fn save(
    as_seller: AsSeller,
    Path(id): Path<String>,
    Form(form): Form<Typed>,
) -> Result<Response, Failure> {
    let mut found = Found::of(&as_seller, &id).await?;
    let to = found.path();
    let chosen = ClientId::parse(&form.client).ok();
    let needs_choice = form.oauth.is_some() && found.client.is_none() && chosen.is_none();
    let error = wrong_name(&form.name);
    let before = (found.listing.package.clone(), found.listing.oauth);
    found.listing.name = form.name;
    found.listing.package = form.package.trim().to_owned();
    found.listing.blocks_others = form.blocks_others.is_some();
    found.listing.oauth = form.oauth.is_some();
    if needs_choice || error.is_some() {
        let mut shown = Page::of(as_seller, found).await?;
        (shown.error, shown.chosen) = (error, chosen);
        shown.client_error = needs_choice.then(|| "Choose a client ID, or take the tick away.".to_owned());
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&shown)).into_response());
    }
    // What was submitted is what was looked at: another package or another authorization has to be submitted again.
    found.listing.submitted &= before == (found.listing.package.clone(), found.listing.oauth);
    let add_in = found.listing.add_in()?;
    let outcome = match (found.listing.oauth, &found.client, chosen) {
        (true, None, Some(chosen)) => as_seller.seller.client(&chosen).associate(&add_in).await,
        (false, Some(client), _) => {
            as_seller.seller.client(client.client().id()).dissociate(add_in.id()).await
        }
        _ => Ok(Outcome::Changed),
    };
    if outcome.is_ok() {
        as_seller.app.catalogue.change(found.listing).await?;
    }
    as_seller.settled(&to, outcome.map(|_| Outcome::Changed), "Saved.").await
}
