//! Eight connections change clients of their own, first with the bare statement and then through the store, with 0, 1 and 3
//! readers that follow the change feed. A follower reads to the end of the feed and pauses for 20 ms.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use client_registry::store::{Commit, Cursor, MemoryStore, PostgresStore, Store};
use client_registry::{Lifetime, NewSecret, Registry, SecretId};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use super::{WRITERS, run as execute, schema};
use crate::clients::{Seeded, details, keyring, ready};
use crate::floor::server::Bare;
use crate::report::Aim::{AtLeast, None as NoAim};
use crate::report::{Measured, Report, Unit};
use crate::stores::Tap;

#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Promote,
    AddAndDelete,
}

/// The rows of a kind, with 0, 1 and 3 followers.
pub(super) fn names(kind: Kind) -> [String; 3] {
    let what = match kind {
        Kind::Promote => "promote",
        Kind::AddAndDelete => "add and delete a secret",
    };
    FOLLOWERS.map(|followers| format!("PostgreSQL: {what}, {followers} following"))
}

pub(super) fn measure(runtime: &Runtime, url: &str, kind: Kind, report: &mut Report) {
    let names = names(kind);
    let wanted = names.each_ref().map(|name| report.wants(name));
    if wanted == [false; 3] {
        return;
    }
    let turns = if report.is_quick() { 1 } else { 7 };
    let (mut bare, mut ours) = (Vec::new(), [const { Vec::new() }; 3]);
    // As many changes as a second and a half have room for on this machine.
    let rate = runtime.block_on(at_floor(url, &Arc::new(Chains::new(kind, 10))));
    let length = ((rate * 1.5) as usize / WRITERS / CLIENTS).clamp(10, 200);
    for _ in 0..turns {
        let chains = Arc::new(Chains::new(kind, length));
        bare.push(runtime.block_on(at_floor(url, &chains)));
        for (position, followers) in FOLLOWERS.into_iter().enumerate() {
            if wanted[position] {
                ours[position].push(through_the_store(runtime, url, &chains, followers));
            }
        }
    }
    for ((name, ours), aim) in names.into_iter().zip(ours).zip([NoAim, AtLeast(0.7), AtLeast(0.6)]) {
        if !ours.is_empty() {
            let floor = Some((bare.clone(), aim));
            report.add(Measured { name, unit: Unit::Rate, ours, floor, peers: vec![] });
        }
    }
}

async fn at_floor(url: &str, chains: &Arc<Chains>) -> f64 {
    let firsts: Vec<_> = chains.of_writers.iter().flatten().map(|chain| &chain[0]).collect();
    Bare::set_up(url, &firsts).await;
    let mut connections = Vec::new();
    for _ in 0..WRITERS {
        connections.push(Way::Bare(Bare::connect(url).await));
    }
    run(connections, chains).await
}

fn through_the_store(runtime: &Runtime, url: &str, chains: &Arc<Chains>, followers: usize) -> f64 {
    let (name, options) = schema(WRITERS);
    let rate = runtime.block_on(async {
        let store = PostgresStore::connect_with(url, options.clone()).await.unwrap();
        for chain in chains.of_writers.iter().flatten() {
            store.commit(&chain[0]).await.unwrap();
        }
        let is_over = Arc::new(AtomicBool::new(false));
        let mut following = JoinSet::new();
        for _ in 0..followers {
            let other = PostgresStore::connect_with(url, options.clone()).await.unwrap();
            following.spawn(follow(other, Arc::clone(&is_over)));
        }
        let ways = (0..WRITERS).map(|_| Way::Store(store.clone())).collect();
        let rate = run(ways, chains).await;
        is_over.store(true, Ordering::SeqCst);
        let all = chains.of_writers.iter().flatten().flatten();
        let all: usize = all.map(|commit| commit.changes()[0].events().len()).sum();
        while let Some(seen) = following.join_next().await {
            assert_eq!(seen.unwrap(), all, "events that a follower has seen");
        }
        rate
    });
    execute(runtime, url, &format!("DROP SCHEMA {name} CASCADE"));
    rate
}

/// Changes in a second, of all writers together.
async fn run(ways: Vec<Way>, chains: &Arc<Chains>) -> f64 {
    let mut writing = JoinSet::new();
    let started = Instant::now();
    for (writer, way) in ways.into_iter().enumerate() {
        let chains = Arc::clone(chains);
        writing.spawn(async move {
            // Every chain in turn, as many users would.
            let own = &chains.of_writers[writer];
            for position in 1..own[0].len() {
                for chain in own {
                    way.change(&chain[position]).await;
                }
            }
        });
    }
    writing.join_all().await;
    let changes: usize = chains.of_writers.iter().flatten().map(|chain| chain.len() - 1).sum();
    changes as f64 / started.elapsed().as_secs_f64()
}

/// How a writer changes something.
enum Way {
    Bare(Bare),
    Store(PostgresStore),
}

impl Way {
    async fn change(&self, commit: &Commit) {
        match self {
            Self::Bare(bare) => bare.swap(commit).await,
            Self::Store(store) => store.commit(commit).await.unwrap(),
        }
    }
}

/// Reads the feed until it is over and read to the end. Answers how many events there were.
async fn follow(store: PostgresStore, is_over: Arc<AtomicBool>) -> usize {
    let (mut seen, mut cursor) = (0, None::<Cursor>);
    loop {
        let was_over = is_over.load(Ordering::SeqCst);
        let changes = store.changes(cursor.as_ref(), 1000).await.unwrap();
        seen += changes.events.len();
        cursor = Some(changes.cursor);
        if changes.events.len() < 1000 {
            if was_over {
                return seen;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// What eight writers are going to commit: for each client its registration, and then one change after the other.
struct Chains {
    of_writers: Vec<Vec<Vec<Commit>>>,
}

impl Chains {
    fn new(kind: Kind, length: usize) -> Self {
        let tap = Tap::new(MemoryStore::new());
        let registry = Registry::builder().entropy(Seeded::default());
        let registry = ready(registry.open(tap.clone(), keyring())).unwrap();
        let of_writers = (0..WRITERS).map(|writer| {
            let chains = 0..CLIENTS;
            chains.map(|number| chain(&registry, &tap, kind, writer * CLIENTS + number, length)).collect()
        });
        Self { of_writers: of_writers.collect() }
    }
}

fn chain(
    registry: &Registry<Tap<MemoryStore>>,
    tap: &Tap<MemoryStore>,
    kind: Kind,
    number: usize,
    length: usize,
) -> Vec<Commit> {
    tap.take();
    let seller = registry.as_seller("contoso").unwrap();
    let lasting = || NewSecret::lasting(Lifetime::OneYear);
    let first = ready(seller.register(details(number), Lifetime::OneYear)).unwrap();
    let client = seller.client(first.client_id());
    let second = ready(client.add_secret(lasting())).unwrap();
    for step in 0..length {
        match kind {
            Kind::Promote => {
                let secret = if step % 2 == 0 { second.secret_id() } else { first.secret_id() };
                ready(client.promote(secret)).unwrap();
            }
            Kind::AddAndDelete if step % 2 == 0 => drop(ready(client.add_secret(lasting())).unwrap()),
            Kind::AddAndDelete => {
                let last = SecretId::new(u32::try_from(step / 2 + 3).unwrap()).unwrap();
                drop(ready(client.delete_in_emergency(last, None)).unwrap());
            }
        }
    }
    tap.take()
}

/// Of each writer.
const CLIENTS: usize = 10;
const FOLLOWERS: [usize; 3] = [0, 1, 3];
