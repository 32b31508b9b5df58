//! What the store asks of a file system, and two that answer it: a directory, and the disk of the conformance suite.

use std::fs::{File, read, read_dir, rename};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use client_registry::conformance::Disk;
use client_registry::store::StoreError;

use crate::state::unavailable;

/// The operations that the store needs of a file system.
pub(crate) trait Files: std::fmt::Debug + Send + Sync + 'static {
    fn list(&self) -> io::Result<Vec<String>>;

    /// Returns the bytes of a file, or `None`.
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>>;

    /// Writes the bytes beside the file, through to the disk.
    fn stage(&self, name: &str, bytes: &[u8]) -> io::Result<()>;

    /// Replaces the file with the staged bytes. After a power cut too, either the old bytes are there or the new ones.
    fn publish(&self, name: &str) -> io::Result<()>;

    fn put(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.stage(name, bytes)?;
        self.publish(name)
    }
}

/// A directory of the file system.
#[derive(Debug)]
pub(crate) struct OnDisk {
    directory: PathBuf,
    /// Held as long as the store is open: a second process would not see what this one writes.
    _lock: File,
}

impl OnDisk {
    /// Opens a directory, or creates it.
    pub(crate) fn open(directory: &Path) -> Result<Self, StoreError> {
        std::fs::create_dir_all(directory).map_err(unavailable)?;
        let lock = File::create(directory.join("lock")).map_err(unavailable)?;
        lock.try_lock().map_err(|_| unavailable("another process has the directory open"))?;
        Ok(Self { directory: directory.to_owned(), _lock: lock })
    }
}

impl Files for OnDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        let names =
            read_dir(&self.directory)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        names.collect()
    }

    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        found(read(self.directory.join(name)))
    }

    fn stage(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut file = File::create(self.directory.join(format!("{name}.new")))?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    fn publish(&self, name: &str) -> io::Result<()> {
        rename(self.directory.join(format!("{name}.new")), self.directory.join(name))?;
        File::open(&self.directory)?.sync_all()
    }
}

impl Files for Disk {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(Self::list(self))
    }

    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        found(Self::read(self, name))
    }

    fn stage(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let staged = format!("{name}.new");
        self.write(&staged, bytes)?;
        self.flush(&staged)
    }

    fn publish(&self, name: &str) -> io::Result<()> {
        self.rename(&format!("{name}.new"), name)?;
        self.flush_directory()
    }
}

fn found(read: io::Result<Vec<u8>>) -> io::Result<Option<Vec<u8>>> {
    match read {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
