//! Under attack and beside writers; then three nodes on one server.

use std::time::Duration;

use client_registry::Registry;
use client_registry::store::{SqliteStore, Store};
use client_registry_peers::arguments::Arguments;
use client_registry_peers::attack::latencies::HEAD;
use client_registry_peers::attack::{self, floods, nodes, writers};
use client_registry_peers::clients::{Platform, Presented, keyring, policy};
use client_registry_peers::fill::Fill;
use client_registry_peers::machine;
use client_registry_peers::scratch::Scratch;
use pollster::block_on;
use tokio::runtime::Handle;

fn main() {
    let arguments = Arguments::read(USAGE, &["--clients", "--seconds", "--trust"]);
    let clients = arguments.number("--clients", if arguments.quick { 5_000 } else { 100_000 });
    let length =
        Duration::from_secs(arguments.number("--seconds", if arguments.quick { 1 } else { 10 }) as u64);
    let trust = Duration::from_secs(arguments.number("--trust", 600) as u64);
    machine::print();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    println!(
        "{:<10} {:<16} {:>10} {:>10} {:>10}  {}",
        "store",
        "who",
        "attempts",
        "cost each",
        "memory",
        HEAD.map(|column| format!("{column:>10}")).join(" ")
    );
    if arguments.selects("memory") {
        let Platform { registry, presented } = Platform::new(clients, 2, |_, _| ());
        floods::run("memory", &registry, &presented, length, runtime.handle());
        writers::run("memory", &registry, &presented, length, runtime.handle());
    }
    if arguments.selects("sqlite") {
        let scratch = Scratch::new();
        let store = SqliteStore::open(scratch.file("attacked.db")).unwrap();
        with_cache("SQLite", store, clients, length, runtime.handle());
    }
    if arguments.selects("postgres") && !arguments.no_postgres {
        let _entered = runtime.enter();
        let (store, take_away) = runtime.block_on(attack::postgres());
        with_cache("PostgreSQL", store, clients, length, runtime.handle());
        runtime.block_on(take_away);
    }
    if arguments.selects("nodes") && !arguments.no_postgres {
        println!(
            "\nthree nodes with {clients} warm clients each, a poll is believed for {} s",
            trust.as_secs()
        );
        nodes::run(&runtime, nodes::Nodes { clients, trust, watched: trust * 5 / 4 });
    }
}

/// A registry with its cache as it is unless configured otherwise.
fn with_cache<S: Store>(name: &str, store: S, clients: usize, length: Duration, runtime: &Handle) {
    let (mut fill, mut presented) = (Fill::new(2), Presented::default());
    block_on(store.commit(fill.founding())).unwrap();
    block_on(fill.up_to(clients, &store, &mut presented));
    presented.shuffle();
    let builder = Registry::builder().policy(policy()).last_use_interval(floods::interval());
    let registry = block_on(builder.open(store, keyring())).unwrap();
    floods::run(name, &registry, &presented, length, runtime);
    writers::run(name, &registry, &presented, length, runtime);
}

const USAGE: &str = "attack [--clients N] [--seconds S] [--trust S] [--no-postgres] [memory] [sqlite] [postgres] [nodes]

Floods of wrong credentials beside an honest caller, then two readers beside a writer that rotates one client a millisecond, each
for S seconds (10) at N clients (100,000). Then three nodes on one PostgreSQL, that believe a poll for S seconds (600) and are watched
for a quarter longer.
  --quick  5,000 clients, one second, no PostgreSQL";
