//! The store for many nodes, and how it is opened.
//!
//! Ordinary SQL in a schema of its own. A commit is one statement, and so one round trip and one transaction; the condition
//! under which it may be made stands in the statement itself, and what it found comes back in its row. A server that may lose
//! what it acknowledged is refused, here and in every statement.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::Pool;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{NoTls, Row, Socket};

use super::connections::Connections;
use super::dial::Dialer;
use super::failure::{Failure, store_error};
use super::feed_statements::Feed;
use super::hints::{ChangeHints, Hints};
use super::options::PostgresOptions;
use super::read_statements::Reads;
use super::server::Server;
use super::session::{Boxed, Parameter, Session, Source};
use super::turns::Turns;
use super::write_statements::Writes;
use super::{address, schema};
use crate::store_error::StoreError;

/// A store in PostgreSQL 13 or later, for many nodes. Cheap to clone; clones share their connections.
///
/// The page of the module [`postgres`](crate::store::postgres) says how to run it.
///
/// It must be used within a [tokio](https://docs.rs/tokio) runtime; outside of one every call fails.
///
/// # Panics
/// If the timers or the I/O of the runtime are switched off, tokio panics; `enable_all` switches both on.
///
/// ```no_run
/// use client_registry::store::PostgresStore;
/// use client_registry::{Keyring, Registry};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let store = PostgresStore::connect("postgres://registry@db.contoso.com/platform").await?;
/// let registry = Registry::open(store, Keyring::from_env("REGISTRY_KEYS")?).await?;
/// # Ok(())
/// # }
/// ```
///
/// # Which server
/// The server must be the one primary, with or without synchronous standbys. Opening the store refuses a replica, a server
/// whose transactions are read-only, one with `synchronous_commit` off, and one with `local` although there are synchronous
/// standbys. If a server becomes one of these later, calls fail: a replica would answer from the past, and the others could
/// lose a change after it was acknowledged.
///
/// # Errors, in bounded time
/// A call ends within the [time to get a connection](PostgresOptions::acquire_timeout), the [time for a
/// statement](PostgresOptions::statement_timeout) and half a second. A call whose connection broke is made once more if that does
/// no harm. Reading the change feed takes that long for every 10,000 commits that no node has read before. A command of the
/// registry makes up to five calls when a commit gets no answer. The store tries again after serialization failures and
/// deadlocks, up to ten times within that time. A commit that was sent and has no answer is
/// [`CommitError::Failed`](crate::store::CommitError::Failed); one that was not sent, or that the server rolled back,
/// [`CommitError::NotWritten`](crate::store::CommitError::NotWritten).
#[derive(Clone)]
pub struct PostgresStore {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    source: Source,
    pub(super) options: PostgresOptions,
    pub(super) reads: Reads,
    pub(super) writes: Writes,
    pub(super) feed: Feed,
    pub(super) hints: Hints,
    pub(super) turns: Turns,
}

