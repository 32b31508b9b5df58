//! The stores, each filled step by step and measured at each step.

use std::fs;
use std::hint::black_box;
use std::time::{Duration, Instant};

use client_registry::store::{PostgresOptions, PostgresStore, SqliteStore, Store};
use client_registry::{Days, Freshness, Registry, RegistryBuilder};
use tokio::runtime::Runtime;

use super::operations::Grown;
use super::{Curves, Over, Unit};
use crate::clients::{Presented, Seeded, keyring, policy, ready, register, seller_of};
use crate::fill::{Fill, add_in};
use crate::machine::resident;
use crate::measure::{By, Spread};
use crate::scratch::Scratch;
use crate::server;

/// What is measured: these numbers of clients with two secrets each, then so many clients with these numbers of secrets.
pub struct Sizes {
    pub clients: Vec<usize>,
    pub secrets: Vec<usize>,
    pub clients_with_secrets: usize,
}

/// A registry in this process's memory. It holds clients as they are, not as records, so it is filled by commands.
pub fn memory(runtime: &Runtime, sizes: &Sizes, curves: &mut Curves) {
    let mut over_clients = |over, size, registry: &Registry, presented: &Presented| {
        let grown = Grown { over, store: "memory", by: By::Processor, size, registry, presented };
        runtime.block_on(grown.measure(curves));
    };
    let registry = builder().entropy(Seeded::default()).in_memory();
    let mut presented = Presented::default();
    let (before, mut resident_at) = (resident(), Vec::new());
    for &size in &sizes.clients {
        enter(&registry, &mut presented, size, 2);
        let grown = resident().saturating_sub(before) as f64 / size as f64;
        resident_at.push((size, grown - TEXTS));
        over_clients(Over::Clients, size, &registry, &presented);
    }
    drop((registry, presented));
    for &secrets in &sizes.secrets {
        let registry = builder().entropy(Seeded::default()).in_memory();
        let mut presented = Presented::default();
        enter(&registry, &mut presented, sizes.clients_with_secrets, secrets);
        over_clients(Over::SecretsOfEach, secrets, &registry, &presented);
    }
    for point in resident_at {
        curves.add(Over::Clients, "memory", "bytes a client", Unit::BytesOfEach, point);
    }
}

fn enter(registry: &Registry, presented: &mut Presented, clients: usize, secrets: usize) {
    for number in presented.len()..clients {
        let (id, texts) = register(registry, number, secrets);
        let seller = registry.as_seller(seller_of(number)).unwrap();
        ready(seller.client(&id).associate(&add_in(number))).unwrap();
        presented.push(id.as_str(), &texts[0]);
    }
}

/// A file. It is closed and opened again at each size.
pub fn sqlite(runtime: &Runtime, sizes: &Sizes, curves: &mut Curves) {
    let scratch = Scratch::new();
    let path = scratch.file("clients.db");
    let (mut fill, mut presented) = (Fill::new(2), Presented::default());
    for &size in &sizes.clients {
        let store = SqliteStore::open(&path).unwrap();
        runtime.block_on(fill_up(&mut fill, size, &store, &mut presented));
        drop(store);
        let bytes = fs::metadata(&path).unwrap().len() as f64 / size as f64;
        curves.add(Over::Clients, "SQLite", "bytes a client", Unit::BytesOfEach, (size, bytes));
        let opening = (0..OPENINGS).map(|_| {
            let started = Instant::now();
            let registry = runtime.block_on(builder().open(SqliteStore::open(&path).unwrap(), keyring()));
            let took = started.elapsed().as_nanos() as f64;
            drop(black_box(registry.unwrap()));
            took
        });
        let opening = Spread::of(opening.collect()).median;
        curves.add(Over::Clients, "SQLite", OPEN, Unit::Nanoseconds, (size, opening));
        let registry =
            runtime.block_on(builder().open(SqliteStore::open(&path).unwrap(), keyring())).unwrap();
        let grown = Grown {
            over: Over::Clients,
            store: "SQLite",
            by: By::Wall,
            size,
            registry: &registry,
            presented: &presented,
        };
        runtime.block_on(grown.measure(curves));
    }
    for &secrets in &sizes.secrets {
        let store = SqliteStore::open(scratch.file(&format!("{secrets}.db"))).unwrap();
        runtime.block_on(with_secrets("SQLite", store, secrets, sizes.clients_with_secrets, curves));
    }
}

