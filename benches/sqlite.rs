//! A registry in a file, with 1,000 and with 100,000 clients: changes in a second beside the bare engine's for the same
//! rows, authenticating without a cache beside the bare look-up, a page of endings, and the size of the file.
//!
//! `CLIENT_REGISTRY_BENCH_DIRECTORY` says where, else in the build directory: on a disk the flush is what a change costs,
//! in memory (`/dev/shm`) what is left is ours.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench that cannot go on may stop")]

mod support;

#[path = "floor/sqlite.rs"]
mod floor;
#[path = "../tests/support/forward.rs"]
mod forward;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;
use std::{fs, thread};

use client_registry::clock::SystemClock;
use client_registry::store::{
    Adopted, Commit, CommitError, Committed, Index, MemoryStore, Record, SqliteStore, Store,
};
use client_registry::value::KeyId;
use client_registry::{ClientId, Freshness, Keyring, Lifetime, NewSecret, Registry, SecretId};
use floor::{Bare, Rows};
use forward::forward;
use pollster::block_on;
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use support::platform::{Seeded, details, seller_of};
use support::ratios::{Bound, Ratios, medians};
use support::{measuring, scaled};

fn main() {
    let mut changes = Ratios::new();
    let mut reads = Ratios::new();
    for (clients, words) in [(1_000, "1,000"), (100_000, "100,000")] {
        let bench = Bench::new(scaled(clients));
        bench.weigh(words);
        bench.change(words, &mut changes);
        bench.read(words, &mut reads);
    }
    changes.print(["changes in a second", "bare engine", "registry", "ratio"]);
    reads.print(["reads", "bare engine", "registry", "ratio"]);
}

/// A registry in a file, the same file once more for the engine alone, and what its clients present.
struct Bench {
    registry: Registry<Tap<SqliteStore>>,
    bare: Bare,
    presented: Vec<(ClientId, Box<str>)>,
    directory: Directory,
}

impl Bench {
    fn new(clients: usize) -> Self {
        let directory = Directory::new(clients);
        let store = SqliteStore::open(directory.file("ours")).unwrap();
        let presented = fill(&store, clients);
        block_on(store.backup_to(directory.file("floor"))).unwrap();
        // Every look-up goes to the file.
        let builder =
            Registry::builder().entropy(Seeded::default()).freshness(Freshness::within(Duration::ZERO));
        let registry = block_on(builder.open(Tap::new(store), keyring())).unwrap();
        Self { registry, bare: Bare::open(&directory.file("floor")), presented, directory }
    }

    /// The size of the copy, which nobody has written to.
    fn weigh(&self, words: &str) {
        if measuring() {
            let bytes = fs::metadata(self.directory.file("floor")).unwrap().len() as f64;
            let each = bytes / self.presented.len() as f64;
            println!("{words} clients with 2 secrets: {:.1} MB, {each:.0} bytes a client", bytes / 1e6);
        }
    }

    /// Registering, which adds rows everywhere, and promoting, which replaces a record and tells of it.
    fn change(&self, words: &str, table: &mut Ratios) {
        let mut random = StdRng::seed_from_u64(1);
        let mut register = {
            let mut number = 0;
            move || {
                number += 1;
                let seller = self.registry.as_seller(seller_of(number)).unwrap();
                let details = details(1_000_000 + number);
                block_on(seller.register(details, Lifetime::OneYear)).unwrap()
            }
        };
        let _ = register();
        let mut rows = Rows::of(&self.registry.store().last());
        let mut number = 0;
        let insert = || {
            number += 1;
            rows.rename(number, &guid(&mut random));
            self.bare.insert(&rows);
        };
        // Round and round, one time with the one secret and one time with the other.
        let operator = self.registry.as_operator("ann").unwrap();
        let mut turns = (0..).flat_map(|round| self.presented.iter().map(move |(id, _)| (id, 2 - round % 2)));
        let mut promote = || {
            let (id, secret) = turns.next().unwrap();
            block_on(operator.client(id).promote(SecretId::new(secret).unwrap())).unwrap()
        };
        add(table, format!("register, {words} clients"), 1, insert, register);
        promote();
        let mut rows = Rows::of(&self.registry.store().last());
        let mut walk = self.presented.iter().cycle();
        let mut update = || {
            rows.rename(0, walk.next().unwrap().0.as_str());
            self.bare.update(&rows);
        };
        add(table, format!("promote, {words} clients"), 1, &mut update, promote);

        // Several who ask at once: while one is being written, others decide and seal.
        let shares: Vec<_> = self.presented.chunks(self.presented.len() / CALLERS).take(CALLERS).collect();
        let mut rounds = vec![0; CALLERS];
        let together = || {
            thread::scope(|scope| {
                for (share, round) in shares.iter().zip(&mut rounds) {
                    let operator = &operator;
                    scope.spawn(move || {
                        for _ in 0..EACH {
                            let (id, _) = &share[*round % share.len()];
                            let client = operator.client(id);
                            let signing = block_on(client.snapshot()).unwrap().signing().secret().unwrap();
                            let other = SecretId::new(3 - signing.number()).unwrap();
                            block_on(client.promote(other)).unwrap();
                            *round += 1;
                        }
                    });
                }
            });
        };
        let updates = || (0..CALLERS * EACH).for_each(|_| update());
        let case = format!("promote, {words} clients, {CALLERS} callers");
        add(table, case, CALLERS * EACH, updates, together);
    }

