//! How the store uses its server.

use std::time::Duration;

use crate::store::{StoreError, StoreErrorKind};

/// How a [`PostgresStore`](super::PostgresStore) uses its server.
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
    pub(super) named_statements: bool,
    pub(super) migrate: bool,
    pub(super) hints: bool,
}

impl PostgresOptions {
    /// What suits a server of one's own: see each option.
    pub fn new() -> Self {
        Self {
            schema: DEFAULT_SCHEMA.to_owned(),
            max_connections: 10,
            acquire_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(10),
            named_statements: true,
            migrate: true,
            hints: true,
        }
    }

    /// The schema that the tables are in: `client_registry`, unless set.
    ///
    /// # Errors
    /// [`StoreErrorKind::Misconfigured`] when the name is not 1 to 48 characters of `[a-z0-9_]`, the first no digit, or is
    /// PostgreSQL's own (`public`, `information_schema`, `pg_…`).
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

    /// How many connections at most: 10, unless set, and one at least. One more is kept for [hints](Self::hints). A pool of one's own has a
    /// limit of its own.
    pub fn max_connections(self, connections: usize) -> Self {
        Self { max_connections: connections.max(1), ..self }
    }

    /// How long to wait for a connection, new or free: 5 seconds, unless set, and a millisecond at least.
    pub fn acquire_timeout(self, timeout: Duration) -> Self {
        Self { acquire_timeout: timeout.clamp(SHORTEST, LONGEST), ..self }
    }

    /// How long the server may work on a statement: 10 seconds, unless set, and a millisecond at least. The server is told with each connection, except
    /// in a pool of one's own and [behind a pooler](Self::behind_pooler); there, set it for the role (`ALTER ROLE … SET
    /// statement_timeout`). Half a second later nobody waits any more, whatever the server or the network do.
    pub fn statement_timeout(self, timeout: Duration) -> Self {
        Self { statement_timeout: timeout.clamp(SHORTEST, LONGEST), ..self }
    }

    /// Leaves out what a pooler between here and the server may not carry: prepared statements, settings of the session, and
    /// the connection for [hints](Self::hints). For transaction pooling, as PgBouncer does it, also with a URL; costs the server
    /// about as much again to plan each statement as to carry it out. Not needed with session pooling, nor in a pool of one's
    /// own where PgBouncer is 1.21 or later and its `max_prepared_statements` above 0.
    pub fn behind_pooler(self) -> Self {
        Self { named_statements: false, hints: false, ..self }
    }

    /// Whether opening makes the schema, or brings it up to date: it does, unless set. Otherwise opening fails until somebody
    /// with the right to do so has run [`PostgresStore::schema_sql`](super::PostgresStore::schema_sql).
    pub fn migrate(self, migrate: bool) -> Self {
        Self { migrate, ..self }
    }

    /// Whether nodes tell each other that something has changed, over one more connection each: they do, unless set. See
    /// [`PostgresStore::hints`](super::PostgresStore::hints).
    pub fn hints(self, hints: bool) -> Self {
        Self { hints, ..self }
    }

    /// How long to wait for an answer.
    pub(super) fn patience(&self) -> Duration {
        self.statement_timeout.saturating_add(Duration::from_millis(500))
    }
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self::new()
    }
}

pub(super) const DEFAULT_SCHEMA: &str = "client_registry";
const SHORTEST: Duration = Duration::from_millis(1);
/// Longer than anybody waits, and short enough to add to any instant.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
