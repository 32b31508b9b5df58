//! What all pages have in common: the head, the tabs, who is signed in, and a notice.

use askama::Template;
use axum::http::{StatusCode, Uri};
use axum::response::{Html, IntoResponse, Response};
use client_registry::Timestamp;
use serde::{Deserialize, Serialize};
use tower_sessions::Session;

use crate::account::Account;
use crate::assets::{SCRIPT, STYLE};
use crate::prose::Prose;

/// What the template `layout.html` shows around a page.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Who is signed in.
    pub account: Option<Account>,
    /// What the page before has done, or why it has not.
    pub notice: Option<Notice>,
    path: String,
    now: Timestamp,
}

impl Frame {
    /// Returns the frame of a page that nobody has to sign in for.
    pub fn bare() -> Self {
        Self { account: None, notice: None, path: String::new(), now: Timestamp::MIN }
    }

    /// Returns the frame of a page, and takes the notice that waits in the session.
    pub async fn of(
        account: Account,
        session: &Session,
        uri: &Uri,
        now: Timestamp,
    ) -> Result<Self, tower_sessions::session::Error> {
        let notice = match session.get_value(NOTICE).await? {
            Some(_) => session.remove(NOTICE).await?,
            None => None,
        };
        Ok(Self { account: Some(account), notice, path: uri.path().to_owned(), now })
    }

    /// Says whether the page belongs to a tab.
    pub fn is_at(&self, tab: &str) -> bool {
        self.path == tab || self.path.strip_prefix(tab).is_some_and(|rest| rest.starts_with('/'))
    }

    /// Returns the path of the stylesheet.
    pub fn style(&self) -> &'static str {
        &STYLE
    }

    /// Returns the path of the script.
    pub fn script(&self) -> &'static str {
        &SCRIPT
    }

    /// Returns a text whose instants are shown in words.
    pub(crate) fn prose(&self, text: &str) -> Prose {
        Prose::new(text, self.now)
    }

    /// Says whether an operator is signed in.
    pub fn is_operator(&self) -> bool {
        self.account.as_ref().is_some_and(Account::is_operator)
    }
}

/// A sentence about what was done.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Notice {
    /// Whether it was done.
    pub good: bool,
    /// The sentence.
    pub text: String,
    /// A page to go on to, and what it is called.
    pub link: Option<(String, String)>,
}

impl Notice {
    /// Returns a sentence about what was done, or was not.
    pub(crate) fn new(good: bool, text: &str) -> Self {
        Self { good, text: text.to_owned(), link: None }
    }
}

/// Leaves a notice for the next page of a session.
pub(crate) async fn leave_notice(
    session: &Session,
    notice: Notice,
) -> Result<(), tower_sessions::session::Error> {
    session.insert(NOTICE, notice).await
}

/// Renders a page.
pub fn page(template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => Html(text).into_response(),
        Err(error) => {
            tracing::error!(%error, "a template could not be rendered");
            (StatusCode::INTERNAL_SERVER_ERROR, "something went wrong").into_response()
        }
    }
}

const NOTICE: &str = "notice";
