//! The names of files that are being made, and the rights that they get.
//!
//! The module `making` says what the names mean. A file is its owner's alone from its first instant, and what a kill leaves under
//! such a name is found again by it.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};

use super::identity::beside;
use crate::entropy::instance_mark;

/// Returns a name for a file that is to take this place once it is whole. No other process uses it.
pub(super) fn unused_name(place: &Path) -> PathBuf {
    beside(place, &format!(".{:016x}.new", instance_mark()))
}

/// Returns the name of the file that is being made under the lock of this name. `None` if it is not the name of such a lock.
pub(super) fn being_made(lock: &str) -> Option<&str> {
    let made = lock.strip_suffix(LOCK)?;
    let (_, mark) = made.strip_suffix(".new")?.rsplit_once('.')?;
    let is_mark = mark.len() == 16 && mark.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    is_mark.then_some(made)
}

/// Finds out what keeps this process from making a file beside this one.
pub(super) fn probe(path: &Path) -> Result<(), std::io::Error> {
    let beside = beside(&unused_name(path), LOCK);
    private().create_new(true).open(&beside)?;
    fs::remove_file(&beside)
}

/// Returns how to make a file that is its owner's alone. The engine gives the files beside it the same rights.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// The end of the name of a lock, after that of the file that is being made under it.
pub(super) const LOCK: &str = "-lock";
