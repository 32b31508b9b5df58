//! What the benches have in common: a platform to measure on, and the table of ratios at the end.

#![allow(dead_code, reason = "each bench takes the part it needs")]

pub(crate) mod platform;
pub(crate) mod ratios;

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use criterion::Criterion;

/// Criterion with shorter times, so that all benches together take a few minutes.
pub(crate) fn criterion() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(2))
        .without_plots()
        .configure_from_args()
}

/// The outcome of a future that never waits, as all are over the memory store. No executor is measured.
#[inline]
pub(crate) fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => unreachable!("the memory store never waits"),
    }
}

/// Whether this is `cargo bench`. Otherwise everything runs once and small, to show that it runs.
pub(crate) fn measuring() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}

/// `clients` when measuring, and a few otherwise.
pub(crate) fn scaled(clients: usize) -> usize {
    if measuring() { clients } else { clients.min(100) }
}