    fn read(&self, words: &str, table: &mut Ratios) {
        let any = |seed| {
            let mut random = StdRng::seed_from_u64(seed);
            move || &self.presented[random.random_range(0..self.presented.len())]
        };
        let (mut for_floor, mut for_ours) = (any(2), any(3));
        let select = || self.bare.select(for_floor().0.as_str());
        let authenticate = || {
            let (id, secret) = for_ours();
            block_on(self.registry.authenticate(id.as_str(), secret)).unwrap()
        };
        table.compare(format!("authenticate, {words} clients"), None, select, authenticate);
        let before = client_registry::clock::Clock::wall(&SystemClock::new());
        let before = before.saturating_add(client_registry::Days::new(800).into());
        let page = || block_on(self.registry.store().ending(before, None, 100)).unwrap();
        assert_eq!(page().len(), 100);
        let rows = || self.bare.page(before.as_millis());
        table.compare(format!("100 secrets that end, of {words} clients"), None, rows, page);
    }
}

/// How often in a second, in turns of so many at once. No slower than 0.8 times the engine alone.
fn add<A, B>(
    table: &mut Ratios,
    case: String,
    at_once: usize,
    floor: impl FnMut() -> A,
    ours: impl FnMut() -> B,
) {
    if let Some([floor, ours, ratio]) = medians(floor, ours) {
        let rate = |nanoseconds: f64| format!("{:.0}/s", at_once as f64 * 1e9 / nanoseconds);
        table.add(case, rate(floor), rate(ours), 1.0 / ratio, Some(Bound::AtLeast(0.8)));
    }
}

/// Clients with two secrets each, made in memory and taken in a thousand at a time. What each presents.
fn fill(store: &SqliteStore, clients: usize) -> Vec<(ClientId, Box<str>)> {
    let memory = Registry::builder().entropy(Seeded::default()).open(Tap::new(MemoryStore::new()), keyring());
    let memory = block_on(memory).unwrap();
    block_on(store.commit(&memory.store().last())).unwrap();
    memory.store().take();
    let mut presented = Vec::with_capacity(clients);
    for number in 0..clients {
        let seller = memory.as_seller(seller_of(number)).unwrap();
        let issued = seller.register(details(number), Lifetime::OneYear);
        let issued = block_on(issued).unwrap();
        let client_id = issued.client_id().clone();
        let second = seller.client(&client_id);
        drop(block_on(second.add_secret(NewSecret::lasting(Lifetime::TwoYears))).unwrap());
        presented.push((client_id, Box::from(issued.client_secret().expose())));
        if number % 1_000 == 999 || number + 1 == clients {
            block_on(store.adopt(&adopted(memory.store().take()))).unwrap();
        }
    }
    presented
}

fn adopted(commits: Vec<Commit>) -> Vec<Adopted> {
    let mut clients: BTreeMap<String, (Record, Index, Vec<Committed>)> = BTreeMap::new();
    for commit in commits {
        for change in commit.changes() {
            let (record, index) = (change.record().clone(), change.index().clone());
            let entry = clients.entry(change.id().as_str().to_owned());
            let client = entry.or_insert_with(|| (record.clone(), index.clone(), vec![]));
            (client.0, client.1) = (record, index);
            let events = change.events().to_vec();
            client.2.push(Committed { commit_id: commit.id(), revision: change.record().revision(), events });
        }
    }
    clients.into_values().map(|(record, index, history)| Adopted::new(record, index, history)).collect()
}

/// Keeps what was committed since the last time.
#[derive(Debug)]
struct Tap<S> {
    store: S,
    sent: Mutex<Vec<Commit>>,
}

impl<S> Tap<S> {
    fn new(store: S) -> Self {
        Self { store, sent: Mutex::default() }
    }

    fn take(&self) -> Vec<Commit> {
        std::mem::take(&mut self.sent.lock().unwrap())
    }

    fn last(&self) -> Commit {
        self.take().pop().unwrap()
    }
}

impl<S: Store> Store for Tap<S> {
    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        self.sent.lock().unwrap().push(commit.clone());
        self.store.commit(commit).await
    }

    forward!(store: load history clients client_of ending changes latest adopt note_uses last_uses);
}

/// On the disk that everything is built on, gone with this.
struct Directory(PathBuf);

impl Directory {
    fn new(clients: usize) -> Self {
        let parent = std::env::var_os("CLIENT_REGISTRY_BENCH_DIRECTORY");
        let parent = parent.unwrap_or_else(|| env!("CARGO_TARGET_TMPDIR").into());
        let path = PathBuf::from(parent).join(format!("client-registry-bench-{clients}"));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(format!("{name}.db"))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// How many ask at once, and how often each.
const CALLERS: usize = 4;
const EACH: usize = 16;

fn keyring() -> Keyring {
    Keyring::new(KeyId::parse("2026").unwrap(), b"thirty-two bytes to seal it with").unwrap()
}

fn guid(random: &mut StdRng) -> String {
    let mut bytes = [0; 16];
    random.fill_bytes(&mut bytes);
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}
