//! The stylesheet and the script, served from memory. The name of each has a hash of its content, so a browser may keep it for ever.

use std::sync::LazyLock;

use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::{Router, routing::get};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// The path of the stylesheet.
pub(crate) static STYLE: LazyLock<String> = LazyLock::new(|| named("style", "css", STYLE_TEXT));
/// The path of the script, which makes the pages nicer. They work without.
pub(crate) static SCRIPT: LazyLock<String> = LazyLock::new(|| named("script", "js", SCRIPT_TEXT));

/// Returns the routes of the files. They need no session.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let style = [(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, FOR_EVER)];
    let script = [(CONTENT_TYPE, "text/javascript; charset=utf-8"), (CACHE_CONTROL, FOR_EVER)];
    Router::new()
        .route(&STYLE, get(async move || (style, STYLE_TEXT)))
        .route(&SCRIPT, get(async move || (script, SCRIPT_TEXT)))
        .route("/favicon.ico", get(async || StatusCode::NO_CONTENT))
}

fn named(name: &str, extension: &str, text: &str) -> String {
    let hash = HEXLOWER.encode(&Sha256::digest(text));
    format!("/assets/{name}-{}.{extension}", hash.get(..16).unwrap_or_default())
}

const FOR_EVER: &str = "public, max-age=31536000, immutable";
const STYLE_TEXT: &str = concat!(include_str!("../assets/base.css"), include_str!("../assets/parts.css"));
const SCRIPT_TEXT: &str = include_str!("../assets/script.js");
