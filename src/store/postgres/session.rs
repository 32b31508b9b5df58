//! One connection of the pool, for one call: every statement that is sent has an answer or an end in bounded time.
//!
//! A connection whose answer is outstanding is never given back: whoever drops a call, or gives up waiting, closes it.

use std::time::Duration;

use deadpool_postgres::{Object, Pool};
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout_at};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Row, SimpleQueryMessage};

use super::failure::{Failure, is_error, pool_failure};
use super::options::PostgresOptions;

/// A value and the type that it has in the database.
pub(super) type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

pub(super) struct Session {
    /// There until it is dropped.
    connection: Option<Object>,
    /// Whether an answer is outstanding.
    busy: bool,
    named: bool,
    patience: Duration,
    deadline: Instant,
}

impl Session {
    /// A connection of the pool.
    pub(super) async fn open(pool: &Pool, options: &PostgresOptions) -> Result<Self, Failure> {
        if Handle::try_current().is_err() {
            return Err(Failure::NoRuntime);
        }
        let within = options.acquire_timeout;
        // Whoever made the pool may have set no limits.
        let connection = match timeout_at(Instant::now() + within, pool.get()).await {
            Ok(connection) => connection.map_err(|error| pool_failure(error, within))?,
            Err(_) if pool.status().available == 0 && pool.status().size >= pool.status().max_size => {
                return Err(Failure::NoneFree(within));
            }
            Err(_) => return Err(Failure::NotConnected(within)),
        };
        let patience = options.patience();
        Ok(Self {
            connection: Some(connection),
            busy: false,
            named: options.named_statements,
            patience,
            deadline: Instant::now() + patience,
        })
    }

    /// As much time again, for somebody who comes on in steps.
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
                if let Some(connection) = &self.connection {
                    connection.statement_cache.clear();
                }
                self.try_query(sql, parameters).await
            }
            answer => answer,
        }
    }

    async fn try_query(&mut self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, Failure> {
        let connection = self.connection.as_ref().ok_or(Failure::NoRuntime)?;
        self.busy = true;
        let answer = if self.named {
            let types: Vec<_> = parameters.iter().map(|(_, kind)| kind.clone()).collect();
            let prepared = timeout_at(self.deadline, connection.prepare_typed_cached(sql, &types)).await;
            match prepared {
                Err(_) => Err(Failure::NoAnswer { within: self.patience, sent: false }),
                Ok(Err(source)) => Err(Failure::Server { sent: false, source }),
                Ok(Ok(statement)) => {
                    let values: Vec<_> = parameters.iter().map(|(value, _)| *value).collect();
                    let answer = timeout_at(self.deadline, connection.query(&statement, &values)).await;
                    sent(answer, self.patience)
                }
            }
        } else {
            sent(timeout_at(self.deadline, connection.query_typed(sql, parameters)).await, self.patience)
        };
        self.busy = answer.as_ref().is_err_and(is_unfinished);
        answer
    }

    /// Runs statements that stand in one text and have no parameters, in one transaction and one round trip. Answers with
    /// the first column of the last row.
    pub(super) async fn run(&mut self, sql: &str) -> Result<Option<String>, Failure> {
        let connection = self.connection.as_ref().ok_or(Failure::NoRuntime)?;
        self.busy = true;
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
            drop(Object::take(connection));
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
