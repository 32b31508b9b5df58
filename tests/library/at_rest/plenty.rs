//! Registries with more than is read at once, and what is wrong behind the first page.

use std::sync::{Arc, Mutex};

use client_registry::store::{
    ClientsBy, Commit, CommitError, Committed, MemoryStore, Record, RecordId, Store, StoreError,
};
use client_registry::value::Revision;
use client_registry::*;
use pollster::block_on;

use crate::at_rest::world::{filled, key, open};
use crate::support::details;
use crate::support::forward::forward;

/// A store in which nothing is left of one client but its events, and in which one commit has lost its own.
#[derive(Debug, Clone)]
struct Hiding {
    memory: MemoryStore,
    hidden: Arc<Mutex<Option<ClientId>>>,
    emptied: Arc<Mutex<Option<(ClientId, Revision)>>>,
}

impl Hiding {
    fn over(memory: MemoryStore) -> Self {
        Self { memory, hidden: Arc::default(), emptied: Arc::default() }
    }

    fn hides(&self, id: &str) -> bool {
        self.hidden.lock().unwrap().as_ref().is_some_and(|hidden| hidden.as_str() == id)
    }
}

impl Store for Hiding {
    async fn load(&self, id: RecordId<'_>) -> Result<Option<Record>, StoreError> {
        if self.hides(id.as_str()) { Ok(None) } else { self.memory.load(id).await }
    }

    async fn clients(
        &self,
        by: ClientsBy<'_>,
        after: Option<&ClientId>,
        limit: usize,
    ) -> Result<Vec<ClientId>, StoreError> {
        // One more than is asked for, so that a page that lacks one is as long as any other.
        let mut clients = self.memory.clients(by, after, limit.saturating_add(1)).await?;
        clients.retain(|id| !self.hides(id.as_str()));
        clients.truncate(limit);
        Ok(clients)
    }

    async fn ending(
        &self,
        before: Timestamp,
        after: Option<&store::Ending>,
        limit: usize,
    ) -> Result<Vec<store::Ending>, StoreError> {
        let mut ends = self.memory.ending(before, after, limit.saturating_add(1)).await?;
        ends.retain(|end| !self.hides(end.client_id.as_str()));
        ends.truncate(limit);
        Ok(ends)
    }

    async fn history(
        &self,
        client_id: &ClientId,
        after: Revision,
        limit: usize,
    ) -> Result<Vec<Committed>, StoreError> {
        let mut history = self.memory.history(client_id, after, limit).await?;
        let emptied = self.emptied.lock().unwrap().clone();
        for committed in &mut history {
            if emptied == Some((client_id.clone(), committed.revision)) {
                committed.events.clear();
            }
        }
        Ok(history)
    }

    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        self.memory.commit(commit).await
    }

    forward!(memory: changes client_of latest adopt note_uses last_uses);
}

/// Clients of one seller, in the order in which they were registered.
async fn register_some<S: Store>(registry: &Registry<S>, count: usize) -> Vec<ClientId> {
    let fabrikam = registry.as_seller("fabrikam").unwrap();
    let mut ids = Vec::new();
    for number in 0..count {
        let details = details(&format!("app {number}"));
        let issued = fabrikam.register(details, Lifetime::OneYear).await.unwrap();
        ids.push(issued.client_id().clone());
    }
    ids
}

/// What the check finds of a client, and that it finds nothing of others.
async fn found<S: Store>(registry: &Registry<S>, id: &ClientId) -> Vec<String> {
    let checked = registry.check().await.unwrap();
    assert!(!checked.is_clean());
    let whose: Vec<_> = checked.discrepancies.iter().map(|fault| fault.client_id().cloned()).collect();
    assert!(whose.iter().all(|whose| whose.as_ref() == Some(id)), "{:?}", checked.discrepancies);
    checked.discrepancies.iter().map(|fault| format!("{:?}", fault.what())).collect()
}

