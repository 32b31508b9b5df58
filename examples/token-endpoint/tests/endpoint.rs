//! The server over HTTP, with a clock that is moved.

#![allow(clippy::indexing_slicing, reason = "a test may fail loudly")]

use std::error::Error;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use client_registry::clock::ManualClock;
use client_registry::ring::SharedSecret;
use client_registry::store::{DynStore, MemoryStore};
use client_registry::value::{Attributes, KeyId};
use client_registry::webhooks::WebhookHeaders;
use client_registry::{
    ClientDetails, ClientHandle, Issued, Keyring, Lifetime, NewSecret, Registry, Rotation, SecretRing,
    Timestamp,
};
use reqwest::{Client, Response};
use serde_json::Value;
use token_endpoint::{Server, introspection, observe, ping, tokens};

type Failure = Box<dyn Error>;

struct Running {
    url: String,
    clock: ManualClock,
    registry: Registry<DynStore>,
    http: Client,
}

impl Running {
    async fn start() -> Result<Self, Failure> {
        let clock = ManualClock::new(Timestamp::parse("2026-03-01T09:00:00Z")?.to_datetime());
        let keyring = Keyring::generate(KeyId::parse("test")?)?;
        let builder = Registry::builder().clock(clock.clone());
        let registry = builder.open(DynStore::new(MemoryStore::new()), keyring).await?;
        let server =
            Server::new(registry.clone(), Arc::new(clock.clone()), "https://auth.example.com", None)?;
        Ok(Self { url: serve(server.router()).await?, clock, registry, http: Client::new() })
    }

    async fn register(&self, name: &str, attributes: &[(&str, &str)]) -> Result<Issued, Failure> {
        let details = ClientDetails::new(name, "app.contoso.com", "https://app.contoso.com/done")?;
        let issued = self.registry.as_seller("contoso")?.register(details, Lifetime::OneYear).await?;
        self.handle(&issued)?.change_attributes(Attributes::new(attributes.iter().copied())?).await?;
        Ok(issued)
    }

    fn handle(&self, issued: &Issued) -> Result<ClientHandle<DynStore>, Failure> {
        Ok(self.registry.as_seller("contoso")?.client(issued.client_id()))
    }

    async fn post(&self, path: &str, who: &Issued, body: String) -> Result<Response, Failure> {
        let request = self.http.post(format!("{}{path}", self.url));
        let request = request.basic_auth(who.client_id(), Some(who.client_secret().expose()));
        Ok(request.header("content-type", "application/x-www-form-urlencoded").body(body).send().await?)
    }

    async fn token(&self, who: &Issued) -> Result<String, Failure> {
        let response = self.post("/token", who, "grant_type=client_credentials".to_owned()).await?;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["cache-control"], "no-store");
        let answer = json(response).await?;
        assert_eq!(answer["token_type"], "Bearer");
        Ok(answer["access_token"].as_str().ok_or("no token")?.to_owned())
    }

    async fn introspect(&self, who: &Issued, token: &str) -> Result<Value, Failure> {
        let response = self.post("/introspect", who, format!("token={token}")).await?;
        assert_eq!(response.status(), StatusCode::OK);
        json(response).await
    }

    async fn is_active(&self, who: &Issued, token: &str) -> Result<bool, Failure> {
        Ok(self.introspect(who, token).await?["active"] == true)
    }
}

async fn serve(router: Router) -> Result<String, Failure> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(url)
}

async fn json(response: Response) -> Result<Value, Failure> {
    Ok(serde_json::from_slice(&response.bytes().await?)?)
}

#[tokio::test]
async fn a_token_is_issued_and_introspected() -> Result<(), Failure> {
    let server = Running::start().await?;
    let (calendar, mail) = (server.register("calendar", &[]).await?, server.register("mail", &[]).await?);
    let api = server.register("api", &[(introspection::RESOURCE_SERVER, "yes")]).await?;
    let token = server.token(&calendar).await?;
    for who in [&calendar, &api] {
        let answer = server.introspect(who, &token).await?;
        assert_eq!(answer["client_id"], calendar.client_id().as_str());
        assert_eq!(answer["exp"].as_i64(), answer["iat"].as_i64().map(|at| at + 600));
        assert_eq!(answer["iss"], "https://auth.example.com");
    }
    assert!(!server.is_active(&mail, &token).await?, "another client's token");
    assert!(!server.is_active(&calendar, &token[1..]).await?, "not a token");

    server.clock.advance(tokens::LIFETIME - Duration::from_millis(1));
    assert!(server.is_active(&api, &token).await?);
    server.clock.advance(Duration::from_millis(1));
    assert!(!server.is_active(&api, &token).await?);
    Ok(())
}

