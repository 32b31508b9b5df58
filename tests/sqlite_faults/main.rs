//! A disk that fails, and then a power cut: what was acknowledged is there, everything else wholly or not at all.
//!
//! The power cuts here are those of a disk that is played. `cargo test --test sqlite_faults power -- --ignored` makes them on
//! file systems of their own, for which it needs root and loop devices.
//!
//! `CLIENT_REGISTRY_FAULTS=all` lets every call fail that there is, one run each, which takes some minutes; otherwise
//! some of them.

// So that the linter knows the helpers for tests: they may fail loudly.
#![cfg(test)]
#![cfg(all(target_os = "linux", feature = "sqlite"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may fail loudly"
)]

#[path = "../support/mod.rs"]
mod support;

mod child;
mod disk;
mod flushes;
mod power;
mod reads;
mod sweep;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Child;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::support::ledger::{Ledger, open};

/// What a process said until it was done, and was killed.
#[derive(Debug, Default)]
struct Said {
    ledger: Ledger,
    acknowledged: usize,
    refusals: Vec<String>,
    copied: bool,
}

fn hear(worker: Child) -> Result<Said, String> {
    hear_more(worker, Said::default())
}

/// The same after what others have said.
fn hear_more(mut worker: Child, mut said: Said) -> Result<Said, String> {
    let mut other = String::new();
    let lines = lines_of(&mut worker);
    loop {
        let line = match lines.recv_timeout(PATIENCE) {
            Ok(line) => line,
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                worker.kill().unwrap();
                return Err(format!("the process has said nothing for {PATIENCE:?}: {other}"));
            }
        };
        match line.split_once(' ').unwrap_or((&line, "")) {
            ("done", _) => {
                worker.kill().unwrap();
                worker.wait().unwrap();
                return Ok(said);
            }
            ("acknowledged" | "issued", _) => said.acknowledged += usize::from(said.ledger.note(&line)),
            ("refused", why) => said.refusals.push(why.to_owned()),
            ("copied", _) => said.copied = true,
            _ => other.push_str(&format!("{line}\n")),
        }
    }
    Err(format!("the process ended by itself, {}: {other}", worker.wait().unwrap()))
}

/// What a process says, as long as it lives.
fn lines_of(worker: &mut Child) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    let stderr = BufReader::new(worker.stderr.take().unwrap());
    thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    receiver
}

/// How long a process may take for one step on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(120);

/// Opens what a power cut left, and looks for everything that was acknowledged.
fn audit(file: &Path, ledger: &Ledger) -> Result<(), String> {
    drop(open(file)?);
    ledger.clone().audit(file).map(drop)
}
