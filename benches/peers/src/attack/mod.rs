//! Under attack and beside writers: what an attempt costs, what it leaves in memory, and how long honest callers wait.

pub mod floods;
pub mod latencies;
pub mod nodes;
pub mod writers;

use client_registry::store::{PostgresOptions, PostgresStore};
use tokio::runtime::Handle;

use crate::server;

/// A store in a schema of its own, and what takes the schema away.
pub async fn postgres() -> (PostgresStore, impl Future<Output = ()>) {
    let (url, name) = (server::shared_url(), format!("attacked_{}", std::process::id()));
    let options = PostgresOptions::new().schema(&name).unwrap().max_connections(4);
    let store = PostgresStore::connect_with(&url, options).await.unwrap();
    (store, async move {
        server::run(&url, &format!("DROP SCHEMA {name} CASCADE")).await;
    })
}

/// Work on a thread of its own, for a store that needs the runtime.
fn within<T>(runtime: &Handle, work: impl FnOnce() -> T) -> T {
    let _entered = runtime.enter();
    work()
}
