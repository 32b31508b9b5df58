//! Three nodes on one PostgreSQL, each with warm clients and following the change feed: how many records a node loads in a second
//! because it believes the feed for so long and no longer, and how long its callers wait.

use std::sync::Arc;
use std::time::{Duration, Instant};

use client_registry::store::{PostgresOptions, PostgresStore, Store};
use client_registry::{Days, Registry};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::latencies::{HEAD, Latencies};
use crate::clients::{Presented, keyring};
use crate::fill::Fill;
use crate::server;
use crate::stores::Counted;

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub struct Nodes {
    pub clients: usize,
    /// For how long a poll is believed to vouch for a client.
    pub trust: Duration,
    /// For how long it is watched. Half the loads of a first round fall after 7/8 of the trust.
    pub watched: Duration,
}

/// Prints a line for each node and each twentieth of the time.
pub fn run(runtime: &Runtime, nodes: Nodes) {
    let url = server::shared_url();
    let name = format!("nodes_{}", std::process::id());
    let options = PostgresOptions::new().schema(&name).unwrap().max_connections(4);
    runtime.block_on(async {
        let store = PostgresStore::connect_with(&url, options.clone()).await.unwrap();
        let (mut fill, mut presented) = (Fill::new(2), Presented::default());
        store.commit(fill.founding()).await.unwrap();
        fill.up_to(nodes.clients, &store, &mut presented).await;
        presented.shuffle();
        let presented = Arc::new(presented);
        let mut running = JoinSet::new();
        for node in 1..=NODES {
            let store = PostgresStore::connect_with(&url, options.clone()).await.unwrap();
            running.spawn(serve(node, store, Arc::clone(&presented), nodes));
        }
        println!("{:<6} {:>9} {:>10} {:>10} {}", "node", "after", "loads/s", "calls/s", head());
        running.join_all().await;
        let _ = server::run(&url, &format!("DROP SCHEMA {name} CASCADE")).await;
    });
}

async fn serve(node: usize, store: PostgresStore, presented: Arc<Presented>, nodes: Nodes) {
    let hints = store.hints();
    let counted = Counted::new(store);
    let builder = Registry::builder().reload_after(nodes.trust).cached_clients(2 * nodes.clients);
    let registry = builder.last_use_interval(Days::new(1)).open(counted.clone(), keyring()).await.unwrap();
    let following = registry.clone();
    let following = tokio::spawn(async move { following.keep_fresh(|at_most| hints.wait(at_most)).await });
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut warming = JoinSet::new();
    for lane in 0..LANES {
        let (registry, presented) = (registry.clone(), Arc::clone(&presented));
        warming.spawn(async move {
            for position in (lane..presented.len()).step_by(LANES) {
                let (id, secret) = presented.at(position);
                registry.authenticate(id, secret).await.unwrap();
            }
        });
    }
    warming.join_all().await;

    // Every client calls twenty times while the feed is trusted, so that each is loaded about when its trust ends.
    let each_tick = (nodes.clients as f64 * 20.0 / nodes.trust.as_millis() as f64).max(0.01);
    let (started, part) = (Instant::now(), nodes.watched / 20);
    let mut ticks = interval(Duration::from_millis(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let (mut due, mut position) = (0.0, node * presented.len() / NODES);
    let mut all = Latencies::new();
    for step in 1..=20 {
        let (mut latencies, before, begun) = (Latencies::new(), counted.loads(), Instant::now());
        while started.elapsed() < part * step {
            ticks.tick().await;
            due += each_tick;
            while due >= 1.0 {
                due -= 1.0;
                position = (position + 1) % presented.len();
                let (id, secret) = presented.at(position);
                let asked = Instant::now();
                registry.authenticate(id, secret).await.unwrap();
                latencies.add(asked.elapsed().as_nanos() as u64);
            }
        }
        let seconds = begun.elapsed().as_secs_f64();
        let (loads, calls) = (counted.loads() - before, latencies.len());
        println!(
            "{node:<6} {:>7.1} s {:>10.1} {:>10.1} {latencies}",
            started.elapsed().as_secs_f64(),
            loads as f64 / seconds,
            calls as f64 / seconds
        );
        all.merge(&latencies);
    }
    println!("{node:<6} {:>9} {:>10} {:>10} {all}", "all", "", "");
    following.abort();
}

fn head() -> String {
    HEAD.map(|column| format!("{column:>10}")).join(" ")
}

const NODES: usize = 3;
const LANES: usize = 4;
