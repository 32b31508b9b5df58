//! `/operator/reseal`: the keys that records are sealed under. Records come under the primary key, with a progress bar; then the old key
//! can be retired.

use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::http::header::REFRESH;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use client_registry::record::KeyState;
use client_registry::registry::upkeep::Resealed;
use client_registry::value::KeyId;

use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::prose::Prose;
use crate::resealer::Progress;
use crate::shared::App;
use crate::signed_in::{AsOperator, not_done};
use crate::words::sentence;

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/operator/reseal", get(show).post(start))
        .route("/operator/reseal/{key}/retire", post(retire))
}

#[derive(Template)]
#[template(path = "operator_reseal.html")]
struct Page {
    frame: Frame,
    keys: Vec<Key>,
    running: Option<Resealed>,
    done: Option<Resealed>,
    left: Vec<Prose>,
    failed: Option<String>,
}

struct Key {
    id: KeyId,
    primary: bool,
    retired: bool,
    /// Whether some record is sealed under it.
    needed: bool,
}

impl Page {
    /// Says whether some record is under another key than the primary one.
    fn has_work(&self) -> bool {
        self.keys.iter().any(|key| !key.primary && key.needed)
    }
}

async fn show(as_operator: AsOperator) -> Result<Response, Failure> {
    let registry = &as_operator.app.registry;
    let mut keys = Vec::new();
    for key in registry.keys().await? {
        let needed = !registry.clients_under(&key.id, None, 1).await?.is_empty();
        keys.push(Key {
            id: key.id,
            primary: key.is_primary,
            retired: key.state == KeyState::Retired,
            needed,
        });
    }
    let now = as_operator.now();
    let mut shown =
        Page { frame: as_operator.frame, keys, running: None, done: None, left: Vec::new(), failed: None };
    match as_operator.app.resealer.progress() {
        Progress::Idle => {}
        Progress::Running(so_far) => shown.running = Some(so_far),
        Progress::Done(all, left) => {
            shown.done = Some(all);
            shown.left = left.iter().map(|one| Prose::new(sentence(one), now)).collect();
        }
        Progress::Failed(why) => shown.failed = Some(sentence(&why)),
    }
    let running = shown.running.is_some();
    let response = page(&shown);
    // Works without a script.
    Ok(if running { ([(REFRESH, "1")], response).into_response() } else { response })
}

async fn start(as_operator: AsOperator) -> Redirect {
    as_operator.app.resealer.start(as_operator.app.registry.clone());
    Redirect::to("/operator/reseal")
}

async fn retire(as_operator: AsOperator, Path(key): Path<String>) -> Result<Response, Failure> {
    let key = KeyId::parse(&key).map_err(|_| Failure::not_found("key"))?;
    match as_operator.app.registry.retire_key(&key).await {
        Ok(_) => {
            as_operator.go("/operator/reseal", &format!("Nothing is written under {key} any longer.")).await
        }
        Err(error) => as_operator.not_done("/operator/reseal", &not_done(&error)).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resealing_that_is_under_way_has_a_progress_bar_and_no_button() {
        let mut so_far = Resealed::default();
        (so_far.done, so_far.total) = (3, 10);
        let key =
            |id: &str, primary| Key { id: KeyId::parse(id).unwrap(), primary, retired: false, needed: true };
        let keys = vec![key("first", false), key("second", true)];
        let frame = Frame::bare();
        let shown = Page { frame, keys, running: Some(so_far), done: None, left: Vec::new(), failed: None };
        let text = shown.render().unwrap();
        assert!(text.contains(r#"<progress aria-labelledby="progress" max="10" value="3">"#), "{text}");
        assert!(!text.contains("Bring all records"), "{text}");
    }
}
