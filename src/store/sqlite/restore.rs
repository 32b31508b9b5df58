//! A copy takes the place of the file: whole, in one step, and without the log of the file that was there.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::fault::Fault;
use super::identity::beside;
use super::making::{
    Beside, {self},
};
use super::store::SqliteStore;
use super::{advice, checkpoint, connect, file, lineage, log, medium, schema};
use crate::store_error::{StoreError, StoreErrorKind};

impl SqliteStore {
    /// Puts a copy that [`backup_to`](Self::backup_to) made in the place of the file at `path`, which need not be there. Blocks
    /// until that is done.
    ///
    /// A registry is replaced however damaged it is, and so is an empty file. Everything else at `path` is left as it is: a
    /// file of another program, a directory, a device, a symbolic link that leads nowhere.
    ///
    /// The copy is read to its end and stays as it is. The file gets its content in one step, flushed; a crash leaves the
    /// old file or the new one. The log of the old file is taken away, and with it the old file's latest changes. The new
    /// file is its owner's alone, and belongs to the owner of the old one where this process may see to that.
    ///
    /// No process may have the file open: stop them first, and start them afterwards. Readers of the
    /// [change feed](crate::store::Store::changes) whose cursor is from after the copy are told by
    /// [`CursorLost`](StoreErrorKind::CursorLost). What was revoked since the copy was made is valid again: compare with an
    /// audit export, and delete in an emergency what it says was deleted.
    ///
    /// ```
    /// # use client_registry::store::SqliteStore;
    /// # pollster::block_on(async {
    /// # let directory = std::env::temp_dir().join(format!("client-registry-restore-{}", std::process::id()));
    /// # std::fs::create_dir_all(&directory)?;
    /// # let (path, copy) = (directory.join("registry.db"), directory.join("monday.db"));
    /// let store = SqliteStore::open(&path)?;
    /// store.backup_to(&copy).await?;
    /// drop(store);
    /// SqliteStore::restore(&copy, &path)?;
    /// let store = SqliteStore::open(&path)?;
    /// # drop(store);
    /// # std::fs::remove_dir_all(&directory)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`StoreError`], whose text says what is wrong and what to do. The file at `path` is as it was. The kind is
    /// [`Misconfigured`](StoreErrorKind::Misconfigured) when one of the two paths leads to something that is not a registry,
    /// [`Unavailable`](StoreErrorKind::Unavailable) when a process has the file open, [`Corrupt`](StoreErrorKind::Corrupt) when
    /// the copy is damaged, [`NewerFormat`](StoreErrorKind::NewerFormat) when a newer version of this crate made it.
    pub fn restore(backup: impl AsRef<Path>, path: impl AsRef<Path>) -> Result<(), StoreError> {
        let (backup, path) = (file::absolute(backup.as_ref())?, file::absolute(path.as_ref())?);
        let restored = medium::twice(&backup, || restore(&backup, &path));
        Ok(restored.map_err(|fault| fault.of_writing_to(&path, None))?)
    }
}

fn restore(backup: &Path, path: &Path) -> Result<(), Fault> {
    is_copy(backup)?;
    // Where the name is a link, what it leads to is replaced, and the log lies there.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if fs::canonicalize(backup).is_ok_and(|backup| backup == *path) {
        return Err(Fault::misconfigured(backup, ITSELF));
    }
    may_go(path, backup)?;
    let source = file::to_copy(backup)?;
    let whole = Beside::new(path)?;
    let mut target = whole.create()?;
    if Backup::new(&source, &mut target)?.step(-1)? != StepResult::Done {
        return Err(advice::unavailable(backup, "others are writing to it: try again"));
    }
    // What the disk could not read looks like damage: it is read once more.
    if !log::is_whole(&target) {
        medium::check(whole.path())?;
        if !log::is_whole(&target) {
            return Err(Fault::file(backup, StoreErrorKind::Corrupt, DAMAGED));
        }
    }
    // No log that was left beside the copy, or that is made beside it from now on, belongs to this file.
    if lineage::is_kept(&target)? {
        lineage::add_stretch(&target)?;
    }
    checkpoint::copy_before_closing(&target)?;
    target.close().map_err(|(_, error)| error)?;

    let in_use = hold(path)?;
    making::give_to_owner_of(path, whole.path());
    let failed = |error| advice::refused(path, error);
    fs::rename(whole.path(), path).map_err(failed)?;
    checkpoint::flush_directory(path)?;
    // In this order: a crash in between leaves a log that does not belong to the file, which is refused.
    for beside in ["-journal", "-wal", "-shm"].map(|ending| beside(path, ending)) {
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
    }
    checkpoint::flush_directory(path)?;
    drop(in_use);
    Ok(())
}

/// Refuses what cannot be a copy before anything is read from it.
fn is_copy(backup: &Path) -> Result<(), Fault> {
    match fs::metadata(backup) {
        Ok(found) if !found.is_file() => Err(advice::no_file(backup, &found)),
        Ok(found) if found.len() == 0 => Err(Fault::misconfigured(backup, EMPTY)),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(Fault::misconfigured(backup, NO_BACKUP)),
        Err(error) => Err(advice::refused(backup, error)),
    }
}

/// Refuses to replace a file that is not a registry: another program may need it.
fn may_go(path: &Path, backup: &Path) -> Result<(), Fault> {
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => return Err(advice::no_file(path, &found)),
        Ok(found) if found.len() == 0 => return Ok(()),
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return advice::dangling(path).or_else(|| advice::no_directory(path)).map_or(Ok(()), Err);
        }
        Err(error) => return Err(advice::dangling(path).unwrap_or_else(|| advice::refused(path, error))),
    }
    match schema::mark(&connect::alone(path)?) {
        Ok((schema::APPLICATION_ID, _)) => Ok(()),
        Err(error) if !is_of_content(&error) => Err(advice::explained(path, error)),
        _ => {
            let problem = format!(
                "this file is not a registry, and it was left as it is: {backup:?} was not restored; choose another path, \
                 or, if it was a registry before it was damaged, move it away and restore again"
            );
            Err(Fault::misconfigured(path, problem))
        }
    }
}

/// Tells whether the engine could read a file and found something wrong in it.
fn is_of_content(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

/// Keeps everybody else from the file that is to go. Nothing is read from it but its first page, and nothing is written.
fn hold(path: &Path) -> Result<Option<Connection>, Fault> {
    if !path.exists() {
        return Ok(None);
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::ZERO)?;
    // When it is closed, the log is left alone: the name may be another file's by then.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // A file in this mode is locked as a whole with the first look at it.
    connection.query_row("PRAGMA locking_mode = EXCLUSIVE", [], |_| Ok(()))?;
    match connection.execute_batch("BEGIN EXCLUSIVE; ROLLBACK") {
        Ok(()) => Ok(Some(connection)),
        // It is damaged: nobody can work with it.
        Err(error) if is_of_content(&error) => Ok(Some(connection)),
        Err(error) => match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                Err(advice::unavailable(path, IN_USE).because(error))
            }
            _ => Err(advice::explained(path, error)),
        },
    }
}

const EMPTY: &str = "the file is empty: name a copy that was made with `backup_to`";
const NO_BACKUP: &str = "there is no such file: name a copy that was made with `backup_to`";
const ITSELF: &str = "this is the file itself: name a copy of it";
const DAMAGED: &str = "the copy is damaged, and the file was left as it is: take another copy";
const IN_USE: &str =
    "a process has the file open, and it was left as it is: stop all that use it, then restore again";
