//! The file: what its path means, and whose it is.
//!
//! Nothing in a file is touched before it is known to be a registry's, of a version that is known here, and before the log
//! beside it is known to be its own.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::advice::{A_DIRECTORY, NOT_OURS, dangling, explained, no_file, refused, unavailable};
use super::connect::{alone, read_only};
use super::fault::Fault;
use super::{log, making, schema};
use crate::store_error::{StoreError, StoreErrorKind};

/// Returns the path from the root: no name means anything else to the engine, and none moves with the working directory.
pub(super) fn absolute(path: &Path) -> Result<PathBuf, Fault> {
    // As the engine would read it. A file of such a name can be had by its path from the root, or after `./`.
    if path.as_os_str().as_encoded_bytes().starts_with(b":memory:") {
        return Err(Fault::misconfigured(path, IN_MEMORY));
    }
    if path.as_os_str().as_encoded_bytes().starts_with(b"file:") {
        return Err(Fault::misconfigured(path, NO_URI));
    }
    if let Some(scheme) = path.to_str().and_then(scheme) {
        // The rest may hold a password.
        return Err(Fault::misconfigured(Path::new(&format!("{scheme}://…")), NO_URL));
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

/// Returns the scheme of a URL. `None` for a path; one letter is the name of a drive.
fn scheme(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once("://")?;
    let mut characters = scheme.chars();
    let is_one = characters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && scheme.len() > 1
        && characters.all(|one| one.is_ascii_alphanumeric() || "+-.".contains(one));
    is_one.then_some(scheme)
}

/// Makes sure that there is a registry's file of a version that is known here. Makes it if there is none.
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

/// Checks that it is a registry's file, and that the log beside it is its own. Writes nothing, not even what a crash of another
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

/// Opens a connection to a registry's file that is not in use, with its log if there is one. Otherwise makes nothing beside it.
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

/// The first version in which two connections cannot lose acknowledged changes in WAL mode.
const FIRST_SOUND_VERSION: i32 = 3_051_003;
const IN_MEMORY: &str = "a file is needed: for a registry in memory use `Registry::in_memory`";
const NO_URI: &str = "this is a URI: name the file by its path";
const NO_URL: &str =
    "this is a URL: name a file by its path, or connect to a server with `PostgresStore::connect`";
const LIKE_A_DIRECTORY: &str = "the path ends like that of a directory: name a file in it";
