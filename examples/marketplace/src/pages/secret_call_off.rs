//! `/clients/{id}/secrets/{secret}/call-off`: calls a rotation off: the secret that came is deleted, and the old ones get back their ends (rule 11).

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::get;
use axum::{Form, Router};
use client_registry::SecretId;
use client_registry::client::CallingOff;

use crate::failure::Failure;
use crate::frame::{Frame, Notice, page};
use crate::pages::head::Head;
use crate::plans::{self, Confirmation, PlanView};
use crate::shared::App;
use crate::signed_in::AsSeller;

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/clients/{id}/secrets/{secret}/call-off", get(show).post(confirm))
}

#[derive(Template)]
#[template(path = "secret_call_off.html")]
struct Page {
    frame: Frame,
    client: Head,
    secret: SecretId,
    plan: PlanView,
}

async fn show(
    as_seller: AsSeller,
    Path((id, secret)): Path<(String, SecretId)>,
) -> Result<Response, Failure> {
    let client = as_seller.client(&id)?;
    let head = Head::of(&client).await?;
    let (back, plan) = (head.path(), client.plan_calling_off(secret).await);
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
    let done = format!("The rotation was called off, and secret {secret} was deleted.");
    let again = |frame, plan| page(&Page { frame, client: head, secret, plan });
    plans::confirm::<CallingOff>(as_seller, &client, &confirmation, (&to, Notice::new(true, &done)), again)
        .await
}
