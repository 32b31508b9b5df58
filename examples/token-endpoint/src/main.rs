//! Opens the registry, serves, and stops in order: no request is cut off, and last uses are written.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use client_registry::clock::{Clock, SystemClock};
use client_registry::store::{DynStore, PostgresStore, SqliteStore};
use client_registry::value::{Attributes, KeyId};
use client_registry::{ClientDetails, Keyring, Lifetime, Registry};
use token_endpoint::{Server, observe, ping, stop};
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let metrics = observe::install()?;
    tokio::spawn(observe::fold(metrics.clone()));
    let registry = open().await?;
    keep_fresh(&registry);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let operator = registry.as_operator("metrics")?;
    let wall = Arc::clone(&clock);
    tokio::spawn(observe::count_ending(operator, move || wall.wall(), Duration::from_secs(60)));

    let address = std::env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let listener = tokio::net::TcpListener::bind(&address).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let issuer = std::env::var("ISSUER").unwrap_or_else(|_| url.clone());
    println!("listening on {url}");
    show_a_client(&registry, &url).await?;

    let server = Server::new(registry.clone(), clock, &issuer, Some(metrics))?;
    axum::serve(listener, server.router()).with_graceful_shutdown(stop()).await?;
    registry.flush_last_uses().await?;
    println!("stopped");
    Ok(())
}

/// Opens the registry that the environment names. Without `REGISTRY_STORE` it is a new file that nobody can open again: its key is
/// gone when the process ends.
async fn open() -> Result<Registry<DynStore>, Box<dyn Error>> {
    let Ok(place) = std::env::var("REGISTRY_STORE") else {
        let file =
            std::env::temp_dir().join(format!("token-endpoint-{}.db", SystemClock::new().wall().as_millis()));
        println!("the registry is {}; set REGISTRY_STORE and REGISTRY_KEYS to keep one", file.display());
        let keyring = Keyring::generate(KeyId::parse("to-try")?)?;
        return Ok(Registry::open(DynStore::new(SqliteStore::open(file)?), keyring).await?);
    };
    let store = match place {
        url if url.starts_with("postgres") => DynStore::new(PostgresStore::connect(&url).await?),
        path => DynStore::new(SqliteStore::open(path)?),
    };
    Ok(Registry::open(store, Keyring::from_env("REGISTRY_KEYS")?).await?)
}

/// Learns what other nodes change, and writes last uses, as long as the process runs.
fn keep_fresh(registry: &Registry<DynStore>) {
    let node = registry.clone();
    match registry.store().downcast_ref::<PostgresStore>().map(PostgresStore::hints) {
        Some(hints) => tokio::spawn(async move { node.keep_fresh(|at_most| hints.wait(at_most)).await }),
        None => tokio::spawn(async move { node.keep_fresh(tokio::time::sleep).await }),
    };
}

/// Registers a client to try the server with, the first time, and shows its secret, once.
async fn show_a_client(registry: &Registry<DynStore>, url: &str) -> Result<(), Box<dyn Error>> {
    let contoso = registry.as_seller("contoso")?;
    if contoso.client_named("calendar app").await?.is_some() {
        println!("the client to try it with is there already; its secret was shown once");
        return Ok(());
    }
    let details = ClientDetails::new("calendar app", "app.contoso.com", "https://app.contoso.com/done")?;
    let issued = contoso.register(details, Lifetime::OneYear).await?;
    let (id, secret) = (issued.client_id(), issued.client_secret().expose());
    if let Ok(webhook) = std::env::var("WEBHOOK_URL") {
        let attributes = Attributes::new([(ping::WEBHOOK_URL, webhook)])?;
        contoso.client(id).change_attributes(attributes).await?;
    }
    println!("client ID      {id}\nclient secret  {secret}");
    println!("\ncurl -u '{id}:{secret}' -d grant_type=client_credentials {url}/token");
    println!("curl -u '{id}:{secret}' -d 'token=<access_token>' {url}/introspect\n");
    Ok(())
}
