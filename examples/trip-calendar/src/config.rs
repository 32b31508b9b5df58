//! What the trip calendar has to know: who it is, where its client secrets lie, and where the platform is.

use std::env;
use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use client_registry::ClientId;
use client_registry::ring::{RingConfig, SecretSource};

/// The configuration of a trip calendar.
#[derive(Debug, Clone)]
pub struct Config {
    pub(crate) ring: RingConfig,
    /// The file that takes a new client secret, if it is one: shown to operators of the add-in.
    pub(crate) secondary: Option<PathBuf>,
    /// The platform's public address, without a slash at its end.
    pub(crate) platform: String,
    pub(crate) listen: String,
    pub(crate) kept_in: Option<PathBuf>,
    pub(crate) reload_every: Duration,
}

impl Config {
    /// Returns the configuration of an add-in with its client secrets in two files. The secondary one need not exist.
    ///
    /// The platform is its public address, such as `http://127.0.0.1:8080`: the issuer of context tokens, the server of `/token`, and the
    /// only origin that may show the add-in in a frame.
    pub fn new(
        client_id: ClientId,
        primary: impl Into<PathBuf>,
        secondary: impl Into<PathBuf>,
        platform: &str,
    ) -> Self {
        let secondary = secondary.into();
        let ring = RingConfig::new(client_id, SecretSource::file(primary))
            .with_secondary(SecretSource::file(&secondary));
        Self::of(ring, Some(secondary), platform)
    }

    /// Returns the configuration that the environment holds: the variables of [`RingConfig::from_env`], `PLATFORM_URL`, `LISTEN` and
    /// `TRIPS`.
    pub fn from_env() -> Result<Self, Box<dyn Error + Send + Sync>> {
        let platform =
            env::var("PLATFORM_URL").map_err(|_| "set PLATFORM_URL to the address of the platform")?;
        let secondary = env::var_os("SECONDARY_CLIENT_SECRET_FILE").map(PathBuf::from);
        let config = Self::of(RingConfig::from_env()?, secondary, &platform);
        let listen = env::var("LISTEN").unwrap_or(config.listen);
        Ok(Self { listen, kept_in: env::var_os("TRIPS").map(PathBuf::from), ..config })
    }

    fn of(ring: RingConfig, secondary: Option<PathBuf>, platform: &str) -> Self {
        let platform = platform.trim_end_matches('/').to_owned();
        let listen = "127.0.0.1:8081".to_owned();
        Self { ring, secondary, platform, listen, kept_in: None, reload_every: Duration::from_secs(1) }
    }

    /// Sets the address that [`start`](crate::start) listens on. Port 0 takes a free one.
    #[must_use]
    pub fn listening_on(self, listen: &str) -> Self {
        Self { listen: listen.to_owned(), ..self }
    }

    /// Keeps what the platform has sent in a file, so that it survives a restart.
    #[must_use]
    pub fn with_kept_in(self, file: impl Into<PathBuf>) -> Self {
        Self { kept_in: Some(file.into()), ..self }
    }

    /// Sets how often the client secrets are read again: every second unless configured otherwise.
    #[must_use]
    pub fn reloading_every(self, pause: Duration) -> Self {
        Self { reload_every: pause, ..self }
    }
}
