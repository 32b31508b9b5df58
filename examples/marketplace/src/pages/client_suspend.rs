//! `/clients/{id}/suspend` and `…/resume`: nothing of a suspended client ID authenticates, signs or verifies (rule 20).

use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::{get, post};

use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::pages::head::Head;
use crate::shared::App;
use crate::signed_in::AsSeller;

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/clients/{id}/suspend", get(show).post(suspend))
        .route("/clients/{id}/resume", post(resume))
}

#[derive(Template)]
#[template(path = "client_suspend.html")]
struct Page {
    frame: Frame,
    client: Head,
}

async fn show(as_seller: AsSeller, Path(id): Path<String>) -> Result<Response, Failure> {
    let client = Head::of(&as_seller.client(&id)?).await?;
    Ok(page(&Page { frame: as_seller.frame, client }))
}

async fn suspend(as_seller: AsSeller, Path(id): Path<String>) -> Result<Response, Failure> {
    let client = as_seller.client(&id)?;
    let (to, outcome) = (format!("/clients/{}", client.id()), client.suspend().await);
    as_seller.settled(&to, outcome, "The client ID was suspended.").await
}

async fn resume(as_seller: AsSeller, Path(id): Path<String>) -> Result<Response, Failure> {
    let client = as_seller.client(&id)?;
    let (to, outcome) = (format!("/clients/{}", client.id()), client.resume().await);
    as_seller.settled(&to, outcome, "The client ID works again.").await
}
