//! Which file a connection is connected to, told by device and inode, and whether it still stands under its name.
//!
//! A connection keeps the file that it opened, also after that was renamed, replaced or deleted, and the engine goes on in it
//! without a word. What is written there is gone with the process. So the name is looked up again inside each change, before
//! anything is acknowledged, and after each answer. The same goes for the two files beside it: a process that finds no `-wal`
//! and `-shm` makes its own, and the two would work past each other.
//!
//! Where the operating system tells no inodes (Windows), it also refuses to rename or delete a file that is open.

use std::fs;
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::fault::Fault;
use crate::store_error::StoreErrorKind;

/// The file that was found under a name when the store was opened.
#[derive(Debug)]
pub(super) struct Identity {
    path: PathBuf,
    /// The files that the engine keeps beside it; beside the file itself where the name is a link.
    log: PathBuf,
    index: PathBuf,
    file: Inode,
    /// Those that the connection that writes has opened.
    beside: Mutex<Option<[Inode; 2]>>,
    /// The file has the content of another one.
    is_replaced: AtomicBool,
}

impl Identity {
    /// Looks up which file stands under this name.
    pub(super) fn of(path: &Path) -> Result<Arc<Self>, Fault> {
        let file = inode(path).map_err(|error| lost(path, error))?;
        let target = fs::canonicalize(path).map_err(|error| lost(path, error))?;
        let (log, index) = (beside(&target, "-wal"), beside(&target, "-shm"));
        let (beside, is_replaced) = (Mutex::default(), AtomicBool::new(false));
        Ok(Arc::new(Self { path: path.to_owned(), log, index, file, beside, is_replaced }))
    }

    /// The name that the store was opened under.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Checks that the name still leads to the same file, and that its content was not found to be another.
    pub(super) fn check(&self) -> Result<(), Fault> {
        let found = fs::metadata(&self.path).map_err(|error| lost(&self.path, error))?;
        if number(&found) != self.file {
            return Err(moved(&self.path));
        }
        // Copying begins with taking everything away. The engine deletes the log of a file that it finds empty, so that no
        // connection may be opened to it.
        if found.len() == 0 {
            return Err(self.is_replaced());
        }
        if self.is_replaced.load(Ordering::Acquire) { Err(self.replaced()) } else { Ok(()) }
    }

    /// Takes note that the file has the content of another one, from which it does not come back: connections have read some
    /// of both.
    pub(super) fn is_replaced(&self) -> Fault {
        self.is_replaced.store(true, Ordering::Release);
        self.replaced()
    }

    fn replaced(&self) -> Fault {
        Fault::misconfigured(&self.path, REPLACED)
    }

    /// Remembers the files that the connection that writes has opened just now.
    ///
    /// # Errors
    /// [`Fault::File`] when it cannot have opened the file that was found.
    pub(super) fn anchor_writer(self: &Arc<Self>) -> Result<Anchor, Fault> {
        let anchor = self.found()?;
        *self.beside.lock().unwrap_or_else(PoisonError::into_inner) = Some([anchor.log, anchor.index]);
        Ok(anchor)
    }

    /// The same for any other connection, which must have come to the files of the one that writes.
    pub(super) fn anchor(self: &Arc<Self>) -> Result<Anchor, Fault> {
        let anchor = self.found()?;
        self.check_all()?;
        Ok(anchor)
    }

    /// Checks that everything stands where the connection that writes has found it.
    pub(super) fn check_all(&self) -> Result<(), Fault> {
        self.check()?;
        match *self.beside.lock().unwrap_or_else(PoisonError::into_inner) {
            Some([log, index]) => same(&self.log, log).and_then(|()| same(&self.index, index)),
            None => Ok(()),
        }
    }

    /// The fault that lies behind another one: what fails on a file that is gone fails because it is gone.
    pub(super) fn behind(&self, fault: Fault) -> Fault {
        self.check_all().err().unwrap_or(fault)
    }

    fn found(self: &Arc<Self>) -> Result<Anchor, Fault> {
        let found = |path: &Path| inode(path).map_err(|error| lost(path, error));
        let anchor = Anchor { identity: self.clone(), log: found(&self.log)?, index: found(&self.index)? };
        self.check()?;
        Ok(anchor)
    }
}

/// The three files that one connection works on.
#[derive(Debug)]
pub(super) struct Anchor {
    identity: Arc<Identity>,
    log: Inode,
    index: Inode,
}

impl Anchor {
    /// Checks that the connection works on the files that others find.
    pub(super) fn check(&self) -> Result<(), Fault> {
        self.check_reading()?;
        same(&self.identity.log, self.log)
    }

    /// Checks the same after a read: a connection that goes on elsewhere has another file or another index.
    pub(super) fn check_reading(&self) -> Result<(), Fault> {
        self.identity.check()?;
        same(&self.identity.index, self.index)
    }

    /// The log, and its name. Closing it takes no lock away: those of the engine are on the other two files.
    pub(super) fn open_log(&self) -> Result<(fs::File, &Path), Fault> {
        let path = self.identity.log.as_path();
        let log =
            fs::OpenOptions::new().read(true).write(true).open(path).map_err(|error| lost(path, error))?;
        match log.metadata().map(|found| number(&found)) {
            Ok(found) if found == self.log => Ok((log, path)),
            Ok(_) => Err(moved(path)),
            Err(error) => Err(lost(path, error)),
        }
    }
}

fn same(path: &Path, before: Inode) -> Result<(), Fault> {
    match inode(path) {
        Ok(now) if now == before => Ok(()),
        Ok(_) => Err(moved(path)),
        Err(error) => Err(lost(path, error)),
    }
}

fn lost(path: &Path, error: Error) -> Fault {
    if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) {
        return moved(path);
    }
    Fault::file(path, StoreErrorKind::Unavailable, "the file system does not answer").because(error)
}

fn moved(path: &Path) -> Fault {
    Fault::Moved { path: path.to_owned() }
}

/// The path with something after it.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn inode(path: &Path) -> Result<Inode, Error> {
    fs::metadata(path).map(|found| number(&found))
}

#[cfg(unix)]
fn number(found: &fs::Metadata) -> Inode {
    use std::os::unix::fs::MetadataExt as _;
    (found.dev(), found.ino())
}

#[cfg(not(unix))]
fn number(_: &fs::Metadata) -> Inode {
    (0, 0)
}

const REPLACED: &str = "another file was copied over this one while it was open, and nothing was done: stop all processes \
                        that use it, move it and its log away, then put the right copy in its place with \
                        `SqliteStore::restore`";

/// A device, and the number of a file on it.
type Inode = (u64, u64);
