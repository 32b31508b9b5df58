//! Processes that write to a file and are killed (`kill -9`), at random moments: whatever they had acknowledged is
//! there, everything else wholly or not at all. And processes that write to one file at once: no change is lost.
//!
//! `CLIENT_REGISTRY_KILLS` asks for more or fewer kills than the usual 200, `CLIENT_REGISTRY_SEED` for other moments.

// So that the linter knows the helpers for tests: they may fail loudly.
#![cfg(test)]
#![cfg(all(unix, feature = "sqlite"))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may fail loudly")]

#[path = "../support/mod.rs"]
mod support;

mod child;

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ChildStderr};

use client_registry::Lifetime;
use client_registry::value::Revision;
use pollster::block_on;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::child::{Role, spawn};
use crate::support::ledger::{Ledger, open};
use crate::support::{Scratch, details};

#[test]
fn what_was_acknowledged_survives_a_kill_and_nothing_is_there_by_half() {
    survives(Role::Acknowledges, number("CLIENT_REGISTRY_KILLS", USUAL_KILLS));
}

/// The kill falls into the middle of a batch: of what waited together, nobody was told before all of it was on the disk.
#[test]
fn what_several_callers_were_told_survives_a_kill_in_the_middle_of_a_batch() {
    survives(Role::AcknowledgesTogether, number("CLIENT_REGISTRY_KILLS", USUAL_KILLS) / 2);
}

fn survives(role: Role, kills: usize) {
    let seed = number("CLIENT_REGISTRY_SEED", 1);
    // Few fall between the flush and the acknowledgement, and now and then none of so many.
    for seed in seed..seed + 10 {
        let tally = kill(role, kills, seed).unwrap_or_else(|reason| panic!("{reason}"));
        let _ = writeln!(std::io::stdout(), "{role:?}, seed {seed}: {tally}");
        assert_eq!(tally.kills, kills);
        // Of fewer kills chance, and what else the machine has to do, decide what they fall on.
        if kills < USUAL_KILLS / 2 {
            return;
        }
        assert!(tally.acknowledged > kills, "{tally}");
        if tally.unacknowledged > 0 {
            return;
        }
    }
    panic!("no kill between the flush and the acknowledgement");
}

/// A check that cannot fail proves nothing.
#[test]
fn who_acknowledges_too_early_is_caught() {
    let reason = kill(Role::AcknowledgesTooEarly, 400, 1).unwrap_err();
    let _ = writeln!(std::io::stdout(), "caught: {reason}");
    assert!(reason.contains("acknowledged"), "{reason}");
}

#[derive(Debug, Default)]
struct Tally {
    kills: usize,
    /// Before the file was there.
    nothing_yet: usize,
    acknowledged: usize,
    /// Made, and not acknowledged before the kill.
    unacknowledged: usize,
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { kills, nothing_yet, acknowledged, unacknowledged } = self;
        write!(
            f,
            "{kills} kills ({nothing_yet} before there was a file), {acknowledged} commits acknowledged, "
        )?;
        write!(f, "{unacknowledged} more made")
    }
}

/// Kills so many processes that write, and looks at what each leaves.
fn kill(role: Role, kills: usize, seed: usize) -> Result<Tally, String> {
    let scratch = Scratch::new();
    let mut tally = Tally::default();
    let mut random = StdRng::seed_from_u64(seed as u64);
    let (mut ledger, mut file) = (ledger_of(role), scratch.path().join("0.db"));
    for number in 0..kills {
        if number % KILLS_A_FILE == 0 {
            (ledger, file) = (ledger_of(role), scratch.path().join(format!("{number}.db")));
        }
        let mut worker = spawn(role, &file, random.random());
        let mut lines = BufReader::new(worker.stderr.take().unwrap());
        let wanted = if number % KILLS_A_FILE == 0 { 0 } else { random.random_range(0..16) };
        let heard = hear(&mut lines, wanted, &mut ledger);
        if role != Role::AcknowledgesTooEarly {
            // Somewhere in what comes next, which takes about as long. At the start that is opening the file.
            let most = if wanted == 0 { 400_000 } else { 20_000 };
            for _ in 0..random.random_range(0..most) {
                std::hint::spin_loop();
            }
        }
        let at = format!("kill {number} of seed {seed}");
        finish(&mut worker, &at)?;
        let heard = heard + hear(&mut lines, usize::MAX, &mut ledger);
        tally.kills += 1;
        tally.acknowledged += heard;
        if !file.exists() {
            assert_eq!(heard, 0);
            tally.nothing_yet += 1;
            continue;
        }
        tally.unacknowledged += ledger.audit(&file).map_err(|reason| format!("{at}: {reason}"))?;
    }
    Ok(tally)
}

