//! Snapshots of everything that a store shows of some clients, to be compared.

use std::collections::BTreeMap;

use crate::conformance::Factory;
use crate::conformance::author::{Step, client_id, secret};
use crate::conformance::stop::{Checked, brief, ensure};
use crate::conformance::trial::{MANY, Trial};
use crate::event::EventText;
use crate::record::{Record, RecordId};
use crate::store::{ClientsBy, Ending, IndexEntry};
use crate::value::{AddInId, ClientId, KeyId, NameKey, Revision, SellerId, Timestamp};

/// The answers of a store, each under a name.
#[derive(PartialEq, Eq)]
pub(super) struct Picture(BTreeMap<String, String>);

/// A kind of look-up.
#[derive(Debug, Clone, Copy)]
pub(super) enum Look {
    Load,
    /// A load of the registry's record.
    Registry,
    History,
    LastUses,
    ClientOf,
    All,
    BySeller,
    ByName,
    ByKey,
    Ending,
    Changes,
    /// The same lists after a place that lies before everything: a store may look only for the first page.
    HistoryAfter,
    AllAfter,
    BySellerAfter,
    ByNameAfter,
    ByKeyAfter,
    EndingAfter,
}

impl Look {
    pub(super) const EACH: [Self; 17] = [
        Self::Load,
        Self::Registry,
        Self::History,
        Self::LastUses,
        Self::ClientOf,
        Self::All,
        Self::BySeller,
        Self::ByName,
        Self::ByKey,
        Self::Ending,
        Self::Changes,
        Self::HistoryAfter,
        Self::AllAfter,
        Self::BySellerAfter,
        Self::ByNameAfter,
        Self::ByKeyAfter,
        Self::EndingAfter,
    ];
}

impl Look {
    fn is_after(self) -> bool {
        matches!(self, Self::AllAfter | Self::BySellerAfter | Self::ByNameAfter | Self::ByKeyAfter)
    }
}

/// The clients, add-ins, names and keys to look at.
#[derive(Default)]
pub(super) struct Subjects {
    clients: Vec<ClientId>,
    add_ins: Vec<AddInId>,
    names: Vec<(SellerId, NameKey)>,
    keys: Vec<KeyId>,
}

