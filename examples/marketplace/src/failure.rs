//! `Failure`: a page that says what went wrong and what to do next.

use askama::Template;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use client_registry::problem::ProblemDetails;
use client_registry::store::StoreError;
use client_registry::{Error, InvalidValue};

use crate::frame::{Frame, page};
use crate::words::sentence;

/// An error as a page.
#[derive(Debug)]
pub struct Failure {
    status: StatusCode,
    title: String,
    detail: String,
    retry_after: Option<u64>,
}

impl Failure {
    /// Returns a failure with a title and a sentence about it.
    pub fn new(status: StatusCode, title: &str, detail: &str) -> Self {
        Self { status, title: title.to_owned(), detail: sentence(detail), retry_after: None }
    }

    /// Returns the failure for a thing that is not there, or that this account may not see.
    pub fn not_found(what: &str) -> Self {
        let detail = format!("there is no such {what}, or this account may not see it");
        Self::new(StatusCode::NOT_FOUND, "Not found", &detail)
    }

    /// Says in how many seconds to try again.
    pub fn retry_after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// Logs an error of this program, and returns what the browser may know of it.
    pub fn internal(error: &dyn std::fmt::Display) -> Self {
        tracing::error!(%error, "a page could not be made");
        let detail = "something went wrong on our side, and the log says what: try again";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong", detail)
    }

    /// Returns the problem details of an error as a page.
    pub(crate) fn of(problem: &ProblemDetails) -> Self {
        let status = StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let failure = Self::new(status, problem.title(), problem.detail());
        Self { retry_after: problem.retry_after_secs().map(u64::from), ..failure }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        if error.kind() == client_registry::ErrorKind::Unavailable {
            tracing::error!(%error, "the registry did not answer");
        }
        Self::of(&ProblemDetails::from(&error))
    }
}

impl From<InvalidValue> for Failure {
    fn from(error: InvalidValue) -> Self {
        Self::of(&ProblemDetails::from(&error))
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::from(Error::from(error))
    }
}

impl From<tower_sessions::session::Error> for Failure {
    fn from(error: tower_sessions::session::Error) -> Self {
        Self::internal(&error)
    }
}

impl From<crate::catalogue::CatalogueError> for Failure {
    fn from(error: crate::catalogue::CatalogueError) -> Self {
        Self::internal(&error)
    }
}

#[derive(Template)]
#[template(path = "failure.html")]
struct FailurePage<'a> {
    frame: Frame,
    title: &'a str,
    detail: &'a str,
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let shown = FailurePage { frame: Frame::bare(), title: &self.title, detail: &self.detail };
        let mut response = page(&shown);
        *response.status_mut() = self.status;
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}
