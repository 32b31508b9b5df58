//! The address of the server, and the settings that it leaves open.
//!
//! A setting in the address wins over the store's own. No error repeats the address, which may contain a password.

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
    // A silent connection is noticed within a minute, not hours, also by the listener for hints, which sends nothing.
    if config.get_keepalives_idle() >= Duration::from_secs(2 * 60 * 60) {
        config.keepalives_idle(Duration::from_secs(30)).keepalives_interval(Duration::from_secs(10));
        config.keepalives_retries(3);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(Duration::from_secs(60));
    }
    // The primary, if there are several servers.
    if config.get_hosts().len() > 1 && config.get_target_session_attrs() == TargetSessionAttrs::Any {
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    }
}

/// Returns the settings of a new session: the timeouts for a statement and for a lock, unless the address has them; the isolation
/// level that the statements are made for; and plans that are made once, without machine code, which suits statements that look a
/// few rows up by their keys. All but the timeouts only make the session faster, and may fail.
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

/// A text that is not the address of a server. It is not repeated: it may contain a password.
#[derive(Debug, thiserror::Error)]
#[error(
    "not the address of a PostgreSQL server: postgres://user:password@host:port/database, percent-encoded; sslmode is disable, \
     prefer or require"
)]
struct NotAnAddress(#[source] tokio_postgres::Error);

/// Wraps an error of the address.
fn misconfigured(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
    StoreError::with_source(StoreErrorKind::Misconfigured, source)
}