#[tokio::test]
async fn tokens_end_with_the_secret_that_they_were_obtained_with() -> Result<(), Failure> {
    let server = Running::start().await?;
    let calendar = server.register("calendar", &[]).await?;
    let handle = server.handle(&calendar)?;
    let (old, next) =
        (server.token(&calendar).await?, handle.rotate(Rotation::overlap(Duration::from_secs(3660))).await?);
    let new = server.token(&next).await?;

    handle.suspend().await?;
    server.registry.as_operator("ann")?.client(calendar.client_id()).resume().await?;
    assert!(
        server.is_active(&next, &old).await? && server.is_active(&next, &new).await?,
        "suspended and resumed"
    );

    let _ = handle.delete_in_emergency(calendar.secret_id(), None).await?;
    assert!(!server.is_active(&next, &old).await?, "of a deleted secret");
    assert!(server.is_active(&next, &new).await?, "of another secret");

    let api = server.register("api", &[(introspection::RESOURCE_SERVER, "yes")]).await?;
    handle.suspend().await?;
    assert!(!server.is_active(&api, &new).await?, "of a suspended client");
    handle.resume().await?;
    assert!(server.is_active(&api, &new).await?, "of a client that was resumed");
    Ok(())
}

#[tokio::test]
async fn a_token_is_not_good_for_longer_than_its_secret() -> Result<(), Failure> {
    let server = Running::start().await?;
    let calendar = server.register("calendar", &[]).await?;
    let _next = server.handle(&calendar)?.rotate(Rotation::overlap(Duration::from_secs(3600))).await?;
    server.clock.advance(Duration::from_secs(3600 - 30));
    let response = server.post("/token", &calendar, "grant_type=client_credentials".to_owned()).await?;
    assert_eq!(json(response).await?["expires_in"], 30);
    Ok(())
}

#[tokio::test]
async fn a_client_loses_its_oldest_token_and_nobody_elses() -> Result<(), Failure> {
    let server = Running::start().await?;
    let (calendar, mail) = (server.register("calendar", &[]).await?, server.register("mail", &[]).await?);
    let others = server.token(&mail).await?;
    let first = server.token(&calendar).await?;
    let second = server.token(&calendar).await?;
    for _ in 2..=tokens::OF_ONE_CLIENT {
        server.token(&calendar).await?;
    }
    assert!(!server.is_active(&calendar, &first).await?);
    assert!(server.is_active(&calendar, &second).await? && server.is_active(&mail, &others).await?);
    Ok(())
}

#[tokio::test]
async fn what_is_refused_is_an_error_of_oauth() -> Result<(), Failure> {
    let server = Running::start().await?;
    let calendar = server.register("calendar", &[]).await?;
    for (body, status, error) in [
        ("", 400, "invalid_request"),
        ("grant_type=password", 400, "unsupported_grant_type"),
        ("grant_type=client_credentials&client_secret=x", 400, "invalid_request"),
    ] {
        let response = server.post("/token", &calendar, body.to_owned()).await?;
        assert_eq!(response.status(), status, "{body}");
        assert_eq!(json(response).await?["error"], error, "{body}");
    }
    server.handle(&calendar)?.suspend().await?;
    let response = server.post("/token", &calendar, "grant_type=client_credentials".to_owned()).await?;
    assert_eq!(response.status(), 401);
    assert!(response.headers()["www-authenticate"].to_str()?.starts_with("Basic realm="));
    assert_eq!(json(response).await?["error"], "invalid_client");
    let response = server.http.post(format!("{}/introspect", server.url)).send().await?;
    assert_eq!(response.status(), 401, "without a client");
    Ok(())
}

