//! The connections of the engine to a file: one that writes, those that read, and those that only look.
//!
//! No connection copies the log into the file while it is open: the module `checkpoint` does that, and says why. The connections
//! that answer a caller do not trust what is in the file.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};

use super::advice::{NO_RIGHTS, explained, not_writable, unavailable};
use super::fault::Fault;
use super::options::Settings;
use super::schema;

/// Opens a connection that writes, and brings the tables up to date.
pub(super) fn writer(path: &Path, settings: Settings) -> Result<Connection, Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(|error| explained(path, error))?;
    connection.busy_timeout(settings.busy_timeout)?;
    if connection.is_readonly("main")? {
        return Err(not_writable(path).unwrap_or_else(|| Fault::misconfigured(path, NO_RIGHTS)));
    }
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Before anything is written: see the module `checkpoint`.
    connection.execute_batch("PRAGMA wal_autocheckpoint = 0")?;
    let mode = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0));
    let mode = mode.map_err(|error| explained(path, error))?;
    if mode != "wal" {
        return Err(unavailable(path, format!("the journal mode stays {mode}: use a local file system")));
    }
    connection.execute_batch(PRAGMAS)?;
    if let Some(max_size) = settings.max_size {
        let page_size: u32 = connection.query_row("PRAGMA page_size", [], |row| row.get(0))?;
        let pages = (max_size / u64::from(page_size.max(1))).clamp(1, u64::from(u32::MAX - 1));
        connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?;
    }
    schema::migrate(&mut connection, schema::STEPS)?;
    Ok(connection)
}

/// Opens a connection that answers callers, and writes nothing.
pub(super) fn reader(path: &Path, busy_timeout: Duration) -> Result<Connection, Fault> {
    let connection = read_only(path)?;
    connection.busy_timeout(busy_timeout)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA wal_autocheckpoint = 0")?;
    // The engine looks at the length of a value before it reads it.
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, LONGEST)?;
    Ok(connection)
}

/// Opens a connection that reads file and log together.
pub(super) fn read_only(path: &Path) -> Result<Connection, Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags).map_err(|error| explained(path, error))
}

/// Opens a connection that reads the file without its log, and takes no lock.
pub(super) fn alone(path: &Path) -> Result<Connection, Fault> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let uri = format!("file:{}?immutable=1", uri_path(path));
    let connection = Connection::open_with_flags(uri, flags).map_err(|error| explained(path, error))?;
    // Read it also where the first page says that there is more of it than has been copied from the log so far.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_WRITABLE_SCHEMA, true)?;
    Ok(connection)
}

/// Opens a connection that looks at the log while another connection writes, and leaves it alone when it is closed.
pub(super) fn monitor(path: &Path) -> Result<Connection, Fault> {
    let connection = read_only(path)?;
    // What cannot be looked at now is not waited for.
    connection.busy_timeout(Duration::ZERO)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.query_row("PRAGMA schema_version", [], |_| Ok(()))?;
    Ok(connection)
}

/// Writes a path as part of a URI, every unusual byte by its number.
fn uri_path(path: &Path) -> String {
    let mut uri = String::new();
    #[cfg(unix)]
    let bytes = std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str());
    #[cfg(not(unix))]
    let bytes = format!("/{}", path.display()).replace('\\', "/");
    #[cfg(not(unix))]
    let bytes = bytes.as_bytes();
    for byte in bytes {
        match *byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => {
                uri.push(char::from(*byte))
            }
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri
}

/// The engine does not trust the file's views, checks cells before it uses them, and overwrites what is deleted: a record that was
/// sealed under a key that is gone should be gone as well.
const PRAGMAS: &str = "
    PRAGMA synchronous = FULL;
    PRAGMA trusted_schema = OFF;
    PRAGMA cell_size_check = ON;
    PRAGMA secure_delete = ON;
    PRAGMA foreign_keys = OFF;
";
/// No value of a row is longer: a record has at most 64 KiB, an event not much more.
const LONGEST: i32 = 2 * 64 * 1024;
/// The number of statements that a connection keeps prepared: more than there are.
const STATEMENTS: usize = 64;
