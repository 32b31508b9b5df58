//! `GET /operator/expiry`: what ends when, for all sellers; `GET /operator/expiry.csv` is the same for a spreadsheet.

use std::ops::Range;
use std::time::Duration;

use askama::Template;
use axum::Router;
use axum::extract::Query;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use client_registry::review::Expiry;
use client_registry::secret::SecretState;
use client_registry::store::{DynStore, Ending};
use client_registry::{ClientId, Error, Operator, SecretId, Timestamp};
use serde::Deserialize;

use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::shared::App;
use crate::signed_in::AsOperator;
use crate::words::When;

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/operator/expiry", get(show)).route("/operator/expiry.csv", get(export))
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    within: String,
    /// Where the page before has ended: an `Ending` in JSON.
    #[serde(default)]
    after: String,
}

impl Asked {
    /// Returns the span of a choice, with the choice itself.
    fn span(&self, now: Timestamp) -> (&'static str, Range<Timestamp>) {
        let days = |days: u64| now..now.saturating_add(Duration::from_secs(days * 24 * 60 * 60));
        match self.within.as_str() {
            "30" => ("30", days(30)),
            "90" => ("90", days(90)),
            "ended" => ("ended", Timestamp::MIN..now),
            "all" => ("all", Timestamp::MIN..Timestamp::MAX),
            _ => ("400", days(400)),
        }
    }
}

#[derive(Template)]
#[template(path = "operator_expiry.html")]
struct Page {
    frame: Frame,
    within: &'static str,
    rows: Vec<Row>,
    unreadable: Vec<String>,
    paged: bool,
    next: Option<String>,
}

struct Row {
    ends: When,
    client_id: ClientId,
    name: String,
    owner: String,
    secret: SecretId,
    label: Option<String>,
    ended: bool,
    disabled: bool,
    signs: bool,
    last_used: Option<When>,
    successor: Option<SecretId>,
}

async fn show(as_operator: AsOperator, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    let now = as_operator.now();
    let (within, ends) = asked.span(now);
    let after: Option<Ending> = serde_json::from_str(&asked.after).ok();
    let listed = as_operator.operator.expiry_report(&ends, after.as_ref(), ON_A_PAGE).await?;
    let shown = Page {
        frame: as_operator.frame,
        within,
        rows: listed.items().iter().map(|expiry| Row::of(expiry, now)).collect(),
        unreadable: listed.unreadable().iter().map(|one| one.client_id().to_string()).collect(),
        paged: after.is_some(),
        next: listed.next().and_then(|next| serde_json::to_string(next).ok()),
    };
    Ok(page(&shown))
}

impl Row {
    fn of(expiry: &Expiry, now: Timestamp) -> Self {
        let when = |at| When::new(at, now);
        Self {
            ends: when(expiry.ends),
            client_id: expiry.client_id.clone(),
            name: expiry.friendly_name.as_str().to_owned(),
            owner: expiry.owner.to_string(),
            secret: expiry.secret,
            label: expiry.label.as_ref().map(|label| label.as_str().to_owned()),
            ended: expiry.state == SecretState::Ended,
            disabled: expiry.state == SecretState::Disabled,
            signs: expiry.signs,
            last_used: expiry.last_used.map(when),
            successor: expiry.successor,
        }
    }
}

/// Answers with all pages as one file.
async fn export(as_operator: AsOperator, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    let (within, ends) = asked.span(as_operator.now());
    let mut text = HEAD.to_owned();
    for expiry in all(&as_operator.operator, &ends).await? {
        write_line(&mut text, &expiry);
    }
    let file = format!("attachment; filename=\"expiry-{within}.csv\"");
    Ok(([(CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (CONTENT_DISPOSITION, file)], text)
        .into_response())
}

async fn all(operator: &Operator<DynStore>, ends: &Range<Timestamp>) -> Result<Vec<Expiry>, Error> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let listed = operator.expiry_report(ends, after.as_ref(), 1_000).await?;
        after = listed.next().cloned();
        found.extend(listed.into_items());
        if after.is_none() {
            return Ok(found);
        }
    }
}

/// Writes a line (RFC 4180).
fn write_line(text: &mut String, expiry: &Expiry) {
    let at = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
    let id = |id: Option<SecretId>| id.map(|id| id.to_string()).unwrap_or_default();
    let fields = [
        expiry.ends.to_string(),
        expiry.owner.to_string(),
        expiry.client_id.to_string(),
        expiry.friendly_name.as_str().to_owned(),
        expiry.secret.to_string(),
        expiry.label.as_ref().map(|label| label.as_str().to_owned()).unwrap_or_default(),
        expiry.state.to_string(),
        if expiry.signs { "yes" } else { "no" }.to_owned(),
        at(expiry.last_used),
        id(expiry.successor),
        id(expiry.replaced_by),
    ];
    text.push_str(&fields.map(|field| quoted(&field)).join(","));
    text.push_str("\r\n");
}

/// Returns a field that no spreadsheet takes for a formula: sellers choose names and labels.
fn quoted(field: &str) -> String {
    let guard = if field.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    format!("\"{guard}{}\"", field.replace('"', "\"\""))
}

const HEAD: &str =
    "ends,seller,client_id,friendly_name,secret,label,state,signs,last_used,successor,replaced_by\r\n";
/// How many secrets are on a page.
const ON_A_PAGE: usize = 50;

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_field_is_no_formula_and_ends_where_it_ends() {
        assert_eq!(quoted("=1+1"), "\"'=1+1\"");
        assert_eq!(quoted("the \"new\" one, really"), "\"the \"\"new\"\" one, really\"");
    }
}
