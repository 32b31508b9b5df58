//! `Books`: everything that a memory store keeps besides the records.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use crate::client::LastUses;
use crate::event::EventText;
use crate::record::Record;
use crate::store::{CommitId, Committed, Ending, Index, IndexEntry};
use crate::value::{ClientId, KeyId, Revision, SellerId};

/// The indexes, the trails, the feed and the last uses.
#[derive(Default)]
pub(super) struct Books {
    pub(super) owners: HashMap<IndexEntry, ClientId>,
    pub(super) by_seller: BTreeMap<SellerId, BTreeSet<ClientId>>,
    pub(super) all: BTreeSet<ClientId>,
    pub(super) endings: BTreeSet<Ending>,
    pub(super) trails: HashMap<ClientId, Vec<Stretch>>,
    /// All events in the order of their commits, which is also where the trails have theirs.
    pub(super) feed: Vec<EventText>,
    pub(super) uses: HashMap<ClientId, LastUses>,
    /// The lookup entries of sealed records, which do not show them.
    pub(super) indexes: HashMap<ClientId, Index>,
    pub(super) by_key: BTreeMap<KeyId, BTreeSet<ClientId>>,
    /// Records that are no client's.
    pub(super) reserved: HashMap<Box<str>, Record>,
}

/// What one commit added to a client's trail: where in the feed its events are.
pub(super) struct Stretch {
    pub(super) commit_id: CommitId,
    pub(super) revision: Revision,
    pub(super) events: Range<usize>,
}

impl Books {
    /// Removes the lookup entries of a client.
    pub(super) fn strike_out(&mut self, client_id: &ClientId, index: &Index) {
        for entry in index.unique_entries() {
            self.owners.remove(&entry);
        }
        if let Some((seller, _)) = &index.name {
            remove(&mut self.by_seller, seller, client_id);
        }
        if let Some(key_id) = &index.key_id {
            remove(&mut self.by_key, key_id, client_id);
        }
        for ending in endings(client_id, index) {
            self.endings.remove(&ending);
        }
    }

    /// Adds the lookup entries of a client, and forgets the uses of secrets that it no longer has.
    pub(super) fn enter(&mut self, client_id: &ClientId, index: &Index) {
        self.all.insert(client_id.clone());
        for entry in index.unique_entries() {
            self.owners.insert(entry, client_id.clone());
        }
        if let Some((seller, _)) = &index.name {
            self.by_seller.entry(seller.clone()).or_default().insert(client_id.clone());
        }
        self.endings.extend(endings(client_id, index));
        if let Some(key_id) = &index.key_id {
            self.by_key.entry(key_id.clone()).or_default().insert(client_id.clone());
        }
        if let Some(uses) = self.uses.get_mut(client_id) {
            uses.retain(|secret| index.ends.iter().any(|(id, _)| *id == secret));
            if uses.is_empty() {
                self.uses.remove(client_id);
            }
        }
    }

    pub(super) fn append(
        &mut self,
        client_id: &ClientId,
        commit_id: CommitId,
        revision: Revision,
        events: &[EventText],
    ) {
        if events.is_empty() {
            return;
        }
        let start = self.feed.len();
        self.feed.extend_from_slice(events);
        let trail = self.trails.entry(client_id.clone()).or_default();
        trail.push(Stretch { commit_id, revision, events: start..self.feed.len() });
    }

    pub(super) fn committed(&self, stretch: &Stretch) -> Committed {
        let Some(events) = self.feed.get(stretch.events.clone()) else {
            unreachable!("a stretch lies within the feed, which only grows");
        };
        let Stretch { commit_id, revision, .. } = *stretch;
        Committed { commit_id, revision, events: events.to_vec() }
    }
}

fn remove<K: Ord>(lists: &mut BTreeMap<K, BTreeSet<ClientId>>, key: &K, client_id: &ClientId) {
    if let Some(ids) = lists.get_mut(key) {
        ids.remove(client_id);
        if ids.is_empty() {
            lists.remove(key);
        }
    }
}

fn endings(client_id: &ClientId, index: &Index) -> impl Iterator<Item = Ending> {
    index.ends.iter().filter_map(|(secret, until)| {
        until.map(|at| Ending { at, client_id: client_id.clone(), secret: *secret })
    })
}
