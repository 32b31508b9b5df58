//! Authenticating from memory, beside its floor: 1,000 clients with one, three and five secrets, a million clients at
//! random, and those who are denied.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench that cannot go on may stop")]

mod floor;
mod support;

use criterion::Criterion;
use floor::password::Passwords;
use support::platform::Platform;
use support::ratios::{Bound, Ratios};
use support::{criterion, ready, scaled};

fn main() {
    let mut criterion = criterion();
    let mut ratios = Ratios::new();
    let few = [1, 3, 5].map(|secrets| Pair::new(scaled(1_000), secrets));
    for (pair, secrets) in few.iter().zip(["1 secret", "3 secrets", "5 secrets"]) {
        pair.measure(&format!("1,000 clients, {secrets}"), &mut criterion, &mut ratios);
    }
    let [one, _, five] = &few;
    one.compare_with(five, &mut ratios);
    one.measure_denied(&mut criterion, &mut ratios);
    drop(few);
    Pair::new(scaled(1_000_000), 2).measure("a million clients at random", &mut criterion, &mut ratios);
    criterion.final_summary();
    ratios.print(["authenticate", "floor", "ours", "ratio"]);
}

/// The floor and the registry with the same clients.
struct Pair {
    floor: Passwords,
    ours: Platform,
}

impl Pair {
    fn new(clients: usize, secrets: usize) -> Self {
        let floor = Passwords::default();
        let ours = Platform::new(clients, secrets, |id, texts| {
            floor.insert(id, texts.iter().copied());
        });
        Self { floor, ours }
    }

    /// Everybody who presents the last secret is let in.
    fn measure(&self, case: &str, criterion: &mut Criterion, ratios: &mut Ratios) {
        let Self { floor, ours } = self;
        let mut walk = ours.walk();
        let mut at_floor = || {
            let (id, secret) = walk.next().unwrap();
            floor.authenticate(id, secret).unwrap()
        };
        let mut walk = ours.walk_from(0.5);
        let mut at_ours = || {
            let (id, secret) = walk.next().unwrap();
            ready(ours.registry.authenticate(id, secret)).unwrap()
        };
        let mut group = criterion.benchmark_group(format!("authenticate/{case}"));
        group.bench_function("floor", |bencher| bencher.iter(&mut at_floor));
        group.bench_function("ours", |bencher| bencher.iter(&mut at_ours));
        group.finish();
        ratios.compare(case, Some(Bound::AtMost(1.3)), at_floor, at_ours);
    }

    /// More secrets cost next to nothing: here the client with one secret is the floor.
    fn compare_with(&self, five: &Self, ratios: &mut Ratios) {
        let [mut one, mut five] = [self, five].map(|pair| {
            let mut walk = pair.ours.walk();
            move || {
                let (id, secret) = walk.next().unwrap();
                ready(pair.ours.registry.authenticate(id, secret)).unwrap()
            }
        });
        ratios.compare("5 secrets, the floor being 1 secret", Some(Bound::AtMost(1.15)), &mut one, &mut five);
    }

    /// Nobody is let in: an unknown client, and a client with a secret of its own making.
    fn measure_denied(&self, criterion: &mut Criterion, ratios: &mut Ratios) {
        let Self { floor, ours } = self;
        let (id, secret) = ours.walk().next().unwrap();
        for (case, id, secret) in [
            ("unknown client", "00000000-0000-4000-8000-000000000000", secret),
            ("wrong secret", id, "crs_0000000000000000000000000000000000000000000000000"),
        ] {
            let at_floor = || {
                let (id, secret) = std::hint::black_box((id, secret));
                floor.authenticate(id, secret)
            };
            let at_ours = || {
                let (id, secret) = std::hint::black_box((id, secret));
                ready(ours.registry.authenticate(id, secret)).unwrap_err()
            };
            let mut group = criterion.benchmark_group(format!("authenticate/{case}"));
            group.bench_function("floor", |bencher| bencher.iter(at_floor));
            group.bench_function("ours", |bencher| bencher.iter(at_ours));
            group.finish();
            ratios.compare(case, None, at_floor, at_ours);
        }
    }
}
