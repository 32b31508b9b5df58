//! A schema of one's own on a server, and SQL beside the store.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use client_registry::store::{PostgresOptions, PostgresStore};

use super::shared_url;

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

    /// With more patience than a store has by default: how long it has is a subject of few tests, and a machine that
    /// runs them all at once may take its time.
    pub(crate) fn options(&self) -> PostgresOptions {
        let patience = Duration::from_secs(60);
        let options = PostgresOptions::new().schema(&self.name).unwrap();
        let options = options.acquire_timeout(patience).statement_timeout(patience);
        let is_behind_pooler = std::env::var_os("CLIENT_REGISTRY_POSTGRES_POOLER").is_some();
        if is_behind_pooler { options.behind_pooler() } else { options }
    }

    pub(crate) async fn store(&self) -> PostgresStore {
        self.store_with(self.options()).await
    }

    pub(crate) async fn store_with(&self, options: PostgresOptions) -> PostgresStore {
        PostgresStore::connect_with(&self.url, options).await.unwrap()
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
                    // Not even for a standby that is not there.
                    let _ = client.batch_execute("SET synchronous_commit = local").await;
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
