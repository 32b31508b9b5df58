//! The pages. A page has a handler, a template and a browser test of the same name: `pages/client_list.rs`,
//! `templates/client_list.html`, `tests/browser/client_list.mjs`.

mod client_add;
mod client_list;
mod client_summary;
mod operator_home;
mod secret_copy;
mod sign_in;

use axum::Router;
use axum::response::Redirect;
use axum::routing::get;
use tower_sessions::Session;

use crate::account::Account;
use crate::failure::Failure;
use crate::shared::App;
use crate::signed_in::ACCOUNT;

/// Returns the routes of all pages but the sign-in.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/", get(home))
        .merge(client_list::routes())
        .merge(client_add::routes())
        .merge(client_summary::routes())
        .merge(secret_copy::routes())
        .merge(operator_routes())
}

/// Returns the routes of the pages for operators.
fn operator_routes() -> Router<App> {
    Router::new().merge(operator_home::routes())
}

/// Returns the routes of the sign-in, which has a limit of its own.
pub(crate) fn sign_in() -> Router<App> {
    sign_in::routes()
}

/// `GET /`: leads to where the account begins.
async fn home(session: Session) -> Result<Redirect, Failure> {
    let account = session.get::<Account>(ACCOUNT).await?;
    Ok(Redirect::to(account.as_ref().map_or("/sign-in", Account::home)))
}
