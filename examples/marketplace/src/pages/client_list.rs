//! `GET /clients`: the client IDs of a seller, searched by friendly name, page by page.

use askama::Template;
use axum::Router;
use axum::extract::Query;
use axum::response::Response;
use axum::routing::get;
use client_registry::review::Severity;
use client_registry::store::DynStore;
use client_registry::value::{FriendlyName, NameKey, Problem};
use client_registry::{ClientId, Error, InvalidValue, Refusal, Seller, Snapshot};
use serde::Deserialize;

use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::shared::App;
use crate::signed_in::AsSeller;
use crate::words::{self, When, sentence};

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/clients", get(show))
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    after: String,
}

#[derive(Template)]
#[template(path = "client_list.html")]
struct Page {
    frame: Frame,
    query: String,
    error: Option<String>,
    rows: Vec<Row>,
    unreadable: Vec<ClientId>,
    paged: bool,
    next: Option<ClientId>,
}

struct Row {
    id: ClientId,
    name: String,
    availability: &'static str,
    suspended: bool,
    signs: bool,
    ends: Option<When>,
    warnings: usize,
}

async fn show(as_seller: AsSeller, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    let mut query = asked.q.trim().to_owned();
    let (key, error) = match read(&as_seller.seller, &query).await? {
        Ok(key) => (key, None),
        Err(error) => {
            // A client secret that was pasted here is not shown again.
            if error.problem() == Problem::ClientSecret {
                query.clear();
            }
            (None, Some(sentence(&error.to_string())))
        }
    };
    let after = ClientId::parse(&asked.after).ok();
    let found = find(&as_seller.seller, key.as_ref(), after.clone()).await?;
    let rows = found.clients.iter().map(Row::of).collect();
    let paged = after.is_some();
    let AsSeller { frame, .. } = as_seller;
    Ok(page(&Page { frame, query, error, rows, unreadable: found.unreadable, paged, next: found.next }))
}

/// Returns what to look for, if anything.
async fn read(
    seller: &Seller<DynStore>,
    query: &str,
) -> Result<Result<Option<NameKey>, InvalidValue>, Error> {
    if query.is_empty() {
        return Ok(Ok(None));
    }
    // The look-up by a whole name tells a client secret from a name.
    match seller.client_named(query).await {
        Err(Error::Refused(Refusal::Invalid(invalid))) => Ok(Err(invalid)),
        Err(error) => Err(error),
        Ok(_) => Ok(FriendlyName::parse(query).map(|name| Some(name.key()))),
    }
}

#[derive(Default)]
struct Found {
    clients: Vec<Snapshot>,
    unreadable: Vec<ClientId>,
    next: Option<ClientId>,
}

/// Returns a page of the client IDs that have the words in their names.
///
/// The registry finds a whole name at once, but not a part of one: so the list is walked until the page is full.
async fn find(
    seller: &Seller<DynStore>,
    key: Option<&NameKey>,
    mut after: Option<ClientId>,
) -> Result<Found, Failure> {
    let mut found = Found::default();
    let matches = |client: &Snapshot| {
        let name = client.client().details().friendly_name().key();
        key.is_none_or(|key| name.as_str().contains(key.as_str()))
    };
    loop {
        let listed = seller.clients(after.as_ref(), ON_A_PAGE).await?;
        found.unreadable.extend(listed.unreadable().iter().map(|one| one.client_id().clone()));
        let next = listed.next().cloned();
        for client in listed.into_items().into_iter().filter(matches) {
            if found.clients.len() == ON_A_PAGE {
                found.next = found.clients.last().map(|last| last.client().id().clone());
                return Ok(found);
            }
            found.clients.push(client);
        }
        after = next;
        match after {
            None => return Ok(found),
            Some(_) if found.clients.len() == ON_A_PAGE => {
                found.next = found.clients.last().map(|last| last.client().id().clone());
                return Ok(found);
            }
            Some(_) => {}
        }
    }
}

impl Row {
    fn of(snapshot: &Snapshot) -> Self {
        let client = snapshot.client();
        let signing = snapshot.signing().secret();
        let end = signing.and_then(|id| client.secret(id)).and_then(|secret| secret.validity().until());
        let warnings = snapshot.review().iter().filter(|one| one.severity() != Severity::Info).count();
        Self {
            id: client.id().clone(),
            name: client.details().friendly_name().as_str().to_owned(),
            availability: words::availability(client.availability()),
            suspended: client.suspension().is_some(),
            signs: signing.is_some(),
            ends: end.map(|end| When::new(end, snapshot.at())),
            warnings,
        }
    }
}

/// How many client IDs are on a page.
const ON_A_PAGE: usize = 10;