#[tokio::test]
async fn the_metadata_name_the_endpoints() -> Result<(), Failure> {
    let server = Running::start().await?;
    let response =
        server.http.get(format!("{}/.well-known/oauth-authorization-server", server.url)).send().await?;
    let metadata = json(response).await?;
    assert_eq!(metadata["issuer"], "https://auth.example.com");
    assert_eq!(metadata["token_endpoint"], "https://auth.example.com/token");
    assert_eq!(metadata["introspection_endpoint"], "https://auth.example.com/introspect");
    Ok(())
}

type Received = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;

#[tokio::test]
async fn a_webhook_is_verified_by_a_ring_and_sent_again_with_the_same_id() -> Result<(), Failure> {
    let received = Received::default();
    let add_in = Router::new().route(
        "/webhook",
        post(async |State(received): State<Received>, headers: HeaderMap, body: Bytes| {
            let Ok(mut received) = received.lock() else { return StatusCode::INTERNAL_SERVER_ERROR };
            received.push((headers, body));
            if received.len() == 1 { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::NO_CONTENT }
        }),
    );
    let add_in = serve(add_in.with_state(Arc::clone(&received))).await?;
    let server = Running::start().await?;
    let calendar = server.register("calendar", &[(ping::WEBHOOK_URL, &format!("{add_in}/webhook"))]).await?;
    let _second = server.handle(&calendar)?.add_secret(NewSecret::lasting(Lifetime::OneYear)).await?;
    assert_eq!(server.post("/ping", &calendar, String::new()).await?.status(), 204);

    let id = calendar.client_id().clone();
    let secret = client_registry::ClientSecret::parse(calendar.client_secret().expose())?;
    let ring = SecretRing::new(id, SharedSecret::from(secret), None).with_clock(server.clock.clone());
    let received = received.lock().map_err(|_| "poisoned")?.clone();
    let mut ids = Vec::new();
    for (headers, body) in received.iter() {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(|value| (name, value));
        let names = [WebhookHeaders::ID, WebhookHeaders::TIMESTAMP, WebhookHeaders::SIGNATURE];
        let headers = WebhookHeaders::parse(names.into_iter().filter_map(text))?;
        ring.verify_webhook(&headers, body)?;
        assert!(ring.verify_webhook(&headers, &body[1..]).is_err());
        assert_eq!(headers.signatures().split(' ').count(), 2, "one for each secret");
        ids.push(headers.id().to_owned());
    }
    assert!(ids.len() == 2 && ids[0] == ids[1], "{ids:?}");

    let mail = server.register("mail", &[]).await?;
    assert_eq!(server.post("/ping", &mail, String::new()).await?.status(), 400, "no webhook");
    Ok(())
}

#[tokio::test]
async fn metrics_count_verdicts_and_secrets_that_end_soon() -> Result<(), Failure> {
    let server = Running::start().await?;
    let metrics = observe::install()?;
    let calendar = server.register("calendar", &[]).await?;
    server.token(&calendar).await?;
    let clock = server.clock.clone();
    server.clock.advance(Duration::from_secs(340 * 24 * 60 * 60));
    let operator = server.registry.as_operator("metrics")?;
    let now = move || client_registry::clock::Clock::wall(&clock);
    let counting = observe::count_ending(operator, now, Duration::from_secs(3600));
    let _ = tokio::time::timeout(Duration::from_millis(200), counting).await;
    let page = metrics.render();
    for line in [
        "client_verdicts_total{endpoint=\"token\",reason=\"ok\"} ",
        "request_seconds_count{path=\"/token\",status=\"200\"} ",
        "secrets_ending_soon{successor=\"no\"} 1",
        "secrets_ending_soon{successor=\"yes\"} 0",
    ] {
        assert!(page.contains(line), "{line} is not in\n{page}");
    }
    Ok(())
}

/// What a newcomer writes for a token endpoint and a webhook stands in two files, and is under 60 lines.
#[test]
fn what_a_newcomer_writes_is_under_60_lines() {
    let is_code = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
    let files = [include_str!("../src/token.rs"), include_str!("../src/webhook.rs")];
    let lines: usize = files.iter().map(|file| file.lines().filter(is_code).count()).sum();
    assert!(lines < 60, "{lines}");
    let said = format!("{lines} lines in all");
    assert!(include_str!("../README.md").contains(&said), "the README does not say: {said}");
}
