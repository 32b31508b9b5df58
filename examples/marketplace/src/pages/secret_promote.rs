//! `/clients/{id}/secrets/{secret}/promote`: lets a secret sign, now or from a date on (rule 7). `POST …/withdraw` withdraws a date.
//!
//! The form holds the revision that was looked at: where another tab was faster, nothing of its change is undone.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use client_registry::value::Revision;
use client_registry::{Error, Refusal, SecretId, Snapshot};
use serde::Deserialize;

use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::pages::head::Head;
use crate::prose::Prose;
use crate::shared::App;
use crate::signed_in::AsSeller;
use crate::words::{self, When, sentence};

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/clients/{id}/secrets/{secret}/promote", get(show).post(promote))
        .route("/clients/{id}/secrets/{secret}/withdraw", post(withdraw))
}

#[derive(Debug, Default, Deserialize)]
struct Typed {
    revision: u64,
    #[serde(default)]
    when: String,
    #[serde(default)]
    at: String,
}

#[derive(Template)]
#[template(path = "secret_promote.html")]
struct Page {
    frame: Frame,
    client: Head,
    secret: SecretId,
    used: Option<When>,
    why_it_signs: Prose,
    scheduled: Option<When>,
    form: Typed,
    error: Option<String>,
}

impl Page {
    fn of(frame: Frame, snapshot: &Snapshot, secret: SecretId, form: Typed, error: Option<String>) -> Self {
        let (now, client) = (snapshot.at(), snapshot.client());
        let scheduled = client.promotions().iter().find(|one| one.secret() == secret && one.at() > now);
        Self {
            frame,
            client: Head::from(snapshot),
            secret,
            used: snapshot.last_used(secret).map(|at| When::new(at, now)),
            why_it_signs: Prose::new(words::why_it_signs(snapshot.signing()), now),
            scheduled: scheduled.map(|one| When::new(one.at(), now)),
            form,
            error,
        }
    }
}

async fn show(
    as_seller: AsSeller,
    Path((id, secret)): Path<(String, SecretId)>,
) -> Result<Response, Failure> {
    let snapshot = as_seller.client(&id)?.snapshot().await?;
    if snapshot.client().secret(secret).is_none() {
        return Err(Failure::not_found("secret"));
    }
    let revision = snapshot.client().revision().number();
    let form = Typed { revision, when: "now".to_owned(), ..Typed::default() };
    Ok(page(&Page::of(as_seller.frame, &snapshot, secret, form, None)))
}

async fn promote(
    as_seller: AsSeller,
    Path((id, secret)): Path<(String, SecretId)>,
    Form(form): Form<Typed>,
) -> Result<Response, Failure> {
    let client = as_seller.client(&id)?;
    let tied = client.if_at(Revision::new(form.revision));
    let to = format!("/clients/{}", client.id());
    let (outcome, done) = match form.when.as_str() {
        "now" => (tied.promote(secret).await, format!("Secret {secret} signs from now on.")),
        _ => match words::instant(&form.at) {
            Some(at) => (
                tied.schedule_promotion(secret, at).await,
                format!("Secret {secret} will sign from {at} on."),
            ),
            None => {
                let error = Some("Choose a date and a time.".to_owned());
                let snapshot = client.snapshot().await?;
                let shown = Page::of(as_seller.frame, &snapshot, secret, form, error);
                return Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&shown)).into_response());
            }
        },
    };
    match outcome {
        Err(Error::Refused(refusal @ (Refusal::InThePast { .. } | Refusal::NotValidThen { .. }))) => {
            let snapshot = client.snapshot().await?;
            let error = Some(sentence(&refusal.to_string()));
            let shown = Page::of(as_seller.frame, &snapshot, secret, form, error);
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&shown)).into_response())
        }
        outcome => as_seller.settled(&to, outcome, &done).await,
    }
}

async fn withdraw(
    as_seller: AsSeller,
    Path((id, secret)): Path<(String, SecretId)>,
    Form(form): Form<Typed>,
) -> Result<Response, Failure> {
    let client = as_seller.client(&id)?;
    let outcome = client.if_at(Revision::new(form.revision)).withdraw_promotion(secret).await;
    let to = format!("/clients/{}", client.id());
    as_seller.settled(&to, outcome, &format!("The promotion of secret {secret} was withdrawn.")).await
}
