//! `GET /clients/{id}`: everything about a client ID.

use std::time::Duration;

use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::get;
use client_registry::review::{Notice, Severity};
use client_registry::store::DynStore;
use client_registry::{ClientDetails, ClientId, Error, Finding, Seller, Timestamp};

use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::prose::Prose;
use crate::secrets::{SecretRow, Underway};
use crate::shared::App;
use crate::signed_in::AsSeller;
use crate::timeline::Picture;
use crate::trail::Trail;
use crate::words::{self, When, sentence};

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/clients/{id}", get(show))
}

#[derive(Template)]
#[template(path = "client_summary.html")]
struct Page<'a> {
    frame: Frame,
    id: &'a ClientId,
    details: &'a ClientDetails,
    availability: &'static str,
    registered: When,
    suspended: Option<Suspended>,
    add_ins: Vec<(String, String)>,
    secrets: Vec<SecretRow>,
    why_it_signs: Prose,
    underway: Vec<Underway>,
    picture: Picture,
    findings: Vec<Advice>,
    notices: Vec<Due>,
    trail: Trail,
}

struct Suspended {
    since: When,
    by: String,
    by_operator: bool,
}

/// A finding, as it is shown.
struct Advice {
    severity: &'static str,
    class: &'static str,
    text: Prose,
}

/// A notice that fell due.
struct Due {
    due: When,
    secret: client_registry::SecretId,
    ends: When,
}

async fn show(as_seller: AsSeller, Path(id): Path<String>) -> Result<Response, Failure> {
    let client = as_seller.client(&id)?;
    let snapshot = match client.snapshot().await {
        Err(Error::Refused(client_registry::Refusal::ClientDeleted)) => {
            let to = format!("/clients/{}/trail", client.id());
            return as_seller.not_done(&to, "This client ID was deleted. Its trail is left.").await;
        }
        other => other?,
    };
    let (now, kept) = (snapshot.at(), snapshot.client());
    let mut add_ins = Vec::new();
    for add_in in kept.add_ins() {
        add_ins.push((add_in.as_str().to_owned(), as_seller.app.catalogue.name_of(add_in).await?));
    }
    let suspended = kept.suspension().map(|suspension| Suspended {
        since: When::new(suspension.since(), now),
        by: suspension.by().to_string(),
        by_operator: !matches!(suspension.by(), client_registry::value::Actor::Seller(_)),
    });
    let findings = snapshot.review();
    let notices = due(&as_seller.seller, client.id(), now).await?;
    let shown = Page {
        frame: as_seller.frame,
        id: client.id(),
        details: kept.details(),
        availability: words::availability(kept.availability()),
        registered: When::new(kept.registered_at(), now),
        suspended,
        add_ins,
        secrets: SecretRow::all(&snapshot, &as_seller.app.hand_over, as_seller.session.id()),
        why_it_signs: Prose::new(words::why_it_signs(snapshot.signing()), now),
        underway: Underway::all(&snapshot),
        picture: Picture::of(kept, now),
        findings: findings.iter().map(|finding| Advice::of(finding, now)).collect(),
        notices: notices.iter().map(|notice| Due::of(notice, now)).collect(),
        trail: Trail::read(&client, now).await?,
    };
    Ok(page(&shown))
}

/// Returns the notices of a client ID that fell due in the last 30 days. They are asked for by seller, so those of other client IDs are
/// left out here.
async fn due(seller: &Seller<DynStore>, id: &ClientId, now: Timestamp) -> Result<Vec<Notice>, Error> {
    let window =
        now.checked_sub(LATELY).unwrap_or(Timestamp::MIN)..now.saturating_add(Duration::from_millis(1));
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let listed = seller.due_notices(&window, after.as_ref(), 1000).await?;
        after = listed.next().cloned();
        found.extend(listed.into_items().into_iter().filter(|notice| notice.expiry.client_id == *id));
        if after.is_none() {
            return Ok(found);
        }
    }
}

impl Advice {
    fn of(finding: &Finding, now: Timestamp) -> Self {
        let (severity, class) = match finding.severity() {
            Severity::Critical => ("Does not work now", "bad"),
            Severity::Warning => ("Needs you", "warn"),
            _ => ("Good to know", ""),
        };
        Self { severity, class, text: Prose::new(sentence(&finding.to_string()), now) }
    }
}

impl Due {
    fn of(notice: &Notice, now: Timestamp) -> Self {
        let when = |at| When::new(at, now);
        Self { due: when(notice.due), secret: notice.expiry.secret, ends: when(notice.expiry.ends) }
    }
}

const LATELY: Duration = Duration::from_secs(30 * 24 * 60 * 60);
