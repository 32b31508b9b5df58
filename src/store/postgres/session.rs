//! One connection of the pool, for one call: every statement that is sent has an answer or an end in bounded time.
//!
//! A connection whose answer is outstanding is never given back: a call that is dropped, or gives up waiting, closes it.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{ClientWrapper, Object, Pool};
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{Format, IsNull, ToSql, Type};
use tokio_postgres::{Row, SimpleQueryMessage};

use super::connections::{Connections, Lease};
use super::dial::Connection;
use super::failure::{Failure, is_error, pool_failure};
use super::options::PostgresOptions;
use crate::store_error::StoreError;

/// The future of a plain function. Its code is generated once, in this crate; that of an `async fn` is generated again in each crate
/// that awaits it, with everything that it awaits itself. A round trip to the server costs more than the allocation.
pub(super) type Boxed<'a, T, E = StoreError> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'a>>;

/// A value and the type that it has in the database.
pub(super) type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

/// A value that the driver does not write into its log: it would, at the level `debug`.
struct Masked<'a>(&'a (dyn ToSql + Sync));

impl fmt::Debug for Masked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("_")
    }
}

impl ToSql for Masked<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        self.0.to_sql_checked(kind, out)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn to_sql_checked(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        self.0.to_sql_checked(kind, out)
    }

    fn encode_format(&self, kind: &Type) -> Format {
        self.0.encode_format(kind)
    }
}

/// Where connections come from.
pub(super) enum Source {
    /// The store makes them, and sees the server's warnings.
    Ours(Arc<Connections>),
    /// A pool of the caller's own.
    Theirs(Pool),
}

pub(super) struct Session {
    /// There until it is dropped.
    connection: Option<Link>,
    /// Whether an answer is outstanding.
    busy: bool,
    named: bool,
    patience: Duration,
    deadline: Instant,
}

enum Link {
    Ours(Lease),
    Theirs(Object),
}

impl Source {
    async fn link(&self, within: Duration) -> Result<Link, Failure> {
        match self {
            Self::Ours(connections) => connections.lease(within).await.map(Link::Ours),
            Self::Theirs(pool) => object(pool, within).await.map(Link::Theirs),
        }
    }
}

/// A connection of a pool that the caller made, and may have set no limits.
async fn object(pool: &Pool, within: Duration) -> Result<Object, Failure> {
    let deadline = Instant::now() + within;
    loop {
        match timeout_at(deadline, pool.get()).await {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(error)) => {
                let failure = pool_failure(error, within);
                // The server has no connection to spare: one of those that there are may come back in time.
                if !failure.is_out_of_connections() || Instant::now() + PAUSE >= deadline {
                    return Err(failure);
                }
                sleep(PAUSE).await;
            }
            Err(_) if pool.status().available == 0 && pool.status().size >= pool.status().max_size => {
                return Err(Failure::NoneFree(within));
            }
            Err(_) => return Err(Failure::NotConnected(within)),
        }
    }
}

impl Link {
    fn client(&self) -> Option<&ClientWrapper> {
        match self {
            Self::Ours(lease) => lease.connection().map(|connection| &connection.client),
            Self::Theirs(object) => Some(object),
        }
    }

    fn close(self) {
        match self {
            Self::Ours(lease) => lease.close(),
            Self::Theirs(object) => drop(Object::take(object)),
        }
    }
}

