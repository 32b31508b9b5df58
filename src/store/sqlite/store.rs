//! The store in one SQLite file, and how it is opened: the durable default for one machine.
//!
//! One thread writes, and flushes each change before it is acknowledged; that flush is what a change costs. Changes that wait
//! together share one. Reads go past it, on connections of their own, and see every change that was acknowledged before. What was
//! acknowledged survives a crash and a power cut, as far as the disk keeps what it says it has flushed.
//!
//! The `sqlite3` tool reads the file as well: the views `clients`, `secrets` and `trail` are for people.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;

use super::batch::Sharing;
use super::fault::Fault;
use super::identity::Identity;
use super::medium::{self, Medium};
use super::options::{Settings, SqliteOptions};
use super::reads::{self, Readers};
use super::writer::Writer;
use super::writer_thread::WriterThread;
use super::{commit, file, uses};
use crate::client::LastUses;
use crate::record::{Record, RecordId};
use crate::store::{Adopted, Changes, ClientsBy, Commit, CommitError, Committed, Cursor, Ending, Store, Use};
use crate::store_error::{StoreError, StoreErrorKind};
use crate::value::{AddInId, ClientId, Revision, Timestamp};

/// A store in one SQLite file, for one machine. Cheap to clone; clones are the same store.
///
/// The `sqlite3` tool reads the file as well: the views `clients`, `secrets` and `trail` are for people.
///
/// Several processes may have the file open at once. It has to lie on a local file system, together with the two files
/// that the engine keeps beside it while it is in use (`-wal` and `-shm`); copy it with [`backup_to`](Self::backup_to), put a
/// copy back with [`restore`](Self::restore). The page of the module [`sqlite`](crate::store::sqlite) says how to run it, and what
/// to do when something is damaged.
///
/// Needs no particular runtime. Changes are made by a thread of the store's own, so that a caller waits and does not
/// block. Changes that wait for the thread together are written together and share one flush, and each gets its own answer after it. Reads are made where they are asked for, and block for as long as they take: some microseconds for a record,
/// some tens for a page of a hundred, more where the disk has to be asked.
///
/// A change whose future is dropped before the thread has begun with it is not made. Dropping the last clone waits until the
/// thread is done and the file is closed.
///
/// ```
/// # use client_registry::value::KeyId;
/// # use client_registry::{Keyring, Registry, store::SqliteStore};
/// # pollster::block_on(async {
/// # let directory = std::env::temp_dir().join(format!("client-registry-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&directory)?;
/// # let (path, keyring) = (directory.join("registry.db"), Keyring::generate(KeyId::parse("2026")?)?);
/// let registry = Registry::open(SqliteStore::open(path)?, keyring).await?;
/// # drop(registry);
/// # std::fs::remove_dir_all(&directory)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct SqliteStore {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) identity: Arc<Identity>,
    feed_id: [u8; 16],
    readers: Readers,
    /// Dropped last, so that its connection is the one that copies the log into the file.
    writer: WriterThread,
}

impl SqliteStore {
    /// Opens the store in this file, and makes the file if there is none. Blocks meanwhile.
    ///
    /// # Errors
    /// [`StoreError`], whose text says what is wrong with the file and what to do. The file is left as it is. The kind is
    /// [`Misconfigured`](StoreErrorKind::Misconfigured) if the path does not lead to a registry (a directory, another program's
    /// file, a URL), and [`NewerFormat`](StoreErrorKind::NewerFormat) when a newer version of this crate wrote it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::options().open(path)
    }

    /// Returns the default settings, for a caller that opens a store with other ones.
    pub fn options() -> SqliteOptions {
        SqliteOptions::default()
    }

    fn read<T>(&self, question: impl Fn(&Connection) -> Result<T, Fault>) -> Result<T, StoreError> {
        self.inner.readers.read(question)
    }

    /// Does work in a transaction, on the thread that writes.
    async fn write(
        &self,
        is_urgent: bool,
        sharing: Sharing,
        work: impl Fn(&Connection) -> Result<(), CommitError> + Send + 'static,
    ) -> Result<(), CommitError> {
        self.inner.writer.run(is_urgent, sharing, Box::new(work)).await?
    }
}

