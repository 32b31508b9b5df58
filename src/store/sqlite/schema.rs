//! The tables, and how an older file comes to have them.
//!
//! A file says that it is a registry's by its `application_id` and by which tables it has by its `user_version`. Each step
//! leads from one version to the next; all steps that are needed are one transaction.

use rusqlite::{Connection, TransactionBehavior};

use super::fault::Fault;
use crate::store_error::{StoreError, StoreErrorKind};

/// The step to version 1, to version 2 and so on. What has been released is never edited.
pub(super) const STEPS: &[&str] = &[include_str!("schema/1.sql"), include_str!("schema/2.sql")];

/// `creg` in ASCII, which nothing else is known to use.
pub(super) const APPLICATION_ID: i32 = 0x6372_6567;

/// Whose file it is, and of which version.
pub(super) fn mark(connection: &Connection) -> Result<(i32, i64), rusqlite::Error> {
    let application_id = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    Ok((application_id, version(connection)?))
}

/// Takes the steps that a file has not taken yet. Of two processes that come at once one takes them.
pub(super) fn migrate(connection: &mut Connection, steps: &[&str]) -> Result<(), Fault> {
    if left(version(connection)?, steps)?.is_empty() {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have taken some while this one waited.
    for step in left(version(&transaction)?, steps)? {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", steps.len() as i64)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    Ok(transaction.commit()?)
}

/// The steps that are left to take.
fn left<'a, 'b>(version: i64, steps: &'a [&'b str]) -> Result<&'a [&'b str], Fault> {
    let steps = usize::try_from(version).ok().and_then(|taken| steps.get(taken..));
    steps.ok_or_else(|| StoreError::new(StoreErrorKind::NewerFormat).into())
}

fn version(connection: &Connection) -> Result<i64, rusqlite::Error> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};
    use std::sync::Barrier;
    use std::thread;
    use std::time::Duration;

    use super::*;

    /// Versions that are to come.
    const LATER: &[&str] = &[
        include_str!("schema/1.sql"),
        include_str!("schema/2.sql"),
        "ALTER TABLE record ADD COLUMN note TEXT; CREATE TABLE later (number INTEGER) STRICT;",
        "INSERT INTO later VALUES (3);",
    ];

    fn connection(path: &Path) -> Connection {
        let connection = Connection::open(path).unwrap();
        connection.busy_timeout(Duration::from_secs(5)).unwrap();
        connection
    }

    fn scratch(name: &str) -> PathBuf {
        let name = format!("client-registry-schema-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = std::fs::remove_file(&path);
        path
    }

    #[test]
    fn an_older_file_takes_the_steps_that_are_left_and_keeps_what_it_has() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, STEPS).unwrap();
        let id = |connection: &Connection| -> Vec<u8> {
            connection.query_row("SELECT feed_id FROM feed", [], |row| row.get(0)).unwrap()
        };
        let before = id(&connection);
        assert_eq!(mark(&connection).unwrap(), (APPLICATION_ID, 2));
        migrate(&mut connection, LATER).unwrap();
        assert_eq!(mark(&connection).unwrap(), (APPLICATION_ID, 4));
        assert_eq!(id(&connection), before);
        migrate(&mut connection, LATER).unwrap();
        let rows: i64 = connection.query_row("SELECT count(*) FROM later", [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 1, "no step is taken twice");
    }

    #[test]
    fn a_newer_file_is_refused_and_left_alone() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, LATER).unwrap();
        let error = migrate(&mut connection, STEPS).unwrap_err();
        assert_eq!(StoreError::from(error).kind(), StoreErrorKind::NewerFormat);
        assert_eq!(mark(&connection).unwrap(), (APPLICATION_ID, 4));
    }

    #[test]
    fn a_step_that_fails_leaves_the_file_as_it_was() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, STEPS).unwrap();
        let broken = [STEPS[0], STEPS[1], "CREATE TABLE later (number INTEGER)", "not a statement"];
        migrate(&mut connection, &broken).unwrap_err();
        assert_eq!(mark(&connection).unwrap(), (APPLICATION_ID, 2));
        migrate(&mut connection, LATER).unwrap();
    }

    #[test]
    fn of_many_that_come_at_once_one_takes_the_steps() {
        let path = scratch("race");
        migrate(&mut connection(&path), STEPS).unwrap();
        let ready = Barrier::new(4);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut connection = connection(&path);
                    ready.wait();
                    migrate(&mut connection, LATER).unwrap();
                });
            }
        });
        let rows = connection(&path).query_row("SELECT count(*) FROM later", [], |row| row.get(0));
        std::fs::remove_file(&path).unwrap();
        assert_eq!(rows, Ok(1));
    }
}
