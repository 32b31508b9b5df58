//! Finding the client that has a name or an add-in that a commit would have taken (rules 1 and 15).
//!
//! The store answers from an index, and an index is a hint: a store that an attacker writes to may name any client. So the
//! record that the index leads to decides what is believed and what the actor is shown. Another seller's client ID is never
//! named.

use crate::record::{Opened, RecordId};
use crate::registry::manage::view::View;
use crate::registry::{Error, Registry};
use crate::store::{ClientsBy, Commit, IndexEntry, Store};
use crate::store_error::{StoreError, tampered};
use crate::value::ClientId;

impl<S: Store> View<S> {
    /// Refuses a commit that would have taken an entry, naming only what the actor may see. `Ok` when the holder of the entry
    /// has let go of it meanwhile.
    pub(in crate::registry) async fn taken(&self, entry: IndexEntry, by: ClientId) -> Result<(), Error> {
        let Some(holder) = self.registry.holder(&entry, &by).await? else {
            return Ok(());
        };
        match entry {
            IndexEntry::Name(..) => self.name_taken(&holder, by).await,
            IndexEntry::AddIn(add_in) => {
                let is_visible = self.actor.may_act_for(holder.owner());
                Err(Error::AddInTaken { add_in, by: is_visible.then_some(by) })
            }
        }
    }

    /// Refuses a name with what tells the caller whether the registration of its holder was cut short.
    async fn name_taken(&self, holder: &Opened, by: ClientId) -> Result<(), Error> {
        let Opened::Active(live) = holder else {
            return Ok(());
        };
        let inner = &self.registry.inner;
        let uses = inner.uses.of(&inner.store, &by, &*inner.clock).await?;
        let last_used = live.secrets().filter_map(|secret| uses.of(secret.id())).max();
        Err(Error::NameTaken { by, registered_at: live.registered_at(), last_used })
    }
}

impl<S: Store> Registry<S> {
    /// The client of this ID, if the entry is its own; `None` if the store no longer says so.
    async fn holder(&self, entry: &IndexEntry, by: &ClientId) -> Result<Option<Opened>, StoreError> {
        // An entry may change hands between the two look-ups: then look once more.
        for _ in 0..2 {
            let found = self.load(by).await?.filter(|opened| has(opened, entry));
            if found.is_some() {
                return Ok(found);
            }
            let named = match entry {
                IndexEntry::Name(seller, key) => {
                    self.inner.store.clients(ClientsBy::Name(seller, key), None, 1).await?.pop()
                }
                IndexEntry::AddIn(add_in) => self.inner.store.client_of(add_in).await?,
            };
            if named.as_ref() != Some(by) {
                return Ok(None);
            }
        }
        let error = tampered("an index says that it has a name or an add-in that is not its own");
        self.inner.alarms.store(RecordId::from(by), &error, &*self.inner.clock);
        Err(error)
    }
}

/// Returns whether a commit asked for an entry. A store that says that another entry is taken lies.
pub(in crate::registry) fn was_asked_for(commit: &Commit, entry: &IndexEntry) -> bool {
    commit.changes().iter().any(|change| match entry {
        IndexEntry::Name(seller, key) => {
            change.index().name.as_ref().is_some_and(|(whose, name)| (whose, name) == (seller, key))
        }
        IndexEntry::AddIn(add_in) => change.index().add_ins.contains(add_in),
    })
}

fn has(opened: &Opened, entry: &IndexEntry) -> bool {
    opened.client().is_ok_and(|client| match entry {
        IndexEntry::Name(seller, key) => {
            client.owner() == seller && client.details().friendly_name().key() == *key
        }
        IndexEntry::AddIn(add_in) => client.add_ins().contains(add_in),
    })
}
