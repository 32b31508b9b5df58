//! Stores side by side: each is asked everything, and all of them have to answer the same, errors too. After every commit
//! everything that they list is compared as well, a few at a time.

use std::any::Any;
use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::Mutex;

use client_registry::client::LastUses;
use client_registry::store::{
    Adopted, Changes, ClientsBy, Commit, CommitError, Committed, Cursor, DynStore, Ending, EventText,
    MemoryStore, Record, RecordId, SqliteStore, Store, StoreError, Use,
};
use client_registry::value::{KeyId, Revision};
use client_registry::{AddInId, ClientId, Event, Keyring, Registry, RegistryBuilder, SellerId, Timestamp};

use crate::model::home::Home;
use crate::support::{Scratch, block_on, forward};

/// Which stores stand side by side.
pub(crate) trait Row: Debug + Send + Sync + 'static {
    /// Empty ones.
    fn sides() -> Vec<Side>;
}

/// A file beside a memory store.
#[derive(Debug)]
pub(crate) struct FileAndMemory;

impl Row for FileAndMemory {
    fn sides() -> Vec<Side> {
        vec![Side::file(DynStore::new), Side::memory()]
    }
}

/// The same, and the file is never told of uses: the planted fault.
#[derive(Debug)]
pub(crate) struct DeafFileAndMemory;

impl Row for DeafFileAndMemory {
    fn sides() -> Vec<Side> {
        vec![Side::file(|file| DynStore::new(Deaf(file))), Side::memory()]
    }
}

/// PostgreSQL beside a file and a memory store.
#[cfg(feature = "postgres")]
#[derive(Debug)]
pub(crate) struct All;

#[cfg(feature = "postgres")]
impl Row for All {
    fn sides() -> Vec<Side> {
        vec![Side::postgres(), Side::file(DynStore::new), Side::memory()]
    }
}

/// One of the stores.
#[derive(Debug)]
pub(crate) struct Side {
    name: &'static str,
    store: DynStore,
    /// Where it lives, which goes after it.
    _place: Box<dyn Any + Send + Sync>,
}

impl Side {
    fn memory() -> Self {
        Self { name: "memory", store: DynStore::new(MemoryStore::new()), _place: Box::new(()) }
    }

    fn file(make: fn(SqliteStore) -> DynStore) -> Self {
        let scratch = Scratch::in_memory();
        let file = SqliteStore::open(scratch.file()).unwrap();
        Self { name: "the file", store: make(file), _place: Box::new(scratch) }
    }

    /// In a schema of its own on a server that flushes nothing: what a flush costs is measured elsewhere.
    #[cfg(feature = "postgres")]
    fn postgres() -> Self {
        use crate::support::server::{Schema, Server};
        static SERVER: std::sync::OnceLock<Server> = std::sync::OnceLock::new();
        let server = SERVER.get_or_init(|| Server::start_with(&["fsync = off"]));
        let schema = Schema::at(server.url());
        let store = block_on(schema.store_with(schema.options().max_connections(1).hints(false)));
        Self { name: "PostgreSQL", store: DynStore::new(store), _place: Box::new(schema) }
    }
}

/// Hears of no use.
#[derive(Debug)]
struct Deaf(SqliteStore);

impl Store for Deaf {
    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        self.0.commit(commit).await
    }

    async fn note_uses(&self, _: &[Use], believable_until: Timestamp) -> Result<(), StoreError> {
        self.0.note_uses(&[], believable_until).await
    }

    forward!(0: load history clients client_of ending changes latest adopt last_uses);
}

/// All the stores of a row as one.
#[derive(Debug)]
pub(crate) struct Abreast<R> {
    sides: Vec<Side>,
    made: Mutex<Vec<Commit>>,
    row: PhantomData<R>,
}

impl<R: Row> Home for Abreast<R> {
    fn registry(builder: RegistryBuilder) -> Registry<Self> {
        let all = Self { sides: R::sides(), made: Mutex::default(), row: PhantomData };
        let keyring = Keyring::new(key_id(), b"thirty-two bytes to seal it with").unwrap();
        block_on(builder.open(all, keyring)).unwrap()
    }
}

/// Asks each store of a row the same, one after the other, and says what they said.
macro_rules! ask {
    ($row:ident, $store:ident => $question:expr) => {{
        let mut answers = Vec::with_capacity($row.sides.len());
        for Side { name, store: $store, .. } in &$row.sides {
            answers.push((*name, $question.await));
        }
        same(answers)
    }};
}

impl<R: Row> Abreast<R> {
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

    /// The feed from its beginning, a few events at a time, and all at once.
    async fn follow(&self) -> Result<(), StoreError> {
        let mut all = Vec::new();
        for Side { name, store, .. } in &self.sides {
            let (mut events, mut cursor) = (Vec::new(), None);
            loop {
                let changes = store.changes(cursor.as_ref(), 7).await?;
                if changes.events.is_empty() {
                    break;
                }
                events.extend(changes.events);
                cursor = Some(changes.cursor);
            }
            all.push((*name, by_client(events)));
        }
        assert_eq!(same(all), by_client(self.changes(None, usize::MAX).await?.events));
        Ok(())
    }
}

