//! The address of the server, and what it leaves open: timeouts, and what a session is told first.
//!
//! What the address says counts. No error repeats it: it may have a password in it.

use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::TargetSessionAttrs;

use super::connections::Settings;
use super::options::PostgresOptions;
use crate::store_error::{StoreError, StoreErrorKind};

/// Reads the address of a server: a URL, or a list of settings.
pub(super) fn parse(url: &str, options: &PostgresOptions) -> Result<Config, StoreError> {
    let mut config: Config = url.parse().map_err(|error| misconfigured(NotAnAddress(error)))?;
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        return Err(misconfigured(
            "the address of the server names no host: postgres://user:password@host:port/database",
        ));
    }
    prepare(&mut config, options);
    Ok(config)
}

/// Fills in what the URL leaves open.
fn prepare(config: &mut Config, options: &PostgresOptions) {
    if config.get_application_name().is_none() {
        config.application_name("client-registry");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(options.acquire_timeout);
    }
    // A connection that goes silent is noticed in a minute, and not in hours: by who listens for hints, who sends nothing.
    if config.get_keepalives_idle() >= Duration::from_secs(2 * 60 * 60) {
        config.keepalives_idle(Duration::from_secs(30)).keepalives_interval(Duration::from_secs(10));
        config.keepalives_retries(3);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(Duration::from_secs(60));
    }
    // Of several servers the primary.
    if config.get_hosts().len() > 1 && config.get_target_session_attrs() == TargetSessionAttrs::Any {
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    }
}

/// What a session is to know. The times for a statement and for a lock, unless the URL says them; the isolation that the statements are made for,
/// and are fastest in; and what suits statements that look a few rows up by their keys: plans that are made once, and no
/// machine code for them. All but the times is only faster, so it does not matter where it is not known.
pub(super) fn settings(config: &Config, options: &PostgresOptions) -> Settings {
    if !options.named_statements {
        return Settings::default();
    }
    let timeouts =
        [("statement_timeout", options.statement_timeout), ("lock_timeout", options.patience_for_locks())];
    let mut needed = String::new();
    for (setting, timeout) in timeouts {
        if config.get_options().is_none_or(|given| !given.contains(setting)) {
            let millis = timeout.as_millis().max(1);
            needed.push_str(&format!("SET {setting} = {millis};"));
        }
    }
    Settings {
        needed,
        wanted: vec![
            "SET default_transaction_isolation = 'read committed'",
            "SET plan_cache_mode = force_generic_plan; SET jit = off",
        ],
    }
}

/// A URL that is none. What it was is not repeated: it may have a password in it.
#[derive(Debug, thiserror::Error)]
#[error(
    "not the address of a PostgreSQL server: postgres://user:password@host:port/database, percent-encoded; sslmode is disable, \
     prefer or require"
)]
struct NotAnAddress(#[source] tokio_postgres::Error);

fn misconfigured(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
    StoreError::with_source(StoreErrorKind::Misconfigured, source)
}
