//! How a file comes to be: whole, then under its name, and its owner's alone.
//!
//! What is being made lies beside its place, as `NAME.<16 digits>.new`, and takes its name once it is whole and flushed. The
//! process that makes it holds a lock on `NAME.<16 digits>.new-lock`. A process that is killed leaves both; the lock is gone
//! with it, and the next process that opens or makes a file in the same directory removes them.

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::advice::{dangling, explained, no_directory, refused};
use super::fault::Fault;
use super::identity::beside;
use super::unfinished::{LOCK, being_made, private, unused_name};
use super::{checkpoint, schema};

/// Makes an empty registry's file: whole, then under its name, so that no crash leaves half of one there.
pub(super) fn create(path: &Path) -> Result<(), Fault> {
    if let Some(fault) = dangling(path).or_else(|| no_directory(path)) {
        return Err(fault);
    }
    let whole = Beside::new(path)?;
    let mut connection = whole.create()?;
    schema::migrate(&mut connection, schema::STEPS)?;
    let _: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    checkpoint::copy_before_closing(&connection)?;
    connection.close().map_err(|(_, error)| error)?;
    // If another process was faster, its file is as good.
    put_in_place(whole.path(), path).map(drop)
}

/// Puts a whole file in a place where there is none. Returns `false` if there is one.
pub(super) fn put_in_place(whole: &Path, path: &Path) -> Result<bool, Fault> {
    let failed = |error| refused(path, error);
    // The engine would take the log of a file that is gone for that of the new one.
    let has_something = |log: &PathBuf| fs::metadata(log).is_ok_and(|log| log.len() > 0);
    if let Some(log) = LOGS.iter().map(|log| beside(path, log)).find(has_something)
        && !path.exists()
    {
        return Err(Fault::misconfigured(
            &log,
            "it belongs to a file that is gone: put that back, or remove this as well",
        ));
    }
    match fs::hard_link(whole, path) {
        Ok(()) => fs::remove_file(whole).map_err(failed)?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
        // A file system without links. The empty file keeps others away; a crash in between leaves it, and says so.
        Err(_) => match File::create_new(path) {
            Ok(_) => fs::rename(whole, path).map_err(failed)?,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
            Err(error) => return Err(failed(error)),
        },
    }
    // So that the name survives a power cut.
    checkpoint::flush_directory(path)?;
    Ok(true)
}

/// A file beside the place that it is made for, gone when this is dropped unless it was put in place.
pub(super) struct Beside {
    path: PathBuf,
    /// The path that the caller knows.
    place: PathBuf,
    /// Held for as long as the file is being made.
    _lock: File,
}

