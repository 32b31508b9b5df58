//! `/clients/{id}/secrets/{secret}/delete`: deletes a secret, with a plan and "are you sure?" (rule 9).

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::get;
use axum::{Form, Router};
use client_registry::SecretId;
use client_registry::client::SecretDeletion;

use crate::failure::Failure;
use crate::frame::{Frame, Notice, page};
use crate::pages::head::Head;
use crate::plans::{self, Confirmation, PlanView};
use crate::shared::App;
use crate::signed_in::AsSeller;

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/clients/{id}/secrets/{secret}/delete", get(show).post(confirm))
}

#[derive(Template)]
#[template(path = "secret_delete.html")]
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
    let (back, plan) = (head.path(), client.plan_deletion(secret).await);
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
    let done = format!("Secret {secret} was deleted.");
    let again = |frame, plan| page(&Page { frame, client: head, secret, plan });
    plans::confirm::<SecretDeletion>(
        as_seller,
        &client,
        &confirmation,
        (&to, Notice::new(true, &done)),
        again,
    )
    .await
}
