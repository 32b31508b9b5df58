//! Two processes on one file, each with a cache: a deletion in the one is known in the other within its freshness, and
//! sooner when it follows the change feed.

#![expect(clippy::disallowed_methods, reason = "how long it takes on a real clock is what is measured here")]

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::time::{Duration, Instant};

use client_registry::store::SqliteStore;
use client_registry::{AccessError, Freshness, Lifetime, Reason, Registry};
use pollster::block_on;

use crate::world::{Scratch, as_child, child, details, keyring};

const DELETIONS: usize = 20;
const PAUSE: Duration = Duration::from_millis(20);

#[test]
fn a_process_that_follows_knows_what_another_one_has_deleted() {
    // Its freshness is an hour: what it knows sooner it knows from the feed.
    let longest = longest("caches::a_process_that_follows");
    println!("followed every {PAUSE:?}: known after at most {longest:?}");
    assert!(longest < Duration::from_secs(60), "{longest:?}");
}

#[test]
fn a_process_that_does_not_follow_knows_within_its_freshness() {
    let longest = longest("caches::a_process_that_does_not_follow");
    println!("not followed: known after at most {longest:?}");
    assert!(longest < SHORT + Duration::from_secs(1), "{longest:?}");
}

#[test]
fn a_process_that_follows() {
    let Some(path) = as_child() else { return };
    let store = SqliteStore::open(path).unwrap();
    let builder = Registry::builder().freshness(Freshness::within(Duration::from_secs(3600)));
    let registry = block_on(builder.open(store, keyring())).unwrap();
    let following = registry.clone();
    let wait = async |_| std::thread::sleep(PAUSE);
    std::thread::spawn(move || block_on(following.keep_fresh(wait)));
    tell(&registry);
}

#[test]
fn a_process_that_does_not_follow() {
    let Some(path) = as_child() else { return };
    let store = SqliteStore::open(path).unwrap();
    let builder = Registry::builder().freshness(Freshness::within(SHORT));
    tell(&block_on(builder.open(store, keyring())).unwrap());
}

const SHORT: Duration = Duration::from_millis(300);

/// The longest time from a deletion here until the other process has noticed.
fn longest(test: &str) -> Duration {
    let scratch = Scratch::new();
    let store = SqliteStore::open(scratch.file()).unwrap();
    let registry = block_on(Registry::open(store, keyring())).unwrap();
    let contoso = registry.as_seller("contoso").unwrap();
    let mut other = child(test, &scratch.file());
    let mut other = other.stdin(Stdio::piped()).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut asks = other.stdin.take().unwrap();
    let mut answers = BufReader::new(other.stderr.take().unwrap()).lines();
    let mut longest = Duration::ZERO;
    for number in 0..DELETIONS {
        let details = details(&format!("app {number}"));
        let issued = contoso.register(details, Lifetime::OneYear);
        let issued = block_on(issued).unwrap();
        writeln!(asks, "{} {}", issued.client_id(), issued.client_secret().expose()).unwrap();
        assert_eq!(answers.next().unwrap().unwrap(), "let in");
        let deletion = contoso.client(issued.client_id());
        let _ = block_on(deletion.delete_in_emergency(issued.secret_id(), None)).unwrap();
        let acknowledged = Instant::now();
        assert_eq!(answers.next().unwrap().unwrap(), "denied");
        longest = longest.max(acknowledged.elapsed());
    }
    drop(asks);
    assert!(other.wait().unwrap().success());
    longest
}

/// Says of each client ID and secret that it reads when it is let in, and when no longer.
fn tell(registry: &Registry<SqliteStore>) {
    for line in std::io::stdin().lines() {
        let line = line.unwrap();
        let (id, secret) = line.split_once(' ').unwrap();
        block_on(registry.authenticate(id, secret)).unwrap();
        eprintln!("let in");
        loop {
            match block_on(registry.authenticate(id, secret)) {
                Ok(_) => std::thread::sleep(Duration::from_millis(1)),
                Err(AccessError::Denied(denied)) => {
                    assert_eq!(denied.reason(), Reason::Compromised);
                    break;
                }
                Err(error) => panic!("{error}"),
            }
        }
        eprintln!("denied");
    }
}
