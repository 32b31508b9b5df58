//! `/operator/notices`: notices that secrets end soon, as mails to their sellers. A marketplace asks for them every night; here an operator
//! does, and may look ahead to see what comes.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Form, Router};
use client_registry::review::Notice;
use client_registry::store::DynStore;
use client_registry::{Error, Operator, Timestamp};
use serde::Deserialize;
use std::ops::Range;

use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::mailbox::Mail;
use crate::prose::Prose;
use crate::shared::App;
use crate::signed_in::AsOperator;
use crate::words::{self, When};

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/operator/notices", get(show).post(ask))
}

#[derive(Template)]
#[template(path = "operator_notices.html")]
struct Page {
    frame: Frame,
    asked: Option<When>,
    mails: Vec<Shown>,
    until: String,
    error: Option<String>,
}

struct Shown {
    to: String,
    subject: String,
    body: Prose,
    due: When,
}

#[derive(Deserialize)]
struct Typed {
    #[serde(default)]
    until: String,
}

async fn show(as_operator: AsOperator) -> Result<Response, Failure> {
    let until = words::field_value(as_operator.now());
    Ok(page(&Page::of(as_operator, until, None).await?))
}

/// Asks for what falls due from where the last time has ended.
async fn ask(as_operator: AsOperator, Form(form): Form<Typed>) -> Result<Response, Failure> {
    let Some(until) = words::instant(&form.until) else {
        let says = "Type a date and a time.".to_owned();
        let shown = Page::of(as_operator, form.until, Some(says)).await?;
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&shown)).into_response());
    };
    let before = as_operator.app.mailbox.asked_until().await?;
    let from = before.unwrap_or(Timestamp::MIN);
    if until <= from {
        let says = "The notices up to then were given. Type a later time.".to_owned();
        let shown = Page::of(as_operator, form.until, Some(says)).await?;
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&shown)).into_response());
    }
    let mails: Vec<_> = due(&as_operator.operator, &(from..until)).await?.iter().map(Mail::from).collect();
    let count = mails.len();
    let says = match as_operator.app.mailbox.add(mails, before, until).await? {
        true if count == 1 => "One mail was written.".to_owned(),
        true => format!("{count} mails were written."),
        false => "Another operator asked at the same time. The mails are here.".to_owned(),
    };
    as_operator.go("/operator/notices", &says).await
}

async fn due(operator: &Operator<DynStore>, window: &Range<Timestamp>) -> Result<Vec<Notice>, Error> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let listed = operator.due_notices(window, after.as_ref(), 1_000).await?;
        after = listed.next().cloned();
        found.extend(listed.into_items());
        if after.is_none() {
            found.sort_by_key(|notice| notice.due);
            return Ok(found);
        }
    }
}

impl From<&Notice> for Mail {
    fn from(notice: &Notice) -> Self {
        let expiry = &notice.expiry;
        let (name, secret, ends) = (&expiry.friendly_name, expiry.secret, expiry.ends);
        let days = notice.days;
        let advice = match (expiry.successor, expiry.replaced_by) {
            (Some(successor), _) => {
                format!("Secret {successor} takes its place: see that your add-in has it.")
            }
            (None, Some(_)) => "A rotation has replaced it.".to_owned(),
            (None, None) => "Add a new client secret now, and give it to your add-in.".to_owned(),
        };
        let body = format!("Secret {secret} of {name} ends at {ends}. {advice}");
        let subject = format!("{name}: secret {secret} ends in {days}");
        Self { to: expiry.owner.to_string(), subject, body, due: notice.due }
    }
}

impl Page {
    async fn of(as_operator: AsOperator, until: String, error: Option<String>) -> Result<Self, Failure> {
        let now = as_operator.now();
        let asked = as_operator.app.mailbox.asked_until().await?.map(|at| When::new(at, now));
        let mails = as_operator.app.mailbox.latest(SHOWN).await?.into_iter().map(|mail| Shown {
            to: mail.to,
            subject: mail.subject,
            body: Prose::new(mail.body, now),
            due: When::new(mail.due, now),
        });
        Ok(Self { asked, mails: mails.collect(), until, error, frame: as_operator.frame })
    }
}

/// How many mails are shown.
const SHOWN: u32 = 100;