fn ledger_of(role: Role) -> Ledger {
    Ledger::of_callers(if role == Role::AcknowledgesTogether { child::CALLERS } else { 1 })
}

/// Reads what a process says, up to so many acknowledgements or its end.
fn hear(lines: &mut BufReader<ChildStderr>, wanted: usize, ledger: &mut Ledger) -> usize {
    let mut heard = 0;
    while heard < wanted {
        let mut line = String::new();
        // A line without its end is one that the kill cut short.
        if lines.read_line(&mut line).unwrap() == 0 || !line.ends_with('\n') {
            break;
        }
        heard += usize::from(ledger.note(&line));
    }
    heard
}

/// It has to be the kill that ended it.
fn finish(worker: &mut Child, at: &str) -> Result<(), String> {
    worker.kill().unwrap();
    let status = worker.wait().unwrap();
    match status.signal() {
        Some(9) => Ok(()),
        _ => Err(format!("{at}: the process had ended by itself, {status}")),
    }
}

#[test]
fn two_processes_that_write_to_one_file_lose_no_change() {
    let scratch = Scratch::new();
    let file = scratch.path().join("0.db");
    let client_id = {
        let registry = open(&file).unwrap();
        let contoso = registry.as_seller("contoso").unwrap();
        let registered = contoso.register(details("app 0"), Lifetime::OneYear);
        block_on(registered).unwrap().client_id().clone()
    };
    let mut workers = [1, 2].map(|seed| spawn(Role::Shares, &file, seed));
    // Both are there before either begins.
    for worker in &mut workers {
        worker.stdin.take().unwrap().write_all(b"go\n").unwrap();
    }
    let mut ledger = Ledger::default();
    for worker in &mut workers {
        let made = hear(&mut BufReader::new(worker.stderr.take().unwrap()), usize::MAX, &mut ledger);
        assert!(made > 20, "{made}");
        let status = worker.wait().unwrap();
        assert!(status.success(), "{status}");
    }
    // The first revision was made here.
    assert_eq!(ledger.audit(&file).unwrap(), 1);
    let registry = open(&file).unwrap();
    let contoso = registry.as_seller("contoso").unwrap();
    let revision = block_on(contoso.client(&client_id).snapshot()).unwrap().client().revision();
    let won = ledger.revisions_of(&client_id);
    let expected: Vec<_> = (1..=revision.number()).map(Revision::new).collect();
    assert_eq!(won, expected, "each revision was made once, by one of the two");
    let (made, conflicts) = (won.len(), ledger.conflicts);
    let _ = writeln!(std::io::stdout(), "{made} revisions by two processes, {conflicts} conflicts settled");
    assert!(conflicts > 0, "they were never in each other's way");
}

/// What the child does; nothing where this is the parent.
#[test]
fn child_process() {
    child::run();
}

fn number(variable: &str, otherwise: usize) -> usize {
    std::env::var(variable).map_or(otherwise, |text| text.parse().unwrap())
}

const USUAL_KILLS: usize = 200;
/// So that a file stays small and there are many beginnings.
const KILLS_A_FILE: usize = 20;
