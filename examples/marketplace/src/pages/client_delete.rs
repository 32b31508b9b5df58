//! `/clients/{id}/delete`: deletes a client ID with all its secrets; the dialog names it (rule 13).

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::get;
use axum::{Form, Router};
use client_registry::client::ClientDeletion;

use crate::failure::Failure;
use crate::frame::{Frame, Notice, page};
use crate::pages::head::Head;
use crate::plans::{self, Confirmation, PlanView};
use crate::shared::App;
use crate::signed_in::AsSeller;

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/clients/{id}/delete", get(show).post(confirm))
}

#[derive(Template)]
#[template(path = "client_delete.html")]
struct Page {
    frame: Frame,
    client: Head,
    add_ins: Vec<(String, String)>,
    plan: PlanView,
}

async fn show(as_seller: AsSeller, Path(id): Path<String>) -> Result<Response, Failure> {
    let client = as_seller.client(&id)?;
    let head = Head::of(&client).await?;
    let add_ins = add_ins(&as_seller, &client).await?;
    let (back, plan) = (head.path(), client.plan_client_deletion().await);
    let render = |frame, plan| page(&Page { frame, client: head, add_ins, plan });
    plans::show(as_seller, &back, plan, render).await
}

async fn confirm(
    as_seller: AsSeller,
    Path(id): Path<String>,
    Form(confirmation): Form<Confirmation>,
) -> Result<Response, Failure> {
    let client = as_seller.client(&id)?;
    let head = Head::of(&client).await?;
    let add_ins = add_ins(&as_seller, &client).await?;
    let done = Notice {
        link: Some((format!("{}/trail", head.path()), "Its trail stays".to_owned())),
        ..Notice::new(true, &format!("Client ID “{}” was deleted with all its secrets.", head.name))
    };
    let again = |frame, plan| page(&Page { frame, client: head, add_ins, plan });
    plans::confirm::<ClientDeletion>(as_seller, &client, &confirmation, ("/clients", done), again).await
}

/// Returns the add-ins that use a client ID, each with its name.
async fn add_ins(
    as_seller: &AsSeller,
    client: &client_registry::ClientHandle<client_registry::store::DynStore>,
) -> Result<Vec<(String, String)>, Failure> {
    let mut named = Vec::new();
    for add_in in client.snapshot().await?.client().add_ins() {
        named.push((add_in.as_str().to_owned(), as_seller.app.catalogue.name_of(add_in).await?));
    }
    Ok(named)
}
