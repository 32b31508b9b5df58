//! The table of ratios: ours to the floor, measured in alternating rounds, with the bound that the ratio must meet.
//!
//! Criterion measures one thing after the other, and a machine that slows down in between spoils the ratio. Here the
//! two take turns of a few milliseconds, and the ratio is the median of the rounds' ratios.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use super::measuring;

/// Rows for the end of a bench.
pub(crate) struct Ratios {
    rows: Vec<Row>,
}

struct Row {
    case: String,
    floor: String,
    ours: String,
    ratio: f64,
    bound: Option<Bound>,
}

/// What a ratio must be.
#[derive(Clone, Copy)]
pub(crate) enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

impl Ratios {
    pub(crate) fn new() -> Self {
        Self { rows: Vec::new() }
    }

    /// Measures one operation of each, in turns.
    pub(crate) fn compare<A, B>(
        &mut self,
        case: impl Into<String>,
        bound: Option<Bound>,
        floor: impl FnMut() -> A,
        ours: impl FnMut() -> B,
    ) {
        let Some([floor, ours, ratio]) = medians(floor, ours) else {
            return;
        };
        self.add(case, nanoseconds(floor), nanoseconds(ours), ratio, bound);
    }

    /// A row that was measured elsewhere.
    pub(crate) fn add(
        &mut self,
        case: impl Into<String>,
        floor: String,
        ours: String,
        ratio: f64,
        bound: Option<Bound>,
    ) {
        self.rows.push(Row { case: case.into(), floor, ours, ratio, bound });
    }

    /// Prints the table.
    pub(crate) fn print(&self, columns: [&str; 4]) {
        if self.rows.is_empty() {
            return;
        }
        let [case, floor, ours, ratio] = columns;
        let mut table = format!("\n{case:<52} {floor:>14} {ours:>14} {ratio:>6}  bound\n");
        for row in &self.rows {
            let bound = match row.bound {
                None => "-".to_owned(),
                Some(bound) => {
                    format!("{bound}  {}", if bound.is_met(row.ratio) { "met" } else { "NOT MET" })
                }
            };
            let Row { case, floor, ours, ratio, .. } = row;
            let _ = writeln!(table, "{case:<52} {floor:>14} {ours:>14} {ratio:>6.2}  {bound}");
        }
        println!("{table}");
    }
}

impl Bound {
    fn is_met(self, ratio: f64) -> bool {
        match self {
            Self::AtMost(most) => ratio <= most,
            Self::AtLeast(least) => ratio >= least,
        }
    }
}

impl std::fmt::Display for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AtMost(most) => write!(f, "<= {most:.2}"),
            Self::AtLeast(least) => write!(f, ">= {least:.2}"),
        }
    }
}

/// The medians of the floor's and our nanoseconds, and of the ratios of the rounds; `None` unless measuring.
pub(crate) fn medians<A, B>(mut floor: impl FnMut() -> A, mut ours: impl FnMut() -> B) -> Option<[f64; 3]> {
    if !measuring() {
        floor();
        ours();
        return None;
    }
    let (times_floor, times_ours) = (fitting(&mut floor), fitting(&mut ours));
    let mut rounds = [const { Vec::new() }; 3];
    for round in 0..ROUNDS {
        // Who goes first changes, too.
        let [a, b] = if round % 2 == 0 {
            let a = time(times_floor, &mut floor);
            [a, time(times_ours, &mut ours)]
        } else {
            let b = time(times_ours, &mut ours);
            [time(times_floor, &mut floor), b]
        };
        for (all, one) in rounds.iter_mut().zip([a, b, b / a]) {
            all.push(one);
        }
    }
    Some(rounds.map(median))
}

/// The median of some figures.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// How often an operation fits into a turn.
fn fitting<T>(operation: &mut impl FnMut() -> T) -> u32 {
    let mut times = 1;
    while time(times, operation) * f64::from(times) < TURN.as_nanos() as f64 {
        times *= 2;
    }
    times
}

/// Nanoseconds of one operation, when it is done so many times.
#[expect(clippy::disallowed_methods, reason = "measuring is what a benchmark is for")]
fn time<T>(times: u32, operation: &mut impl FnMut() -> T) -> f64 {
    let started = Instant::now();
    for _ in 0..times {
        std::hint::black_box(operation());
    }
    started.elapsed().as_nanos() as f64 / f64::from(times)
}

fn nanoseconds(time: f64) -> String {
    format!("{time:.1} ns")
}

/// Odd, so that one is in the middle.
const ROUNDS: u32 = 101;
const TURN: Duration = Duration::from_millis(5);