impl<R: Row> Store for Abreast<R> {
    async fn load(&self, id: RecordId<'_>) -> Result<Option<Record>, StoreError> {
        let mut records = Vec::with_capacity(self.sides.len());
        for side in &self.sides {
            records.push((side.name, side.store.load(id).await?));
        }
        let bytes = |record: &Option<Record>| record.as_ref().map(|record| record.to_bytes().unwrap());
        let _ = same(records.iter().map(|(name, record)| (*name, bytes(record))).collect());
        Ok(records.swap_remove(0).1)
    }

    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        let answer = ask!(self, store => store.commit(commit));
        self.look_around(commit).await?;
        // Once it is made, no commit is made again: this one, and one that was made before.
        let made = answer.is_ok().then(|| {
            let mut made = self.made.lock().unwrap();
            made.push(commit.clone());
            made[usize::from(commit.id().as_bytes()[1]) % made.len()].clone()
        });
        for made in made.iter().chain(made.is_some().then_some(commit)) {
            let again = ask!(self, store => store.commit(made));
            assert!(matches!(again, Err(CommitError::Conflict { .. })), "{again:?}");
        }
        if commit.id().as_bytes()[2].is_multiple_of(8) {
            self.follow().await?;
        }
        answer
    }

    async fn history(
        &self,
        client_id: &ClientId,
        after: Revision,
        limit: usize,
    ) -> Result<Vec<Committed>, StoreError> {
        ask!(self, store => store.history(client_id, after, limit))
    }

    async fn clients(
        &self,
        by: ClientsBy<'_>,
        after: Option<&ClientId>,
        limit: usize,
    ) -> Result<Vec<ClientId>, StoreError> {
        ask!(self, store => store.clients(by, after, limit))
    }

    async fn client_of(&self, add_in: &AddInId) -> Result<Option<ClientId>, StoreError> {
        ask!(self, store => store.client_of(add_in))
    }

    async fn ending(
        &self,
        before: Timestamp,
        after: Option<&Ending>,
        limit: usize,
    ) -> Result<Vec<Ending>, StoreError> {
        ask!(self, store => store.ending(before, after, limit))
    }

    /// With a cursor of all of them. Which clients' events come first is up to each store; what there is, once a reader has
    /// come to the end, is not.
    async fn changes(&self, after: Option<&Cursor>, limit: usize) -> Result<Changes, StoreError> {
        let after: Option<Vec<_>> = after.map(|all| all.as_str().split('|').map(Cursor::new).collect());
        let (mut events, mut cursors) = (Vec::new(), Vec::new());
        for (position, side) in self.sides.iter().enumerate() {
            let after = after.as_ref().map(|all| &all[position]);
            let changes = side.store.changes(after, limit).await?;
            events.push((side.name, by_client(changes.events)));
            cursors.push(changes.cursor);
        }
        let is_at_end = events.iter().all(|(_, events)| events.len() < limit);
        let events = if is_at_end { same(events) } else { events.swap_remove(0).1 };
        Ok(Changes { events, cursor: of_all(&cursors) })
    }

    async fn latest(&self) -> Result<Cursor, StoreError> {
        let mut cursors = Vec::new();
        for side in &self.sides {
            cursors.push(side.store.latest().await?);
        }
        Ok(of_all(&cursors))
    }

    async fn adopt(&self, clients: &[Adopted]) -> Result<(), CommitError> {
        ask!(self, store => store.adopt(clients))
    }

    async fn note_uses(&self, uses: &[Use], believable_until: Timestamp) -> Result<(), StoreError> {
        ask!(self, store => store.note_uses(uses, believable_until))
    }

    async fn last_uses(&self, client_id: &ClientId) -> Result<LastUses, StoreError> {
        ask!(self, store => store.last_uses(client_id))
    }
}

fn of_all(cursors: &[Cursor]) -> Cursor {
    Cursor::new(cursors.iter().map(Cursor::as_str).collect::<Vec<_>>().join("|"))
}

/// One client's events after the other's, each in their order.
fn by_client(mut events: Vec<EventText>) -> Vec<EventText> {
    events.sort_by_cached_key(|text| Event::parse(text).unwrap().client_id().clone());
    events
}

/// One answer, of several that have to be the same.
fn same<T: Debug>(mut answers: Vec<(&'static str, T)>) -> T {
    let (first, rest) = answers.split_first().unwrap();
    for other in rest {
        assert_eq!(
            format!("{:?}", first.1),
            format!("{:?}", other.1),
            "answers of {} and {}",
            first.0,
            other.0
        );
    }
    answers.swap_remove(0).1
}

fn key_id() -> KeyId {
    KeyId::parse("2026").unwrap()
}
