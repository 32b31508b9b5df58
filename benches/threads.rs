//! Two threads that authenticate, beside one: what a lock or a shared counter on the way would show.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench that cannot go on may stop")]

mod floor;
mod support;

use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use floor::password::Passwords;
use support::platform::Platform;
use support::ratios::{Bound, Ratios, median};
use support::{measuring, ready, scaled};

fn main() {
    let floor = Passwords::default();
    let ours = Platform::new(scaled(1_000_000), 2, |id, texts| {
        floor.insert(id, texts.iter().copied());
    });
    let (hot_id, hot_secret) = ours.walk().next().unwrap();
    let at_floor = |id: &str, secret: &str| {
        black_box(floor.authenticate(id, secret).unwrap());
    };
    let at_ours = |id: &str, secret: &str| {
        black_box(ready(ours.registry.authenticate(id, secret)).unwrap());
    };
    let at_random = |thread: usize, stop: &dyn Fn() -> bool, authenticate: &dyn Fn(&str, &str)| {
        let mut walk = ours.walk_from([0.0, 0.5][thread]);
        count(stop, || {
            let (id, secret) = walk.next().unwrap();
            authenticate(id, secret);
        })
    };
    let hot = |_: usize, stop: &dyn Fn() -> bool, authenticate: &dyn Fn(&str, &str)| {
        count(stop, || authenticate(black_box(hot_id), black_box(hot_secret)))
    };

    let mut ratios = Ratios::new();
    for (case, bound, who) in [
        (
            "a million clients at random",
            1.6,
            &at_random as &(dyn Fn(usize, &dyn Fn() -> bool, &dyn Fn(&str, &str)) -> u32 + Sync),
        ),
        ("one hot client", 1.3, &hot),
    ] {
        let [[floor_one, floor_two], [ours_one, ours_two]] =
            medians(&|thread, stop| who(thread, stop, &at_floor), &|thread, stop| {
                who(thread, stop, &at_ours)
            });
        for (whose, one, two, bound) in
            [("floor", floor_one, floor_two, None), ("ours", ours_one, ours_two, Some(Bound::AtLeast(bound)))]
        {
            ratios.add(format!("{case}, {whose}"), rate(one), rate(two), two / one, bound);
        }
    }
    if measuring() {
        ratios.print(["authenticate", "one thread", "two threads", "ratio"]);
    }
}

type Work<'a> = &'a (dyn Fn(usize, &dyn Fn() -> bool) -> u32 + Sync);

/// The median rates of one and of two threads, of the floor and of ours, measured in turns.
fn medians(floor: Work<'_>, ours: Work<'_>) -> [[f64; 2]; 2] {
    let mut rates = [const { [const { Vec::new() }; 2] }; 2];
    for _ in 0..if measuring() { ROUNDS } else { 1 } {
        for (work, rates) in [floor, ours].into_iter().zip(&mut rates) {
            for (threads, rates) in (1..).zip(rates) {
                rates.push(run(threads, work));
            }
        }
    }
    rates.map(|rates| rates.map(median))
}

/// How often in a second so many threads together do the work.
#[expect(clippy::disallowed_methods, reason = "measuring is what a benchmark is for")]
fn run(threads: usize, work: Work<'_>) -> f64 {
    let ready = Barrier::new(threads);
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|thread| {
                let ready = &ready;
                scope.spawn(move || {
                    ready.wait();
                    let started = Instant::now();
                    let done = work(thread, &|| started.elapsed() >= TURN);
                    f64::from(done) / started.elapsed().as_secs_f64()
                })
            })
            .collect();
        running.into_iter().map(|thread| thread.join().unwrap()).sum()
    })
}

/// How often an operation is done until it is time to stop. The time is asked for seldom.
fn count(stop: &dyn Fn() -> bool, mut operation: impl FnMut()) -> u32 {
    let mut done = 0;
    while !stop() {
        for _ in 0..256 {
            operation();
        }
        done += 256;
    }
    done
}

fn rate(per_second: f64) -> String {
    format!("{:.2} M/s", per_second / 1e6)
}

const ROUNDS: usize = 15;
const TURN: Duration = Duration::from_millis(200);
