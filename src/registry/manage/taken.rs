//! Who has what a commit would have taken (rules 1 and 15).
//!
//! That comes from an index, and an index is a hint: a store that an attacker writes to may name anybody. So what is shown to
//! the actor, and what is believed, is looked up in the record that the index leads to.

use crate::record::{Opened, RecordId};
use crate::registry::manage::view::View;
use crate::registry::{Error, Registry};
use crate::store::{ClientsBy, Commit, IndexEntry, Store};
use crate::store_error::{StoreError, tampered};
use crate::value::ClientId;

impl<S: Store> View<S> {
    /// Says why a commit was not made that would have taken an entry, naming only what the actor may see. `None` when its
    /// holder has let go of it meanwhile.
    pub(in crate::registry) async fn taken(&self, entry: IndexEntry, by: ClientId) -> Option<Error> {
        match self.registry.holder(&entry, &by).await {
            Ok(Some(holder)) => match entry {
                IndexEntry::Name(..) => {
                    self.name_taken(&holder, by).await.unwrap_or_else(|error| Some(error.into()))
                }
                IndexEntry::AddIn(add_in) => {
                    let visible = self.actor.may_act_for(holder.owner());
                    Some(Error::AddInTaken { add_in, by: visible.then_some(by) })
                }
            },
            Ok(None) => None,
            Err(error) => Some(error.into()),
        }
    }

    /// Says of the client that has a name what tells whether its registration was cut short.
    async fn name_taken(&self, holder: &Opened, by: ClientId) -> Result<Option<Error>, StoreError> {
        let Opened::Active(live) = holder else {
            return Ok(None);
        };
        let inner = &self.registry.inner;
        let uses = inner.uses.of(&inner.store, &by, &*inner.clock).await?;
        let last_used = live.client().secrets().filter_map(|secret| uses.of(secret.id())).max();
        Ok(Some(Error::NameTaken { by, registered_at: live.client().registered_at(), last_used }))
    }
}

impl<S: Store> Registry<S> {
    /// The client of this ID, if the entry is its own; `None` if the store no longer says so either.
    async fn holder(&self, entry: &IndexEntry, by: &ClientId) -> Result<Option<Opened>, StoreError> {
        // An entry that changes hands between the two look-ups is not where the first one said: look once more.
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

/// An entry that a store says is taken has to be one that the commit asked for: anything else is a lie about others.
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
