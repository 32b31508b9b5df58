//! `/operator/leaks`: texts that leaked somewhere. The first step says whose client secrets they are, the second deletes them in an
//! emergency (rule 23). A text is shown nowhere again, not even to the operator who typed it: verdicts count the lines.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use client_registry::client::{LeakedSecret, LeakedState};
use client_registry::registry::LeakVerdict;
use client_registry::{ClientId, EmergencyDeletion, SecretId};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::shared::App;
use crate::signed_in::AsOperator;
use crate::words::{self, sentence};

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/operator/leaks", get(ask).post(find)).route("/operator/leaks/delete", post(delete))
}

#[derive(Template)]
#[template(path = "operator_leaks.html")]
struct Page {
    frame: Frame,
    error: Option<String>,
    found: Option<Report>,
}

/// The verdicts about all texts.
struct Report {
    verdicts: Vec<Verdict>,
    looked_at: usize,
    unreadable: Vec<String>,
    /// What there is to delete: the values of hidden fields.
    to_delete: Vec<String>,
}

/// The verdict about a text.
struct Verdict {
    line: usize,
    class: &'static str,
    verdict: &'static str,
    whose: Vec<Whose>,
}

struct Whose {
    client_id: ClientId,
    owner: String,
    secret: SecretId,
    state: &'static str,
}

#[derive(Deserialize)]
struct Texts {
    #[serde(default)]
    texts: String,
}

async fn ask(as_operator: AsOperator) -> Response {
    page(&Page { frame: as_operator.frame, error: None, found: None })
}

async fn find(as_operator: AsOperator, Form(form): Form<Texts>) -> Result<Response, Failure> {
    let texts = Zeroizing::new(form.texts);
    let lines: Vec<(usize, &str)> =
        (1..).zip(texts.lines().map(str::trim)).filter(|(_, line)| !line.is_empty()).collect();
    if lines.is_empty() {
        return Ok(wrong(as_operator.frame, "Paste at least one text, each on a line of its own."));
    }
    let mut search = match as_operator.operator.find_leaked(lines.iter().map(|(_, text)| *text)) {
        Ok(search) => search,
        Err(error) => {
            let says = format!("{} Search for 1,000 at a time.", sentence(&error.to_string()));
            return Ok(wrong(as_operator.frame, &says));
        }
    };
    while search.next_page(1_000).await? {}
    let verdicts =
        lines.iter().zip(search.verdicts()).map(|((line, _), verdict)| Verdict::of(*line, verdict)).collect();
    let mut to_delete: Vec<_> =
        search.found().filter(|found| found.state != LeakedState::Compromised).map(named).collect();
    to_delete.sort();
    to_delete.dedup();
    let unreadable = search.unreadable().iter().map(|one| one.client_id().to_string()).collect();
    let found = Some(Report { verdicts, looked_at: search.looked_at(), unreadable, to_delete });
    Ok(page(&Page { frame: as_operator.frame, error: None, found }))
}

fn wrong(frame: Frame, says: &str) -> Response {
    let shown = Page { frame, error: Some(says.to_owned()), found: None };
    (StatusCode::UNPROCESSABLE_ENTITY, page(&shown)).into_response()
}

impl Verdict {
    fn of(line: usize, verdict: LeakVerdict) -> Self {
        let (class, says, secrets) = match verdict {
            LeakVerdict::Ours { secrets } if secrets.iter().any(|one| one.state.is_live()) => {
                ("bad", "a client secret that works, or may work again", secrets)
            }
            LeakVerdict::Ours { secrets } => ("warn", "a client secret that is dead", secrets),
            LeakVerdict::Mistyped => {
                ("warn", "nearly a client secret: look for the whole text where it leaked", Vec::new())
            }
            _ => ("", "no client secret of this marketplace", Vec::new()),
        };
        Self { line, class, verdict: says, whose: secrets.into_iter().map(Whose::of).collect() }
    }
}

impl Whose {
    fn of(found: LeakedSecret) -> Self {
        let LeakedSecret { client_id, owner, secret, .. } = &found;
        let state = match found.state {
            LeakedState::Valid => "valid",
            LeakedState::NotYetStarted => "not yet started",
            LeakedState::Disabled => "disabled",
            LeakedState::Ended => "ended",
            LeakedState::Deleted => "deleted",
            LeakedState::Compromised => "deleted, known as compromised",
            _ => "unknown",
        };
        Self { client_id: client_id.clone(), owner: owner.to_string(), secret: *secret, state }
    }
}

/// Names a secret in a field. A client ID has no space.
fn named(found: &LeakedSecret) -> String {
    format!("{} {}", found.client_id, found.secret)
}

#[derive(Template)]
#[template(path = "operator_leaks_deleted.html")]
struct Deleted {
    frame: Frame,
    outcomes: Vec<Outcome>,
}

/// What became of a secret.
struct Outcome {
    client_id: ClientId,
    secret: SecretId,
    class: &'static str,
    says: String,
}

/// Deletes what the first step has found. A second time it changes nothing.
async fn delete(
    as_operator: AsOperator,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let mut outcomes = Vec::new();
    for (_, value) in fields.iter().filter(|(name, _)| name == "found") {
        let named = value.split_once(' ').and_then(|(client_id, secret)| {
            Some((ClientId::parse(client_id).ok()?, secret.parse::<SecretId>().ok()?))
        });
        let Some((client_id, secret)) = named else { return Err(Failure::not_found("secret")) };
        let (class, says) = match as_operator
            .operator
            .client(&client_id)
            .delete_in_emergency(secret, None)
            .await
        {
            Ok(EmergencyDeletion::Deleted { valid_left, .. }) if valid_left.is_empty() => (
                "bad",
                "Deleted, and no valid secret is left: the add-in is cut off. Tell its seller.".to_owned(),
            ),
            Ok(EmergencyDeletion::Deleted { valid_left, .. }) => (
                "good",
                format!("Deleted. The add-in goes on with {}, if it has it.", words::secrets(&valid_left)),
            ),
            Ok(_) => ("good", "Deleted.".to_owned()),
            Err(error) => ("bad", sentence(&error.to_string())),
        };
        outcomes.push(Outcome { client_id, secret, class, says });
    }
    Ok(page(&Deleted { frame: as_operator.frame, outcomes }))
}
