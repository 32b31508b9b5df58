//! Two threads that authenticate, beside one: what a lock or a shared counter on the way would show.

use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use crate::clients::{Platform, ready};
use crate::floor::password::Passwords;
use crate::report::Aim::{AtLeast, None as NoAim};
use crate::report::{Aim, Measured, Report, Unit};

pub fn measure(report: &mut Report) {
    if !report.wants_any(&[RANDOM, HOT]) {
        return;
    }
    if report.is_listing() {
        println!("{RANDOM}\n{HOT}");
        return;
    }
    let floor = Passwords::<2>::default();
    let ours = Platform::new(report.scaled(1_000_000, 50_000), 2, |id, texts| floor.insert(id, texts));
    let rounds = if report.is_quick() { 5 } else { 15 };
    let (hot_id, hot_secret) = ours.presented.at(0);
    let at_floor = |id: &str, secret: &str| {
        black_box(floor.authenticate_shared(id, secret).unwrap());
    };
    let at_ours = |id: &str, secret: &str| {
        black_box(ready(ours.registry.authenticate(id, secret)).unwrap());
    };
    let walking = |thread: usize, stop: &dyn Fn() -> bool, authenticate: &dyn Fn(&str, &str)| {
        let mut walk = ours.presented.walk_from([0.0, 0.5][thread]);
        count(stop, || {
            let (id, secret) = walk.next().unwrap();
            authenticate(id, secret);
        })
    };
    let hot = |_: usize, stop: &dyn Fn() -> bool, authenticate: &dyn Fn(&str, &str)| {
        count(stop, || authenticate(black_box(hot_id), black_box(hot_secret)))
    };
    if report.wants(RANDOM) {
        let both = [
            rates(rounds, &|thread, stop| walking(thread, stop, &at_ours)),
            rates(rounds, &|thread, stop| walking(thread, stop, &at_floor)),
        ];
        add(report, RANDOM, both);
    }
    if report.wants(HOT) {
        let both = [
            rates(rounds, &|thread, stop| hot(thread, stop, &at_ours)),
            rates(rounds, &|thread, stop| hot(thread, stop, &at_floor)),
        ];
        add(report, HOT, both);
    }
}

/// Ours, and below it the floor, where a hot client is shared as well.
fn add(report: &mut Report, name: &str, [ours, floor]: [[Vec<f64>; 2]; 2]) {
    let mut row = |name: String, [one, two]: [Vec<f64>; 2], peer, aim: Aim| {
        report.add(Measured {
            name,
            unit: Unit::Rate,
            ours: two,
            floor: None,
            peers: vec![(peer, one, aim)],
        });
    };
    row(name.to_owned(), ours, "ours, one thread", AtLeast(1.9));
    row(format!("{name}, the floor"), floor, "floor, one thread", NoAim);
}

type Authenticating<'a> = &'a (dyn Fn(usize, &dyn Fn() -> bool) -> u32 + Sync);

/// The rates of one and of two threads, in turns.
fn rates(rounds: usize, work: Authenticating<'_>) -> [Vec<f64>; 2] {
    let mut rates = [const { Vec::new() }; 2];
    for _ in 0..rounds {
        for (threads, rates) in (1..).zip(&mut rates) {
            rates.push(run(threads, work));
        }
    }
    rates
}

/// How often in a second so many threads together do the work.
fn run(threads: usize, work: Authenticating<'_>) -> f64 {
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

const RANDOM: &str = "two threads, a million clients at random";
const HOT: &str = "two threads, one hot client";
const TURN: Duration = Duration::from_millis(200);