impl PostgresStore {
    /// Connects to the server that a URL (`postgres://user:password@host:port/database`, percent-encoded) or a list (`host=…
    /// user=…`) names, without TLS; with it see [`connect_tls`](Self::connect_tls). Makes the schema, or brings it up to date.
    ///
    /// # Errors
    /// [`StoreError`], whose text says what is wrong and what to do.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Self::connect_with(url, PostgresOptions::new()).await
    }

    /// Connects like [`connect`](Self::connect), with options.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn connect_with(url: &str, options: PostgresOptions) -> Result<Self, StoreError> {
        Self::without_tls(url, options).await
    }

    /// Connects over encrypted connections, with options. `tls` encrypts them, as the `MakeRustlsConnect` of
    /// `tokio-postgres-rustls` or the `MakeTlsConnector` of `postgres-native-tls` and `postgres-openssl` do (for tokio-postgres
    /// 0.7). The URL says whether encryption is required (`sslmode=require`), and `tls` which certificates count.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn connect_tls<T>(url: &str, options: PostgresOptions, tls: T) -> Result<Self, StoreError>
    where
        T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
        T::Stream: Send + Sync,
        T::TlsConnect: Send + Sync,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        let config = address::parse(url, &options)?;
        let settings = address::settings(&config, &options);
        let dialer = Arc::new(Dialer::new(config, options.password.clone(), tls));
        let hints =
            if options.hints { Hints::over(Arc::clone(&dialer), channel(&options)) } else { Hints::local() };
        let connections = Connections::new(dialer, options.max_connections, settings);
        Self::open(Source::Ours(Arc::new(connections)), options, hints).await
    }

    /// Opens the store through a pool of your own (`deadpool-postgres` 0.14). Each call takes a connection for one statement,
    /// or for the few of a reader of the change feed, and needs nothing of the session: a pooler between here and the server
    /// may hand out connections by session or by transaction (with [`PostgresOptions::behind_pooler`] where it does not carry
    /// prepared statements). It must lead to the server's primary.
    ///
    /// A server that waits for synchronous standbys is refused, when the store is opened and with every later change. Through
    /// such a pool the store cannot see the warning with which the server says that it has stopped waiting.
    ///
    /// The store sends hints about its own commits to other nodes, through the pool. It receives no [hints](Self::hints):
    /// listening needs a connection that is not in a pool.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn from_pool(pool: Pool, options: PostgresOptions) -> Result<Self, StoreError> {
        let hints =
            if options.hints { Hints::through(pool.clone(), channel(&options)) } else { Hints::local() };
        Self::open(Source::Theirs(pool), options, hints).await
    }

    /// Returns the SQL that makes the schema under its default name, for an administrator to run with `psql --single-transaction`.
    /// Running it again changes nothing. The page of the module [`postgres`](crate::store::postgres) lists the rights that the
    /// store needs afterwards.
    #[must_use]
    pub fn schema_sql() -> String {
        Self::schema_sql_with(&PostgresOptions::new())
    }

    /// Returns the SQL that makes the schema under the name in the options.
    #[must_use]
    pub fn schema_sql_with(options: &PostgresOptions) -> String {
        schema::schema_sql(&options.schema)
    }

    /// Returns hints: reasons to read the change feed early, since this store or another one that is [connected](Self::connect)
    /// to the same database and schema has committed something. A hint may be lost, so a caller that depends on changes polls
    /// as well. [`keep_fresh`](crate::Registry::keep_fresh) does both:
    ///
    /// ```no_run
    /// # use client_registry::{Registry, store::PostgresStore};
    /// # async fn example(registry: Registry<PostgresStore>) {
    /// let (following, hints) = (registry.clone(), registry.store().hints());
    /// tokio::spawn(async move { following.keep_fresh(|at_most| hints.wait(at_most)).await });
    /// # }
    /// ```
    #[must_use]
    pub fn hints(&self) -> ChangeHints {
        self.inner.hints.listen()
    }

    fn without_tls(url: &str, options: PostgresOptions) -> Boxed<'_, Self> {
        Box::pin(Self::connect_tls(url, options, NoTls))
    }

    fn open(source: Source, options: PostgresOptions, hints: Hints) -> Boxed<'static, Self> {
        Box::pin(Self::inspect(source, options, hints))
    }

    async fn inspect(source: Source, options: PostgresOptions, hints: Hints) -> Result<Self, StoreError> {
        let within = options.acquire_timeout;
        let mut session = Session::open(&source, &options, within).await.map_err(store_error)?;
        let server = Server::inspect(&mut session, &options.schema).await.map_err(store_error)?;
        schema::ensure(&mut session, &options).await?;
        let server = server.locate(&mut session).await.map_err(store_error)?;
        drop(session);
        let turns = Turns::default();
        let (reads, writes, feed) = (Reads::new(&server), Writes::new(&server), Feed::new(&server));
        Ok(Self { inner: Arc::new(Inner { source, options, reads, writes, feed, hints, turns }) })
    }

    pub(super) async fn session(&self) -> Result<Session, Failure> {
        self.session_within(self.inner.options.acquire_timeout).await
    }

    pub(super) async fn session_within(&self, within: Duration) -> Result<Session, Failure> {
        let Inner { source, options, .. } = &*self.inner;
        Session::open(source, options, within).await
    }

    /// Runs a statement that may be sent twice: once more where the connection was lost, or another statement won.
    pub(super) fn read<'a>(&'a self, sql: &'a str, parameters: &'a [Parameter<'a>]) -> Boxed<'a, Vec<Row>> {
        Box::pin(self.attempt_to_read(sql, parameters))
    }

    async fn attempt_to_read(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, StoreError> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            let mut session = self.session().await.map_err(store_error)?;
            match session.query(sql, parameters).await {
                Err(failure)
                    if (failure.is_of_the_connection() && attempts == 1)
                        || (failure.lost_a_race() && attempts < RACES) => {}
                answer => return answer.map_err(store_error),
            }
        }
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").field("schema", &self.inner.options.schema).finish_non_exhaustive()
    }
}

/// Returns the channel on which nodes tell each other that something has changed.
fn channel(options: &PostgresOptions) -> String {
    format!("{}_changed", options.schema)
}

/// The number of attempts, when other statements win.
const RACES: usize = 10;
