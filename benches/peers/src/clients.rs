//! A registry in memory with clients and their client secrets, made from seeded randomness.

use std::fmt;
use std::pin::pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

use client_registry::client::{Client, ClientState, Decision};
use client_registry::entropy::{Entropy, EntropyError};
use client_registry::store::Store;
use client_registry::value::KeyId;
use client_registry::{ClientDetails, ClientId, Days, Keyring, Lifetime, NewSecret, Policy, Registry};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};

/// A registry, and what its clients present.
pub struct Platform {
    pub registry: Registry,
    pub presented: Presented,
}

/// What clients present, in random order, so that a walk along it is a walk through the registry at random, while the texts
/// themselves are read in order.
#[derive(Default)]
pub struct Presented {
    /// One text after the other: a client ID, its client secret, the next client ID.
    texts: String,
}

impl Platform {
    /// So many clients with so many secrets each. `keep` sees every client ID with its client secrets.
    ///
    /// A use of each secret is noted, and for the rest of the run no other: the measured work is the usual one.
    pub fn new(clients: usize, secrets: usize, mut keep: impl FnMut(&str, &[&str])) -> Self {
        let registry = Registry::builder()
            .entropy(Seeded::default())
            .policy(policy())
            .last_use_interval(Days::new(1))
            .in_memory();
        let mut presented = Presented::default();
        for number in 0..clients {
            let (id, texts) = register(&registry, number, secrets);
            let texts: Vec<_> = texts.iter().map(AsRef::as_ref).collect();
            keep(id.as_str(), &texts);
            presented.push(id.as_str(), texts.last().unwrap());
        }
        presented.shuffle();
        for (id, secret) in presented.walk().take(clients) {
            ready(registry.authenticate(id, secret)).unwrap();
        }
        ready(registry.flush_last_uses()).unwrap();
        Self { registry, presented }
    }
}

impl Presented {
    pub fn push(&mut self, id: &str, secret: &str) {
        assert_eq!((id.len(), secret.len()), (ID, SECRET));
        self.texts.push_str(id);
        self.texts.push_str(secret);
    }

    pub fn len(&self) -> usize {
        self.texts.len() / (ID + SECRET)
    }

    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    pub fn shuffle(&mut self) {
        let mut order: Vec<_> = (0..self.len()).collect();
        order.shuffle(&mut StdRng::seed_from_u64(1));
        let mut texts = String::with_capacity(self.texts.len());
        for position in order {
            let (id, secret) = self.at(position);
            texts.push_str(id);
            texts.push_str(secret);
        }
        self.texts = texts;
    }

    pub fn at(&self, position: usize) -> (&str, &str) {
        let start = position * (ID + SECRET);
        self.texts[start..start + ID + SECRET].split_at(ID)
    }

    /// What the clients present, over and over.
    pub fn walk(&self) -> impl Iterator<Item = (&str, &str)> {
        self.walk_from(0.0)
    }

    /// The same, beginning at a part of the way.
    pub fn walk_from(&self, part: f64) -> impl Iterator<Item = (&str, &str)> {
        let clients = self.len();
        let mut position = (clients as f64 * part) as usize;
        std::iter::repeat_with(move || {
            position = if position + 1 < clients { position + 1 } else { 0 };
            self.at(position)
        })
    }

    /// The client IDs.
    pub fn ids(&self) -> Vec<ClientId> {
        (0..self.len()).map(|position| ClientId::parse(self.at(position).0).unwrap()).collect()
    }
}

/// Registers a client and adds secrets to it, each for a year.
pub fn register<S: Store>(
    registry: &Registry<S>,
    number: usize,
    secrets: usize,
) -> (ClientId, Vec<Box<str>>) {
    let seller = registry.as_seller(seller_of(number)).unwrap();
    let first = ready(seller.register(details(number), Lifetime::OneYear)).unwrap();
    let client = seller.client(first.client_id());
    let mut texts = vec![Box::from(first.client_secret().expose())];
    for _ in 1..secrets {
        let next = ready(client.add_secret(NewSecret::lasting(Lifetime::OneYear))).unwrap();
        texts.push(Box::from(next.client_secret().expose()));
    }
    (first.client_id().clone(), texts)
}

/// The outcome of a future that never waits, as all are over the memory store. No executor is measured.
#[inline]
pub fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => unreachable!("the memory store never waits"),
    }
}

/// The next value of a client.
pub fn next(decision: Decision) -> Client {
    match decision.change().unwrap().into_parts() {
        (ClientState::Active(client), _) => client,
        (ClientState::Deleted(_), _) => unreachable!("nothing was deleted"),
    }
}

/// Room for as many secrets as a client may have.
pub fn policy() -> Policy {
    Policy::default().with_max_secrets(32).unwrap()
}

pub fn keyring() -> Keyring {
    Keyring::new(KeyId::parse("2026").unwrap(), b"thirty-two bytes to seal it with").unwrap()
}

/// A hundred clients to a seller.
pub fn seller_of(number: usize) -> String {
    format!("seller-{:05}", number / 100)
}

/// Details as long as those of real clients.
pub fn details(number: usize) -> ClientDetails {
    ClientDetails::new(
        &format!("calendar app {number}"),
        &format!("app-{number}.contoso.com"),
        &format!("https://app-{number}.contoso.com/signed-in"),
    )
    .unwrap()
}

/// A client ID as the library makes them.
pub fn guid(random: &mut StdRng) -> String {
    let mut bytes = [0; 16];
    random.fill_bytes(&mut bytes);
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}

/// The same randomness in every run.
pub struct Seeded(Mutex<StdRng>);

impl Seeded {
    pub fn with(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }
}

impl Default for Seeded {
    fn default() -> Self {
        Self::with(0)
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
