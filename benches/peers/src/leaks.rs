//! Whether time tells: the method of dudect (Reparaz, Balasch, Verbauwhede, 2017). Two classes of input are measured in random
//! order, and Welch's t-test asks whether their times come from one distribution.

use std::hint::black_box;
use std::time::Instant;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// What came out for two classes.
#[derive(Clone, Copy, Debug)]
pub struct Finding {
    /// The largest of Welch's t over all measurements and over those below some percentiles, which interrupts do not spoil.
    pub t: f64,
    /// By how many nanoseconds the second class is slower, after the slowest tenth is left out.
    pub difference: f64,
    /// Nanoseconds of the first class.
    pub time: f64,
}

impl Finding {
    /// dudect's own bound, and a difference that is more than a hundredth of the whole.
    pub fn is_seen(&self) -> bool {
        self.t.abs() > SEEN && self.difference.abs() > self.time / 100.0
    }
}

/// What is presented: a client ID and a client secret.
pub type Presented<'a> = (&'a str, &'a str);

/// Measures two classes, so many times in all. Both run the same code and read their input from the same place: where code and
/// texts stand would otherwise tell more than what they are.
pub fn compare<T>(
    samples: usize,
    classes: [Presented<'_>; 2],
    mut present: impl FnMut(&str, &str) -> T,
) -> Finding {
    let mut random = StdRng::seed_from_u64(3);
    let mut taken: Vec<(bool, f64)> = Vec::with_capacity(samples);
    let (mut id, mut secret) = (String::with_capacity(ROOM), String::with_capacity(ROOM));
    for sample in 0..samples + samples / 20 {
        let is_other: bool = random.random();
        let (of_class, text) = classes[usize::from(is_other)];
        id.clear();
        id.push_str(of_class);
        secret.clear();
        secret.push_str(text);
        let started = Instant::now();
        for _ in 0..EACH {
            black_box(present(black_box(&id), black_box(&secret)));
        }
        let nanoseconds = started.elapsed().as_nanos() as f64 / f64::from(EACH);
        // The first ones warm up.
        if sample >= samples / 20 {
            taken.push((is_other, nanoseconds));
        }
    }
    let mut sorted: Vec<f64> = taken.iter().map(|(_, nanoseconds)| *nanoseconds).collect();
    sorted.sort_by(f64::total_cmp);
    let below = |part: f64| {
        let limit = sorted[((sorted.len() - 1) as f64 * part) as usize];
        let (mut one, mut other) = (Moments::default(), Moments::default());
        for (is_other, nanoseconds) in taken.iter().filter(|(_, nanoseconds)| *nanoseconds <= limit) {
            if *is_other { &mut other } else { &mut one }.add(*nanoseconds);
        }
        (one, other)
    };
    let t = CROPS.map(|part| {
        let (one, other) = below(part);
        Moments::t(&one, &other)
    });
    let t = t.into_iter().max_by(|one, other| one.abs().total_cmp(&other.abs())).unwrap_or(0.0);
    let (one, other) = below(0.9);
    Finding { t, difference: other.mean - one.mean, time: one.mean }
}

/// Mean and variance, taken in as they come (Welford).
#[derive(Default)]
struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn add(&mut self, figure: f64) {
        self.count += 1.0;
        let before = figure - self.mean;
        self.mean += before / self.count;
        self.squares += before * (figure - self.mean);
    }

    fn t(one: &Self, other: &Self) -> f64 {
        let error = |moments: &Self| moments.squares / (moments.count - 1.0) / moments.count;
        let error = (error(one) + error(other)).sqrt();
        if error > 0.0 { (other.mean - one.mean) / error } else { 0.0 }
    }
}

/// How many operations one measurement is, against the cost of reading the clock.
const EACH: u32 = 4;
/// More than any text that is presented here.
const ROOM: usize = 1024;
const CROPS: [f64; 5] = [1.0, 0.99, 0.95, 0.9, 0.75];
/// Above it, dudect says that a leak is there.
const SEEN: f64 = 10.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_figures() {
        let (mut one, mut other) = (Moments::default(), Moments::default());
        [1.0, 2.0, 3.0, 4.0].into_iter().for_each(|figure| one.add(figure));
        [2.0, 4.0, 6.0, 8.0].into_iter().for_each(|figure| other.add(figure));
        assert_eq!((one.mean, other.mean), (2.5, 5.0));
        assert!((Moments::t(&one, &other) - 2.5 / (25.0_f64 / 12.0).sqrt()).abs() < 1e-12);
    }
}
