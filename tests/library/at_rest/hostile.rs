//! A store that an attacker can write to.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use client_registry::client::LastUses;
use client_registry::store::{
    Changes, ClientsBy, Commit, CommitError, Committed, Cursor, Ending, EventText, IndexEntry, MemoryStore,
    Record, RecordId, Store, StoreError,
};
use client_registry::value::Revision;
use client_registry::{ClientId, Event, Timestamp};

use crate::support::forward::forward;

type Edit<T> = Arc<dyn Fn(T) -> T + Send + Sync>;
type Of<T> = Arc<dyn Fn(&ClientId, T) -> T + Send + Sync>;

/// A memory store that answers with what an attacker put in the place of records, trails, indexes and the feed.
#[derive(Clone, Default)]
pub(crate) struct Hostile {
    pub(crate) memory: MemoryStore,
    lies: Arc<Mutex<Lies>>,
}

#[derive(Default)]
struct Lies {
    records: HashMap<String, Option<Record>>,
    trail: Option<Edit<Vec<EventText>>>,
    feed: Option<Edit<Vec<EventText>>>,
    text: Option<Edit<EventText>>,
    clients: Option<Edit<Vec<ClientId>>>,
    ending: Option<Edit<Vec<Ending>>>,
    client_of: Option<Edit<Option<ClientId>>>,
    taken: Option<(IndexEntry, ClientId)>,
    more_commits: usize,
    last_uses: Option<Of<LastUses>>,
}

impl Hostile {
    pub(crate) fn over(memory: MemoryStore) -> Self {
        Self { memory, lies: Arc::default() }
    }

    /// Puts another record, or none, in the place of one.
    pub(crate) fn put(&self, id: &str, record: Option<Record>) {
        self.lies.lock().unwrap().records.insert(id.to_owned(), record);
    }

    pub(crate) fn edit_trail(&self, edit: impl Fn(Vec<EventText>) -> Vec<EventText> + Send + Sync + 'static) {
        self.lies.lock().unwrap().trail = Some(Arc::new(edit));
    }

    pub(crate) fn edit_feed(&self, edit: impl Fn(Vec<EventText>) -> Vec<EventText> + Send + Sync + 'static) {
        self.lies.lock().unwrap().feed = Some(Arc::new(edit));
    }

    /// Edits each event where it stands, in the trail and in the feed.
    pub(crate) fn edit_text(&self, edit: impl Fn(EventText) -> EventText + Send + Sync + 'static) {
        self.lies.lock().unwrap().text = Some(Arc::new(edit));
    }

    pub(crate) fn edit_clients(&self, edit: impl Fn(Vec<ClientId>) -> Vec<ClientId> + Send + Sync + 'static) {
        self.lies.lock().unwrap().clients = Some(Arc::new(edit));
    }

    pub(crate) fn edit_ending(&self, edit: impl Fn(Vec<Ending>) -> Vec<Ending> + Send + Sync + 'static) {
        self.lies.lock().unwrap().ending = Some(Arc::new(edit));
    }

    pub(crate) fn edit_client_of(
        &self,
        edit: impl Fn(Option<ClientId>) -> Option<ClientId> + Send + Sync + 'static,
    ) {
        self.lies.lock().unwrap().client_of = Some(Arc::new(edit));
    }

    /// Answers commits by saying that something is taken.
    pub(crate) fn say_taken(&self, entry: IndexEntry, by: &ClientId) {
        self.lies.lock().unwrap().taken = Some((entry, by.clone()));
    }

    /// Edits the last uses of each client, whenever a node asks for them.
    pub(crate) fn edit_last_uses(
        &self,
        edit: impl Fn(&ClientId, LastUses) -> LastUses + Send + Sync + 'static,
    ) {
        self.lies.lock().unwrap().last_uses = Some(Arc::new(edit));
    }

    /// Answers with so many commits more than it is asked for.
    pub(crate) fn read_more(&self, commits: usize) {
        self.lies.lock().unwrap().more_commits = commits;
    }

