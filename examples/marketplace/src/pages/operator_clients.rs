//! `GET /operator/clients`: any client ID of any seller, found by its ID, its add-in, or a part of its name, its seller or its domain.

use askama::Template;
use axum::Router;
use axum::extract::Query;
use axum::response::{Redirect, Response};
use axum::routing::get;
use client_registry::store::DynStore;
use client_registry::value::FriendlyName;
use client_registry::{AddInId, ClientId, Error, Operator, Refusal, Snapshot};
use serde::Deserialize;

use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::shared::App;
use crate::signed_in::AsOperator;
use crate::words::{self, When};

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/operator", get(async || Redirect::to("/operator/clients")))
        .route("/operator/clients", get(show))
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    after: String,
}

#[derive(Template)]
#[template(path = "operator_clients.html")]
struct Page {
    frame: Frame,
    query: String,
    rows: Vec<Row>,
    unreadable: Vec<String>,
    paged: bool,
    next: Option<ClientId>,
}

struct Row {
    id: ClientId,
    name: String,
    owner: String,
    availability: &'static str,
    suspended: bool,
    valid: usize,
    changed: When,
}

async fn show(as_operator: AsOperator, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    let query = asked.q.trim().to_owned();
    let after = ClientId::parse(&asked.after).ok();
    let paged = after.is_some();
    let found = match exactly(&as_operator.operator, &query).await? {
        Some(one) => Found { clients: vec![one], ..Found::default() },
        None => find(&as_operator.operator, &query, after).await?,
    };
    let rows = found.clients.iter().map(Row::of).collect();
    let Found { unreadable, next, .. } = found;
    Ok(page(&Page { frame: as_operator.frame, query, rows, unreadable, paged, next }))
}

#[derive(Default)]
struct Found {
    clients: Vec<Snapshot>,
    unreadable: Vec<String>,
    next: Option<ClientId>,
}

/// Returns the client ID that a text names: its ID, or that of one of its add-ins.
async fn exactly(operator: &Operator<DynStore>, query: &str) -> Result<Option<Snapshot>, Error> {
    if let Ok(id) = ClientId::parse(query) {
        match operator.client(&id).snapshot().await {
            Err(Error::Refused(Refusal::UnknownClient | Refusal::ClientDeleted)) => {}
            found => return found.map(Some),
        }
    }
    match AddInId::parse(query) {
        Ok(add_in) => match operator.client_of(&add_in).await {
            Err(Error::Refused(_)) => Ok(None), // a client secret was typed, which is looked up nowhere
            found => found,
        },
        Err(_) => Ok(None),
    }
}

/// Returns a page of the client IDs that have the text in their name, their seller or their domain. There is no index of parts: so all
/// are walked until the page is full.
async fn find(
    operator: &Operator<DynStore>,
    query: &str,
    mut after: Option<ClientId>,
) -> Result<Found, Error> {
    let key = FriendlyName::parse(query).map(|name| name.key());
    let matches = |one: &Snapshot| {
        let client = one.client();
        let (name, domain) = (client.details().friendly_name().key(), client.details().app_domain());
        query.is_empty()
            || key.as_ref().is_ok_and(|key| name.as_str().contains(key.as_str()))
            || client.owner().as_str().contains(query)
            || domain.as_str().contains(query)
    };
    let mut found = Found::default();
    loop {
        let listed = operator.clients(after.as_ref(), ON_A_PAGE).await?;
        found.unreadable.extend(listed.unreadable().iter().map(|one| one.client_id().to_string()));
        after = listed.next().cloned();
        for client in listed.into_items().into_iter().filter(matches) {
            if found.clients.len() == ON_A_PAGE {
                found.next = found.clients.last().map(|last| last.client().id().clone());
                return Ok(found);
            }
            found.clients.push(client);
        }
        if after.is_none() {
            return Ok(found);
        }
    }
}

impl Row {
    fn of(snapshot: &Snapshot) -> Self {
        let (client, now) = (snapshot.client(), snapshot.at());
        Self {
            id: client.id().clone(),
            name: client.details().friendly_name().as_str().to_owned(),
            owner: client.owner().to_string(),
            availability: words::availability(client.availability()),
            suspended: client.suspension().is_some(),
            valid: client.secrets().filter(|secret| secret.is_valid_at(now)).count(),
            changed: When::new(client.changed_at(), now),
        }
    }
}

/// How many client IDs are on a page.
const ON_A_PAGE: usize = 25;
