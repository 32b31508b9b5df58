//! `/operator/check`: everything that the registry keeps is read again and compared.

use askama::Template;
use axum::Router;
use axum::response::Response;
use axum::routing::get;

use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::prose::Prose;
use crate::shared::App;
use crate::signed_in::AsOperator;
use crate::words::{When, sentence};

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/operator/check", get(show).post(check))
}

#[derive(Template)]
#[template(path = "operator_check.html")]
struct Page {
    frame: Frame,
    report: Option<Report>,
}

struct Report {
    at: When,
    clients: u64,
    events: u64,
    discrepancies: Vec<Prose>,
}

async fn show(as_operator: AsOperator) -> Response {
    page(&Page { frame: as_operator.frame, report: None })
}

/// Checks, and shows the report at once: it is true of this moment, and kept nowhere.
async fn check(as_operator: AsOperator) -> Result<Response, Failure> {
    let now = as_operator.now();
    let found = as_operator.app.registry.check().await?;
    let discrepancies = found.discrepancies.iter().map(|one| Prose::new(sentence(&one.to_string()), now));
    let report = Report {
        at: When::new(now, now),
        clients: found.clients,
        events: found.events,
        discrepancies: discrepancies.collect(),
    };
    Ok(page(&Page { frame: as_operator.frame, report: Some(report) }))
}
