//! Comparing what leads to a client with the client: its add-ins, its name, its seller, its ends, its key.
//!
//! Indexes are hints. One that leads elsewhere, or nowhere, hides a client from its seller or from a report.

use std::collections::BTreeSet;
use std::fmt;

use crate::record::Opened;
use crate::registry::Registry;
use crate::registry::upkeep::check::discrepancy::{Discrepancy, Lookup};
use crate::registry::upkeep::check::sweep::{Stray, Sweep, readable, unless_unreadable};
use crate::registry::walk::{PAGE, Walk};
use crate::store::{ClientsBy, Ending, Index, Store};
use crate::store_error::StoreError;
use crate::value::{AddInId, ClientId, Timestamp};

impl<S: Store> Registry<S> {
    /// Notes the lists that a client should be in, and compares the look-ups that lead to single clients. `once` are the
    /// add-ins that the client ever had.
    pub(super) async fn note_lookups(
        &self,
        opened: &Opened,
        once: BTreeSet<AddInId>,
        sweep: &mut Sweep,
    ) -> Result<(), StoreError> {
        let store = &self.inner.store;
        let client_id = opened.client_id();
        let key_id = match &self.inner.protection {
            Some(_) => store.load(client_id.into()).await?.and_then(|record| record.key_id().cloned()),
            None => None,
        };
        let index = Index::of(opened, key_id.as_ref());
        // First everything that needs no look-up, so that it is noted whatever the store answers.
        let of_seller = sweep.by_seller.entry(opened.owner().clone()).or_default();
        // A deleted client is in no list of its seller.
        if index.name.is_some() {
            of_seller.insert(client_id.clone());
        }
        for (secret, until) in &index.ends {
            let ending = until.map(|at| Ending { at, client_id: client_id.clone(), secret: *secret });
            sweep.endings.extend(ending);
        }
        if let Some(key_id) = &index.key_id {
            sweep.by_key.entry(key_id.clone()).or_default().insert(client_id.clone());
        }
        for add_in in &index.add_ins {
            if store.client_of(add_in).await?.as_ref() != Some(client_id) {
                sweep.strays.insert((client_id.clone(), Lookup::AddIn, false, add_in.to_string()));
            }
        }
        for add_in in once.iter().filter(|add_in| !index.add_ins.contains(add_in)) {
            if store.client_of(add_in).await?.as_ref() == Some(client_id) {
                sweep.strays.insert((client_id.clone(), Lookup::AddIn, true, add_in.to_string()));
            }
        }
        if let Some((seller, name)) = &index.name {
            let found = store.clients(ClientsBy::Name(seller, name), None, 2).await?;
            for other in found.iter().filter(|found| *found != client_id) {
                sweep.strays.insert((other.clone(), Lookup::Name, true, name.as_str().to_owned()));
            }
            if !found.contains(client_id) {
                sweep.strays.insert((client_id.clone(), Lookup::Name, false, name.as_str().to_owned()));
            }
        }
        Ok(())
    }

    /// Compares the lists of the store with the lists that the records make. A list that cannot be read is reported, and the
    /// others are compared all the same.
    pub(super) async fn strays(
        &self,
        sweep: &Sweep,
        discrepancies: &mut Vec<Discrepancy>,
    ) -> Result<BTreeSet<Stray>, StoreError> {
        let mut strays = sweep.strays.clone();
        for (seller, expected) in &sweep.by_seller {
            let found = unless_unreadable(self.all_by(ClientsBy::Seller(seller)).await, discrepancies)?;
            if let Some(found) = found {
                compare(&mut strays, Lookup::Seller, expected, &found, Clone::clone);
            }
        }
        let keys = match self.keys().await {
            Ok(keys) => keys,
            // Reported already.
            Err(error) => readable(error).map(|_| Vec::new())?,
        };
        let keys: BTreeSet<_> =
            keys.into_iter().map(|key| key.id).chain(sweep.by_key.keys().cloned()).collect();
        for key_id in &keys {
            let expected = sweep.by_key.get(key_id).cloned().unwrap_or_default();
            if let Some(found) = unless_unreadable(self.all_by(ClientsBy::Key(key_id)).await, discrepancies)?
            {
                compare(&mut strays, Lookup::Key, &expected, &found, Clone::clone);
            }
        }
        if let Some(found) = unless_unreadable(self.all_endings().await, discrepancies)? {
            let whose = |ending: &Ending| ending.client_id.clone();
            compare(&mut strays, Lookup::Ending, &sweep.endings, &found, whose);
        }
        Ok(strays)
    }

    async fn all_endings(&self) -> Result<BTreeSet<Ending>, StoreError> {
        let store = &self.inner.store;
        let (mut all, mut walk) = (BTreeSet::new(), Walk::new());
        let load =
            |after: Option<Ending>| async move { store.ending(Timestamp::MAX, after.as_ref(), PAGE).await };
        while let Some(page) = walk.next(load, Ending::clone).await? {
            all.extend(page);
        }
        Ok(all)
    }

    async fn all_by(&self, by: ClientsBy<'_>) -> Result<BTreeSet<ClientId>, StoreError> {
        let (mut all, mut walk) = (BTreeSet::new(), Walk::new());
        while let Some(page) = self.next_clients(&mut walk, by).await? {
            all.extend(page);
        }
        Ok(all)
    }
}

/// Notes the differences between two lists.
fn compare<T: Ord + fmt::Debug>(
    strays: &mut BTreeSet<Stray>,
    lookup: Lookup,
    expected: &BTreeSet<T>,
    found: &BTreeSet<T>,
    whose: impl Fn(&T) -> ClientId,
) {
    let stray = |one: &T, is_found| (whose(one), lookup, is_found, format!("{one:?}"));
    strays.extend(expected.difference(found).map(|one| stray(one, false)));
    strays.extend(found.difference(expected).map(|one| stray(one, true)));
}
