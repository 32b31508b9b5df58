//! A store in a file and one in memory, side by side: each is asked everything, and both have to answer the same, errors
//! too. After every commit everything that they list is compared as well, a few at a time.

use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use client_registry::store::{
    Adopted, Changes, ClientsBy, Commit, CommitError, Committed, Cursor, Ending, MemoryStore, Record,
    RecordId, SqliteStore, Store, StoreError, Use,
};
use client_registry::{
    AddInId, ClientId, KeyId, Keyring, LastUses, Registry, RegistryBuilder, Revision, SellerId, Timestamp,
};
use pollster::block_on;

use crate::home::Home;

/// Both stores. With `FAULT` the one in the file is never told of uses.
#[derive(Debug)]
pub(crate) struct Twin<const FAULT: bool = false> {
    file: SqliteStore,
    memory: MemoryStore,
    made: Mutex<Vec<Commit>>,
    _scratch: Scratch,
}

impl<const FAULT: bool> Home for Twin<FAULT> {
    fn registry(builder: RegistryBuilder) -> Registry<Self> {
        let scratch = Scratch::new();
        let twin = Self {
            file: SqliteStore::open(scratch.0.join("registry.db")).unwrap(),
            memory: MemoryStore::new(),
            made: Mutex::default(),
            _scratch: scratch,
        };
        let keyring = Keyring::new(key_id(), b"thirty-two bytes to seal it with").unwrap();
        block_on(builder.open(twin, keyring)).unwrap()
    }
}

impl<const FAULT: bool> Twin<FAULT> {
    /// Everything that can be asked of the client of a commit, and of all, in pages of a size that the commit gives.
    async fn look_around(&self, commit: &Commit) -> Result<(), StoreError> {
        let size = 1 + usize::from(commit.id().as_bytes()[0] % 5);
        for change in commit.changes() {
            self.load(change.id()).await?;
            let Some(client_id) = change.id().client_id() else { continue };
            let mut after = Revision::ZERO;
            while let Some(last) = self.history(&client_id, after, size).await?.last() {
                after = last.revision;
            }
            self.last_uses(&client_id).await?;
            for add_in in &change.index().add_ins {
                self.client_of(add_in).await?;
            }
            if let Some((seller, key)) = &change.index().name {
                self.clients(ClientsBy::Name(seller, key), None, size).await?;
            }
        }
        let (contoso, key_id) = (SellerId::parse("contoso").unwrap(), key_id());
        for by in [ClientsBy::All, ClientsBy::Seller(&contoso), ClientsBy::Key(&key_id)] {
            let mut after = None;
            while let Some(last) = self.clients(by, after.as_ref(), size).await?.last() {
                after = Some(last.clone());
            }
        }
        let mut after = None;
        while let Some(last) = self.ending(Timestamp::MAX, after.as_ref(), size).await?.last() {
            after = Some(last.clone());
        }
        Ok(())
    }

    /// The feed from its beginning.
    async fn follow(&self) -> Result<usize, StoreError> {
        let (mut count, mut cursor) = (0, None);
        loop {
            let changes = self.changes(cursor.as_ref(), 7).await?;
            if changes.events.is_empty() {
                return Ok(count);
            }
            count += changes.events.len();
            cursor = Some(changes.cursor);
        }
    }
}

