//! Clients for a large store: made in memory, a thousand at a time, and taken in by `Store::adopt`.

use std::collections::BTreeMap;

use client_registry::store::{Adopted, Commit, Committed, Index, MemoryStore, Record, Store};
use client_registry::{AddIn, AddInId, Availability, Lifetime, NewSecret, Registry};

use crate::clients::{Presented, Seeded, details, keyring, policy, ready, seller_of};
use crate::stores::Tap;

/// Makes clients that differ from all it has made before.
pub struct Fill {
    /// The first commit, of the registry's own record: every thousand belongs to the same registry.
    founding: Commit,
    secrets: usize,
    made: usize,
}

/// The clients of one step, and what they present.
pub struct Step {
    pub adopted: Vec<Adopted>,
    pub presented: Vec<(String, String)>,
}

impl Fill {
    /// Clients with so many secrets each, the last of which signs, and one add-in. They belong to a registry whose own record
    /// is to be committed first.
    pub fn new(secrets: usize) -> Self {
        let memory = Tap::new(MemoryStore::new());
        ready(Registry::builder().entropy(Seeded::default()).open(memory.clone(), keyring())).unwrap();
        Self { founding: memory.last(), secrets, made: 0 }
    }

    pub fn founding(&self) -> &Commit {
        &self.founding
    }

    pub fn made(&self) -> usize {
        self.made
    }

    /// The next clients, at most a thousand.
    pub fn step(&mut self, clients: usize) -> Step {
        let memory = Tap::new(MemoryStore::new());
        ready(memory.commit(&self.founding)).unwrap();
        let entropy = Seeded::with(1 + self.made as u64);
        let registry = Registry::builder().entropy(entropy).policy(policy()).open(memory.clone(), keyring());
        let registry = ready(registry).unwrap();
        memory.take();
        let mut presented = Vec::with_capacity(clients);
        for number in self.made..self.made + clients {
            let seller = registry.as_seller(seller_of(number)).unwrap();
            let issued = ready(seller.register(details(number), Lifetime::OneYear)).unwrap();
            let client = seller.client(issued.client_id());
            for _ in 1..self.secrets {
                drop(ready(client.add_secret(NewSecret::lasting(Lifetime::TwoYears))).unwrap());
            }
            ready(client.associate(&add_in(number))).unwrap();
            presented
                .push((issued.client_id().as_str().to_owned(), issued.client_secret().expose().to_owned()));
        }
        self.made += clients;
        Step { adopted: adopted(memory.take()), presented }
    }

    /// Adds clients to a store until there are so many, and what they present to a list.
    pub async fn up_to<S: Store>(&mut self, clients: usize, store: &S, presented: &mut Presented) {
        while self.made < clients {
            let step = self.step((clients - self.made).min(1_000));
            store.adopt(&step.adopted).await.unwrap();
            for (id, secret) in &step.presented {
                presented.push(id, secret);
            }
        }
    }
}

/// The add-in of a client.
pub fn add_in(number: usize) -> AddIn {
    AddIn::new(add_in_id(number).as_str(), Availability::Worldwide).unwrap()
}

pub fn add_in_id(number: usize) -> AddInId {
    AddInId::parse(&format!("add-in-{number:08}")).unwrap()
}

fn adopted(commits: Vec<Commit>) -> Vec<Adopted> {
    let mut clients: BTreeMap<String, (Record, Index, Vec<Committed>)> = BTreeMap::new();
    for commit in commits {
        for change in commit.changes() {
            let (record, index) = (change.record().clone(), change.index().clone());
            let entry = clients.entry(change.id().as_str().to_owned());
            let client = entry.or_insert_with(|| (record.clone(), index.clone(), vec![]));
            (client.0, client.1) = (record, index);
            let events = change.events().to_vec();
            client.2.push(Committed { commit_id: commit.id(), revision: change.record().revision(), events });
        }
    }
    clients.into_values().map(|(record, index, history)| Adopted::new(record, index, history)).collect()
}
