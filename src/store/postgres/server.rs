//! What kind of server this is: whether it keeps what it acknowledges, whether it is the primary, and how to tell it from
//! the one that it may be restored from.
//!
//! The checks are additions to the statements. An engine of another make may not know what PostgreSQL knows of itself: there the
//! checks are left out. The store finds that out once, when it is opened.

use tokio_postgres::error::SqlState;

use super::checks::{ASYNCHRONOUS, DURABLE, DURABLE_UNSEEN, LOCAL, PRIMARY, READ_ONLY, REPLICA, UNSEEN};
use super::failure::Failure;
use super::schema::in_schema;
use super::session::Session;

/// Makes the texts of statements for one server and one schema.
#[derive(Debug)]
pub(super) struct Server {
    schema: String,
    /// It knows replicas and asynchronous commits as PostgreSQL does.
    is_postgres: bool,
    /// The store sees its warnings.
    sees_warnings: bool,
    /// It tells where it stands: see [`PLACE`].
    knows_place: bool,
}

impl Server {
    /// Looks at the server. Refuses one that may not keep what it acknowledges.
    pub(super) async fn inspect(session: &mut Session, schema: &str) -> Result<Self, Failure> {
        let asked = session.query(STATE, &[]).await;
        let sees_warnings = session.sees_warnings();
        let is_postgres = match asked {
            Err(failure) if failure.is_unknown_there() => false,
            Err(failure) => return Err(failure),
            Ok(rows) => {
                let unreadable = |source: tokio_postgres::Error| Failure::senseless(source);
                let row = rows.first().ok_or(Failure::Unusable("the server does not tell its settings"))?;
                let is_replica: bool = row.try_get(0).map_err(unreadable)?;
                let read_only: &str = row.try_get(1).map_err(unreadable)?;
                let synchronous: &str = row.try_get(2).map_err(unreadable)?;
                let has_standbys: bool = row.try_get(3).map_err(unreadable)?;
                let may_lose: bool = row.try_get(4).map_err(unreadable)?;
                if may_lose {
                    tracing::warn!(
                        "fsync is off on the PostgreSQL server: a crash of its machine loses what was acknowledged"
                    );
                }
                if is_replica {
                    return Err(Failure::Unusable(REPLICA));
                }
                if read_only == "on" {
                    return Err(Failure::Unusable(READ_ONLY));
                }
                if synchronous == "off" {
                    return Err(Failure::Unusable(ASYNCHRONOUS));
                }
                if has_standbys && synchronous == "local" {
                    return Err(Failure::Unusable(LOCAL));
                }
                if has_standbys && !sees_warnings {
                    return Err(Failure::Unusable(UNSEEN));
                }
                true
            }
        };
        Ok(Self { schema: schema.to_owned(), is_postgres, sees_warnings, knows_place: false })
    }

    /// Finds out whether the role has the rights that it needs, and whether the server tells where it stands. The tables are
    /// there.
    pub(super) async fn locate(self, session: &mut Session) -> Result<Self, Failure> {
        self.check_rights(session).await?;
        let sql = in_schema(&format!("SELECT {PLACE} FROM client_registry.meta m"), &self.schema);
        let knows_place = match session.query(&sql, &[]).await {
            Ok(_) => true,
            // Not known, or not allowed, or not in this state.
            Err(failure) if failure.is_unknown_there() || failure.code().is_some_and(is_kept_back) => false,
            Err(failure) => return Err(failure),
        };
        Ok(Self { knows_place, ..self })
    }

    /// Checks the rights of the role, so that a missing one shows now and not in an emergency.
    async fn check_rights(&self, session: &mut Session) -> Result<(), Failure> {
        if !self.is_postgres {
            return Ok(());
        }
        let rows = session.query(&in_schema(MISSING, &self.schema), &[]).await?;
        let unreadable = |source: tokio_postgres::Error| Failure::senseless(source);
        let Some(row) = rows.first() else { return Ok(()) };
        let (role, missing): (&str, Option<&str>) =
            (row.try_get(0).map_err(unreadable)?, row.try_get(1).map_err(unreadable)?);
        missing.map_or(Ok(()), |missing| {
            Err(Failure::Misconfigured(format!(
                "the role {role} lacks {missing}: grant it what `store::postgres` lists"
            )))
        })
    }

    /// Returns a statement for this server, with `{primary}`, `{durable}`, `{waits}` and `{place}` filled in.
    pub(super) fn statement(&self, sql: &str) -> String {
        let or_true = |gate: &'static str| if self.is_postgres { gate } else { "true" };
        let place = if self.knows_place { PLACE } else { "''" };
        let durable = or_true(if self.sees_warnings { DURABLE } else { DURABLE_UNSEEN });
        let waits = if self.is_postgres { WAITS } else { "false" };
        let sql = sql.replace("{primary}", or_true(PRIMARY)).replace("{durable}", durable);
        let sql = sql.replace("{waits}", waits);
        in_schema(&sql.replace("{place}", place), &self.schema)
    }
}

fn is_kept_back(code: &SqlState) -> bool {
    [SqlState::INSUFFICIENT_PRIVILEGE, SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE].contains(code)
}

const STATE: &str = "SELECT pg_is_in_recovery(), current_setting('transaction_read_only'), \
                     current_setting('synchronous_commit'), current_setting('synchronous_standby_names') <> '', \
                     current_setting('fsync') = 'off'";

/// Tells whether commits have to wait for standbys.
const WAITS: &str = "current_setting('synchronous_standby_names') <> ''";

/// Where the server stands: which cluster, which of its timelines (another one after each failover), which table, and the
/// transaction that filled it (another one after each restore).
const PLACE: &str = "(SELECT system_identifier FROM pg_control_system())::text || '/' || \
                     substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) || '/' || m.tableoid::text || '/' || m.xmin::text";

/// Lists the rights that the role lacks, of those that the store needs.
const MISSING: &str = "
SELECT current_user::text, string_agg(kind || ' on ' || name, ', ') FROM (
    SELECT unnest(string_to_array(kinds, ' ')) AS kind, 'client_registry.' || t AS name FROM (VALUES
        ('meta', 'SELECT'), ('records', 'SELECT INSERT UPDATE'), ('entries', 'SELECT INSERT UPDATE DELETE'),
        ('secrets', 'SELECT INSERT UPDATE DELETE'), ('history', 'SELECT INSERT'), ('feed', 'SELECT INSERT'),
        ('pending', 'SELECT INSERT DELETE'), ('feed_end', 'SELECT UPDATE')) AS needed(t, kinds)
) needed WHERE NOT has_table_privilege(name, kind)";