impl Session {
    /// Opens a session on a connection, as soon as there is one.
    pub(super) fn open<'a>(
        source: &'a Source,
        options: &'a PostgresOptions,
        within: Duration,
    ) -> Boxed<'a, Self, Failure> {
        Box::pin(Self::begin(source, options, within))
    }

    async fn begin(source: &Source, options: &PostgresOptions, within: Duration) -> Result<Self, Failure> {
        if Handle::try_current().is_err() {
            return Err(Failure::NoRuntime);
        }
        let connection = source.link(within).await?;
        let patience = options.patience();
        Ok(Self {
            connection: Some(connection),
            busy: false,
            named: options.named_statements,
            patience,
            deadline: Instant::now() + patience,
        })
    }

    /// Whether the server's warnings are seen.
    pub(super) fn sees_warnings(&self) -> bool {
        matches!(self.connection, Some(Link::Ours(_)))
    }

    fn client(&self) -> Result<&ClientWrapper, Failure> {
        self.connection.as_ref().and_then(Link::client).ok_or(Failure::NoRuntime)
    }

    fn warnings(&self) -> u64 {
        match &self.connection {
            Some(Link::Ours(lease)) => lease.connection().map_or(0, Connection::warnings),
            _ => 0,
        }
    }

    /// Starts the time again, for a call that makes progress in steps.
    pub(super) fn go_on(&mut self) {
        self.deadline = Instant::now() + self.patience;
    }

    /// Runs one statement, which is a transaction of its own. The answer is complete, and the statement committed, when this
    /// returns rows.
    pub(super) async fn query(
        &mut self,
        sql: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, Failure> {
        match self.try_query(sql, parameters).await {
            // The statement that was prepared is of a schema before the last migration, or a pooler has mislaid it.
            Err(failure) if self.named && is_stale(&failure) => {
                self.client()?.statement_cache.clear();
                self.try_query(sql, parameters).await
            }
            answer => answer,
        }
    }

    /// Runs one statement that writes. A server that is told to stop waiting for its standbys answers as if they had the
    /// change, and warns: then it is not known whether it lasts.
    pub(super) async fn write(
        &mut self,
        sql: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, Failure> {
        let before = self.warnings();
        let rows = self.query(sql, parameters).await?;
        if self.warnings() == before { Ok(rows) } else { Err(Failure::NotReplicated) }
    }

    async fn try_query(&mut self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, Failure> {
        self.busy = true;
        let connection = self.client()?;
        let masked: Vec<_> = parameters.iter().map(|(value, _)| Masked(*value)).collect();
        let answer = if self.named {
            let types: Vec<_> = parameters.iter().map(|(_, kind)| kind.clone()).collect();
            let prepared = timeout_at(self.deadline, connection.prepare_typed_cached(sql, &types)).await;
            match prepared {
                Err(_) => Err(Failure::NoAnswer { within: self.patience, sent: false }),
                Ok(Err(source)) => Err(Failure::Server { sent: false, source }),
                Ok(Ok(statement)) => {
                    let values: Vec<_> = masked.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
                    let answer = timeout_at(self.deadline, connection.query(&statement, &values)).await;
                    sent(answer, self.patience)
                }
            }
        } else {
            let typed: Vec<Parameter<'_>> = masked
                .iter()
                .zip(parameters)
                .map(|(value, (_, kind))| (value as &(dyn ToSql + Sync), kind.clone()))
                .collect();
            sent(timeout_at(self.deadline, connection.query_typed(sql, &typed)).await, self.patience)
        };
        self.busy = answer.as_ref().is_err_and(is_unfinished);
        answer
    }

    /// Runs statements that stand in one text and have no parameters, in one transaction and one round trip. Answers with
    /// the first column of the last row.
    pub(super) async fn run(&mut self, sql: &str) -> Result<Option<String>, Failure> {
        self.busy = true;
        let connection = self.client()?;
        let answer = sent(timeout_at(self.deadline, connection.simple_query(sql)).await, self.patience);
        self.busy = answer.as_ref().is_err_and(is_unfinished);
        let last = answer?.into_iter().rev().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row.get(0).map(str::to_owned)),
            _ => None,
        });
        Ok(last.flatten())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.busy
            && let Some(connection) = self.connection.take()
        {
            connection.close();
        }
    }
}

fn sent<T>(
    answer: Result<Result<T, tokio_postgres::Error>, tokio::time::error::Elapsed>,
    patience: Duration,
) -> Result<T, Failure> {
    match answer {
        Err(_) => Err(Failure::NoAnswer { within: patience, sent: true }),
        Ok(answer) => answer.map_err(|source| Failure::Server { sent: true, source }),
    }
}

fn is_unfinished(failure: &Failure) -> bool {
    match failure {
        Failure::Server { source, .. } => source.as_db_error().is_none_or(|answer| !is_error(answer)),
        _ => true,
    }
}

fn is_stale(failure: &Failure) -> bool {
    const STALE: [SqlState; 2] = [SqlState::INVALID_SQL_STATEMENT_NAME, SqlState::FEATURE_NOT_SUPPORTED];
    failure.code().is_some_and(|code| STALE.contains(code))
}

/// Between two attempts to get a connection of a server that has none to spare.
const PAUSE: Duration = Duration::from_millis(100);