impl Beside {
    pub(super) fn new(place: &Path) -> Result<Self, Fault> {
        sweep(place);
        loop {
            let path = unused_name(place);
            let name = beside(&path, LOCK);
            let lock = private().create_new(true).open(&name);
            let lock = lock.map_err(|error| not_made(place, error))?;
            // Where a file system knows no locks, none is taken for one that a killed process left.
            let _ = lock.lock();
            // Another process may have come in between, and have taken it for that.
            if name.exists() {
                return Ok(Self { path, place: place.to_owned(), _lock: lock });
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the file, and opens a connection to it.
    pub(super) fn create(&self) -> Result<Connection, Fault> {
        let made = private().create_new(true).open(&self.path);
        made.map_err(|error| not_made(&self.place, error))?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection =
            Connection::open_with_flags(&self.path, flags).map_err(|error| explained(&self.place, error))?;
        connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0")?;
        Ok(connection)
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

/// Removes what processes that were killed while they made a file have left in the directory of this one.
pub(super) fn sweep(path: &Path) {
    for (lock, made) in locks_beside(path) {
        match File::open(lock).map(|lock| (lock.try_lock(), lock)) {
            Ok((Ok(()), _lock)) => remove(&made),
            Ok((Err(TryLockError::WouldBlock | TryLockError::Error(_)), _)) | Err(_) => {}
        }
    }
}

/// Returns the locks in the directory of a file, with the names of the files that are or were being made under them.
fn locks_beside(path: &Path) -> impl Iterator<Item = (PathBuf, PathBuf)> {
    let entries = path.parent().and_then(|directory| fs::read_dir(directory).ok());
    entries.into_iter().flatten().flatten().filter_map(|entry| {
        let name = entry.file_name();
        let made = being_made(name.to_str()?)?;
        Some((entry.path(), entry.path().with_file_name(made)))
    })
}

/// Removes a file that is being made. The lock goes last, so that the rest is found again after a kill in between.
fn remove(path: &Path) {
    for ending in ["", "-shm"].iter().chain(LOGS).chain(&[LOCK]) {
        let _ = fs::remove_file(beside(path, ending));
    }
}

/// Refuses a file that has a second name: a log would lie beside the one and another log beside the other, and two processes
/// that open the two would write past each other.
#[cfg(unix)]
pub(super) fn has_one_name(path: &Path) -> Result<(), Fault> {
    use std::os::unix::fs::MetadataExt as _;
    let mut names = 0;
    for _ in 0..ATTEMPTS {
        let found = fs::metadata(path).map_err(|error| refused(path, error))?;
        names = found.nlink();
        if names <= 1 {
            return Ok(());
        }
        // For an instant a file that was just made has the name that it was made under as well, and after a kill until
        // the next sweep.
        sweep(path);
        let is_same = |made: &fs::Metadata| (made.dev(), made.ino()) == (found.dev(), found.ino());
        let made = locks_beside(path).filter_map(|(_, made)| fs::metadata(made).ok()).filter(is_same);
        if names <= 1 + made.count() as u64 {
            return Ok(());
        }
    }
    Err(Fault::misconfigured(
        path,
        format!(
            "the file has {names} names (hard links), and its log lies beside only one of them: keep one name and remove the \
             others, or make them symbolic links"
        ),
    ))
}

#[cfg(not(unix))]
pub(super) fn has_one_name(_: &Path) -> Result<(), Fault> {
    Ok(())
}

/// Takes from others the right to read or write a file, and the files beside it.
///
/// What is in it is public or sealed, but who owns which client, with which add-ins and since when, is nobody else's
/// business. Where this process may not change it, that is said in the log, and the file is opened all the same.
pub(super) fn keep_to_owner(path: &Path) {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    for ending in ["", "-wal", "-shm"] {
        let path = beside(&path, ending);
        if let Err(error) = keep_one_to_owner(&path) {
            tracing::warn!(?path, %error, "other users may read this file, and this process may not forbid it");
        }
    }
}

/// Gives a file that is to take the place of another one to its owner, where this process may do that.
pub(super) fn give_to_owner_of(before: &Path, file: &Path) {
    #[cfg(unix)]
    if let Ok(before) = fs::metadata(before) {
        use std::os::unix::fs::MetadataExt as _;
        let _ = std::os::unix::fs::chown(file, Some(before.uid()), Some(before.gid()));
    }
    #[cfg(not(unix))]
    let _ = (before, file);
}

#[cfg(unix)]
fn keep_one_to_owner(path: &Path) -> Result<(), std::io::Error> {
    use std::os::unix::fs::PermissionsExt as _;
    let Ok(found) = fs::metadata(path) else { return Ok(()) };
    let mode = found.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    fs::set_permissions(path, fs::Permissions::from_mode(mode & 0o700))
}

#[cfg(not(unix))]
fn keep_one_to_owner(_: &Path) -> Result<(), std::io::Error> {
    Ok(())
}

/// Explains an error of the operating system to the caller that makes a file.
fn not_made(path: &Path, error: std::io::Error) -> Fault {
    match error.kind() {
        ErrorKind::PermissionDenied => Fault::misconfigured(path, NO_DIRECTORY_RIGHTS).because(error),
        _ => refused(path, error),
    }
}

/// What a crash leaves beside a file, by the ends of their names.
pub(super) const LOGS: &[&str] = &["-journal", "-wal"];
/// How often a file that seems to have two names is looked at.
#[cfg(unix)]
const ATTEMPTS: usize = 5;
const NO_DIRECTORY_RIGHTS: &str = "give this user the right to write to the directory";
