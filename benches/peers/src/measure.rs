//! Turns: what is compared does a few milliseconds of work in turn, so that a machine that slows down slows all of it.

use std::hint::black_box;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// What a turn is measured by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The processor time of this thread: work that never waits.
    Processor,
    /// The clock on the wall: work that waits for a disk, a server or another thread.
    Wall,
}

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    pub rounds: usize,
    pub turn: Duration,
}

/// Something that is measured: called with how often it is to be done.
pub type Work<'a> = Box<dyn FnMut(u32) + 'a>;

/// An operation, to be done as often as it takes.
pub fn repeated<'a, T>(mut operation: impl FnMut() -> T + 'a) -> Work<'a> {
    Box::new(move |times| {
        for _ in 0..times {
            black_box(operation());
        }
    })
}

/// Nanoseconds of one operation in each round, for each kind of work.
pub fn in_turns(by: By, effort: Effort, works: &mut [Work<'_>]) -> Vec<Vec<f64>> {
    let times: Vec<_> = works.iter_mut().map(|work| fitting(by, effort.turn, work)).collect();
    let mut rounds = vec![Vec::with_capacity(effort.rounds); works.len()];
    for round in 0..effort.rounds {
        // Who goes first changes, too.
        for step in 0..works.len() {
            let position = (round + step) % works.len();
            // What the others did has pushed this one out of the processor's caches: the way back in is not measured.
            if by == By::Processor && times[position] >= MANY {
                works[position](times[position] / 4);
            }
            let nanoseconds = time(by, times[position], &mut works[position]);
            rounds[position].push(nanoseconds / f64::from(times[position]));
        }
    }
    rounds
}

/// How many operations a turn must have for some to be left unmeasured.
const MANY: u32 = 64;

/// How often an operation fits into a turn.
fn fitting(by: By, turn: Duration, work: &mut Work<'_>) -> u32 {
    let mut times = 1;
    while time(by, times, work) < turn.as_nanos() as f64 {
        times *= 2;
    }
    times
}

/// Nanoseconds of the operation done so many times.
fn time(by: By, times: u32, work: &mut Work<'_>) -> f64 {
    let started = Started::now(by);
    work(times);
    started.elapsed()
}

/// When something began.
pub enum Started {
    Processor(f64),
    Wall(Instant),
}

impl Started {
    pub fn now(by: By) -> Self {
        match by {
            By::Processor => Self::Processor(processor_time()),
            By::Wall => Self::Wall(Instant::now()),
        }
    }

    /// Nanoseconds since then.
    pub fn elapsed(&self) -> f64 {
        match self {
            Self::Processor(started) => processor_time() - started,
            Self::Wall(started) => started.elapsed().as_nanos() as f64,
        }
    }
}

/// The nanoseconds that this thread has had a processor for.
pub fn processor_time() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

/// The median of some figures, and the quartiles around it.
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    pub low: f64,
    pub median: f64,
    pub high: f64,
}

impl Spread {
    pub fn of(mut figures: Vec<f64>) -> Self {
        figures.sort_by(f64::total_cmp);
        let at = |part: f64| figures[((figures.len() - 1) as f64 * part).round() as usize];
        Self { low: at(0.25), median: at(0.5), high: at(0.75) }
    }

    /// Of how much more one is than the other, round by round.
    pub fn of_ratios(ours: &[f64], theirs: &[f64]) -> Self {
        Self::of(ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect())
    }
}

/// A place in sorted figures: 0.99 for the one that 99 of 100 do not exceed.
pub fn quantile(sorted: &[f64], part: f64) -> f64 {
    let position = (sorted.len() as f64 * part) as usize;
    sorted.get(position.min(sorted.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}