impl Subjects {
    /// Everything that occurs in some steps.
    pub(super) fn of<'a>(steps: impl IntoIterator<Item = &'a Step>) -> Self {
        let mut subjects = Self::default();
        for step in steps {
            subjects.clients.push(step.id().clone());
            subjects.keys.extend(step.index().key_id.clone());
            for entry in step.index().unique_entries() {
                match entry {
                    IndexEntry::AddIn(add_in) => subjects.add_ins.push(add_in),
                    IndexEntry::Name(seller, key) => subjects.names.push((seller, key)),
                }
            }
        }
        subjects
    }

    /// The answers of one kind of look-up. No other look-up is made.
    pub(super) fn look<F: Factory>(&self, look: Look, trial: &Trial<'_, F>) -> Checked<Vec<String>> {
        let mut seen = Vec::new();
        let mut see = |found: &dyn std::fmt::Debug| seen.push(format!("{found:?}"));
        let lowest = client_id("--------")?;
        let clients = |by| trial.clients_after(by, look.is_after().then_some(&lowest), MANY);
        match look {
            Look::Load => {
                for id in self.clients.iter().map(RecordId::from) {
                    see(&(id.as_str(), trial.load(id)?.as_ref().map(Record::to_bytes).transpose()?));
                }
            }
            Look::Registry => {
                see(&trial.load(RecordId::REGISTRY)?.as_ref().map(Record::to_bytes).transpose()?);
            }
            Look::History => {
                for id in &self.clients {
                    see(&(id, trial.history(id)?));
                }
            }
            Look::LastUses => {
                for id in &self.clients {
                    see(&(id, trial.last_uses(id)?));
                }
            }
            Look::ClientOf => {
                for id in &self.add_ins {
                    see(&(id, trial.client_of(id)?));
                }
            }
            Look::HistoryAfter => {
                for id in &self.clients {
                    see(&(id, trial.history_after(id, Revision::new(1), MANY)?));
                }
            }
            Look::All | Look::AllAfter => see(&clients(ClientsBy::All)?),
            Look::BySeller | Look::BySellerAfter => {
                for (seller, _) in &self.names {
                    see(&(seller, clients(ClientsBy::Seller(seller))?));
                }
            }
            Look::ByName | Look::ByNameAfter => {
                for (seller, key) in &self.names {
                    see(&(seller, key, clients(ClientsBy::Name(seller, key))?));
                }
            }
            Look::ByKey | Look::ByKeyAfter => {
                for key_id in &self.keys {
                    see(&(key_id, clients(ClientsBy::Key(key_id))?));
                }
            }
            Look::EndingAfter => {
                let first = Ending { at: Timestamp::MIN, client_id: lowest, secret: secret(1)? };
                see(&trial.ending(Timestamp::MAX, Some(&first), MANY)?);
            }
            Look::Ending => see(&trial.ending(Timestamp::MAX, None, MANY)?),
            Look::Changes => see(&per_client(trial.drain(None, 7)?.0)),
        }
        Ok(seen)
    }

    /// What the store shows of each of them alone. The order does not matter.
    pub(super) fn own<F: Factory>(&self, trial: &Trial<'_, F>) -> Checked<Vec<String>> {
        let mut seen = Vec::new();
        for id in &self.clients {
            let bytes = trial.load(id.into())?.as_ref().map(Record::to_bytes).transpose()?;
            seen.push(format!("record {id}: {bytes:?}"));
            seen.push(format!("history of {id}: {:?}", trial.history(id)?));
            seen.push(format!("last uses of {id}: {:?}", trial.last_uses(id)?));
        }
        for add_in in &self.add_ins {
            seen.push(format!("client of {add_in}: {:?}", trial.client_of(add_in)?));
        }
        for (seller, key) in &self.names {
            let found = trial.clients(ClientsBy::Name(seller, key))?;
            seen.push(format!("client {key:?} of {seller}: {found:?}"));
        }
        Ok(seen)
    }

    /// Makes every look-up.
    pub(super) fn picture<F: Factory>(&self, trial: &Trial<'_, F>) -> Checked<Picture> {
        let mut seen = BTreeMap::new();
        let mut see = |what: String, found: &dyn std::fmt::Debug| {
            seen.insert(what, format!("{found:?}"));
        };
        let ids = self.clients.iter().map(RecordId::from).chain([RecordId::REGISTRY]);
        for id in ids {
            let bytes = trial.load(id)?.as_ref().map(Record::to_bytes).transpose()?;
            see(format!("record {id}"), &bytes);
        }
        for id in &self.clients {
            see(format!("history of {id}"), &trial.history(id)?);
            see(format!("last uses of {id}"), &trial.last_uses(id)?);
        }
        for add_in in &self.add_ins {
            see(format!("client of {add_in}"), &trial.client_of(add_in)?);
        }
        for (seller, key) in &self.names {
            see(format!("clients of {seller}"), &trial.clients(ClientsBy::Seller(seller))?);
            see(format!("client {key:?} of {seller}"), &trial.clients(ClientsBy::Name(seller, key))?);
        }
        for key_id in &self.keys {
            see(format!("clients under {key_id}"), &trial.clients(ClientsBy::Key(key_id))?);
        }
        see("all clients".to_owned(), &trial.clients(ClientsBy::All)?);
        see("endings".to_owned(), &trial.ending(Timestamp::MAX, None, MANY)?);
        see("feed".to_owned(), &per_client(trial.drain(None, 7)?.0));
        Ok(Picture(seen))
    }
}

impl Picture {
    /// Fails unless both pictures show the same.
    pub(super) fn is_still(&self, later: &Self, since: &str) -> Checked {
        for (what, before) in &self.0 {
            let after = later.0.get(what);
            ensure!(
                after == Some(before),
                "{since}, {what} is different: it was {}, and is {}",
                brief(&before),
                brief(&after)
            );
        }
        Ok(())
    }
}

/// The texts of events by client, each client's in order. Texts that name no client come under `None`.
pub(super) fn per_client(events: Vec<EventText>) -> BTreeMap<Option<ClientId>, Vec<EventText>> {
    let mut trails: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for event in events {
        trails.entry(event.client_id()).or_default().push(event);
    }
    trails
}
