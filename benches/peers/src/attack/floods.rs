//! Floods: one thread presents what is wrong as fast as it can, while another one, an honest caller, presents what is right.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use client_registry::store::Store;
use client_registry::{Days, Registry};
use pollster::block_on;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::runtime::Handle;

use super::{call, within};
use crate::clients::{Presented, guid};
use crate::machine::resident;
use crate::measure::processor_time;

/// What is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flood {
    None,
    /// Each time a client ID that does not exist, and a secret of the usual length.
    UnknownIds,
    /// Client IDs that exist, and secrets of others.
    WrongSecrets,
    /// Client IDs that do not exist and secrets, both as long as they may be.
    MaximalLengths,
    /// Client IDs that exist, and secrets of a megabyte.
    Megabytes,
}

pub const FLOODS: [Flood; 5] =
    [Flood::None, Flood::UnknownIds, Flood::WrongSecrets, Flood::MaximalLengths, Flood::Megabytes];

/// Runs every flood against a registry and prints a line for each.
pub fn run<S: Store>(
    store: &str,
    registry: &Registry<S>,
    presented: &Presented,
    length: Duration,
    runtime: &Handle,
) {
    for flood in FLOODS {
        let wrong = attempts(flood, presented);
        let before = resident();
        let is_over = AtomicBool::new(false);
        let (attempts, cost, latencies) = thread::scope(|scope| {
            let attacker = (flood != Flood::None)
                .then(|| scope.spawn(|| within(runtime, || attack(flood, registry, &wrong, &is_over))));
            let caller = scope.spawn(|| within(runtime, || call(registry, presented, 0.0, length)));
            let latencies = caller.join().unwrap();
            is_over.store(true, Ordering::Relaxed);
            let (attempts, cost) = attacker.map_or((0, 0.0), |attacker| attacker.join().unwrap());
            (attempts, cost, latencies)
        });
        let grown = resident().saturating_sub(before) as f64 / 1e6;
        let each = if attempts == 0 { "-".into() } else { format!("{:.0} ns", cost / attempts as f64) };
        println!(
            "{store:<10} {flood:<16} {attempts:>10} {each:>10} {grown:>7.1} MB {latencies}",
            flood = flood.name()
        );
    }
}

impl Flood {
    fn name(self) -> &'static str {
        match self {
            Self::None => "nobody attacks",
            Self::UnknownIds => "unknown IDs",
            Self::WrongSecrets => "wrong secrets",
            Self::MaximalLengths => "maximal lengths",
            Self::Megabytes => "megabytes",
        }
    }
}

/// What is presented, made beforehand: more client IDs than a cache of unknown ones remembers.
fn attempts(flood: Flood, presented: &Presented) -> Vec<(String, &str)> {
    let mut random = StdRng::seed_from_u64(7);
    let attempt = |_| {
        let (id, _) = presented.at(random.random_range(0..presented.len()));
        let (_, secret) = presented.at(random.random_range(0..presented.len()));
        match flood {
            Flood::WrongSecrets => (id.to_owned(), secret),
            Flood::MaximalLengths => (format!("{:x<64}", guid(&mut random)), LONGEST),
            Flood::Megabytes => (id.to_owned(), ""),
            Flood::None | Flood::UnknownIds => (guid(&mut random), secret),
        }
    };
    (0..ATTEMPTS).map(attempt).collect()
}

/// How many attempts there were, and the nanoseconds of processor time that they took.
fn attack<S: Store>(
    flood: Flood,
    registry: &Registry<S>,
    attempts: &[(String, &str)],
    is_over: &AtomicBool,
) -> (u64, f64) {
    let megabyte = if flood == Flood::Megabytes { "x".repeat(1 << 20) } else { String::new() };
    let (mut made, started) = (0, processor_time());
    while !is_over.load(Ordering::Relaxed) {
        let from = made as usize % attempts.len();
        for (id, secret) in &attempts[from..from + 64] {
            let secret = if flood == Flood::Megabytes { &megabyte } else { *secret };
            // One in as many as there are clients is right by chance.
            let _ = block_on(registry.authenticate(id, secret));
        }
        made += 64;
    }
    (made, processor_time() - started)
}

/// A use of a secret is noted once a day, so that the usual work is measured.
pub fn interval() -> Days {
    Days::new(1)
}

/// As long as a client secret may be.
const LONGEST: &str = {
    const BYTES: [u8; 512] = [b'x'; 512];
    match std::str::from_utf8(&BYTES) {
        Ok(text) => text,
        Err(_) => panic!("ASCII"),
    }
};
const ATTEMPTS: usize = 1 << 16;