/// A schema on a server.
pub fn postgres(runtime: &Runtime, sizes: &Sizes, curves: &mut Curves) {
    let url = server::shared_url();
    let schema = |name: &str| {
        let name = format!("growth_{}_{name}", std::process::id());
        (PostgresOptions::new().schema(&name).unwrap().max_connections(4).hints(false), name)
    };
    let (options, name) = schema("clients");
    let (mut fill, mut presented) = (Fill::new(2), Presented::default());
    runtime.block_on(async {
        for &size in &sizes.clients {
            let store = PostgresStore::connect_with(&url, options.clone()).await.unwrap();
            fill_up(&mut fill, size, &store, &mut presented).await;
            drop(store);
            let sql = format!(
                "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace \
                 WHERE nspname = '{name}' AND relkind = 'r'"
            );
            let bytes = server::run(&url, &sql).await.remove(0).remove(0).unwrap();
            let bytes = bytes.parse::<f64>().unwrap() / size as f64;
            curves.add(Over::Clients, "PostgreSQL", "bytes a client", Unit::BytesOfEach, (size, bytes));
            let _ = server::run(&url, "VACUUM ANALYZE").await;
            let mut opening = Vec::new();
            for _ in 0..OPENINGS {
                let started = Instant::now();
                let store = PostgresStore::connect_with(&url, options.clone()).await.unwrap();
                drop(black_box(builder().open(store, keyring()).await.unwrap()));
                opening.push(started.elapsed().as_nanos() as f64);
            }
            let opening = Spread::of(opening).median;
            curves.add(Over::Clients, "PostgreSQL", OPEN, Unit::Nanoseconds, (size, opening));
            let store = PostgresStore::connect_with(&url, options.clone()).await.unwrap();
            let registry = builder().open(store, keyring()).await.unwrap();
            let (registry, presented) = (&registry, &presented);
            let grown = Grown { over: Over::Clients, store: "PostgreSQL", by: By::Wall, size, registry, presented };
            grown.measure(curves).await;
        }
        let _ = server::run(&url, &format!("DROP SCHEMA {name} CASCADE")).await;
        for &secrets in &sizes.secrets {
            let (options, name) = schema(&secrets.to_string());
            let store = PostgresStore::connect_with(&url, options).await.unwrap();
            with_secrets("PostgreSQL", store, secrets, sizes.clients_with_secrets, curves).await;
            let _ = server::run(&url, &format!("DROP SCHEMA {name} CASCADE")).await;
        }
    });
}

/// A store of its own, whose clients have so many secrets.
async fn with_secrets<S: Store>(
    name: &'static str,
    store: S,
    secrets: usize,
    clients: usize,
    curves: &mut Curves,
) {
    let (mut fill, mut presented) = (Fill::new(secrets), Presented::default());
    fill_up(&mut fill, clients, &store, &mut presented).await;
    let registry = builder().open(store, keyring()).await.unwrap();
    let (registry, presented) = (&registry, &presented);
    let grown =
        Grown { over: Over::SecretsOfEach, store: name, by: By::Wall, size: secrets, registry, presented };
    grown.measure(curves).await;
}

async fn fill_up<S: Store>(fill: &mut Fill, clients: usize, store: &S, presented: &mut Presented) {
    if fill.made() == 0 {
        store.commit(fill.founding()).await.unwrap();
    }
    fill.up_to(clients, store, presented).await;
}

/// Every look-up goes to the store, and no use is noted twice.
fn builder() -> RegistryBuilder {
    Registry::builder()
        .policy(policy())
        .freshness(Freshness::within(Duration::ZERO))
        .last_use_interval(Days::new(1))
}

/// What one pass of opening is called.
pub const OPEN: &str = "open what is there";
/// What a client presents, which this program keeps in memory as well.
const TEXTS: f64 = 89.0;
const OPENINGS: usize = 9;
