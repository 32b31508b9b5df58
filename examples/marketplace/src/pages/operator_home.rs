//! `GET /operator`: where an operator begins.

use askama::Template;
use axum::Router;
use axum::response::Response;
use axum::routing::get;

use crate::frame::{Frame, page};
use crate::shared::App;
use crate::signed_in::AsOperator;

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/operator", get(show))
}

#[derive(Template)]
#[template(path = "operator_home.html")]
struct Page {
    frame: Frame,
}

async fn show(as_operator: AsOperator) -> Response {
    page(&Page { frame: as_operator.frame })
}
