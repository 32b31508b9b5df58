//! The file: whose it is, before anything in it is touched, and how it is opened.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::fault::Fault;
use super::options::Settings;
use super::{log, making, medium, schema};
use crate::store_error::{StoreError, StoreErrorKind};

/// The path from the root, so that no name means anything else to the engine, and none moves with the working directory.
pub(super) fn absolute(path: &Path) -> Result<PathBuf, Fault> {
    // As the engine would read it. A file of such a name can be had by its path from the root, or after `./`.
    if path.as_os_str().as_encoded_bytes().starts_with(b":memory:") {
        return Err(Fault::misconfigured(path, IN_MEMORY));
    }
    if path.as_os_str().as_encoded_bytes().starts_with(b"file:") {
        return Err(Fault::misconfigured(path, NO_URI));
    }
    if path.as_os_str().is_empty() {
        return Err(Fault::misconfigured(path, "the path is empty: name a file"));
    }
    let named = std::path::absolute(path).map_err(|error| refused(path, error))?;
    if named.is_dir() || named.file_name().is_none() {
        return Err(Fault::misconfigured(path, A_DIRECTORY));
    }
    if path.as_os_str().as_encoded_bytes().last().is_some_and(|last| std::path::is_separator((*last).into()))
    {
        return Err(Fault::misconfigured(path, LIKE_A_DIRECTORY));
    }
    Ok(named)
}

/// Makes sure that there is a registry's file of a version that is known here. Where there is nothing, it is made.
pub(super) fn prepare(path: &Path) -> Result<(), Fault> {
    let version = rusqlite::version_number();
    if version < FIRST_SOUND_VERSION {
        return Err(unavailable(
            path,
            format!("SQLite {} can lose changes: 3.51.3 is needed", rusqlite::version()),
        ));
    }
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => return Err(no_file(path, &found)),
        Ok(found) if found.len() == 0 => {
            let problem = "the file is empty: restore it from a backup, or remove it to begin anew";
            return Err(Fault::file(path, StoreErrorKind::Corrupt, problem));
        }
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => making::create(path)?,
        Err(error) => return Err(dangling(path).unwrap_or_else(|| refused(path, error))),
    }
    making::has_one_name(path)?;
    inspect(path)?;
    making::keep_to_owner(path);
    making::sweep(path);
    Ok(())
}

/// A connection that writes.
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

/// A connection that reads.
pub(super) fn reader(path: &Path, busy_timeout: Duration) -> Result<Connection, Fault> {
    let connection = read_only(path)?;
    connection.busy_timeout(busy_timeout)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA wal_autocheckpoint = 0")?;
    // The engine looks at the length of a value before it reads it.
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, LONGEST)?;
    Ok(connection)
}

/// Looks whose file it is, and whether the log beside it is its own. Writes nothing, not even what a crash of another
/// program left to be written.
pub(super) fn inspect(path: &Path) -> Result<(), Fault> {
    // What cannot be read alone may be a file into which a part of its log was copied.
    if let Ok(mark) = schema::mark(&alone(path)?) {
        is_ours(path, mark)?;
    }
    log::verify(path)?;
    let mark = schema::mark(&read_only(path)?).map_err(|error| explained(path, error))?;
    is_ours(path, mark)
}

/// A connection to a registry's file that is not in use, with its log if there is one. Nothing is made beside it otherwise.
pub(super) fn to_copy(path: &Path) -> Result<Connection, Fault> {
    if log::is_beside(path) {
        inspect(path)?;
        return read_only(path);
    }
    let connection = alone(path)?;
    let mark = schema::mark(&connection).map_err(|error| explained(path, error))?;
    is_ours(path, mark)?;
    Ok(connection)
}

fn is_ours(path: &Path, (application_id, version): (i32, i64)) -> Result<(), Fault> {
    if application_id != schema::APPLICATION_ID {
        return Err(Fault::misconfigured(path, NOT_OURS));
    }
    if usize::try_from(version).is_ok_and(|version| version > schema::STEPS.len()) {
        return Err(StoreError::new(StoreErrorKind::NewerFormat).into());
    }
    Ok(())
}

/// A connection that reads file and log together.
pub(super) fn read_only(path: &Path) -> Result<Connection, Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags).map_err(|error| explained(path, error))
}

/// A connection that reads the file without its log, and takes no lock.
pub(super) fn alone(path: &Path) -> Result<Connection, Fault> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let uri = format!("file:{}?immutable=1", uri_path(path));
    let connection = Connection::open_with_flags(uri, flags).map_err(|error| explained(path, error))?;
    // Read it also where the first page says that there is more of it than has been copied from the log so far.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_WRITABLE_SCHEMA, true)?;
    Ok(connection)
}

/// A connection that looks at the log of a file that another connection writes to, and leaves it alone when it is closed.
pub(super) fn monitor(path: &Path) -> Result<Connection, Fault> {
    let connection = read_only(path)?;
    // What cannot be looked at now is not waited for.
    connection.busy_timeout(Duration::ZERO)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.query_row("PRAGMA schema_version", [], |_| Ok(()))?;
    Ok(connection)
}

/// A path as part of a URI, every unusual byte by its number.
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

/// Explains an error of the engine to the caller that opens a file.
pub(super) fn explained(path: &Path, error: rusqlite::Error) -> Fault {
    let fault = match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => Fault::misconfigured(path, NOT_OURS),
        Some(ErrorCode::ReadOnly) => {
            not_writable(path).unwrap_or_else(|| Fault::misconfigured(path, NO_RIGHTS))
        }
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => match medium::refusal(path) {
            Some(refusal) => return refused(path, refusal),
            None => not_writable(path).unwrap_or_else(|| unavailable(path, NO_RIGHTS)),
        },
        _ => return error.into(),
    };
    fault.because(error)
}

