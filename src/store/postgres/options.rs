//! The settings of a store in PostgreSQL.
//!
//! Values alone: the store that is opened with them stands in the module `store`.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::store_error::{StoreError, StoreErrorKind};

/// The settings that a [`PostgresStore`](super::PostgresStore) is opened with.
///
/// ```
/// # use std::time::Duration;
/// # use client_registry::store::PostgresOptions;
/// let options = PostgresOptions::new()
///     .schema("credentials")?
///     .max_connections(16)
///     .statement_timeout(Duration::from_secs(3));
/// # Ok::<(), client_registry::store::StoreError>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "options do nothing until a store is opened with them"]
pub struct PostgresOptions {
    pub(super) schema: String,
    pub(super) max_connections: usize,
    pub(super) acquire_timeout: Duration,
    pub(super) statement_timeout: Duration,
    lock_timeout: Option<Duration>,
    pub(super) password: Option<Password>,
    pub(super) named_statements: bool,
    pub(super) migrate: bool,
    pub(super) hints: bool,
}

impl PostgresOptions {
    /// Returns the default options: see each option.
    pub fn new() -> Self {
        Self {
            schema: DEFAULT_SCHEMA.to_owned(),
            max_connections: 10,
            acquire_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(10),
            lock_timeout: None,
            password: None,
            named_statements: true,
            migrate: true,
            hints: true,
        }
    }

    /// Sets the schema that the tables are in: `client_registry` unless configured otherwise.
    ///
    /// # Errors
    /// [`StoreErrorKind::Misconfigured`] if the name is not 1 to 48 characters of `[a-z0-9_]`, begins with a digit, or belongs
    /// to PostgreSQL (`public`, `information_schema`, `pg_…`).
    pub fn schema(self, name: &str) -> Result<Self, StoreError> {
        let is_plain = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_');
        let is_name = (1..=48).contains(&name.len())
            && name.bytes().all(is_plain)
            && name.bytes().next().is_some_and(|first| !first.is_ascii_digit());
        if !is_name {
            let why = "a schema's name is 1 to 48 characters of [a-z0-9_], the first no digit";
            return Err(StoreError::with_source(StoreErrorKind::Misconfigured, why));
        }
        if name.starts_with("pg_") || matches!(name, "public" | "information_schema") {
            let why = "the schema is PostgreSQL's own: the registry needs one for itself";
            return Err(StoreError::with_source(StoreErrorKind::Misconfigured, why));
        }
        Ok(Self { schema: name.to_owned(), ..self })
    }

    /// Sets the largest number of connections: 10 unless configured otherwise, at least 1, at most 262,143, which is the most
    /// that PostgreSQL allows. One more is kept for [hints](Self::hints). A pool of your own has a limit of its own.
    ///
    /// If the server, or its limit for the role, allows fewer, calls wait for the connections that there are, and the store
    /// asks for more at most four times a second.
    pub fn max_connections(self, connections: usize) -> Self {
        Self { max_connections: connections.clamp(1, MOST_CONNECTIONS), ..self }
    }

    /// Sets how long a call waits for a connection, new or free: 5 seconds unless configured otherwise, at least a millisecond
    /// and at most a day.
    pub fn acquire_timeout(self, timeout: Duration) -> Self {
        Self { acquire_timeout: timeout.clamp(SHORTEST, LONGEST), ..self }
    }

    /// Sets how long the server may work on a statement: 10 seconds unless configured otherwise, at least a millisecond and at
    /// most a day. The store sets it on each connection, except in a pool of your own and [behind a
    /// pooler](Self::behind_pooler): there, set it for the role (`ALTER ROLE … SET statement_timeout`). If the server has still
    /// not answered half a second later, the call fails.
    pub fn statement_timeout(self, timeout: Duration) -> Self {
        Self { statement_timeout: timeout.clamp(SHORTEST, LONGEST), ..self }
    }

    /// Sets how long a statement waits for a lock on the server: half of the [time to get a connection](Self::acquire_timeout)
    /// unless configured otherwise, at least a millisecond and at most a day. If another transaction holds the row of a client
    /// for longer, a change of that client is refused and not written; so it returns its connection before other calls give up
    /// waiting for one. The store sets it where it sets the [statement timeout](Self::statement_timeout).
    ///
    /// Changes of one client take turns within a node, so that a client whose row is held occupies one connection.
    pub fn lock_timeout(self, timeout: Duration) -> Self {
        Self { lock_timeout: Some(timeout.clamp(SHORTEST, LONGEST)), ..self }
    }

    /// Sets a function that returns the password for each new connection, in place of the one in the URL. So a password that
    /// was changed on the server, or a token that expires, is used without a restart. If the function returns an error, it is
    /// part of the [`StoreError`] of the call that needed the connection; the next call asks again. It has no effect on a pool
    /// of your own.
    ///
    /// ```
    /// # use client_registry::store::PostgresOptions;
    /// let options = PostgresOptions::new().password_from(|| async {
    ///     Ok(std::fs::read_to_string("/run/secrets/database-password")?.trim_end().to_owned())
    /// });
    /// ```
    pub fn password_from<F, P>(self, source: F) -> Self
    where
        F: Fn() -> P + Send + Sync + 'static,
        P: Future<Output = Result<String, Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
    {
        Self { password: Some(Password(Arc::new(move || Box::pin(source())))), ..self }
    }

    /// Avoids what a pooler with transaction pooling, such as PgBouncer, may not carry: prepared statements, settings of the
    /// session, and the connection for [hints](Self::hints). The server then plans each statement anew, which takes about as
    /// long as running it. It is not needed with session pooling, nor in a pool of your own if PgBouncer is 1.21 or later and
    /// its `max_prepared_statements` is above 0.
    pub fn behind_pooler(self) -> Self {
        Self { named_statements: false, hints: false, ..self }
    }

    /// Sets whether opening the store makes the schema or brings it up to date: it does unless configured otherwise. With
    /// `false`, opening fails until an administrator has run [`PostgresStore::schema_sql`](super::PostgresStore::schema_sql).
    pub fn migrate(self, migrate: bool) -> Self {
        Self { migrate, ..self }
    }

    /// Sets whether nodes tell each other about changes, over one more connection each: they do unless configured otherwise. See
    /// [`PostgresStore::hints`](super::PostgresStore::hints).
    pub fn hints(self, hints: bool) -> Self {
        Self { hints, ..self }
    }

    /// Returns how long a statement may wait for a lock.
    pub(super) fn patience_for_locks(&self) -> Duration {
        self.lock_timeout.unwrap_or(self.acquire_timeout / 2).max(SHORTEST)
    }

    /// Returns how long a call waits for an answer.
    pub(super) fn patience(&self) -> Duration {
        self.statement_timeout.saturating_add(Duration::from_millis(500))
    }
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// The source of passwords.
#[derive(Clone)]
pub(super) struct Password(Arc<dyn Fn() -> Asking + Send + Sync>);

type Asking = Pin<Box<dyn Future<Output = Result<String, Box<dyn std::error::Error + Send + Sync>>> + Send>>;

impl Password {
    pub(super) async fn ask(&self) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
        (self.0)().await
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Password").finish_non_exhaustive()
    }
}

/// The most that `max_connections` of PostgreSQL allows.
const MOST_CONNECTIONS: usize = 262_143;
pub(super) const DEFAULT_SCHEMA: &str = "client_registry";
const SHORTEST: Duration = Duration::from_millis(1);
/// Longer than any caller waits, and short enough to add to any instant.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
