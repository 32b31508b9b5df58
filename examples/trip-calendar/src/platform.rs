//! Calls to the platform. Each is tried with the client secret that worked last, and with the other one if the platform answers *invalid
//! client* (rule 17): [`SecretRing::call`] does that.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use client_registry::SecretRing;
use client_registry::ring::{CallError, Credentials, Slot};
use form_urlencoded::byte_serialize;
use reqwest::header::CONTENT_TYPE;
use reqwest::{RequestBuilder, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// The platform, as the add-in calls it.
#[derive(Debug)]
pub(crate) struct Platform {
    http: reqwest::Client,
    url: String,
    origin: String,
    ring: Arc<SecretRing>,
    token: Mutex<Option<Token>>,
    succeeded: AtomicU64,
    failed: AtomicU64,
}

/// An access token, which is as good as a client secret as long as it lasts.
#[derive(Clone)]
struct Token {
    text: String,
    /// When to get another one.
    until: Instant,
    slot: Slot,
}

/// What the platform said about the add-in.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// The client secret that the access token was obtained with.
    pub(crate) token_by: Slot,
    /// The client ID, as the platform knows it.
    pub(crate) client_id: String,
}

/// The reason why a call failed.
#[derive(Debug, Clone)]
pub(crate) enum PlatformError {
    /// The platform knows neither client secret.
    InvalidClient,
    /// The platform answered, with this status.
    Status(u16),
    /// The platform did not answer, or nothing that can be read.
    Unreachable,
}

impl Platform {
    pub(crate) fn new(
        url: &str,
        ring: Arc<SecretRing>,
    ) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let origin = Url::parse(url)?.origin().ascii_serialization();
        // Credentials go to the platform that is configured, and nowhere else.
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let (succeeded, failed) = (AtomicU64::new(0), AtomicU64::new(0));
        Ok(Self { http, url: url.to_owned(), origin, ring, token: Mutex::new(None), succeeded, failed })
    }

    /// Returns the origin of the platform's pages: `https://platform.example`.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// Returns how many calls succeeded, and how many failed, since the start.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.succeeded.load(Ordering::Relaxed), self.failed.load(Ordering::Relaxed))
    }

    /// Asks the platform what the add-in's access token stands for.
    pub(crate) async fn ask(&self) -> Result<Answer, PlatformError> {
        self.counted(self.ask_with_a_token().await)
    }

    /// Asks the platform for a test message to `POST /events`.
    pub(crate) async fn ask_for_a_message(&self) -> Result<(), PlatformError> {
        let sent = self
            .ring
            .call(async |by| self.send(post_form(self.post("/ping"), &by, "")).await.map(drop))
            .await;
        self.counted(sent)
    }

    async fn ask_with_a_token(&self) -> Result<Answer, PlatformError> {
        // A token ends with the client secret that it was obtained with. So it may have ended early: then another one is asked for, once.
        let mut refused = None;
        for _ in 0..2 {
            let token = self.token(refused.as_deref()).await?;
            let form = format!("&token={}", encoded(&token.text));
            let said: Introspected = self
                .ring
                .call(async |by| {
                    read(self.send(post_form(self.post("/introspect"), &by, &form)).await?).await
                })
                .await?;
            if let Introspected { active: true, client_id: Some(client_id) } = said {
                return Ok(Answer { token_by: token.slot, client_id });
            }
            refused = Some(token.text);
        }
        Err(PlatformError::Status(401))
    }

    /// Returns the token that is good, or a new one, if that is refused.
    async fn token(&self, refused: Option<&str>) -> Result<Token, PlatformError> {
        let mut kept = self.token.lock().await; // one request for all that need one
        if let Some(token) =
            kept.as_ref().filter(|token| Some(token.text.as_str()) != refused && Instant::now() < token.until)
        {
            return Ok(token.clone());
        }
        let asked = Instant::now();
        let (issued, slot): (Issued, Slot) = self
            .ring
            .call(async |by| {
                let request = basic(self.post("/token"), &by).body("grant_type=client_credentials");
                Ok((read(self.send(request).await?).await?, by.slot()))
            })
            .await?;
        let until = asked + Duration::from_secs(issued.expires_in / 2);
        let token = Token { text: issued.access_token, until, slot };
        *kept = Some(token.clone());
        Ok(token)
    }

    fn post(&self, path: &str) -> RequestBuilder {
        self.http
            .post(format!("{}{path}", self.url))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
    }

    /// Sends a request, and tells *invalid client* from other failures (RFC 6749 section 5.2).
    async fn send(&self, request: RequestBuilder) -> Result<reqwest::Response, CallError<PlatformError>> {
        let response = request.send().await.map_err(|error| {
            tracing::warn!(error = %error.without_url(), "the platform does not answer");
            CallError::Failed(PlatformError::Unreachable)
        })?;
        let status = response.status().as_u16();
        if (200..300).contains(&status) {
            return Ok(response);
        }
        let refusal = read::<Refusal>(response).await.ok();
        Err(match refusal.is_some_and(|refusal| refusal.error == "invalid_client") {
            true => CallError::InvalidClient(PlatformError::InvalidClient),
            false => CallError::Failed(PlatformError::Status(status)),
        })
    }

    fn counted<T>(&self, result: Result<T, PlatformError>) -> Result<T, PlatformError> {
        match &result {
            Ok(_) => self.succeeded.fetch_add(1, Ordering::Relaxed),
            Err(_) => self.failed.fetch_add(1, Ordering::Relaxed),
        };
        result
    }
}

/// `client_secret_basic`: both parts are form-encoded before they are joined (RFC 6749 section 2.3.1).
fn basic(request: RequestBuilder, by: &Credentials) -> RequestBuilder {
    request.basic_auth(encoded(by.client_id().as_str()), Some(encoded(by.client_secret().expose())))
}

/// `client_secret_post`: client ID and client secret in the form.
fn post_form(request: RequestBuilder, by: &Credentials, rest: &str) -> RequestBuilder {
    let (id, secret) = (encoded(by.client_id().as_str()), encoded(by.client_secret().expose()));
    request.body(format!("client_id={id}&client_secret={secret}{rest}"))
}

fn encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

async fn read<T: DeserializeOwned>(response: reqwest::Response) -> Result<T, CallError<PlatformError>> {
    let unreadable = CallError::Failed(PlatformError::Unreachable);
    let Ok(body) = response.bytes().await else { return Err(unreadable) };
    serde_json::from_slice(&body).map_err(|_| unreadable)
}

#[derive(Deserialize)]
struct Issued {
    access_token: String,
    expires_in: u64,
}

#[derive(Deserialize)]
struct Introspected {
    active: bool,
    client_id: Option<String>,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
}

impl fmt::Display for PlatformError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidClient => f.write_str(
                "the platform accepts neither client secret: get a new one there, and write it to the secondary file",
            ),
            Self::Status(401) => f.write_str("the platform does not accept the access tokens that it issues"),
            Self::Status(status) => write!(f, "the platform answered with status {status}: try again later"),
            Self::Unreachable => f.write_str("the platform does not answer: check that it runs, and try again"),
        }
    }
}

/// Shows no text.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("slot", &self.slot).finish_non_exhaustive()
    }
}

const TIMEOUT: Duration = Duration::from_secs(10);
