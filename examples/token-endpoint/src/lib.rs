//! A token endpoint for client credentials. `README.md` says how to start it, and what to read first.

pub mod introspection;
mod metadata;
pub mod observe;
pub mod ping;
mod stop;
mod token;
pub mod tokens;
pub mod webhook;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn;
use client_registry::Registry;
use client_registry::clock::Clock;
use client_registry::store::DynStore;
use metrics_exporter_prometheus::PrometheusHandle;

pub use crate::stop::stop;
use crate::tokens::Tokens;

/// What the handlers share.
#[derive(Debug, Clone)]
pub struct Server {
    registry: Registry<DynStore>,
    tokens: Arc<Tokens>,
    http: reqwest::Client,
    issuer: Arc<str>,
    metrics: Option<PrometheusHandle>,
}

impl Server {
    /// Returns a server under a public address such as `https://auth.example.com`. Its clock is that of the registry.
    pub fn new(
        registry: Registry<DynStore>,
        clock: Arc<dyn Clock>,
        issuer: &str,
        metrics: Option<PrometheusHandle>,
    ) -> Result<Self, Box<dyn Error>> {
        // A webhook goes to the address that the platform knows, and nowhere else.
        let http =
            reqwest::Client::builder().timeout(WEBHOOK_TIMEOUT).redirect(reqwest::redirect::Policy::none());
        let tokens = Arc::new(Tokens::new(clock));
        Ok(Self { registry, tokens, http: http.build()?, issuer: issuer.into(), metrics })
    }

    /// Returns the router of all endpoints.
    pub fn router(self) -> Router {
        Router::new()
            .merge(token::routes())
            .merge(introspection::routes())
            .merge(metadata::routes())
            .merge(ping::routes())
            .merge(observe::routes())
            .layer(from_fn(observe::measured))
            .with_state(self)
    }
}

const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(5);
