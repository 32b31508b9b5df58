//! `/clients/{id}/edit`: changes the details of a client ID. The form holds the revision that was looked at, so that two tabs do not
//! undo each other.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Form, Router};
use client_registry::value::Revision;
use client_registry::{Error, Refusal};
use serde::Deserialize;

use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::pages::client_add::{Errors, TypedDetails};
use crate::pages::head::Head;
use crate::shared::App;
use crate::signed_in::AsSeller;
use crate::words::sentence;

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/clients/{id}/edit", get(show).post(change))
}

#[derive(Debug, Deserialize)]
struct Typed {
    revision: String,
    #[serde(flatten)]
    details: TypedDetails,
}

#[derive(Template)]
#[template(path = "client_edit.html")]
struct Page {
    frame: Frame,
    client: Head,
    revision: String,
    form: TypedDetails,
    errors: Errors,
    error: Option<String>,
}

async fn show(as_seller: AsSeller, Path(id): Path<String>) -> Result<Response, Failure> {
    let snapshot = as_seller.client(&id)?.snapshot().await?;
    let (details, revision) =
        (snapshot.client().details(), snapshot.client().revision().number().to_string());
    let form = TypedDetails {
        friendly_name: details.friendly_name().as_str().to_owned(),
        app_domain: details.app_domain().as_str().to_owned(),
        redirect_url: details.redirect_url().as_str().to_owned(),
    };
    let client = Head::from(&snapshot);
    Ok(page(&Page { frame: as_seller.frame, client, revision, form, errors: Errors::default(), error: None }))
}

async fn change(
    as_seller: AsSeller,
    Path(id): Path<String>,
    Form(typed): Form<Typed>,
) -> Result<Response, Failure> {
    let client = as_seller.client(&id)?;
    let head = Head::of(&client).await?;
    let to = head.path();
    // What is no number is no revision that a client has, so the command is refused.
    let revision = Revision::new(typed.revision.parse().unwrap_or_default());
    let again = |frame, errors, error| {
        let (revision, form) = (typed.revision.clone(), typed.details.clone());
        let shown = Page { frame, client: head, revision, form, errors, error };
        Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&shown)).into_response())
    };
    let details = match typed.details.parse() {
        Ok(details) => details,
        Err(errors) => return again(as_seller.frame, *errors, None),
    };
    match client.if_at(revision).change_details(details).await {
        Err(Error::NameTaken { by, .. }) => {
            let taken = Some(format!("You have another client ID of this name, {by}: choose another name."));
            again(as_seller.frame, Errors { friendly_name: taken, ..Errors::default() }, None)
        }
        Err(Error::Refused(Refusal::Invalid(invalid))) => {
            let (errors, rest) = Errors::of(&invalid);
            again(as_seller.frame, errors, rest)
        }
        Err(Error::Refused(refusal @ Refusal::RedirectNotAllowed { .. })) => {
            let refused = Some(sentence(&refusal.to_string()));
            again(as_seller.frame, Errors { redirect_url: refused, ..Errors::default() }, None)
        }
        outcome => as_seller.settled(&to, outcome, "The details were changed.").await,
    }
}