impl<const FAULT: bool> Store for Twin<FAULT> {
    async fn load(&self, id: RecordId<'_>) -> Result<Option<Record>, StoreError> {
        let (file, memory) = (self.file.load(id).await?, self.memory.load(id).await?);
        let bytes = |record: &Option<Record>| record.as_ref().map(|record| record.to_bytes().unwrap());
        assert_eq!(bytes(&file), bytes(&memory), "{id}");
        Ok(file)
    }

    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        let answer = same(self.file.commit(commit).await, self.memory.commit(commit).await);
        self.look_around(commit).await?;
        // Once it is made, no commit is made again: this one, and one that was made before.
        let made = answer.is_ok().then(|| {
            let mut made = self.made.lock().unwrap();
            made.push(commit.clone());
            made[usize::from(commit.id().as_bytes()[1]) % made.len()].clone()
        });
        for made in made.iter().chain(made.is_some().then_some(commit)) {
            let again = same(self.file.commit(made).await, self.memory.commit(made).await);
            assert!(matches!(again, Err(CommitError::Conflict { .. })), "{again:?}");
        }
        if commit.id().as_bytes()[2].is_multiple_of(8) {
            let events = self.follow().await?;
            assert_eq!(self.changes(None, usize::MAX).await?.events.len(), events);
        }
        answer
    }

    async fn history(
        &self,
        client_id: &ClientId,
        after: Revision,
        limit: usize,
    ) -> Result<Vec<Committed>, StoreError> {
        let memory = self.memory.history(client_id, after, limit).await;
        same(self.file.history(client_id, after, limit).await, memory)
    }

    async fn clients(
        &self,
        by: ClientsBy<'_>,
        after: Option<&ClientId>,
        limit: usize,
    ) -> Result<Vec<ClientId>, StoreError> {
        same(self.file.clients(by, after, limit).await, self.memory.clients(by, after, limit).await)
    }

    async fn client_of(&self, add_in: &AddInId) -> Result<Option<ClientId>, StoreError> {
        same(self.file.client_of(add_in).await, self.memory.client_of(add_in).await)
    }

    async fn ending(
        &self,
        before: Timestamp,
        after: Option<&Ending>,
        limit: usize,
    ) -> Result<Vec<Ending>, StoreError> {
        let memory = self.memory.ending(before, after, limit).await;
        same(self.file.ending(before, after, limit).await, memory)
    }

    /// With a cursor of both.
    async fn changes(&self, after: Option<&Cursor>, limit: usize) -> Result<Changes, StoreError> {
        let cursors = after.map(|cursor| {
            let (file, memory) = cursor.as_str().split_once('|').unwrap();
            (Cursor::new(file), Cursor::new(memory))
        });
        let (of_file, of_memory) = cursors.unzip();
        let file = self.file.changes(of_file.as_ref(), limit).await?;
        let memory = self.memory.changes(of_memory.as_ref(), limit).await?;
        assert_eq!(file.events, memory.events);
        Ok(Changes { events: file.events, cursor: both(&file.cursor, &memory.cursor) })
    }

    async fn latest(&self) -> Result<Cursor, StoreError> {
        Ok(both(&self.file.latest().await?, &self.memory.latest().await?))
    }

    async fn adopt(&self, clients: &[Adopted]) -> Result<(), CommitError> {
        same(self.file.adopt(clients).await, self.memory.adopt(clients).await)
    }

    async fn note_uses(&self, uses: &[Use]) -> Result<(), StoreError> {
        let of_file = if FAULT { &[] } else { uses };
        same(self.file.note_uses(of_file).await, self.memory.note_uses(uses).await)
    }

    async fn last_uses(&self, client_id: &ClientId) -> Result<LastUses, StoreError> {
        same(self.file.last_uses(client_id).await, self.memory.last_uses(client_id).await)
    }
}

fn both(file: &Cursor, memory: &Cursor) -> Cursor {
    Cursor::new(format!("{}|{}", file.as_str(), memory.as_str()))
}

/// One answer, of two that have to be the same.
fn same<T: Debug>(file: T, memory: T) -> T {
    assert_eq!(format!("{file:?}"), format!("{memory:?}"), "the file's answer, and the memory's");
    file
}

fn key_id() -> KeyId {
    KeyId::parse("2026").unwrap()
}

/// A directory of its own, in memory where the system has such a place: what a flush costs is measured elsewhere.
#[derive(Debug)]
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!("client-registry-model-{}-{count}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
