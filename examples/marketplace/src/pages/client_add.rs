//! `/clients/new`: a new client ID with its first client secret.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Form, Router};
use client_registry::value::{AppDomain, Field, FriendlyName, RedirectUrl};
use client_registry::{
    Availability, ClientDetails, ClientId, Error, InvalidValue, Lifetime, NewSecret, Refusal,
};
use serde::Deserialize;

use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::pages::secret_copy;
use crate::shared::App;
use crate::signed_in::AsSeller;
use crate::words::{self, sentence};

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/clients/new", get(show).post(add))
}

/// The details that were typed. They stand in the form again when something is wrong.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct TypedDetails {
    #[serde(default)]
    pub(crate) friendly_name: String,
    #[serde(default)]
    pub(crate) app_domain: String,
    #[serde(default)]
    pub(crate) redirect_url: String,
}

#[derive(Debug, Default, Deserialize)]
struct Typed {
    #[serde(flatten)]
    details: TypedDetails,
    #[serde(default)]
    years: String,
    #[serde(default)]
    availability: String,
}

/// What is wrong with each field.
#[derive(Debug, Default)]
pub(crate) struct Errors {
    pub(crate) friendly_name: Option<String>,
    pub(crate) app_domain: Option<String>,
    pub(crate) redirect_url: Option<String>,
    pub(crate) years: Option<String>,
}

#[derive(Template)]
#[template(path = "client_add.html")]
struct Page {
    frame: Frame,
    form: Typed,
    errors: Errors,
    error: Option<String>,
    taken: Option<Taken>,
}

/// The client ID that has the name. Where the answer to a registration got lost, it is the one that was registered.
struct Taken {
    by: ClientId,
    unused: bool,
}

async fn show(as_seller: AsSeller) -> Response {
    let (form, errors) = (Typed { years: "1".to_owned(), ..Typed::default() }, Errors::default());
    page(&Page { frame: as_seller.frame, form, errors, error: None, taken: None })
}

async fn add(as_seller: AsSeller, Form(form): Form<Typed>) -> Result<Response, Failure> {
    let (details, lifetime) = match form.parse() {
        Ok(parsed) => parsed,
        Err(errors) => {
            return Ok(again(Page {
                frame: as_seller.frame,
                form,
                errors: *errors,
                error: None,
                taken: None,
            }));
        }
    };
    let availability = match form.availability.as_str() {
        "china" => Availability::ChinaOnly,
        _ => Availability::Worldwide,
    };
    let AsSeller { seller, session, app, frame } = as_seller;
    let command =
        async move { seller.register_with(details, availability, NewSecret::lasting(lifetime)).await };
    match secret_copy::issue(&app, &session, command).await? {
        Ok(response) => Ok(response),
        Err(Error::NameTaken { by, last_used, .. }) => {
            let name = Some("You have another client ID of this name: choose another name.".to_owned());
            let errors = Errors { friendly_name: name, ..Errors::default() };
            let taken = Some(Taken { by, unused: last_used.is_none() });
            Ok(again(Page { frame, form, errors, error: None, taken }))
        }
        Err(Error::Refused(Refusal::Invalid(invalid))) => {
            let (errors, rest) = Errors::of(&invalid);
            Ok(again(Page { frame, form, errors, error: rest, taken: None }))
        }
        Err(Error::Refused(refusal @ Refusal::RedirectNotAllowed { .. })) => {
            let errors = Errors { redirect_url: Some(sentence(&refusal.to_string())), ..Errors::default() };
            Ok(again(Page { frame, form, errors, error: None, taken: None }))
        }
        Err(Error::Refused(refusal)) => {
            let (errors, error) = (Errors::default(), Some(sentence(&refusal.to_string())));
            Ok(again(Page { frame, form, errors, error, taken: None }))
        }
        Err(error) => Err(error.into()),
    }
}

fn again(shown: Page) -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, page(&shown)).into_response()
}

impl Typed {
    fn parse(&self) -> Result<(ClientDetails, Lifetime), Box<Errors>> {
        let lifetime = words::lifetime(&self.years);
        let years = lifetime.is_none().then(|| "Choose one, two or three years.".to_owned());
        match (self.details.parse(), lifetime) {
            (Ok(details), Some(lifetime)) => Ok((details, lifetime)),
            (Ok(_), None) => Err(Box::new(Errors { years, ..Errors::default() })),
            (Err(errors), _) => Err(Box::new(Errors { years, ..*errors })),
        }
    }
}

impl TypedDetails {
    /// Reads all fields, so that all that is wrong is said at once.
    pub(crate) fn parse(&self) -> Result<ClientDetails, Box<Errors>> {
        let name = FriendlyName::parse(&self.friendly_name);
        let domain = AppDomain::parse(&self.app_domain);
        let url = RedirectUrl::parse(&self.redirect_url);
        match (name, domain, url) {
            (Ok(name), Ok(domain), Ok(url)) => Ok(ClientDetails::from_parts(name, domain, url)),
            (name, domain, url) => {
                let wrong = |error: InvalidValue| sentence(&error.to_string());
                let (friendly_name, app_domain) = (name.err().map(wrong), domain.err().map(wrong));
                let redirect_url = url.err().map(wrong);
                Err(Box::new(Errors { friendly_name, app_domain, redirect_url, years: None }))
            }
        }
    }
}

impl Errors {
    /// Returns an error beside its field, or apart from the fields.
    pub(crate) fn of(invalid: &InvalidValue) -> (Self, Option<String>) {
        let text = Some(sentence(&invalid.to_string()));
        match invalid.field() {
            Field::FriendlyName => (Self { friendly_name: text, ..Self::default() }, None),
            Field::AppDomain => (Self { app_domain: text, ..Self::default() }, None),
            Field::RedirectUrl => (Self { redirect_url: text, ..Self::default() }, None),
            _ => (Self::default(), text),
        }
    }
}
