//! The settings of a store in a file.
//!
//! Values alone: the store that is opened with them stands in the module `store`.

use std::time::Duration;

/// The settings that a [`SqliteStore`](super::SqliteStore) is opened with.
///
/// ```no_run
/// # use client_registry::store::SqliteStore;
/// let store = SqliteStore::options().max_size(1 << 30).open("registry.db")?;
/// # Ok::<(), client_registry::store::StoreError>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "settings do nothing until a store is opened with them"]
pub struct SqliteOptions {
    pub(super) settings: Settings,
}

impl SqliteOptions {
    /// Sets the largest size of the file in bytes: no limit unless configured otherwise. A change that needs more is not
    /// written, with [`ReadOnly`](crate::store_error::StoreErrorKind::ReadOnly), and everything else goes on: deletions, too,
    /// need some room.
    ///
    /// In whole pages of 4,096 bytes. A file that is larger already stays as large as it is. The log beside it is not
    /// counted; it has some megabytes.
    pub fn max_size(mut self, bytes: u64) -> Self {
        self.settings.max_size = Some(bytes);
        self
    }

    /// Sets how long a change may wait, from the call until it is begun, for changes that came before it and for other processes
    /// that are writing to the file. After that it is given up, not written. Five seconds unless configured otherwise; with
    /// [`Duration::ZERO`] no other process is waited for.
    pub fn busy_timeout(mut self, timeout: impl Into<Duration>) -> Self {
        self.settings.busy_timeout = timeout.into().min(LONGEST_WAIT);
        self
    }
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self { settings: Settings { busy_timeout: Duration::from_secs(5), max_size: None } }
    }
}

/// The settings as the connections take them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    pub(super) busy_timeout: Duration,
    pub(super) max_size: Option<u64>,
}

/// The longest time that the engine counts to, in milliseconds.
const LONGEST_WAIT: Duration = Duration::from_millis(i32::MAX as u64);
