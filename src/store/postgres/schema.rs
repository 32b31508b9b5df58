//! The tables, and how they come about.
//!
//! The schema has a version. Opening looks at it; where there is none, or an older one, it is made or brought up to date in
//! one transaction under a lock, so that nodes that start together do it once. A newer one is refused.

use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

use super::failure::{Failure, store_error};
use super::options::{DEFAULT_SCHEMA, PostgresOptions};
use super::session::Session;
use crate::store_error::{StoreError, StoreErrorKind};

/// The whole schema as SQL.
pub(super) fn schema_sql(schema: &str) -> String {
    in_schema(include_str!("schema.sql"), schema)
}

/// A text that names the default schema, for another one, whose name may be a word of SQL.
pub(super) fn in_schema(sql: &str, schema: &str) -> String {
    if schema == DEFAULT_SCHEMA {
        return sql.to_owned();
    }
    let sql = sql.replace("client_registry.", &format!("\"{schema}\"."));
    sql.replace(CREATE, &format!("CREATE SCHEMA IF NOT EXISTS \"{schema}\";"))
}

/// Makes sure that the schema is the one that this version works with.
pub(super) async fn ensure(session: &mut Session, options: &PostgresOptions) -> Result<(), StoreError> {
    for _ in 0..ATTEMPTS {
        match version(session, &options.schema).await.map_err(store_error)? {
            Some(VERSION) => return Ok(()),
            Some(newer) if newer > VERSION => return Err(StoreError::new(StoreErrorKind::NewerFormat)),
            Some(_) => {
                let why = "the schema has a version that never was";
                return Err(StoreError::with_source(StoreErrorKind::Corrupt, why));
            }
            None if !options.migrate => {
                let why = format!(
                    "the schema {} is not there: run by hand what PostgresStore::schema_sql_with says of these options",
                    options.schema
                );
                return Err(StoreError::with_source(StoreErrorKind::Misconfigured, why));
            }
            None => {}
        }
        // Where an administrator has made the schema, the role may have rights in it, and none to make one.
        let made = match session.query(IS_THERE, &[(&options.schema, Type::TEXT)]).await {
            Ok(rows) if rows.is_empty() => include_str!("schema.sql").to_owned(),
            Ok(_) => include_str!("schema.sql").replace(CREATE, ""),
            Err(failure) if failure.is_unknown_there() => include_str!("schema.sql").to_owned(),
            Err(failure) => return Err(store_error(failure)),
        };
        let made = in_schema(&made, &options.schema);
        let sql = format!("SELECT pg_advisory_xact_lock({LOCK});\n{made}");
        match session.run(&sql).await {
            Ok(_) => {}
            // Where the lock does not hold, two may make the same thing; the one that loses looks again.
            Err(failure) if failure.lost_a_race() || is_there_already(&failure) => {}
            Err(failure) => return Err(store_error(failure)),
        }
    }
    let why = "others made the schema again and again: try again";
    Err(StoreError::with_source(StoreErrorKind::Unavailable, why))
}

/// The version of the schema; `None` where there is none.
async fn version(session: &mut Session, schema: &str) -> Result<Option<i32>, Failure> {
    let sql = in_schema("SELECT version FROM client_registry.meta", schema);
    match session.query(&sql, &[]).await {
        Ok(rows) => {
            let row = rows.first().ok_or_else(|| Failure::unreadable("meta", "the table is empty"))?;
            row.try_get(0).map(Some).map_err(|source| Failure::unreadable("meta.version", source))
        }
        Err(failure) if failure.is_unknown_there() => Ok(None),
        Err(failure) => Err(failure),
    }
}

fn is_there_already(failure: &Failure) -> bool {
    const THERE: [SqlState; 3] =
        [SqlState::DUPLICATE_SCHEMA, SqlState::DUPLICATE_TABLE, SqlState::DUPLICATE_OBJECT];
    failure.code().is_some_and(|code| THERE.contains(code))
}

const CREATE: &str = "CREATE SCHEMA IF NOT EXISTS client_registry;";
const IS_THERE: &str = "SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1";
/// The schema that this version works with.
const VERSION: i32 = 1;
/// Among the advisory locks of a database: "client-r" in ASCII.
const LOCK: i64 = 0x636c_6965_6e74_2d72;
const ATTEMPTS: usize = 5;
