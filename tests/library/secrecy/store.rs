//! What goes through the contract for stores.

use client_registry::store::{
    Adopted, ClientsBy, CommitError, Cursor, DynStore, Expected, IndexEntry, MemoryStore, RecordId, Store,
    StoreError, StoreErrorKind, Use,
};
use client_registry::value::Revision;
use client_registry::*;

use super::Life;
use super::faces::see;
use crate::support::{START, instant, secret_id};

impl Life {
    /// What the store was given, and its own types.
    pub(super) async fn store(&mut self) {
        let store = self.platform.store.clone();
        let commits = store.commits();
        assert!(commits.len() > 15, "a whole life");
        for commit in &commits {
            see!(self.walker, *commit, commit.id());
            for change in commit.changes() {
                see!(self.walker, *change, *change.record(), *change.index());
                see!(self.walker, change.expected(), change.record().id());
                for text in change.events() {
                    see!(self.walker, text, Event::parse(text).unwrap());
                }
            }
        }
        let id = ClientId::parse("legacy-calendar").unwrap();
        let page = crate::at_rest::world::page_with_an_unreadable_client().await;
        see!(self.walker, page, page.unreadable()[0]);
        let record = store.load(RecordId::from(&id)).await.unwrap().unwrap();
        let history = store.history(&id, Revision::ZERO, usize::MAX).await.unwrap();
        see!(self.walker, history[0], record);
        let changes = commits.iter().flat_map(|commit| commit.changes());
        let last = changes.rev().find(|change| change.id() == RecordId::from(&id)).unwrap();
        let adopted = Adopted::new(record, last.index().clone(), history);
        see!(self.walker, adopted);
        let memory = MemoryStore::new();
        memory.adopt(std::slice::from_ref(&adopted)).await.unwrap();
        let conflict = memory.adopt(&[adopted]).await.unwrap_err();
        see!(self.walker, conflict);
        let ending = memory.ending(Timestamp::MAX, None, 1).await.unwrap().remove(0);
        let changes = memory.changes(None, 100).await.unwrap();
        let lost = memory.changes(Some(&Cursor::new("elsewhere")), 1).await.unwrap_err();
        see!(self.walker, ending, changes, changes.cursor, lost);
        let (secret, at) = (secret_id(1), instant(START));
        let used = Use { client_id: id.clone(), secret, at };
        memory.note_uses(std::slice::from_ref(&used), Timestamp::MAX).await.unwrap();
        see!(self.walker, used, memory.last_uses(&id).await.unwrap());
        let entry = IndexEntry::AddIn(AddInId::parse("mail-helper").unwrap());
        let taken = CommitError::Taken { entry, by: id };
        see!(self.walker, taken, ClientsBy::All, Expected::Absent);
        let failed = StoreError::with_source(StoreErrorKind::ReadOnly, "a full disk");
        see!(self.walker, failed.kind(), CommitError::from(failed));
        see!(self.walker, memory, DynStore::new(memory.clone()));
        see!(self.walker, IndexEntry::AddIn(AddInId::parse("mail-helper").unwrap()));
    }
}
