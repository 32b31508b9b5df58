//! The pages. A page has a handler, a template and a browser test of the same name: `pages/client_list.rs`,
//! `templates/client_list.html`, `tests/browser/client_list.mjs`.

mod add_in_create;
mod add_in_events;
mod add_in_list;
mod add_in_move;
mod add_in_open;
mod add_in_overview;
mod add_in_replace;
mod add_in_submit;
mod client_add;
mod client_delete;
mod client_edit;
mod client_list;
mod client_rotate;
mod client_summary;
mod client_suspend;
mod client_trail;
mod head;
mod operator_check;
mod operator_client;
mod operator_clients;
mod operator_expiry;
mod operator_leaks;
mod operator_notices;
mod operator_reseal;
mod secret_add;
mod secret_call_off;
mod secret_close_early;
mod secret_copy;
mod secret_delete;
mod secret_disable;
mod secret_emergency;
mod secret_end;
mod secret_planned;
mod secret_promote;
mod secret_show;
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
        .merge(client_trail::routes())
        .merge(client_edit::routes())
        .merge(client_rotate::routes())
        .merge(client_suspend::routes())
        .merge(client_delete::routes())
        .merge(secret_copy::routes())
        .merge(secret_show::routes())
        .merge(secret_add::routes())
        .merge(secret_promote::routes())
        .merge(secret_end::routes())
        .merge(secret_disable::routes())
        .merge(secret_delete::routes())
        .merge(secret_emergency::routes())
        .merge(secret_call_off::routes())
        .merge(secret_close_early::routes())
        .merge(add_in_create::routes())
        .merge(add_in_events::routes())
        .merge(add_in_list::routes())
        .merge(add_in_move::routes())
        .merge(add_in_open::routes())
        .merge(add_in_overview::routes())
        .merge(add_in_replace::routes())
        .merge(add_in_submit::routes())
        .merge(operator_routes())
}

/// Returns the routes of the pages for operators.
fn operator_routes() -> Router<App> {
    Router::new()
        .merge(operator_clients::routes())
        .merge(operator_client::routes())
        .merge(operator_leaks::routes())
        .merge(operator_expiry::routes())
        .merge(operator_notices::routes())
        .merge(operator_check::routes())
        .merge(operator_reseal::routes())
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
