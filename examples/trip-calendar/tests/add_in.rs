//! The add-in against a token endpoint, both over HTTP.

#![allow(clippy::indexing_slicing, reason = "a test may fail loudly")]

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use client_registry::clock::SystemClock;
use client_registry::store::{DynStore, MemoryStore};
use client_registry::value::{Attributes, KeyId, Policy};
use client_registry::{
    ClientDetails, ClientHandle, ClientId, Days, Issued, Keyring, Lifetime, Registry, Rotation,
};
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use token_endpoint::{Server, ping};
use trip_calendar::{Config, Running};

type Failure = Box<dyn Error + Send + Sync>;

/// A platform with one add-in.
struct Both {
    registry: Registry<DynStore>,
    platform: String,
    id: ClientId,
    folder: PathBuf,
    calendar: Running,
    http: Client,
}

impl Both {
    async fn start(name: &str) -> Result<Self, Failure> {
        let keyring = Keyring::generate(KeyId::parse("test")?)?;
        // A replaced client secret may end right after it was used.
        let builder = Registry::builder().policy(Policy::default().with_retire_after(Duration::ZERO));
        let registry = builder.open(DynStore::new(MemoryStore::new()), keyring).await?;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let platform = format!("http://{}", listener.local_addr()?);
        let server = Server::new(registry.clone(), Arc::new(SystemClock::new()), &platform, None)
            .map_err(|error| error.to_string())?;
        tokio::spawn(async move { axum::serve(listener, server.router()).await });

        let details = ClientDetails::new("trips", "trips.contoso.com", "https://trips.contoso.com/done")?;
        let issued = registry.as_seller("contoso")?.register(details, Lifetime::OneYear).await?;
        let folder = std::env::temp_dir().join(format!("trip-calendar-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("primary"), issued.client_secret().expose())?;
        let calendar = trip_calendar::start(config(issued.client_id(), &folder, &platform)).await?;
        let both = Self {
            registry,
            platform,
            id: issued.client_id().clone(),
            folder,
            calendar,
            http: Client::new(),
        };
        let webhook = both.at("/events");
        both.client()?.change_attributes(Attributes::new([(ping::WEBHOOK_URL, webhook)])?).await?;
        Ok(both)
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.calendar.url())
    }

    fn client(&self) -> Result<ClientHandle<DynStore>, Failure> {
        Ok(self.registry.as_seller("contoso")?.client(&self.id))
    }

    async fn get(&self, path: &str) -> Result<String, Failure> {
        Ok(self.http.get(self.at(path)).send().await?.error_for_status()?.text().await?)
    }

    async fn post(&self, path: &str, body: &str) -> Result<Response, Failure> {
        let request =
            self.http.post(self.at(path)).header("content-type", "application/x-www-form-urlencoded");
        Ok(request.body(body.to_owned()).send().await?)
    }

    async fn state(&self) -> Result<Value, Failure> {
        Ok(serde_json::from_str(&self.get("/state.json").await?)?)
    }

    /// Hands a new client secret over, as an operator of the add-in does, and waits until it was taken.
    async fn hand_over(&self, new: &Issued) -> Result<(), Failure> {
        fs::write(self.folder.join("new"), new.client_secret().expose())?;
        fs::rename(self.folder.join("new"), self.folder.join("secondary"))?;
        while self.state().await?["ring"]["secondary"].is_null() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    /// Sends a message, signed with all secrets that sign.
    async fn send(&self, message: &str, event: &Value, sent: &str) -> Result<StatusCode, Failure> {
        let body = event.to_string();
        let headers = self.registry.sign_webhook_with_all(&self.id, message, body.as_bytes()).await?;
        let mut request = self.http.post(self.at("/events")).body(sent.to_owned());
        for (name, value) in headers.pairs() {
            request = request.header(name, value);
        }
        Ok(request.send().await?.status())
    }

    async fn open(&self, issuer: &str) -> Result<Response, Failure> {
        let claims = json!({"iss": issuer, "sub": "ann", "name": "Ann <b>of</b> Contoso"});
        let token = self.registry.sign_jwt(&self.id, &claims, Duration::from_secs(60)).await?;
        self.post("/context", &format!("token={token}")).await
    }

    async fn stop(self) -> Result<(), Failure> {
        self.calendar.stop().await?;
        Ok(fs::remove_dir_all(&self.folder)?)
    }
}

fn config(id: &ClientId, folder: &std::path::Path, platform: &str) -> Config {
    Config::new(id.clone(), folder.join("primary"), folder.join("secondary"), platform)
        .listening_on("127.0.0.1:0")
        .reloading_every(Duration::from_millis(5))
        .with_kept_in(folder.join("trips.jsonl"))
}

fn lisbon() -> Value {
    json!({"type": "trip.booked", "data": {"trip": "t-17", "where": "Lisbon", "from": "2026-04-02", "until": "2026-04-06"}})
}

#[tokio::test]
async fn a_rotation_needs_no_restart() -> Result<(), Failure> {
    let both = Both::start("rotation").await?;
    assert!(both.post("/call", "").await?.text().await?.contains("with the primary client secret"));
    assert_eq!(both.post("/message", "").await?.status(), StatusCode::OK);

    let rotation = Rotation::overlap(Days::new(30));
    let new = both.client()?.rotate(rotation).await?;
    both.hand_over(&new).await?;
    let replaced = both.client()?.plan_closing(new.secret_id()).await?;
    both.client()?.confirm(replaced).await?;

    let said = both.post("/call", "").await?.text().await?;
    assert!(said.contains("with the secondary client secret"), "{said}");
    assert_eq!(both.post("/message", "").await?.status(), StatusCode::OK);
    let opened = both.open(&both.platform).await?.text().await?;
    assert!(opened.contains("the secondary one"), "{opened}");
    let state = both.state().await?;
    assert_eq!(state["ring"]["tried_first"], "secondary");
    assert_eq!(state["calls"], json!({"succeeded": 4, "failed": 0}));
    assert_eq!(state["messages"], json!({"accepted": 2, "refused": 0}));
    let page = both.get("/state").await?;
    assert!(page.contains("refused</span>") && page.contains("works</span>"), "{page}");
    assert!(!page.contains(new.client_secret().expose()));
    both.stop().await
}

#[tokio::test]
async fn a_message_is_kept_once_after_a_restart_too() -> Result<(), Failure> {
    let mut both = Both::start("messages").await?;
    let body = lisbon().to_string();
    let lisbon = lisbon();
    for _ in 0..2 {
        assert_eq!(both.send("msg_1", &lisbon, &body).await?, StatusCode::NO_CONTENT);
    }
    assert_eq!(
        both.send("msg_2", &lisbon, &body.replace("Lisbon", "Berlin")).await?,
        StatusCode::UNAUTHORIZED
    );
    let no_trip = json!({"type": "trip.booked"});
    assert_eq!(both.send("msg_3", &no_trip, &no_trip.to_string()).await?, StatusCode::BAD_REQUEST);

    let again = trip_calendar::start(config(&both.id, &both.folder, &both.platform)).await?;
    std::mem::replace(&mut both.calendar, again).stop().await?;
    assert_eq!(both.send("msg_1", &lisbon, &body).await?, StatusCode::NO_CONTENT);
    let page = both.get("/").await?;
    assert!(page.contains("2 April 2026 to 6 April 2026"), "{page}");
    assert_eq!(page.matches("trip.booked").count(), 1);

    let cancelled = json!({"type": "trip.cancelled", "data": {"trip": "t-17"}});
    assert_eq!(both.send("msg_4", &cancelled, &cancelled.to_string()).await?, StatusCode::NO_CONTENT);
    let page = both.get("/").await?;
    assert!(page.contains("Lisbon") && page.contains("cancelled</span>"), "{page}");
    both.stop().await
}

#[tokio::test]
async fn only_the_platform_opens_the_page_in_its_frame() -> Result<(), Failure> {
    let both = Both::start("frame").await?;
    let opened = both.open(&both.platform).await?;
    assert_eq!(opened.status(), StatusCode::OK);
    let policy =
        |response: &Response| response.headers()["content-security-policy"].to_str().map(str::to_owned);
    assert!(policy(&opened)?.ends_with(&format!("frame-ancestors {}", both.platform)));
    assert_eq!(opened.headers()["cache-control"], "no-store");
    let page = opened.text().await?;
    assert!(page.contains("Ann &#60;b&#62;of&#60;/b&#62; Contoso"), "{page}");

    assert_eq!(both.open("https://elsewhere.example").await?.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(both.post("/context", "token=e30.e30.").await?.status(), StatusCode::UNAUTHORIZED);
    let own = both.http.get(both.at("/")).send().await?;
    assert!(policy(&own)?.ends_with("frame-ancestors 'none'"));
    let crossed = both.http.post(both.at("/call")).header("sec-fetch-site", "same-site").send().await?;
    assert_eq!(crossed.status(), StatusCode::FORBIDDEN);
    both.stop().await
}

#[tokio::test]
async fn a_call_that_fails_says_what_to_do() -> Result<(), Failure> {
    let both = Both::start("fails").await?;
    let secret = both.client()?.snapshot().await?.client().secrets().next().ok_or("no secret")?.id();
    let _without_another = both.client()?.delete_in_emergency(secret, None).await?;
    let answer = both.post("/call", "").await?;
    assert_eq!(answer.status(), StatusCode::BAD_GATEWAY);
    assert!(answer.text().await?.contains("write it to the secondary file"));
    assert_eq!(both.state().await?["calls"]["failed"], 1);
    both.stop().await
}
