//! `/operator/clients/{id}`: one client ID as an operator sees it, with suspension and transfer.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use client_registry::store::DynStore;
use client_registry::value::SellerId;
use client_registry::{ClientHandle, ClientId, Error, Outcome, Refusal, Snapshot};
use serde::Deserialize;

use crate::account::Account;
use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::prose::Prose;
use crate::secrets::SecretRow;
use crate::shared::App;
use crate::signed_in::AsOperator;
use crate::trail::Trail;
use crate::words::{self, When, sentence};

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/operator/clients/{id}", get(show))
        .route("/operator/clients/{id}/suspend", post(suspend))
        .route("/operator/clients/{id}/resume", post(resume))
        .route("/operator/clients/{id}/transfer", post(transfer))
}

#[derive(Template)]
#[template(path = "operator_client.html")]
struct Page {
    frame: Frame,
    id: ClientId,
    name: String,
    owner: String,
    domain: String,
    redirect: String,
    availability: &'static str,
    registered: When,
    suspended: Option<(When, String)>,
    add_ins: Vec<String>,
    secrets: Vec<SecretRow>,
    why_it_signs: Prose,
    trail: Trail,
    /// What was typed for a transfer, and what is wrong with it.
    to: String,
    to_error: Option<String>,
}

async fn show(as_operator: AsOperator, Path(id): Path<String>) -> Result<Response, Failure> {
    let client = as_operator.client(&id)?;
    let snapshot = existing(client.snapshot().await)?;
    Ok(page(&Page::of(as_operator, &client, &snapshot, String::new(), None).await?))
}

async fn suspend(as_operator: AsOperator, Path(id): Path<String>) -> Result<Response, Failure> {
    let client = as_operator.client(&id)?;
    let done = "It is suspended. Nothing of it works as a password, and nothing is signed for it, until an operator resumes it.";
    said(&as_operator, &client, client.suspend().await, done).await
}

async fn resume(as_operator: AsOperator, Path(id): Path<String>) -> Result<Response, Failure> {
    let client = as_operator.client(&id)?;
    said(&as_operator, &client, client.resume().await, "It is resumed: its valid secrets work again.").await
}

#[derive(Deserialize)]
struct Transfer {
    #[serde(default)]
    to: String,
}

async fn transfer(
    as_operator: AsOperator,
    Path(id): Path<String>,
    Form(form): Form<Transfer>,
) -> Result<Response, Failure> {
    let client = as_operator.client(&id)?;
    let snapshot = existing(client.snapshot().await)?;
    let typed = form.to.trim().to_owned();
    let known = matches!(as_operator.app.sign_in.check(&typed), Some(Account::Seller(id)) if id == typed);
    let wrong = match SellerId::parse(&typed) {
        Err(error) => sentence(&error.to_string()),
        Ok(_) if !known => "There is no seller of this ID: look it up, and type it as it is.".to_owned(),
        Ok(seller) if seller == *snapshot.client().owner() => {
            "This seller owns the client ID already.".to_owned()
        }
        Ok(seller) => match client.transfer(&seller).await {
            Ok(_) => {
                // Said again after a fault in between, the rest is made up for: the registry answers that nothing has changed.
                for add_in in snapshot.client().add_ins() {
                    as_operator.app.catalogue.transfer(add_in, seller.as_str()).await?;
                }
                let done =
                    format!("It belongs to {seller} now, with its secrets, its add-ins and its trail.");
                return as_operator.go(&path(client.id()), &done).await;
            }
            Err(Error::NameTaken { by, .. }) => format!(
                "{seller} has another client ID of this friendly name, {by}: one of the two needs another name first."
            ),
            Err(Error::Refused(refusal)) => sentence(&refusal.to_string()),
            Err(error) => return Err(error.into()),
        },
    };
    let shown = Page::of(as_operator, &client, &snapshot, typed, Some(wrong)).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&shown)).into_response())
}

async fn said(
    as_operator: &AsOperator,
    client: &ClientHandle<DynStore>,
    outcome: Result<Outcome, Error>,
    done: &str,
) -> Result<Response, Failure> {
    match existing(outcome)? {
        Outcome::Changed => as_operator.go(&path(client.id()), done).await,
        _ => as_operator.go(&path(client.id()), "It was so already: nothing was changed.").await,
    }
}

/// A client ID that was deleted, or never was, has no page.
fn existing<T>(answer: Result<T, Error>) -> Result<T, Failure> {
    match answer {
        Err(Error::Refused(Refusal::UnknownClient | Refusal::ClientDeleted)) => {
            Err(Failure::not_found("client ID"))
        }
        other => Ok(other?),
    }
}

fn path(id: &ClientId) -> String {
    format!("/operator/clients/{id}")
}

impl Page {
    async fn of(
        as_operator: AsOperator,
        handle: &ClientHandle<DynStore>,
        snapshot: &Snapshot,
        to: String,
        to_error: Option<String>,
    ) -> Result<Self, Failure> {
        let (client, now) = (snapshot.client(), snapshot.at());
        let mut add_ins = Vec::new();
        for add_in in client.add_ins() {
            add_ins.push(format!("{} ({add_in})", as_operator.app.catalogue.name_of(add_in).await?));
        }
        let suspended = client.suspension().map(|one| (When::new(one.since(), now), one.by().to_string()));
        Ok(Self {
            id: client.id().clone(),
            name: client.details().friendly_name().as_str().to_owned(),
            owner: client.owner().to_string(),
            domain: client.details().app_domain().to_string(),
            redirect: client.details().redirect_url().to_string(),
            availability: words::availability(client.availability()),
            registered: When::new(client.registered_at(), now),
            suspended,
            add_ins,
            secrets: SecretRow::all(snapshot, &as_operator.app.hand_over, None),
            why_it_signs: Prose::new(words::why_it_signs(snapshot.signing()), now),
            trail: Trail::read(handle, now).await?,
            frame: as_operator.frame,
            to,
            to_error,
        })
    }
}