/// What the operating system says when a file is made beside this one, as the engine makes the log. `None` where it can be
/// made.
fn not_writable(path: &Path) -> Option<Fault> {
    making::probe(path).err().map(|error| refused(path, error))
}

/// What an error of the operating system means for a caller that opens a file: rights are asked for only where rights are
/// missing.
pub(super) fn refused(path: &Path, error: std::io::Error) -> Fault {
    let fault = match error.kind() {
        ErrorKind::PermissionDenied => Fault::misconfigured(path, NO_RIGHTS),
        ErrorKind::ReadOnlyFilesystem => Fault::misconfigured(path, READ_ONLY),
        ErrorKind::InvalidInput | ErrorKind::InvalidFilename => Fault::misconfigured(path, NO_NAME),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            Fault::file(path, StoreErrorKind::ReadOnly, "its disk is full: make room on it")
        }
        ErrorKind::NotFound | ErrorKind::NotADirectory => {
            no_directory(path).unwrap_or_else(|| unavailable(path, NO_DISK))
        }
        _ => unavailable(path, NO_DISK),
    };
    fault.because(error)
}

/// What is wrong with a name that leads to something else than a file.
pub(super) fn no_file(path: &Path, found: &fs::Metadata) -> Fault {
    Fault::misconfigured(path, if found.is_dir() { A_DIRECTORY } else { NO_FILE })
}

/// What is wrong with the directory that a file should be in, if it is not there.
pub(super) fn no_directory(path: &Path) -> Option<Fault> {
    let directory = path.parent().filter(|directory| !directory.is_dir())?;
    let found = directory.ancestors().find(|one| one.symlink_metadata().is_ok());
    Some(match found.filter(|found| !found.is_dir()) {
        Some(file) => {
            let problem = format!("{file:?} is a file, not a directory: choose another path");
            Fault::misconfigured(path, problem)
        }
        None => Fault::misconfigured(path, format!("there is no directory {directory:?}: make it first")),
    })
}

/// What is wrong with a symbolic link that leads nowhere, if the path is one.
pub(super) fn dangling(path: &Path) -> Option<Fault> {
    let target = fs::read_link(path).ok().filter(|_| fs::metadata(path).is_err())?;
    let problem = format!(
        "it is a symbolic link to {target:?}, which is not there: remove the link, or put the file there"
    );
    Some(Fault::misconfigured(path, problem))
}

pub(super) fn unavailable(path: &Path, problem: impl Into<String>) -> Fault {
    Fault::file(path, StoreErrorKind::Unavailable, problem)
}

/// The engine does not trust the file's views, looks at cells before it uses them, and overwrites what is deleted: what
/// was sealed under a key that is gone should be gone as well.
const PRAGMAS: &str = "
    PRAGMA synchronous = FULL;
    PRAGMA trusted_schema = OFF;
    PRAGMA cell_size_check = ON;
    PRAGMA secure_delete = ON;
    PRAGMA foreign_keys = OFF;
";
/// No value of a row is longer: a record has at most 64 KiB, an event not much more.
const LONGEST: i32 = 2 * 64 * 1024;
/// More than there are.
const STATEMENTS: usize = 64;
/// Before, two connections could lose acknowledged changes in WAL mode.
const FIRST_SOUND_VERSION: i32 = 3_051_003;
const IN_MEMORY: &str = "a file is needed: for a registry in memory use `Registry::in_memory`";
const NO_URI: &str = "this is a URI: name the file by its path";
const NO_NAME: &str = "no file can have this name: choose another one";
const A_DIRECTORY: &str = "it is a directory: name a file in it";
const LIKE_A_DIRECTORY: &str = "the path ends like that of a directory: name a file in it";
const NO_FILE: &str = "it is a device, a pipe or a socket: name a file";
const READ_ONLY: &str = "the file system is mounted read-only: mount it for writing, or choose another path";
const NO_RIGHTS: &str = "give this user the right to read and write the file, and to write to its directory";
const NO_DISK: &str =
    "the operating system cannot open it: see to the disk, and change nothing about the file";
const NOT_OURS: &str = "this file is not a registry: choose another one. If it was a registry, its beginning is damaged: \
                        move it away, and put a backup in its place";

#[cfg(test)]
mod tests {
    use super::*;

    /// What trying again cannot mend is told from what the disk does.
    #[test]
    fn what_the_operating_system_says_becomes_what_to_do() {
        let path = std::env::temp_dir().join("registry.db");
        for (refusal, kind, advice) in [
            (ErrorKind::PermissionDenied, StoreErrorKind::Misconfigured, "give this user the right"),
            (ErrorKind::ReadOnlyFilesystem, StoreErrorKind::Misconfigured, "mount it for writing"),
            (ErrorKind::InvalidFilename, StoreErrorKind::Misconfigured, "choose another one"),
            (ErrorKind::StorageFull, StoreErrorKind::ReadOnly, "make room"),
            (ErrorKind::QuotaExceeded, StoreErrorKind::ReadOnly, "make room"),
            (ErrorKind::NotFound, StoreErrorKind::Unavailable, "see to the disk"),
            (ErrorKind::Other, StoreErrorKind::Unavailable, "see to the disk"),
        ] {
            let fault = refused(&path, refusal.into());
            let words = fault.to_string();
            assert!(
                words.starts_with(&format!("{path:?}: ")) && words.contains(advice),
                "{refusal}: {words}"
            );
            assert_eq!(StoreError::from(fault).kind(), kind, "{refusal}");
        }
        let elsewhere = path.with_file_name("no-such-directory").join("registry.db");
        let fault = refused(&elsewhere, ErrorKind::NotFound.into());
        assert!(fault.to_string().contains("no-such-directory\": make it first"), "{fault}");
    }
}
