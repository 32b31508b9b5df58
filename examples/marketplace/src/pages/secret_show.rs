//! `GET /clients/{id}/secrets/{secret}`: a secret, and all that can be done with it. `POST …/enable` enables it.

use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::{get, post};
use client_registry::SecretId;

use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::pages::head::Head;
use crate::secrets::SecretRow;
use crate::shared::App;
use crate::signed_in::AsSeller;
use crate::words;

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/clients/{id}/secrets/{secret}", get(show))
        .route("/clients/{id}/secrets/{secret}/enable", post(enable))
}

#[derive(Template)]
#[template(path = "secret_show.html")]
struct Page {
    frame: Frame,
    client: Head,
    secret: SecretRow,
    until: String,
}

async fn show(
    as_seller: AsSeller,
    Path((id, secret)): Path<(String, SecretId)>,
) -> Result<Response, Failure> {
    let snapshot = as_seller.client(&id)?.snapshot().await?;
    let client = Head::from(&snapshot);
    let Some(found) = snapshot.client().secret(secret) else {
        let why = format!("Client ID {} has no secret {secret} any longer.", client.name);
        return as_seller.not_done(&client.path(), &why).await;
    };
    let until = found.validity().until().map(words::field_value).unwrap_or_default();
    let secret = SecretRow::of(found, &snapshot, &as_seller.app.hand_over, as_seller.session.id());
    Ok(page(&Page { frame: as_seller.frame, client, secret, until }))
}

async fn enable(
    as_seller: AsSeller,
    Path((id, secret)): Path<(String, SecretId)>,
) -> Result<Response, Failure> {
    let client = as_seller.client(&id)?;
    let outcome = client.enable(secret).await;
    let (to, done) = (format!("/clients/{}", client.id()), format!("Secret {secret} was enabled."));
    as_seller.settled(&to, outcome, &done).await
}
