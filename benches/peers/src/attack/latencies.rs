//! Many latencies in little memory: counts in buckets, each a thirty-second wider than the one before.

use std::fmt;

#[derive(Clone)]
pub struct Latencies {
    counts: Vec<u64>,
}

impl Latencies {
    pub fn new() -> Self {
        Self { counts: vec![0; BUCKETS] }
    }

    #[inline]
    pub fn add(&mut self, nanoseconds: u64) {
        self.counts[bucket(nanoseconds)] += 1;
    }

    pub fn merge(&mut self, other: &Self) {
        for (count, other) in self.counts.iter_mut().zip(&other.counts) {
            *count += other;
        }
    }

    pub fn len(&self) -> u64 {
        self.counts.iter().sum()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The latency that this part does not exceed, in nanoseconds.
    pub fn quantile(&self, part: f64) -> u64 {
        let wanted = (self.len() as f64 * part).ceil() as u64;
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted.max(1) {
                return upper(bucket);
            }
        }
        0
    }
}

impl Default for Latencies {
    fn default() -> Self {
        Self::new()
    }
}

/// The columns of [`HEAD`].
impl fmt::Display for Latencies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in [0.5, 0.99, 0.999, 1.0] {
            write!(f, " {:>10}", words(self.quantile(part)))?;
        }
        Ok(())
    }
}

pub const HEAD: [&str; 4] = ["p50", "p99", "p99.9", "longest"];

fn words(nanoseconds: u64) -> String {
    match nanoseconds {
        0..10_000 => format!("{nanoseconds} ns"),
        10_000..10_000_000 => format!("{:.1} us", nanoseconds as f64 / 1e3),
        _ => format!("{:.1} ms", nanoseconds as f64 / 1e6),
    }
}

/// Up to 32 ns exactly, then 32 buckets for each doubling.
fn bucket(nanoseconds: u64) -> usize {
    if nanoseconds < 32 {
        return nanoseconds as usize;
    }
    let doublings = nanoseconds.ilog2() as usize - 5;
    let within = (nanoseconds >> doublings) as usize - 32;
    (32 * (doublings + 1) + within).min(BUCKETS - 1)
}

fn upper(bucket: usize) -> u64 {
    if bucket < 32 {
        return bucket as u64;
    }
    let (doublings, within) = (bucket / 32 - 1, bucket % 32);
    (((33 + within) as u64) << doublings) - 1
}

const BUCKETS: usize = 32 * 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_within_a_thirty_second() {
        for nanoseconds in [0, 1, 31, 32, 33, 63, 64, 1_000, 123_456_789] {
            let mut latencies = Latencies::new();
            latencies.add(nanoseconds);
            let found = latencies.quantile(0.99);
            assert!(
                found >= nanoseconds && found <= nanoseconds + nanoseconds / 32 + 1,
                "{nanoseconds}: {found}"
            );
        }
        let mut latencies = Latencies::new();
        (1..=1_000).for_each(|nanoseconds| latencies.add(nanoseconds));
        assert!((500..=516).contains(&latencies.quantile(0.5)));
        assert!((990..=1_024).contains(&latencies.quantile(0.99)));
    }
}
