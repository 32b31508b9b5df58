//! `/clients/{id}/rotate`: a new secret comes, and the old ones end by themselves after an overlap (rule 11).

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Form, Router};
use client_registry::value::Label;
use client_registry::{Days, Error, Refusal, Rotation, SecretId};
use serde::Deserialize;

use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::pages::head::Head;
use crate::pages::secret_copy;
use crate::shared::App;
use crate::signed_in::{AsSeller, not_done};
use crate::words::{self, sentence};

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/clients/{id}/rotate", get(show).post(rotate))
}

/// What was typed.
#[derive(Debug, Default, Deserialize)]
struct Typed {
    #[serde(default)]
    days: String,
    #[serde(default)]
    label: String,
    #[serde(default)]
    years: String,
    #[serde(default)]
    signs: String,
    #[serde(default)]
    at: String,
}

#[derive(Debug, Default)]
struct Errors {
    days: Option<String>,
    label: Option<String>,
    years: Option<String>,
    at: Option<String>,
}

#[derive(Template)]
#[template(path = "client_rotate.html")]
struct Page {
    frame: Frame,
    client: Head,
    form: Typed,
    errors: Errors,
    error: Option<String>,
    /// The secret of a rotation that is still under way.
    underway: Option<SecretId>,
}

async fn show(as_seller: AsSeller, Path(id): Path<String>) -> Result<Response, Failure> {
    let client = Head::of(&as_seller.client(&id)?).await?;
    let text = str::to_owned;
    let form = Typed { days: text("30"), years: text("1"), signs: text("end"), ..Typed::default() };
    let shown =
        Page { frame: as_seller.frame, client, form, errors: Errors::default(), error: None, underway: None };
    Ok(page(&shown))
}

async fn rotate(
    as_seller: AsSeller,
    Path(id): Path<String>,
    Form(form): Form<Typed>,
) -> Result<Response, Failure> {
    let handle = as_seller.client(&id)?;
    let client = Head::of(&handle).await?;
    let AsSeller { session, app, frame, .. } = as_seller;
    let mut shown = Page { frame, client, form, errors: Errors::default(), error: None, underway: None };
    let rotation = match shown.form.parse() {
        Ok(rotation) => rotation,
        Err(errors) => {
            shown.errors = *errors;
            return Ok(again(&shown));
        }
    };
    let command = async move { handle.rotate(rotation).await };
    let refusal = match secret_copy::issue(&app, &session, command).await? {
        Ok(response) => return Ok(response),
        Err(Error::Refused(refusal)) => refusal,
        Err(error) => return Err(error.into()),
    };
    let text = Some(sentence(&refusal.to_string()));
    match refusal {
        Refusal::OverlapTooShort { .. } | Refusal::OverlapTooLong => shown.errors.days = text,
        Refusal::OutsideOverlap { .. } | Refusal::NotValidThen { .. } => shown.errors.at = text,
        Refusal::RotationUnderway { by, .. } => {
            shown.underway = Some(by);
            shown.error = Some(not_done(&refusal));
        }
        refusal => shown.error = Some(not_done(&refusal)),
    }
    Ok(again(&shown))
}

fn again(shown: &Page) -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, page(shown)).into_response()
}

impl Typed {
    fn parse(&self) -> Result<Rotation, Box<Errors>> {
        let days = self.days.trim().parse::<u32>().ok().filter(|days| (1..=1000).contains(days));
        let label = match self.label.trim() {
            "" => Ok(None),
            text => Label::parse(text).map(Some),
        };
        let lifetime = words::lifetime(&self.years);
        let at = words::instant(&self.at);
        let missing = self.signs == "date" && at.is_none();
        match (days, lifetime, label) {
            (Some(days), Some(lifetime), Ok(label)) if !missing => {
                let mut rotation = Rotation::overlap(Days::new(days)).lasting(lifetime);
                if let Some(label) = label {
                    rotation = rotation.labelled(label);
                }
                Ok(match (self.signs.as_str(), at) {
                    ("now", _) => rotation.signing_now(),
                    ("date", Some(at)) => rotation.signing_at(at),
                    _ => rotation,
                })
            }
            (days, lifetime, label) => Err(Box::new(Errors {
                days: days.is_none().then(|| "Choose a whole number of days, 1 to 1000.".to_owned()),
                label: label.err().map(|error| sentence(&error.to_string())),
                years: lifetime.is_none().then(|| "Choose one, two or three years.".to_owned()),
                at: missing.then(|| "Choose a date and a time.".to_owned()),
            })),
        }
    }
}
