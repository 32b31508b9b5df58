//! The router with what guards it: sessions, protection against forged requests, headers, rates.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{Response as HttpResponse, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower_http::csrf::{CsrfLayer, ProtectionError};
use tower_sessions::cookie::SameSite;
use tower_sessions::cookie::time::Duration;
use tower_sessions::{Expiry, SessionManagerLayer};
use tower_sessions_rusqlite_store::RusqliteStore;

use crate::failure::Failure;
use crate::shared::App;
use crate::{assets, pages, rate};

/// Returns the layer that keeps sessions in SQLite. `secure` says that the public address begins with `https`.
pub fn sessions(store: RusqliteStore, secure: bool) -> SessionManagerLayer<RusqliteStore> {
    SessionManagerLayer::new(store)
        .with_name("marketplace")
        .with_secure(secure)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_expiry(Expiry::OnInactivity(Duration::hours(12)))
}

/// Returns the whole router: pages, files, and the platform's endpoints for add-ins.
pub fn router(app: App, sessions: SessionManagerLayer<RusqliteStore>) -> Router {
    let platform = app.platform.clone().router();
    let sign_in = pages::sign_in().layer(from_fn_with_state(App::clone(&app), rate::limit_sign_in));
    let forged = |_: ProtectionError| -> HttpResponse<axum::body::Body> { forged().into_response() };
    Router::new()
        .merge(pages::routes())
        .merge(sign_in)
        .fallback(async || Failure::not_found("page"))
        .layer(sessions)
        .layer(CsrfLayer::new().with_rejection_response(forged))
        .merge(assets::routes())
        .layer(from_fn_with_state(App::clone(&app), headers))
        .with_state(App::clone(&app))
        .merge(platform.layer(from_fn_with_state(app, rate::limit_tokens)))
}

fn forged() -> Failure {
    let detail =
        "the request came from another site, so it was not carried out: open the page here, and try again";
    Failure::new(StatusCode::FORBIDDEN, "Not carried out", detail)
}

/// Adds the headers of every page. Nothing of a page is kept in a cache, since each belongs to one account.
async fn headers(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&content_security_policy(
        app.trip_calendar.as_ref().map(|framed| framed.url.as_str()),
    )) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    let same_origin = HeaderValue::from_static("same-origin");
    headers.insert(HeaderName::from_static("cross-origin-opener-policy"), same_origin.clone());
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), same_origin);
    response
}

/// Returns the policy: no script and no style but the two files, no frame but the add-in's, and no form that goes elsewhere.
fn content_security_policy(framed: Option<&str>) -> String {
    let framed = framed.unwrap_or_default();
    format!(
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; \
         form-action 'self' {framed}; frame-src 'self' {framed}"
    )
}
