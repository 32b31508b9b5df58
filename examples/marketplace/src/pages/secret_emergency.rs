//! `/clients/{id}/secrets/{secret}/emergency`: deletes a secret at once and marks it as compromised, whatever stands in the way; a
//! replacement comes in the same commit (rules 9 and 10).

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Form, Router};
use client_registry::store::DynStore;
use client_registry::{ClientHandle, EmergencyDeletion, Error, NewSecret, SecretId};
use serde::Deserialize;
use tower_sessions::session::Id;

use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::pages::head::Head;
use crate::pages::secret_copy;
use crate::prose::Prose;
use crate::secrets::SecretRow;
use crate::shared::App;
use crate::signed_in::AsSeller;
use crate::words::{self, sentence};

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/clients/{id}/secrets/{secret}/emergency", get(show).post(delete))
}

#[derive(Deserialize)]
struct Typed {
    #[serde(default)]
    replace: Option<String>,
    #[serde(default)]
    years: String,
}

#[derive(Template)]
#[template(path = "secret_emergency.html")]
struct Page {
    frame: Frame,
    client: Head,
    secret: SecretRow,
    others: Prose,
}

async fn show(
    as_seller: AsSeller,
    Path((id, secret)): Path<(String, SecretId)>,
) -> Result<Response, Failure> {
    let snapshot = as_seller.client(&id)?.snapshot().await?;
    let client = Head::from(&snapshot);
    let Some(found) = snapshot.client().secret(secret) else {
        let why = format!("Client ID {} has no secret {secret} any longer.", client.name);
        return as_seller.not_done(&client.path(), &why).await;
    };
    let others = snapshot.client().valid_at(snapshot.at()).map(|one| one.id()).filter(|one| *one != secret);
    let others = match others.collect::<Vec<_>>().as_slice() {
        [] => "No other secret is valid: without a replacement, the add-in is cut off.".to_owned(),
        others => sentence(&format!("still valid then: {}", words::secrets(others))),
    };
    let others = Prose::new(others, snapshot.at());
    let secret = SecretRow::of(found, &snapshot, &as_seller.app.hand_over, as_seller.session.id());
    Ok(page(&Page { frame: as_seller.frame, client, secret, others }))
}

async fn delete(
    as_seller: AsSeller,
    Path((id, secret)): Path<(String, SecretId)>,
    Form(form): Form<Typed>,
) -> Result<Response, Failure> {
    let client = as_seller.client(&id)?;
    let to = format!("/clients/{}", client.id());
    let Some(session) = as_seller.session.id() else {
        return Err(Failure::new(
            StatusCode::UNAUTHORIZED,
            "Not signed in",
            "the session has ended: sign in again",
        ));
    };
    let replacement = form.replace.and(words::lifetime(&form.years)).map(NewSecret::lasting);
    // In a task of its own, so that a browser that goes away does not stop it.
    let command = carry_out(App::clone(&as_seller.app), client, session, secret, replacement);
    match tokio::spawn(command).await.map_err(|error| Failure::internal(&error))? {
        Ok(Done::Replaced(to)) => Ok(Redirect::to(&to).into_response()),
        Ok(Done::Deleted(done)) => as_seller.go(&to, &done).await,
        Err(Ok(Error::Refused(refusal))) => as_seller.not_done(&to, &sentence(&refusal.to_string())).await,
        Err(Ok(error)) => Err(error.into()),
        Err(Err(failure)) => Err(failure),
    }
}

enum Done {
    /// A replacement waits on this page.
    Replaced(String),
    /// There is none. What was done, in a sentence.
    Deleted(String),
}

async fn carry_out(
    app: App,
    client: ClientHandle<DynStore>,
    session: Id,
    secret: SecretId,
    replacement: Option<NewSecret>,
) -> Result<Done, Result<Error, Failure>> {
    let left = |ids: &[SecretId]| match ids {
        [] => "No valid secret is left: the add-in is cut off until it gets a new one.".to_owned(),
        ids => format!("Still valid: {}.", words::secrets(ids)),
    };
    let deletion = match client.delete_in_emergency(secret, replacement).await {
        Err(Error::Unresolved(unresolved)) => match secret_copy::settle(&app, *unresolved).await? {
            Some(issued) => EmergencyDeletion::Replaced(issued),
            None => {
                return Ok(Done::Deleted(format!("Secret {secret} was deleted and marked as compromised.")));
            }
        },
        other => other.map_err(Ok)?,
    };
    Ok(match deletion {
        EmergencyDeletion::Replaced(issued) => {
            let to = secret_copy::path(issued.client_id(), issued.secret_id());
            app.hand_over.keep(session, issued);
            Done::Replaced(to)
        }
        EmergencyDeletion::Deleted { valid_left } => Done::Deleted(format!(
            "Secret {secret} was deleted and marked as compromised. {}",
            left(&valid_left)
        )),
        EmergencyDeletion::NotReplaced { why, valid_left } => Done::Deleted(format!(
            "Secret {secret} was deleted and marked as compromised, but not replaced. {} {}",
            sentence(&why.to_string()),
            left(&valid_left)
        )),
        _ => Done::Deleted(format!("Secret {secret} was deleted and marked as compromised.")),
    })
}
