//! `/sign-in` and `/sign-out`.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use serde::Deserialize;
use tower_sessions::Session;

use crate::account::Account;
use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::shared::App;
use crate::signed_in::ACCOUNT;

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/sign-in", get(show).post(sign_in)).route("/sign-out", post(sign_out))
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct Page<'a> {
    frame: Frame,
    offered: &'a [Account],
    name: &'a str,
    error: Option<&'a str>,
}

#[derive(Deserialize)]
struct Credentials {
    name: String,
}

async fn show(State(app): State<App>) -> Response {
    page(&Page { frame: Frame::bare(), offered: app.sign_in.offered(), name: "", error: None })
}

/// The session gets a new ID, so that one planted in the browser before is worth nothing.
async fn sign_in(
    State(app): State<App>,
    session: Session,
    Form(credentials): Form<Credentials>,
) -> Result<Response, Failure> {
    let Some(account) = app.sign_in.check(&credentials.name) else {
        let error = Some("There is no such account: check the name.");
        let offered = app.sign_in.offered();
        let shown = Page { frame: Frame::bare(), offered, name: &credentials.name, error };
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&shown)).into_response());
    };
    session.clear().await;
    session.cycle_id().await?;
    session.insert(ACCOUNT, &account).await?;
    Ok(Redirect::to(account.home()).into_response())
}

async fn sign_out(State(app): State<App>, session: Session) -> Result<Redirect, Failure> {
    if let Some(id) = session.id() {
        app.hand_over.forget(id);
    }
    session.flush().await?;
    Ok(Redirect::to("/sign-in"))
}
