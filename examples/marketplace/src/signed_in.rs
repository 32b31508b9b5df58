//! Extractors: a handler that takes [`AsSeller`] or [`AsOperator`] runs for nobody else.

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use client_registry::store::DynStore;
use client_registry::{ClientHandle, ClientId, Error, Operator, Outcome, Refusal, Seller, Timestamp};
use tower_sessions::Session;

use crate::account::Account;
use crate::failure::Failure;
use crate::frame::{self, Frame, Notice};
use crate::shared::App;
use crate::words::sentence;

/// The seller who is signed in, and what a page for sellers needs.
#[derive(Debug)]
pub struct AsSeller {
    /// The seller's client IDs, and no others (rule 15).
    pub seller: Seller<DynStore>,
    /// What stands around the page.
    pub frame: Frame,
    /// The session.
    pub session: Session,
    /// The program.
    pub app: App,
}

impl AsSeller {
    /// Returns the handle to a client ID that stands in a path.
    pub fn client(&self, id: &str) -> Result<ClientHandle<DynStore>, Failure> {
        let id = ClientId::parse(id).map_err(|_| Failure::not_found("client ID"))?;
        Ok(self.seller.client(&id))
    }

    /// Returns the instant of the registry's clock.
    pub fn now(&self) -> Timestamp {
        self.app.now()
    }

    /// Leaves a notice with a link for the next page, and goes there.
    pub async fn go_with(&self, to: &str, notice: Notice) -> Result<Response, Failure> {
        frame::leave_notice(&self.session, notice).await?;
        Ok(Redirect::to(to).into_response())
    }

    /// Leaves a notice for the next page, and goes there.
    pub async fn go(&self, to: &str, notice: &str) -> Result<Response, Failure> {
        frame::leave_notice(&self.session, Notice::new(true, notice)).await?;
        Ok(Redirect::to(to).into_response())
    }

    /// Leaves word for the next page that something was not done, and goes there.
    pub async fn not_done(&self, to: &str, why: &str) -> Result<Response, Failure> {
        frame::leave_notice(&self.session, Notice::new(false, why)).await?;
        Ok(Redirect::to(to).into_response())
    }
}

impl AsSeller {
    /// Goes on after a command: with what was done, or with the reason why it was not. What is no refusal is a [`Failure`].
    pub async fn settled(
        &self,
        to: &str,
        outcome: Result<Outcome, Error>,
        done: &str,
    ) -> Result<Response, Failure> {
        match outcome {
            Ok(Outcome::Changed) => self.go(to, done).await,
            Ok(Outcome::Unchanged) => self.go(to, "It was so already: nothing was changed.").await,
            Err(error @ (Error::MovedOn { .. } | Error::AddInTaken { .. })) => {
                self.not_done(to, &not_done(&error)).await
            }
            Err(Error::Refused(Refusal::UnknownClient | Refusal::ClientDeleted)) => {
                Err(Failure::not_found("client ID"))
            }
            Err(Error::Refused(refusal)) => self.not_done(to, &not_done(&refusal)).await,
            Err(error) => Err(error.into()),
        }
    }
}

/// Returns why something was not done, in a sentence.
pub(crate) fn not_done(error: &dyn std::fmt::Display) -> String {
    format!("Nothing was changed. {}", sentence(&error.to_string()))
}

impl FromRequestParts<App> for AsSeller {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let (account, frame, session) = signed_in(parts, app).await?;
        let Account::Seller(id) = &account else {
            return Err(not_for("sellers").into_response());
        };
        let seller = app.registry.as_seller(id).map_err(|error| Failure::from(error).into_response())?;
        Ok(Self { seller, frame, session, app: App::clone(app) })
    }
}

/// The operator who is signed in, and what a page for operators needs.
#[derive(Debug)]
pub struct AsOperator {
    /// The view of an operator.
    pub operator: Operator<DynStore>,
    /// What stands around the page.
    pub frame: Frame,
    /// The session.
    pub session: Session,
    /// The program.
    pub app: App,
}

impl AsOperator {
    /// Returns the handle to a client ID that stands in a path.
    pub fn client(&self, id: &str) -> Result<ClientHandle<DynStore>, Failure> {
        let id = ClientId::parse(id).map_err(|_| Failure::not_found("client ID"))?;
        Ok(self.operator.client(&id))
    }

    /// Returns the instant of the registry's clock.
    pub fn now(&self) -> Timestamp {
        self.app.now()
    }

    /// Leaves a notice for the next page, and goes there.
    pub async fn go(&self, to: &str, notice: &str) -> Result<Response, Failure> {
        frame::leave_notice(&self.session, Notice::new(true, notice)).await?;
        Ok(Redirect::to(to).into_response())
    }

    /// Leaves word for the next page that something was not done, and goes there.
    pub async fn not_done(&self, to: &str, why: &str) -> Result<Response, Failure> {
        frame::leave_notice(&self.session, Notice::new(false, why)).await?;
        Ok(Redirect::to(to).into_response())
    }
}

impl FromRequestParts<App> for AsOperator {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let (account, frame, session) = signed_in(parts, app).await?;
        let Account::Operator(id) = &account else {
            return Err(not_for("operators").into_response());
        };
        let operator = app.registry.as_operator(id).map_err(|error| Failure::from(error).into_response())?;
        Ok(Self { operator, frame, session, app: App::clone(app) })
    }
}

/// Returns who is signed in, or sends the browser to the sign-in.
async fn signed_in(parts: &mut Parts, app: &App) -> Result<(Account, Frame, Session), Response> {
    let session = Session::from_request_parts(parts, app).await.map_err(IntoResponse::into_response)?;
    let account = session.get::<Account>(ACCOUNT).await.map_err(failed)?;
    let Some(account) = account else {
        return Err(Redirect::to("/sign-in").into_response());
    };
    let frame = Frame::of(account.clone(), &session, &parts.uri, app.now()).await.map_err(failed)?;
    Ok((account, frame, session))
}

fn failed(error: tower_sessions::session::Error) -> Response {
    Failure::from(error).into_response()
}

fn not_for(whom: &str) -> Failure {
    let detail = format!("this page is for {whom}: sign out, and sign in with another account");
    Failure::new(StatusCode::FORBIDDEN, "Not for this account", &detail)
}

/// Where the session keeps the account.
pub(crate) const ACCOUNT: &str = "account";
