//! What the tests share: a store in a schema of its own, a registry over it whose commits can be looked at.

use std::ops::Deref;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use client_registry::clock::ManualClock;
use client_registry::store::{Commit, CommitError, PostgresStore, Store};
use client_registry::value::KeyId;
use client_registry::{Issued, Keyring, Lifetime, Registry, Seller};

pub(crate) use crate::support::details;
use crate::support::forward;
use crate::support::server::Schema;

pub(crate) const START: &str = "2026-03-01T09:00:00Z";

/// A store that keeps a copy of every commit it is sent.
#[derive(Debug, Clone)]
pub(crate) struct Tap {
    pub(crate) store: PostgresStore,
    sent: Arc<Mutex<Vec<Commit>>>,
}

impl Tap {
    pub(crate) fn new(store: PostgresStore) -> Self {
        Self { store, sent: Arc::default() }
    }

    pub(crate) fn last(&self) -> Commit {
        self.sent.lock().unwrap().last().unwrap().clone()
    }

    pub(crate) fn sent(&self) -> Vec<Commit> {
        self.sent.lock().unwrap().clone()
    }
}

impl Store for Tap {
    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        self.sent.lock().unwrap().push(commit.clone());
        self.store.commit(commit).await
    }

    forward!(store: load history clients client_of ending changes latest adopt note_uses last_uses);
}

/// A registry over a store in a schema of its own, with a clock that stands still.
pub(crate) struct World {
    pub(crate) clock: ManualClock,
    pub(crate) registry: Registry<Tap>,
    pub(crate) contoso: Seller<Tap>,
    pub(crate) schema: Schema,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::in_schema(Schema::shared()).await
    }

    pub(crate) async fn in_schema(schema: Schema) -> Self {
        let store = schema.store().await;
        Self::over(schema, store).await
    }

    pub(crate) async fn over(schema: Schema, store: PostgresStore) -> Self {
        let clock = ManualClock::new(START.parse().unwrap());
        let registry =
            Registry::builder().clock(clock.clone()).open(Tap::new(store), keyring()).await.unwrap();
        let contoso = registry.as_seller("contoso").unwrap();
        Self { clock, registry, contoso, schema }
    }

    pub(crate) async fn register(&self, name: &str) -> Issued {
        register(&self.contoso, name).await
    }
}

impl Deref for World {
    type Target = Registry<Tap>;

    fn deref(&self) -> &Registry<Tap> {
        &self.registry
    }
}

pub(crate) fn keyring() -> Keyring {
    Keyring::new(KeyId::parse("2026").unwrap(), &key(7)).unwrap()
}

/// A key that comes again.
pub(crate) fn key(start: u8) -> [u8; 32] {
    std::array::from_fn(|position| start + position as u8)
}

pub(crate) async fn register<S: Store>(seller: &Seller<S>, name: &str) -> Issued {
    seller.register(details(name), Lifetime::OneYear).await.unwrap()
}

/// Asks again and again until there is an answer, for half a minute.
pub(crate) async fn eventually<T>(ask: impl AsyncFn() -> Option<T>) -> T {
    for _ in 0..3000 {
        if let Some(answer) = ask().await {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it never came to that");
}
