//! Opens what the marketplace keeps, and builds the router.

use std::error::Error;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use client_registry::clock::{Clock, SystemClock};
use client_registry::store::{DynStore, PostgresStore, SqliteStore};
use client_registry::{Error as RegistryError, Refusal, Registry};
use token_endpoint::ping::WEBHOOK_URL;
use tower_sessions::ExpiredDeletion;
use tower_sessions_rusqlite_store::RusqliteStore;
use tower_sessions_rusqlite_store::tokio_rusqlite::Connection;
use trip_calendar::Running;

use crate::account::DevelopmentSignIn;
use crate::catalogue::Catalogue;
use crate::events::Deliveries;
use crate::hand_over::HandOver;
use crate::mailbox::Mailbox;
use crate::resealer::Resealer;
use crate::seed::{CalendarFiles, TRIP_CALENDAR};
use crate::settings::Settings;
use crate::shared::Framed;
use crate::{Marketplace, Rates, router, seed, sessions};

/// What was started.
#[derive(Debug)]
pub struct Started {
    /// The router, to be served.
    pub router: Router,
    /// The registry: write its last uses before the process ends.
    pub registry: Registry<DynStore>,
    /// The trip calendar, unless its client ID is not known.
    pub calendar: Option<Running>,
}

/// Opens the registry, the sessions and the catalogue, adds data to look at, starts the trip calendar, and returns the router.
pub async fn start(settings: &Settings, url: &str) -> Result<Started, Box<dyn Error>> {
    let registry = open(settings).await?;
    keep_fresh(&registry);
    let catalogue = Catalogue::open(&settings.folder.join("catalogue.db")).await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    seed::add(&registry, &catalogue, settings, registry.now()).await?;

    let store = RusqliteStore::new(Connection::open(settings.folder.join("sessions.db")).await?);
    store.migrate().await?;
    tokio::spawn(store.clone().continuously_delete_expired(Duration::from_secs(600)));

    let issuer = settings.public.as_deref().unwrap_or(url);
    let calendar = start_calendar(settings, &registry, issuer).await?;
    let framed = calendar.as_ref().map(|running| Framed {
        add_in: TRIP_CALENDAR,
        url: running.url().to_owned(),
        secondary: CalendarFiles::of(settings).secondary,
    });
    let app = Arc::new(Marketplace {
        registry: registry.clone(),
        catalogue,
        mailbox: Mailbox::open(&settings.folder.join("mailbox.db")).await?,
        resealer: Resealer::default(),
        platform: token_endpoint::Server::new(registry.clone(), Arc::clone(&clock), issuer, None)?,
        sign_in: Box::new(DevelopmentSignIn::new()),
        hand_over: HandOver::new(clock),
        rates: Rates::new(SIGN_INS_A_MINUTE, TOKENS_A_SECOND),
        issuer: issuer.to_owned(),
        trip_calendar: framed,
        deliveries: Deliveries::default(),
    });
    let swept = Arc::clone(&app);
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(SWEEP).await;
            swept.hand_over.sweep();
        }
    });
    let router = router(app, sessions(store, issuer.starts_with("https://")));
    Ok(Started { router, registry, calendar })
}

/// Starts the trip calendar, and tells the platform where it takes messages.
async fn start_calendar(
    settings: &Settings,
    registry: &Registry<DynStore>,
    issuer: &str,
) -> Result<Option<Running>, Box<dyn Error>> {
    let files = CalendarFiles::of(settings);
    let Some(client_id) = files.read_client_id() else {
        return Ok(None);
    };
    let config = trip_calendar::Config::new(client_id.clone(), files.primary, files.secondary, issuer)
        .with_kept_in(files.trips)
        .listening_on(&settings.calendar.to_string());
    let running = trip_calendar::start(config).await.map_err(|error| error.to_string())?;

    let client = registry.as_operator("marketplace")?.client(&client_id);
    let webhook = format!("{}/events", running.url());
    match client.snapshot().await {
        Ok(snapshot) => {
            let attributes = snapshot.client().attributes().with(WEBHOOK_URL, &webhook)?;
            client.change_attributes(attributes).await?;
        }
        // Its seller has deleted the client ID: the add-in shows what that means.
        Err(RegistryError::Refused(Refusal::ClientDeleted | Refusal::UnknownClient)) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(Some(running))
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

/// How often client secrets that nobody has come for are looked for.
const SWEEP: Duration = Duration::from_secs(30);
const SIGN_INS_A_MINUTE: NonZeroU32 = NonZeroU32::new(60).expect("it is not zero");
const TOKENS_A_SECOND: NonZeroU32 = NonZeroU32::new(100).expect("it is not zero");
