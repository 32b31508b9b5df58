//! Asks the disk, where the engine does not say whether it could not read or whether it read something wrong.
//!
//! The engine reports a page that the disk could not read (`EIO`) as a page that is damaged. An operator who restores a backup over a
//! sound file, because a cable was loose, loses what came after the backup. So nothing is called damaged before it was read
//! twice, by two connections, and before the file and its log could be read from end to end.

use std::collections::BTreeMap;
use std::fs::{
    File, {self},
};
use std::io::{Error, ErrorKind, Read as _, Seek as _};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use super::fault::Fault;
use super::identity::beside;
use crate::store::CommitError;
use crate::store_error::StoreErrorKind;

/// The disk that a file is on.
#[derive(Debug, Default)]
pub(super) struct Medium {
    /// How often a damage was told since the file was last read from end to end.
    told: AtomicU32,
}

impl Medium {
    /// Tells what a fault is that came twice: damage only where everything can be read.
    pub(super) fn judge(&self, path: &Path, fault: Fault) -> Fault {
        if !fault.may_be_damage() {
            return fault;
        }
        // A large file that is damaged is not read again for every question that meets the damage.
        let told = self.told.fetch_add(1, Ordering::Relaxed);
        if !told.is_multiple_of(EVERY) {
            return fault;
        }
        match check(path) {
            Ok(()) => fault,
            Err(unreadable) => {
                self.told.store(0, Ordering::Relaxed);
                unreadable
            }
        }
    }

    /// The same for a change that was not made.
    pub(super) fn judge_change(&self, path: &Path, error: CommitError) -> CommitError {
        match error {
            CommitError::NotWritten(error) if Fault::may_pass_behind(&error) => {
                match self.judge(path, Fault::Store(error)) {
                    Fault::Store(error) => CommitError::NotWritten(error),
                    fault => fault.into(),
                }
            }
            other => other,
        }
    }
}

/// Does something that reads a file, once more where it could not be read; and calls the file damaged only where the disk can
/// read all of it.
pub(super) fn twice<T>(path: &Path, work: impl Fn() -> Result<T, Fault>) -> Result<T, Fault> {
    match work() {
        Err(fault) if fault.may_pass() => work()
            .map_err(|fault| if fault.may_be_damage() { check(path).err().unwrap_or(fault) } else { fault }),
        done => done,
    }
}

/// What the operating system says when it is asked to open a file that the engine could not open. `None` where it can.
pub(super) fn refusal(path: &Path) -> Option<Error> {
    fs::metadata(path).and_then(|_| opened(path)).err()
}

/// Checks that the disk can read the file and its log from end to end.
pub(super) fn check(path: &Path) -> Result<(), Fault> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let unreadable = |error| Fault::file(path, StoreErrorKind::Unavailable, UNREADABLE).because(error);
    read_through(&target).map_err(unreadable)
}

fn read_through(path: &Path) -> Result<(), Error> {
    for ending in ["", "-wal"] {
        let mut file = match opened(&beside(path, ending)) {
            Err(error) if error.kind() == ErrorKind::NotFound && !ending.is_empty() => continue,
            opened => opened?,
        };
        let mut piece = vec![0; PIECE];
        file.rewind()?;
        while file.read(&mut piece)? > 0 {}
    }
    Ok(())
}

/// A file that is never closed: the process would lose the locks that the engine holds on it (POSIX takes them away with the
/// first descriptor that is closed). There is one for each file that is in doubt, no more.
fn opened(path: &Path) -> Result<&'static File, Error> {
    static OPENED: Mutex<BTreeMap<(u64, u64), &'static File>> = Mutex::new(BTreeMap::new());
    let key = number(&fs::metadata(path)?);
    let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(file) = opened.get(&key) {
        return Ok(file);
    }
    let file: &'static File = Box::leak(Box::new(File::open(path)?));
    opened.insert(number(&file.metadata()?), file);
    Ok(file)
}

#[cfg(unix)]
fn number(found: &fs::Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt as _;
    (found.dev(), found.ino())
}

/// Elsewhere closing takes nothing away, and a file is opened each time.
#[cfg(not(unix))]
fn number(_: &fs::Metadata) -> (u64, u64) {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    (0, COUNT.fetch_add(1, Ordering::Relaxed).into())
}

/// How often a damage is told before the file is read from end to end once more.
const EVERY: u32 = 64;
const PIECE: usize = 256 * 1024;
const UNREADABLE: &str =
    "the disk cannot read all of the file, which may be sound: see to the disk, and restore nothing before";