    /// Takes everything back.
    pub(crate) fn confess(&self) {
        *self.lies.lock().unwrap() = Lies::default();
    }
}

impl std::fmt::Debug for Hostile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hostile").finish_non_exhaustive()
    }
}

impl Store for Hostile {
    async fn load(&self, id: RecordId<'_>) -> Result<Option<Record>, StoreError> {
        let lie = self.lies.lock().unwrap().records.get(id.as_str()).cloned();
        match lie {
            Some(lie) => Ok(lie),
            None => self.memory.load(id).await,
        }
    }

    async fn history(
        &self,
        client_id: &ClientId,
        after: Revision,
        limit: usize,
    ) -> Result<Vec<Committed>, StoreError> {
        let limit = limit.saturating_add(self.lies.lock().unwrap().more_commits);
        let mut history = self.memory.history(client_id, after, limit).await?;
        if let Some(edit) = self.lies.lock().unwrap().text.clone() {
            for text in history.iter_mut().flat_map(|committed| &mut committed.events) {
                *text = edit(text.clone());
            }
        }
        let Some(edit) = self.lies.lock().unwrap().trail.clone() else {
            return Ok(history);
        };
        // Each event goes on standing with the commit that it says it is of.
        let events = edit(history.iter().flat_map(|committed| committed.events.clone()).collect());
        for committed in &mut history {
            let revision = committed.revision;
            committed.events =
                events.iter().filter(|event| revision_of(event) == Some(revision)).cloned().collect();
        }
        history.retain(|committed| !committed.events.is_empty());
        Ok(history)
    }

    async fn clients(
        &self,
        by: ClientsBy<'_>,
        after: Option<&ClientId>,
        limit: usize,
    ) -> Result<Vec<ClientId>, StoreError> {
        let clients = self.memory.clients(by, after, limit).await?;
        let edit = self.lies.lock().unwrap().clients.clone().filter(|_| !matches!(by, ClientsBy::All));
        Ok(edit.map_or(clients.clone(), |edit| edit(clients)))
    }

    async fn client_of(&self, add_in: &client_registry::AddInId) -> Result<Option<ClientId>, StoreError> {
        let found = self.memory.client_of(add_in).await?;
        let edit = self.lies.lock().unwrap().client_of.clone();
        Ok(edit.map_or(found.clone(), |edit| edit(found)))
    }

    async fn ending(
        &self,
        before: Timestamp,
        after: Option<&Ending>,
        limit: usize,
    ) -> Result<Vec<Ending>, StoreError> {
        let ending = self.memory.ending(before, after, limit).await?;
        let edit = self.lies.lock().unwrap().ending.clone();
        Ok(edit.map_or(ending.clone(), |edit| edit(ending)))
    }

    async fn changes(&self, after: Option<&Cursor>, limit: usize) -> Result<Changes, StoreError> {
        let mut changes = self.memory.changes(after, limit).await?;
        if let Some(edit) = self.lies.lock().unwrap().feed.clone() {
            changes.events = edit(changes.events);
        }
        if let Some(edit) = self.lies.lock().unwrap().text.clone() {
            changes.events = changes.events.into_iter().map(|text| edit(text)).collect();
        }
        Ok(changes)
    }

    async fn last_uses(&self, client_id: &ClientId) -> Result<LastUses, StoreError> {
        let uses = self.memory.last_uses(client_id).await?;
        let edit = self.lies.lock().unwrap().last_uses.clone();
        Ok(edit.map_or(uses.clone(), |edit| edit(client_id, uses)))
    }

    forward!(memory: latest adopt note_uses);

    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        let taken = self.lies.lock().unwrap().taken.clone();
        match taken {
            Some((entry, by)) => Err(CommitError::Taken { entry, by }),
            None => self.memory.commit(commit).await,
        }
    }
}

/// The revision that an event says it is of.
fn revision_of(text: &EventText) -> Option<Revision> {
    Event::parse(text).ok().map(|event| event.revision())
}
