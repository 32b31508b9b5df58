//! `/clients/{id}/secrets/{secret}/end?until=…`: moves the end of a secret, with a plan (rule 21).

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use axum::routing::get;
use axum::{Form, Router};
use client_registry::SecretId;
use client_registry::client::EndMove;
use serde::Deserialize;

use crate::failure::Failure;
use crate::frame::{Frame, Notice, page};
use crate::pages::head::Head;
use crate::plans::{self, Confirmation, PlanView};
use crate::shared::App;
use crate::signed_in::AsSeller;
use crate::words;

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/clients/{id}/secrets/{secret}/end", get(show).post(confirm))
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    until: String,
}

#[derive(Template)]
#[template(path = "secret_end.html")]
struct Page {
    frame: Frame,
    client: Head,
    secret: SecretId,
    plan: PlanView,
}

async fn show(
    as_seller: AsSeller,
    Path((id, secret)): Path<(String, SecretId)>,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    let client = as_seller.client(&id)?;
    let head = Head::of(&client).await?;
    let back = head.secret(secret);
    let Some(until) = words::instant(&asked.until) else {
        return as_seller.not_done(&back, "Choose a date and a time for the new end.").await;
    };
    let plan = client.plan_end(secret, until).await;
    plans::show(as_seller, &back, plan, |frame, plan| page(&Page { frame, client: head, secret, plan })).await
}

async fn confirm(
    as_seller: AsSeller,
    Path((id, secret)): Path<(String, SecretId)>,
    Form(confirmation): Form<Confirmation>,
) -> Result<Response, Failure> {
    let client = as_seller.client(&id)?;
    let head = Head::of(&client).await?;
    let to = head.path();
    let done = format!("The end of secret {secret} was moved.");
    let again = |frame, plan| page(&Page { frame, client: head, secret, plan });
    plans::confirm::<EndMove>(as_seller, &client, &confirmation, (&to, Notice::new(true, &done)), again).await
}
