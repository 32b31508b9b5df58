//! `/clients/{id}/secrets/new`: a further secret. The one that signs goes on signing.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Form, Router};
use client_registry::value::Label;
use client_registry::{Error, NewSecret, Purpose};
use serde::Deserialize;

use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::pages::head::Head;
use crate::pages::secret_copy;
use crate::shared::App;
use crate::signed_in::{AsSeller, not_done};
use crate::words::{self, sentence};

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/clients/{id}/secrets/new", get(show).post(add))
}

/// What was typed.
#[derive(Debug, Default, Deserialize)]
struct Typed {
    #[serde(default)]
    label: String,
    #[serde(default)]
    years: String,
    #[serde(default)]
    password_only: Option<String>,
}

#[derive(Debug, Default)]
struct Errors {
    label: Option<String>,
    years: Option<String>,
}

#[derive(Template)]
#[template(path = "secret_add.html")]
struct Page {
    frame: Frame,
    client: Head,
    form: Typed,
    errors: Errors,
    error: Option<String>,
}

async fn show(as_seller: AsSeller, Path(id): Path<String>) -> Result<Response, Failure> {
    let client = Head::of(&as_seller.client(&id)?).await?;
    let (form, errors) = (Typed { years: "1".to_owned(), ..Typed::default() }, Errors::default());
    Ok(page(&Page { frame: as_seller.frame, client, form, errors, error: None }))
}

async fn add(
    as_seller: AsSeller,
    Path(id): Path<String>,
    Form(form): Form<Typed>,
) -> Result<Response, Failure> {
    let handle = as_seller.client(&id)?;
    let client = Head::of(&handle).await?;
    let AsSeller { session, app, frame, .. } = as_seller;
    let new = match form.parse() {
        Ok(new) => new,
        Err(errors) => return Ok(again(Page { frame, client, form, errors, error: None })),
    };
    let command = async move { handle.add_secret(new).await };
    match secret_copy::issue(&app, &session, command).await? {
        Ok(response) => Ok(response),
        Err(Error::Refused(refusal)) => {
            let (errors, error) = (Errors::default(), Some(not_done(&refusal)));
            Ok(again(Page { frame, client, form, errors, error }))
        }
        Err(error) => Err(error.into()),
    }
}

fn again(shown: Page) -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, page(&shown)).into_response()
}

impl Typed {
    fn parse(&self) -> Result<NewSecret, Errors> {
        let label = match self.label.trim() {
            "" => Ok(None),
            text => Label::parse(text).map(Some),
        };
        match (label, words::lifetime(&self.years)) {
            (Ok(label), Some(lifetime)) => {
                let new = NewSecret::lasting(lifetime);
                let new =
                    if self.password_only.is_some() { new.for_purpose(Purpose::PasswordOnly) } else { new };
                Ok(match label {
                    Some(label) => new.labelled(label),
                    None => new,
                })
            }
            (label, lifetime) => Err(Errors {
                label: label.err().map(|error| sentence(&error.to_string())),
                years: lifetime.is_none().then(|| "Choose one, two or three years.".to_owned()),
            }),
        }
    }
}
