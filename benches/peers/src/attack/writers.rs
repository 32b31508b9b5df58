//! Readers beside a writer that rotates one client a millisecond.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use client_registry::store::Store;
use client_registry::{ClientId, Days, Registry, Rotation};
use pollster::block_on;
use tokio::runtime::Handle;

use super::latencies::Latencies;
use super::{call, within};
use crate::clients::Presented;

/// Two readers without and with the writer; a line for each.
pub fn run<S: Store>(
    store: &str,
    registry: &Registry<S>,
    presented: &Presented,
    length: Duration,
    runtime: &Handle,
) {
    let ids = presented.ids();
    for with_writer in [false, true] {
        let is_over = AtomicBool::new(false);
        let (rotations, latencies) = thread::scope(|scope| {
            let writer =
                with_writer.then(|| scope.spawn(|| within(runtime, || rotate(registry, &ids, &is_over))));
            let readers: Vec<_> = [0.0, 0.5]
                .map(|part| scope.spawn(move || within(runtime, || call(registry, presented, part, length))))
                .into_iter()
                .collect();
            let mut latencies = Latencies::new();
            for reader in readers {
                latencies.merge(&reader.join().unwrap());
            }
            is_over.store(true, Ordering::Relaxed);
            (writer.map_or(0, |writer| writer.join().unwrap()), latencies)
        });
        let who = if with_writer { "beside a writer" } else { "readers alone" };
        let rotations = format!("{:.0}/s", rotations as f64 / length.as_secs_f64());
        println!("{store:<10} {who:<16} {:>10} {rotations:>10} {:>10} {latencies}", latencies.len(), "");
    }
}

/// Rotates one client after the other, one each millisecond as far as the store keeps up.
fn rotate<S: Store>(registry: &Registry<S>, ids: &[ClientId], is_over: &AtomicBool) -> u64 {
    let operator = registry.as_operator("ann").unwrap();
    let (mut rotations, started) = (0, Instant::now());
    while !is_over.load(Ordering::Relaxed) {
        let id = &ids[rotations as usize % ids.len()];
        let issued = block_on(operator.client(id).rotate(Rotation::overlap(Days::new(30)))).unwrap();
        drop(issued);
        rotations += 1;
        let due = started + Duration::from_millis(1) * u32::try_from(rotations).unwrap_or(u32::MAX);
        thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    rotations
}
