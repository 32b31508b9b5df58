//! Eight connections change clients of their own, first with the bare statement and then through the store, with 0, 1 and 3
//! readers that follow the change feed. A follower reads to the end of the feed and pauses for 20 ms.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use client_registry::store::{Commit, Cursor, MemoryStore, PostgresOptions, PostgresStore, Store};
use client_registry::{Lifetime, NewSecret, Registry, SecretId};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::floor::server::Bare;
use crate::support::platform::{Seeded, details};
use crate::support::ratios::{Bound, Ratios, median};
use crate::support::{measuring, ready};
use crate::tap::Tap;
use crate::{WRITERS, keyring, now};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Promote,
    AddAndDelete,
}

/// One turn of everything that is compared.
struct Turn {
    bare: f64,
    /// With 0, 1 and 3 followers.
    ours: [f64; 3],
}

pub(crate) fn measure(runtime: &Runtime, url: &str, kind: Kind, ratios: &mut Ratios) {
    let (turns, length) = if measuring() { (7, 120) } else { (1, 3) };
    let turns: Vec<_> = (0..turns).map(|_| runtime.block_on(turn(url, kind, length))).collect();
    if !measuring() {
        return;
    }
    let bare = median(turns.iter().map(|turn| turn.bare).collect());
    for (position, followers) in FOLLOWERS.into_iter().enumerate() {
        let ours = median(turns.iter().map(|turn| turn.ours[position]).collect());
        let ratio = median(turns.iter().map(|turn| turn.ours[position] / turn.bare).collect());
        let case = match kind {
            Kind::Promote => format!("promote, 8 connections, {followers} following"),
            Kind::AddAndDelete => format!("add and delete a secret, 8, {followers} following"),
        };
        let bound = (followers == 1).then_some(Bound::AtLeast(0.6));
        ratios.add(case, format!("{bare:.0} /s"), format!("{ours:.0} /s"), ratio, bound);
    }
}

async fn turn(url: &str, kind: Kind, length: usize) -> Turn {
    let chains = Arc::new(Chains::new(kind, length));
    let firsts: Vec<_> = chains.of_writers.iter().flatten().map(|chain| &chain[0]).collect();
    Bare::set_up(url, &firsts).await;
    let mut connections = Vec::new();
    for _ in 0..WRITERS {
        connections.push(Way::Bare(Bare::connect(url).await));
    }
    let bare = run(connections, &chains).await;
    let mut ours = [0.0; 3];
    for (rate, followers) in ours.iter_mut().zip(FOLLOWERS) {
        *rate = through_the_store(url, &chains, followers).await;
    }
    Turn { bare, ours }
}

async fn through_the_store(url: &str, chains: &Arc<Chains>, followers: usize) -> f64 {
    let schema = format!("bench_{}", std::process::id());
    let options = PostgresOptions::new().schema(&schema).unwrap().max_connections(WRITERS).hints(false);
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
    let all: usize =
        chains.of_writers.iter().flatten().flatten().map(|c| c.changes()[0].events().len()).sum();
    while let Some(seen) = following.join_next().await {
        assert_eq!(seen.unwrap(), all, "events that a follower has seen");
    }
    drop(store);
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute(&format!("DROP SCHEMA {schema} CASCADE")).await.unwrap();
    rate
}

/// Changes in a second, of all writers together.
async fn run(ways: Vec<Way>, chains: &Arc<Chains>) -> f64 {
    let mut writing = JoinSet::new();
    let started = now();
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
    while let Some(written) = writing.join_next().await {
        written.unwrap();
    }
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
            (0..CLIENTS)
                .map(|number| chain(&registry, &tap, kind, writer * CLIENTS + number, length))
                .collect()
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
    tap.sent.lock().unwrap().clear();
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
    tap.sent.lock().unwrap().clone()
}

/// Of each writer.
const CLIENTS: usize = 10;
const FOLLOWERS: [usize; 3] = [0, 1, 3];
