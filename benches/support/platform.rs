//! A registry in memory with clients and their client secrets, made from seeded randomness.

use std::fmt;
use std::sync::Mutex;

use client_registry::entropy::{Entropy, EntropyError};
use client_registry::{ClientDetails, ClientId, Days, Lifetime, NewSecret, Policy, Registry};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};

use super::ready;

/// A registry, and what its clients present.
pub(crate) struct Platform {
    pub(crate) registry: Registry,
    /// One text after the other: a client ID, its last client secret, the next client ID. In random order, so that a
    /// walk along it is a walk through the registry at random, while what is presented is itself read in order.
    presented: String,
}

impl Platform {
    /// So many clients with so many secrets each. `keep` sees every client ID with its client secrets.
    ///
    /// A use of each secret is noted, and for the rest of the run no other: the measured work is the usual one.
    pub(crate) fn new(clients: usize, secrets: usize, mut keep: impl FnMut(&str, &[&str])) -> Self {
        let registry = Registry::builder()
            .entropy(Seeded::default())
            .policy(Policy::default().with_max_secrets(8).unwrap())
            .last_use_interval(Days::new(1))
            .in_memory();
        let mut credentials: Vec<_> = (0..clients)
            .map(|number| {
                let (id, texts) = register(&registry, number, secrets);
                let texts: Vec<_> = texts.iter().map(AsRef::as_ref).collect();
                keep(id.as_str(), &texts);
                let last = texts.last().unwrap();
                assert_eq!((id.as_str().len(), last.len()), (ID, SECRET));
                [id.as_str(), last].concat()
            })
            .collect();
        credentials.shuffle(&mut StdRng::seed_from_u64(1));
        let platform = Self { registry, presented: credentials.concat() };
        for (id, secret) in platform.walk().take(clients) {
            ready(platform.registry.authenticate(id, secret)).unwrap();
        }
        ready(platform.registry.flush_last_uses()).unwrap();
        platform
    }

    /// What the clients present, over and over.
    pub(crate) fn walk(&self) -> impl Iterator<Item = (&str, &str)> {
        self.walk_from(0.0)
    }

    /// The same, beginning at a part of the way.
    pub(crate) fn walk_from(&self, part: f64) -> impl Iterator<Item = (&str, &str)> {
        let clients = self.presented.len() / (ID + SECRET);
        let mut position = (clients as f64 * part) as usize;
        std::iter::repeat_with(move || {
            position = if position + 1 < clients { position + 1 } else { 0 };
            let start = position * (ID + SECRET);
            let presented = &self.presented[start..start + ID + SECRET];
            presented.split_at(ID)
        })
    }
}

/// A hundred clients to a seller.
pub(crate) fn seller_of(number: usize) -> String {
    format!("seller-{:05}", number / 100)
}

/// Details as long as those of real clients.
pub(crate) fn details(number: usize) -> ClientDetails {
    ClientDetails::new(
        &format!("calendar app {number}"),
        &format!("app-{number}.contoso.com"),
        &format!("https://app-{number}.contoso.com/signed-in"),
    )
    .unwrap()
}

fn register(registry: &Registry, number: usize, secrets: usize) -> (ClientId, Vec<Box<str>>) {
    let seller = registry.as_seller(seller_of(number)).unwrap();
    let first = seller.register(details(number), Lifetime::OneYear);
    let first = ready(first).unwrap();
    let client = seller.client(first.client_id());
    let mut texts = vec![Box::from(first.client_secret().expose())];
    for _ in 1..secrets {
        let next = ready(client.add_secret(NewSecret::lasting(Lifetime::OneYear))).unwrap();
        texts.push(Box::from(next.client_secret().expose()));
    }
    (first.client_id().clone(), texts)
}

/// The same randomness in every run.
pub(crate) struct Seeded(Mutex<StdRng>);

impl Default for Seeded {
    fn default() -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(0)))
    }
}

impl Entropy for Seeded {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        self.0.lock().unwrap().fill_bytes(buffer);
        Ok(())
    }
}

impl fmt::Debug for Seeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seeded").finish_non_exhaustive()
    }
}

/// The lengths of a client ID and a client secret that were made here.
const ID: usize = 36;
const SECRET: usize = 53;
