//! The trip calendar: an add-in with a primary and a secondary client secret. `README.md` says how to start it, and what to read first.

mod calendar;
mod calls;
mod config;
mod context;
mod events;
mod page;
mod platform;
mod running;
mod state;
mod trips;

use std::error::Error;
use std::sync::Arc;

use axum::Router;
use client_registry::SecretRing;
use client_registry::webhooks::WebhookReceiver;
use tower_http::csrf::CsrfLayer;

pub use crate::config::Config;
pub use crate::running::{Running, start};

use crate::platform::Platform;
use crate::trips::Trips;

/// What the handlers share.
#[derive(Debug, Clone)]
pub struct TripCalendar(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    config: Config,
    ring: Arc<SecretRing>,
    receiver: WebhookReceiver,
    platform: Platform,
    trips: Trips,
}

impl TripCalendar {
    /// Reads the client secrets, and the trips that were kept.
    pub fn new(config: Config) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let ring = Arc::new(SecretRing::from_config(config.ring.clone())?);
        let receiver = WebhookReceiver::new(Arc::clone(&ring)).remembering(MESSAGES);
        let platform = Platform::new(&config.platform, Arc::clone(&ring))?;
        let trips = Trips::open(config.kept_in.clone())?;
        Ok(Self(Arc::new(Parts { config, ring, receiver, platform, trips })))
    }

    /// Returns the router of all pages.
    pub fn router(&self) -> Router {
        // Buttons work on the add-in's own pages alone. What the platform posts has a signature instead.
        let own = Router::new()
            .merge(calendar::routes())
            .merge(calls::routes())
            .merge(state::routes())
            .layer(CsrfLayer::new());
        let signed = Router::new().merge(events::routes()).merge(context::routes());
        own.merge(signed).merge(page::routes()).with_state(self.clone())
    }

    /// Reads the client secrets again, now and then, as long as it is polled. So the add-in takes a new one without a restart.
    pub async fn keep_current(&self) {
        loop {
            tokio::time::sleep(self.0.config.reload_every).await;
            let ring = Arc::clone(&self.0.ring);
            match tokio::task::spawn_blocking(move || ring.reload()).await {
                Ok(Ok(false)) => {}
                Ok(Ok(true)) => tracing::info!("the client secrets have changed"),
                Ok(Err(error)) => {
                    tracing::error!(%error, "the client secrets cannot be read again, those before stay")
                }
                Err(error) => tracing::error!(%error),
            }
        }
    }
}

/// Returns the router of the trip calendar, to be served beside other routes. Its client secrets are those of the start:
/// [`start`] also reads them again.
pub fn router(config: Config) -> Result<Router, Box<dyn Error + Send + Sync>> {
    Ok(TripCalendar::new(config)?.router())
}

/// How many messages are remembered, so that none is accepted twice within 11 minutes. Beyond that the platform has to send again later.
const MESSAGES: usize = 100_000;
