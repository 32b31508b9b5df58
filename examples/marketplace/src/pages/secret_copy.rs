//! `GET /clients/{id}/secrets/{secret}/copy`: "obtain client secret". The page is served once, and holds the client secret; after that
//! it says what to do without one.
//!
//! DONE opens the dialog "Have you copied your client secret?" on the same page, without a script, so that *cancel* leads back to the
//! client secret.

use std::future::Future;

use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use bytes::Bytes;
use client_registry::registry::{Resolution, Unresolved};
use client_registry::{ClientId, Error, Issued, SecretId};
use tower_sessions::Session;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::shared::App;
use crate::signed_in::AsSeller;
use crate::words::When;

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/clients/{id}/secrets/{secret}/copy", get(show))
}

/// Gives a command that issues a client secret, keeps what it issues for this session, and leads to the page that shows it.
///
/// The command runs in a task of its own: a browser that goes away in the middle does not stop it, and finds the client secret waiting.
pub(crate) async fn issue<F>(
    app: &App,
    session: &Session,
    command: F,
) -> Result<Result<Response, Error>, Failure>
where
    F: Future<Output = Result<Issued, Error>> + Send + 'static,
{
    let Some(session) = session.id() else {
        return Err(Failure::new(
            StatusCode::UNAUTHORIZED,
            "Not signed in",
            "the session has ended: sign in again",
        ));
    };
    let keeper = App::clone(app);
    let task = tokio::spawn(async move {
        let issued = match command.await {
            Err(Error::Unresolved(unresolved)) => settle(&keeper, *unresolved)
                .await?
                .ok_or_else(|| Err(Failure::internal(&"a command that issues has issued nothing")))?,
            other => other.map_err(Ok)?,
        };
        let to = path(issued.client_id(), issued.secret_id());
        keeper.hand_over.keep(session, issued);
        Ok(to)
    });
    match task.await.map_err(|error| Failure::internal(&error))? {
        Ok(to) => Ok(Ok(Redirect::to(&to).into_response())),
        Err(Ok(error)) => Ok(Err(error)),
        Err(Err(failure)) => Err(failure),
    }
}

/// Finds out what became of a change that the store left unknown, and what it issued if it was made.
pub(crate) async fn settle(
    app: &App,
    unresolved: Unresolved,
) -> Result<Option<Issued>, Result<Error, Failure>> {
    match app.registry.resolve(unresolved).await {
        Ok(Resolution::Made(issued)) => Ok(issued),
        Err(unresolved) => Err(Ok(Error::Unresolved(Box::new(unresolved)))),
        _ => {
            let detail = "the database failed, and nothing was changed: try again";
            Err(Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, "Not carried out", detail)))
        }
    }
}

/// Returns the path of the page.
pub(crate) fn path(client_id: &ClientId, secret: SecretId) -> String {
    format!("/clients/{client_id}/secrets/{secret}/copy")
}

#[derive(Template)]
#[template(path = "secret_copy.html")]
struct Page<'a> {
    frame: Frame,
    name: &'a str,
    id: &'a ClientId,
    secret: SecretId,
    plaintext: &'a str,
    whsec: &'a str,
    from: When,
    until: Option<When>,
}

/// The page of a client secret that was shown already, or that nobody has.
#[derive(Template)]
#[template(path = "secret_gone.html")]
struct Gone<'a> {
    frame: Frame,
    name: &'a str,
    id: &'a ClientId,
    secret: SecretId,
    exists: bool,
    used: Option<When>,
    rotated: bool,
}

async fn show(
    method: Method,
    as_seller: AsSeller,
    Path((id, secret)): Path<(String, SecretId)>,
) -> Result<Response, Failure> {
    let client = as_seller.client(&id)?;
    let snapshot = client.snapshot().await?;
    let id = client.id();
    let session = as_seller.session.id();
    let taken = match (session, method) {
        (Some(session), Method::GET) => as_seller.app.hand_over.take(session, id, secret),
        _ => None, // a request for the headers alone takes nothing
    };
    let name = snapshot.client().details().friendly_name().as_str();
    let AsSeller { frame, .. } = as_seller;
    let Some(issued) = taken else {
        let kept = snapshot.client().secret(secret);
        let rotated = snapshot.client().secrets().any(|one| one.replaced_by() == Some(secret));
        let used = snapshot.last_used(secret).map(|at| When::new(at, snapshot.at()));
        let gone = Gone { frame, name, id, secret, exists: kept.is_some(), used, rotated };
        return Ok((StatusCode::GONE, page(&gone)).into_response());
    };
    let validity = issued.validity();
    let (from, until) = (
        When::new(validity.from(), snapshot.at()).in_full(),
        validity.until().map(|until| When::new(until, snapshot.at()).in_full()),
    );
    let plaintext = issued.client_secret().expose();
    let text = issued.client_secret().expose_whsec(|whsec| {
        // One buffer, large enough that it does not move and leave a copy behind.
        let mut text = Zeroizing::new(String::with_capacity(ROOM));
        Page { frame, name, id, secret, plaintext, whsec, from, until }.render_into(&mut *text).map(|()| text)
    });
    let text = text.map_err(|error| Failure::internal(&error))?;
    // The body owns the buffer, which is wiped when it was sent. The copy in the buffer of the connection is beyond our reach.
    let body = axum::body::Body::from(Bytes::from_owner(Wiped(text)));
    Ok(([(CONTENT_TYPE, "text/html; charset=utf-8")], body).into_response())
}

struct Wiped(Zeroizing<String>);

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// More than the page with a client secret is long.
const ROOM: usize = 64 * 1024;
