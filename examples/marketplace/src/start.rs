//! Opens what the marketplace keeps, and builds the router.

use std::error::Error;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use client_registry::Registry;
use client_registry::clock::{Clock, SystemClock};
use client_registry::store::{DynStore, PostgresStore, SqliteStore};
use tower_sessions::ExpiredDeletion;
use tower_sessions_rusqlite_store::RusqliteStore;
use tower_sessions_rusqlite_store::tokio_rusqlite::Connection;

use crate::account::DevelopmentSignIn;
use crate::catalogue::Catalogue;
use crate::events::Deliveries;
use crate::hand_over::HandOver;
use crate::settings::Settings;
use crate::{Marketplace, Rates, router, seed, sessions};

/// What was started.
#[derive(Debug)]
pub struct Started {
    /// The router, to be served.
    pub router: Router,
    /// The registry: write its last uses before the process ends.
    pub registry: Registry<DynStore>,
}

/// Opens the registry, the sessions and the catalogue, adds data to look at, and returns the router.
pub async fn start(settings: &Settings, url: &str) -> Result<Started, Box<dyn Error>> {
    let registry = open(settings).await?;
    keep_fresh(&registry);
    let catalogue = Catalogue::open(&settings.folder.join("catalogue.db")).await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    seed::add(&registry, &catalogue, settings, clock.wall()).await?;

    let store = RusqliteStore::new(Connection::open(settings.folder.join("sessions.db")).await?);
    store.migrate().await?;
    tokio::spawn(store.clone().continuously_delete_expired(Duration::from_secs(600)));

    let issuer = settings.public.as_deref().unwrap_or(url);
    let app = Arc::new(Marketplace {
        registry: registry.clone(),
        clock: Arc::clone(&clock),
        catalogue,
        platform: token_endpoint::Server::new(registry.clone(), Arc::clone(&clock), issuer, None)?,
        sign_in: Box::new(DevelopmentSignIn::new()),
        hand_over: HandOver::new(clock),
        rates: Rates::new(SIGN_INS_A_MINUTE, TOKENS_A_SECOND),
        issuer: issuer.to_owned(),
        trip_calendar: None,
        deliveries: Deliveries::default(),
    });
    Ok(Started { router: router(app, sessions(store, issuer.starts_with("https://"))), registry })
}

async fn open(settings: &Settings) -> Result<Registry<DynStore>, Box<dyn Error>> {
    let store = match &settings.database {
        Some(url) => DynStore::new(PostgresStore::connect(url).await?),
        None => DynStore::new(SqliteStore::open(settings.folder.join("registry.db"))?),
    };
    Ok(Registry::open(store, settings.keyring()?).await?)
}

/// Learns what other nodes change, and writes last uses, as long as the process runs.
fn keep_fresh(registry: &Registry<DynStore>) {
    let node = registry.clone();
    match registry.store().downcast_ref::<PostgresStore>().map(PostgresStore::hints) {
        Some(hints) => tokio::spawn(async move { node.keep_fresh(|at_most| hints.wait(at_most)).await }),
        None => tokio::spawn(async move { node.keep_fresh(tokio::time::sleep).await }),
    };
}

const SIGN_INS_A_MINUTE: NonZeroU32 = NonZeroU32::new(60).expect("it is not zero");
const TOKENS_A_SECOND: NonZeroU32 = NonZeroU32::new(100).expect("it is not zero");
