//! Changes and authentication through PostgreSQL, beside the bare statements: one compare-and-set, one SELECT.
//!
//! Eight connections change clients of their own, first with the bare statement and then through the store, with nobody, one
//! and three who follow the change feed; in turns, so that a machine that slows down does so for all of them. A follower
//! reads to the end of the feed and pauses for 20 ms. The server writes to its disk before it answers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a bench that cannot go on may stop"
)]

mod floor {
    pub(crate) mod server;
}
#[path = "../tests/support/forward.rs"]
mod forward;
#[path = "../tests/support/server/mod.rs"]
mod server;
mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use client_registry::store::{
    Commit, CommitError, Cursor, MemoryStore, PostgresOptions, PostgresStore, Store,
};
use client_registry::value::KeyId;
use client_registry::{
    ClientId, ClientSecret, Days, Freshness, Keyring, Lifetime, NewSecret, Registry, SecretId, Timestamp,
};
use floor::server::Bare;
use forward::forward;
use support::platform::{Seeded, details};
use support::ratios::{Bound, Ratios, median};
use support::{measuring, ready};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

fn main() {
    let url = server::shared_url();
    let mut ratios = Ratios::new();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    for kind in [Kind::Promote, Kind::AddAndDelete] {
        changes(&runtime, &url, kind, &mut ratios);
    }
    authenticate(&runtime, &url, &mut ratios);
    ending(&runtime, &url, &mut ratios);
    ratios.print(["PostgreSQL", "floor", "ours", "ratio"]);
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Promote,
    AddAndDelete,
}

/// One turn of everything that is compared.
struct Turn {
    bare: f64,
    /// With 0, 1 and 3 followers.
    ours: [f64; 3],
}

fn changes(runtime: &Runtime, url: &str, kind: Kind, ratios: &mut Ratios) {
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
    let bare = measure(connections, &chains).await;
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
    let rate = measure(ways, chains).await;
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
async fn measure(ways: Vec<Way>, chains: &Arc<Chains>) -> f64 {
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

/// A store that keeps the commits it is sent.
#[derive(Debug, Clone)]
struct Tap<S> {
    store: S,
    sent: Arc<Mutex<Vec<Commit>>>,
}

impl<S: Store> Tap<S> {
    fn new(store: S) -> Self {
        Self { store, sent: Arc::default() }
    }
}

impl<S: Store> Store for Tap<S> {
    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        self.sent.lock().unwrap().push(commit.clone());
        self.store.commit(commit).await
    }

    forward!(store: load history clients client_of ending changes latest adopt note_uses last_uses);
}

/// One SELECT, and what is made of its row, by eight connections that are always busy. One alone would measure where the two
/// ends of it happen to run: on one core or on two they answer each other in 30 or in 120 us.
fn authenticate(runtime: &Runtime, url: &str, ratios: &mut Ratios) {
    let schema = format!("bench_{}", std::process::id());
    let options = PostgresOptions::new().schema(&schema).unwrap().max_connections(WRITERS).hints(false);
    let clients = runtime.block_on(async {
        let store = Tap::new(PostgresStore::connect_with(url, options.clone()).await.unwrap());
        let registry = Registry::open(store, keyring()).await.unwrap();
        let seller = registry.as_seller("contoso").unwrap();
        let mut clients: Vec<(ClientId, ClientSecret)> = Vec::new();
        for number in 0..support::scaled(1_000) {
            let registering = seller.register(details(number), Lifetime::OneYear);
            let (id, _, secret) = registering.await.unwrap().into_parts();
            clients.push((id, secret));
        }
        let commits = registry.store().sent.lock().unwrap().clone();
        let commits: Vec<_> =
            commits.iter().filter(|commit| !commit.changes()[0].id().is_reserved()).collect();
        Bare::set_up(url, &commits).await;
        Arc::new(clients)
    });
    let turns: Vec<_> = (0..if measuring() { 15 } else { 1 })
        .map(|_| runtime.block_on(select_load_authenticate(url, &options, &clients)))
        .collect();
    let of = |part: usize| median(turns.iter().map(|turn| turn[part]).collect());
    let ratio = |part: usize| median(turns.iter().map(|turn| turn[0] / turn[part]).collect());
    if measuring() {
        for (part, case, bound) in
            [(1, "load a record", None), (2, "authenticate, not cached", Some(Bound::AtMost(1.2)))]
        {
            ratios.add(case, format!("{:.0} /s", of(0)), format!("{:.0} /s", of(part)), ratio(part), bound);
        }
    }
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute(&format!("DROP SCHEMA {schema} CASCADE; DROP TABLE bare")).await.unwrap();
    });
}

