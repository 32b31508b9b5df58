//! A marketplace in memory, and browsers.

use std::num::NonZeroU32;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, COOKIE, HOST, HeaderName, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, Request, StatusCode};
use client_registry::Registry;
use client_registry::clock::{Clock, SystemClock};
use client_registry::store::{DynStore, MemoryStore};
use marketplace::account::DevelopmentSignIn;
use marketplace::catalogue::Catalogue;
use marketplace::mailbox::Mailbox;
use marketplace::resealer::Resealer;
use marketplace::{HandOver, Marketplace, Rates, events, router, sessions};
use tower::ServiceExt;
use tower_sessions_rusqlite_store::RusqliteStore;
use tower_sessions_rusqlite_store::tokio_rusqlite::Connection;

pub(crate) struct World {
    pub(crate) registry: Registry<DynStore>,
    router: Router,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::limited(1000).await
    }

    /// A marketplace that lets an address sign in, and get a token, so often.
    pub(crate) async fn limited(times: u32) -> Self {
        let registry = Registry::builder().in_memory_behind(|store: MemoryStore| DynStore::new(store));
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let sessions_in = RusqliteStore::new(Connection::open_in_memory().await.unwrap());
        sessions_in.migrate().await.unwrap();
        let issuer = "http://market.test";
        let platform =
            token_endpoint::Server::new(registry.clone(), Arc::clone(&clock), issuer, None).unwrap();
        let times = NonZeroU32::new(times).unwrap();
        let app = Arc::new(Marketplace {
            registry: registry.clone(),
            catalogue: Catalogue::open(":memory:".as_ref()).await.unwrap(),
            mailbox: Mailbox::open(":memory:".as_ref()).await.unwrap(),
            resealer: Resealer::default(),
            platform,
            sign_in: Box::new(DevelopmentSignIn::new()),
            hand_over: HandOver::new(clock),
            rates: Rates::new(times, times),
            issuer: issuer.to_owned(),
            trip_calendar: None,
            deliveries: events::Deliveries::default(),
        });
        Self { registry, router: router(app, sessions(sessions_in, false)) }
    }

    pub(crate) async fn signed_in(&self, name: &str) -> Browser {
        let mut browser = Browser::of(self);
        let answer = browser.post("/sign-in", &[("name", name)]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        browser
    }
}

/// A browser with its cookie.
pub(crate) struct Browser {
    pub(crate) cookie: Option<String>,
    router: Router,
}

impl Browser {
    pub(crate) fn of(world: &World) -> Self {
        Self { cookie: None, router: world.router.clone() }
    }

    /// Returns a browser with a cookie of another.
    pub(crate) fn with(world: &World, cookie: Option<String>) -> Self {
        Self { cookie, ..Self::of(world) }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, &[]).await
    }

    pub(crate) async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.form(path, form, &[("sec-fetch-site", "same-origin")]).await
    }

    pub(crate) async fn form(
        &mut self,
        path: &str,
        form: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Answer {
        let encode = |text: &str| {
            let encoded = text.bytes().map(|byte| format!("%{byte:02X}"));
            encoded.collect::<String>()
        };
        let body: Vec<_> = form.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        let mut request = Request::builder().method("POST").uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.exchange(request.body(Body::from(body.join("&"))).unwrap()).await
    }

    pub(crate) async fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.exchange(request.body(Body::empty()).unwrap()).await
    }

    async fn exchange(&mut self, mut request: Request<Body>) -> Answer {
        request.headers_mut().insert(HOST, "market.test".parse().unwrap());
        if let Some(cookie) = &self.cookie {
            request.headers_mut().insert(COOKIE, cookie.parse().unwrap());
        }
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        if let Some(cookie) = parts.headers.get(SET_COOKIE) {
            self.cookie = cookie.to_str().unwrap().split(';').next().map(str::to_owned);
        }
        let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, text }
    }
}

/// What a browser was answered.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn header(&self, name: HeaderName) -> String {
        self.headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    }

    pub(crate) fn location(&self) -> String {
        self.header(LOCATION)
    }

    /// Returns the text between two others, the first time they stand there.
    pub(crate) fn between(&self, before: &str, after: &str) -> String {
        let (_, rest) = self.text.split_once(before).expect(before);
        rest.split_once(after).expect(after).0.to_owned()
    }
}
