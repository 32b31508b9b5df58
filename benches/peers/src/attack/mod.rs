//! Under attack and beside writers: what an attempt costs, what it leaves in memory, and how long honest callers wait.

pub mod floods;
pub mod latencies;
pub mod nodes;
pub mod writers;

use std::time::{Duration, Instant};

use client_registry::Registry;
use client_registry::store::{PostgresOptions, PostgresStore, Store};
use pollster::block_on;
use tokio::runtime::Handle;

use self::latencies::Latencies;
use crate::clients::Presented;
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

/// An honest caller, who begins at a part of the clients and calls again as soon as the answer is there.
fn call<S: Store>(registry: &Registry<S>, presented: &Presented, part: f64, length: Duration) -> Latencies {
    let mut latencies = Latencies::new();
    let mut walk = presented.walk_from(part);
    let until = Instant::now() + length;
    loop {
        let (id, secret) = walk.next().unwrap();
        let started = Instant::now();
        block_on(registry.authenticate(id, secret)).unwrap();
        let ended = Instant::now();
        latencies.add((ended - started).as_nanos() as u64);
        if ended > until {
            return latencies;
        }
    }
}