#[test]
fn a_client_of_which_nothing_is_left_but_its_events_is_found_behind_a_thousand() {
    block_on(async {
        let memory = MemoryStore::new();
        let (registry, _) = open(memory.clone(), &["2026"], 1).await;
        // Two events each: the last one's are behind the first page of the feed.
        let ids = register_some(&registry, 620).await;
        let store = Hiding::over(memory);
        let (checking, _) = open(store.clone(), &["2026"], 2).await;
        let checked = checking.check().await.unwrap();
        assert!(checked.is_clean(), "{:?}", checked.discrepancies);
        assert_eq!((checked.clients, checked.events), (620, 1240));
        for hidden in [&ids[0], &ids[619]] {
            *store.hidden.lock().unwrap() = Some(hidden.clone());
            let (checking, _) = open(store.clone(), &["2026"], 3).await;
            assert_eq!(found(&checking, hidden).await, ["NoRecord"]);
        }
    });
}

#[test]
fn a_trail_of_more_than_a_thousand_commits_is_followed_to_its_end() {
    block_on(async {
        let memory = MemoryStore::new();
        let (registry, _) = open(memory.clone(), &["2026"], 1).await;
        let id = register_some(&registry, 1).await.remove(0);
        let client = registry.as_seller("fabrikam").unwrap().client(&id);
        let add_in = AddIn::new("calendar", Availability::Worldwide).unwrap();
        for _ in 0..510 {
            client.associate(&add_in).await.unwrap();
            client.dissociate(add_in.id()).await.unwrap();
        }
        let store = Hiding::over(memory);
        let (checking, _) = open(store.clone(), &["2026"], 2).await;
        let checked = checking.check().await.unwrap();
        assert!(checked.is_clean(), "{:?}", checked.discrepancies);
        assert_eq!((checked.clients, checked.events), (1, 1022));
        *store.emptied.lock().unwrap() = Some((id.clone(), Revision::new(1015)));
        assert_eq!(found(&checking, &id).await, ["BrokenTrail { at: Revision(1015) }"]);
    });
}

#[test]
fn a_commit_without_events_breaks_the_trail_where_it_stands() {
    block_on(async {
        let (memory, _, _, contents) = filled().await;
        let store = Hiding::over(memory);
        let (checking, _) = open(store.clone(), &["2026"], 2).await;
        let id = &contents.clients[0];
        for at in [1, 2, 3] {
            *store.emptied.lock().unwrap() = Some((id.clone(), Revision::new(at)));
            let expected = format!("BrokenTrail {{ at: Revision({at}) }}");
            assert_eq!(found(&checking, id).await, [expected]);
        }
    });
}

#[test]
fn more_than_a_thousand_records_are_resealed_and_counted() {
    block_on(async {
        let memory = MemoryStore::new();
        let (registry, _) = open(memory.clone(), &["2026"], 1).await;
        register_some(&registry, 1001).await;
        let (both, _) = open(memory, &["2027", "2026"], 2).await;
        let mut resealing = both.reseal().await.unwrap();
        assert_eq!(resealing.so_far().total, 1001);
        let mut last = None;
        while let Some(so_far) = resealing.step(400).await.unwrap() {
            last = Some((so_far.done, so_far.total, so_far.left));
        }
        assert_eq!(last, Some((1001, 1001, 0)));
        assert!(both.clients_under(&key("2026").0, None, 1).await.unwrap().is_empty());
    });
}

/// A node that still writes under the old key changes what was resealed: the next round finds it.
#[test]
fn what_came_under_the_old_key_again_is_resealed_in_a_second_round() {
    block_on(async {
        let (memory, ..) = filled().await;
        let (old_node, _) = open(memory.clone(), &["2026", "2027"], 2).await;
        let (new_node, _) = open(memory, &["2027", "2026"], 3).await;
        let mut resealing = new_node.reseal().await.unwrap();
        resealing.step(2).await.unwrap();
        let (old, new) = (key("2026").0, key("2027").0);
        // It is before the place that the first round has come to.
        let resealed = new_node.clients_under(&new, None, 10).await.unwrap();
        assert_eq!(resealed.len(), 2);
        let ann = old_node.as_operator("ann").unwrap();
        let mut changed = 0;
        for id in &resealed {
            let secret = NewSecret::lasting(Lifetime::OneYear);
            changed += usize::from(ann.client(id).add_secret(secret).await.is_ok());
        }
        assert!(changed > 0);
        assert_eq!(new_node.clients_under(&old, None, 10).await.unwrap().len(), 2 + changed);
        while resealing.step(10).await.unwrap().is_some() {}
        assert!(new_node.clients_under(&old, None, 10).await.unwrap().is_empty());
        assert_eq!(resealing.failed().count(), 0);
        assert!(new_node.check().await.unwrap().is_clean());
    });
}
