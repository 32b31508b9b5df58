//! `/clients/{id}/secrets/{secret}/end?until=…`: moves the end of a secret, with a plan (rule 21).

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query};
use axum::response::Response;
use axum::routing::get;
use client_registry::SecretId;
use client_registry::client::EndMove;
use serde::Deserialize;

use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::pages::head::Head;
use crate::pages::secret_planned::{Question, confirm};
use crate::plans::{self, PlanView};
use crate::shared::App;
use crate::signed_in::AsSeller;
use crate::words;

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/clients/{id}/secrets/{secret}/end", get(show).post(confirm::<Page>))
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
    plans::show(as_seller, &back, plan, |frame, plan| page(&Page::of(frame, head, secret, plan))).await
}

impl Question for Page {
    type Consequences = EndMove;

    fn of(frame: Frame, client: Head, secret: SecretId, plan: PlanView) -> Self {
        Self { frame, client, secret, plan }
    }

    fn done(secret: SecretId) -> String {
        format!("The end of secret {secret} was moved.")
    }
}
