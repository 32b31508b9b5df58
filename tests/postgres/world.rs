//! What the tests share: a store in a schema of its own, a registry over it whose commits can be looked at.

use std::ops::Deref;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use client_registry::store::{Commit, CommitError, PostgresOptions, PostgresStore, Store};
use client_registry::{
    Availability, ClientDetails, Issued, KeyId, Keyring, Lifetime, ManualClock, Registry, Seller,
};

use crate::forward::forward;
use crate::server::shared_url;

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

/// A schema of its own on some server. Goes when it is dropped.
pub(crate) struct Schema {
    pub(crate) url: String,
    pub(crate) name: String,
}

impl Schema {
    pub(crate) fn shared() -> Self {
        Self::at(shared_url())
    }

    pub(crate) fn at(url: String) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        Self { url, name: format!("test_{}_{count}", std::process::id()) }
    }

    pub(crate) fn options(&self) -> PostgresOptions {
        let options = PostgresOptions::new().schema(&self.name).unwrap();
        let is_behind_pooler = std::env::var_os("CLIENT_REGISTRY_POSTGRES_POOLER").is_some();
        if is_behind_pooler { options.behind_pooler() } else { options }
    }

    pub(crate) async fn store(&self) -> PostgresStore {
        PostgresStore::connect_with(&self.url, self.options()).await.unwrap()
    }

    /// Runs SQL in which the default schema's name stands for this one.
    pub(crate) async fn run(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        run(&self.url, &sql.replace("client_registry.", &format!("{}.", self.name))).await
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        let (url, sql) = (self.url.clone(), format!("DROP SCHEMA IF EXISTS {} CASCADE", self.name));
        // On a runtime of its own: the test's may be the one that is being dropped.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                if let Some(client) = client(&url).await {
                    let _ = client.batch_execute(&sql).await;
                }
            });
        });
        let _ = dropping.join();
    }
}

/// A connection of the test's own.
pub(crate) async fn client(url: &str) -> Option<tokio_postgres::Client> {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.ok()?;
    tokio::spawn(connection);
    Some(client)
}

/// The rows of some SQL, as text.
pub(crate) async fn run(url: &str, sql: &str) -> Vec<Vec<Option<String>>> {
    let client = client(url).await.expect("a server");
    let messages = client.simple_query(sql).await.unwrap_or_else(|error| panic!("{error:?}: {sql}"));
    let rows = messages.into_iter().filter_map(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    rows.map(|row| (0..row.len()).map(|column| row.get(column).map(str::to_owned)).collect()).collect()
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

pub(crate) fn details(name: &str) -> ClientDetails {
    ClientDetails::new(name, "app.contoso.com", "https://app.contoso.com/done").unwrap()
}

pub(crate) async fn register<S: Store>(seller: &Seller<S>, name: &str) -> Issued {
    seller.register(details(name), Availability::Worldwide, Lifetime::OneYear).await.unwrap()
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