/// How many of each in a second.
async fn select_load_authenticate(
    url: &str,
    options: &PostgresOptions,
    clients: &Arc<Vec<(ClientId, ClientSecret)>>,
) -> [f64; 3] {
    let mut bare = Vec::new();
    for _ in 0..WRITERS {
        bare.push(Bare::connect(url).await);
    }
    let store = PostgresStore::connect_with(url, options.clone()).await.unwrap();
    let builder =
        Registry::builder().last_use_interval(Days::new(1)).freshness(Freshness::within(Duration::ZERO));
    let registry = Arc::new(builder.open(store, keyring()).await.unwrap());
    let selecting = bare.into_iter().map(|bare| {
        let clients = Arc::clone(clients);
        async move {
            for (id, _) in clients.iter() {
                bare.select(id.as_str()).await;
            }
        }
    });
    let loading = (0..WRITERS).map(|_| {
        let (registry, clients) = (Arc::clone(&registry), Arc::clone(clients));
        async move {
            for (id, _) in clients.iter() {
                registry.store().load(id.into()).await.unwrap().unwrap();
            }
        }
    });
    let authenticating = (0..WRITERS).map(|_| {
        let (registry, clients) = (Arc::clone(&registry), Arc::clone(clients));
        async move {
            for (id, secret) in clients.iter() {
                registry.authenticate(id.as_str(), secret.expose()).await.unwrap();
            }
        }
    });
    let all = WRITERS * clients.len();
    [rate(selecting, all).await, rate(loading, all).await, rate(authenticating, all).await]
}

/// A page of what ends within 30 days, of two million secrets, from the ordered index and beside the bare query.
fn ending(runtime: &Runtime, url: &str, ratios: &mut Ratios) {
    let schema = format!("bench_{}", std::process::id());
    let options = PostgresOptions::new().schema(&schema).unwrap().max_connections(1).hints(false);
    let secrets = 2 * support::scaled(1_000_000);
    let (bare, ours): (Vec<_>, Vec<_>) = runtime.block_on(async {
        let store = PostgresStore::connect_with(url, options).await.unwrap();
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        // Spread over three years, as lifetimes are.
        let fill = format!(
            "INSERT INTO {schema}.secrets SELECT 'client-' || g / 2, 1 + g % 2, \
             {START} + (g * 7919::bigint % {secrets}) * {SPAN} / {secrets} \
             FROM generate_series(0, {secrets} - 1) g; ANALYZE {schema}.secrets"
        );
        client.batch_execute(&fill).await.unwrap();
        let select = format!(
            "SELECT ends, client_id, secret FROM {schema}.secrets WHERE ends >= $1 AND ends < $2 \
             ORDER BY ends, client_id, secret LIMIT 100"
        );
        let select = client.prepare(&select).await.unwrap();
        let before = START + 30 * 86_400_000;
        let until = Timestamp::from_millis(before).unwrap();
        let mut turns = Vec::new();
        for _ in 0..if measuring() { 200 } else { 1 } {
            let started = now();
            let rows = client.query(&select, &[&START, &before]).await.unwrap();
            let bare = micros(started);
            let started = now();
            let page = store.ending(until, None, 100).await.unwrap();
            turns.push((bare, micros(started)));
            assert_eq!(rows.len(), page.len());
        }
        client.batch_execute(&format!("DROP SCHEMA {schema} CASCADE")).await.unwrap();
        turns.into_iter().unzip()
    });
    if measuring() {
        let (bare, ours) = (median(bare), median(ours));
        let case = format!("a page of 100 endings, of {secrets}");
        ratios.add(case, format!("{bare:.0} us"), format!("{ours:.0} us"), ours / bare, None);
    }
}

fn micros(started: Instant) -> f64 {
    started.elapsed().as_secs_f64() * 1e6
}

async fn rate<T: Future<Output = ()> + Send + 'static>(tasks: impl Iterator<Item = T>, work: usize) -> f64 {
    let started = now();
    tasks.collect::<JoinSet<_>>().join_all().await;
    work as f64 / started.elapsed().as_secs_f64()
}

fn keyring() -> Keyring {
    let key = std::array::from_fn(|position| position as u8);
    Keyring::new(KeyId::parse("2026").unwrap(), &key).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "measuring is what a benchmark is for")]
fn now() -> Instant {
    Instant::now()
}

const WRITERS: usize = 8;
/// The first of the ends, and how long after it the last one is, in milliseconds.
const START: i64 = 1_767_225_600_000;
const SPAN: i64 = 3 * 365 * 86_400_000;
/// Of each writer.
const CLIENTS: usize = 10;
const FOLLOWERS: [usize; 3] = [0, 1, 3];
