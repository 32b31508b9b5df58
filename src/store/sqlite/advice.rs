//! What is wrong with a path, and what to do about it.
//!
//! The engine and the operating system say that a file cannot be opened. These functions find out why, and tell the caller what
//! to do: rights are asked for only where rights are missing, and what trying again cannot mend is told from what a disk does.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use rusqlite::ErrorCode;

use super::fault::Fault;
use super::{medium, unfinished};
use crate::store_error::StoreErrorKind;

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

/// Returns why no file can be made beside this one, as the engine makes the log. `None` if it can be made.
pub(super) fn not_writable(path: &Path) -> Option<Fault> {
    unfinished::probe(path).err().map(|error| refused(path, error))
}

/// Explains an error of the operating system to the caller that opens a file. It asks for rights only where rights are missing.
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

/// Explains that a name leads to something else than a file.
pub(super) fn no_file(path: &Path, found: &fs::Metadata) -> Fault {
    Fault::misconfigured(path, if found.is_dir() { A_DIRECTORY } else { NO_FILE })
}

/// Explains that the directory of a file is missing. `None` if it is there.
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

/// Explains that a path is a symbolic link that leads nowhere. `None` if it is not.
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

pub(super) const A_DIRECTORY: &str = "it is a directory: name a file in it";
const NO_FILE: &str = "it is a device, a pipe or a socket: name a file";
const READ_ONLY: &str = "the file system is mounted read-only: mount it for writing, or choose another path";
const NO_NAME: &str = "no file can have this name: choose another one";
pub(super) const NO_RIGHTS: &str =
    "give this user the right to read and write the file, and to write to its directory";
const NO_DISK: &str =
    "the operating system cannot open it: see to the disk, and change nothing about the file";
pub(super) const NOT_OURS: &str = "this file is not a registry, and it was left as it is: choose another path, or, if it was a \
                                   registry before it was damaged, move it away and restore a backup in its place";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store_error::StoreError;

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