impl SqliteOptions {
    /// Opens the store in this file, and makes the file if there is none. Blocks meanwhile.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    pub fn open(self, path: impl AsRef<Path>) -> Result<SqliteStore, StoreError> {
        let inner = Inner::open(path.as_ref(), self.settings)?;
        Ok(SqliteStore { inner: Arc::new(inner) })
    }
}

impl Store for SqliteStore {
    async fn load(&self, id: RecordId<'_>) -> Result<Option<Record>, StoreError> {
        self.read(|connection| reads::load(connection, id))
    }

    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        let commit = commit.clone();
        let is_urgent = commit.is_urgent();
        self.write(is_urgent, Sharing::Together, move |connection| commit::commit(connection, &commit)).await
    }

    async fn history(
        &self,
        client_id: &ClientId,
        after: Revision,
        limit: usize,
    ) -> Result<Vec<Committed>, StoreError> {
        self.read(|connection| reads::history(connection, client_id, after, limit))
    }

    async fn clients(
        &self,
        by: ClientsBy<'_>,
        after: Option<&ClientId>,
        limit: usize,
    ) -> Result<Vec<ClientId>, StoreError> {
        self.read(|connection| reads::clients(connection, by, after, limit))
    }

    async fn client_of(&self, add_in: &AddInId) -> Result<Option<ClientId>, StoreError> {
        self.read(|connection| reads::client_of(connection, add_in))
    }

    async fn ending(
        &self,
        before: Timestamp,
        after: Option<&Ending>,
        limit: usize,
    ) -> Result<Vec<Ending>, StoreError> {
        self.read(|connection| reads::ending(connection, before, after, limit))
    }

    async fn changes(&self, after: Option<&Cursor>, limit: usize) -> Result<Changes, StoreError> {
        self.read(|connection| reads::changes(connection, self.inner.feed_id, after, limit))
    }

    async fn latest(&self) -> Result<Cursor, StoreError> {
        self.read(|connection| reads::latest(connection, self.inner.feed_id))
    }

    async fn adopt(&self, clients: &[Adopted]) -> Result<(), CommitError> {
        let clients = clients.to_vec();
        self.write(false, Sharing::Alone, move |connection| commit::adopt(connection, &clients)).await
    }

    async fn note_uses(&self, uses: &[Use], believable_until: Timestamp) -> Result<(), StoreError> {
        let uses = uses.to_vec();
        let note = move |connection: &Connection| uses::note(connection, &uses, believable_until);
        let noted = self.write(false, Sharing::Alone, note).await;
        noted.map_err(|error| match error {
            CommitError::NotWritten(error) | CommitError::Failed(error) => error,
            // Nothing is compared when uses are noted.
            other => StoreError::with_source(StoreErrorKind::Unavailable, other),
        })
    }

    async fn last_uses(&self, client_id: &ClientId) -> Result<LastUses, StoreError> {
        self.read(|connection| reads::last_uses(connection, client_id))
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("path", &self.inner.identity.path()).finish_non_exhaustive()
    }
}

impl Inner {
    fn open(path: &Path, settings: Settings) -> Result<Self, Fault> {
        let path = file::absolute(path)?;
        let medium = Arc::new(Medium::default());
        medium::twice(&path, || Self::try_open(&path, settings, &medium))
    }

    fn try_open(path: &Path, settings: Settings, medium: &Arc<Medium>) -> Result<Self, Fault> {
        file::prepare(path)?;
        let writer = Writer::open(path, settings, medium.clone())?;
        let feed_id = writer.feed_id()?;
        let identity = writer.identity().clone();
        let readers = Readers::new(identity.clone(), medium.clone(), settings.busy_timeout);
        let writer = WriterThread::start(writer).map_err(|error| {
            Fault::file(identity.path(), StoreErrorKind::Unavailable, NO_THREAD).because(error)
        })?;
        Ok(Self { identity, feed_id, readers, writer })
    }
}

const NO_THREAD: &str = "there is no thread to be had for writing";
