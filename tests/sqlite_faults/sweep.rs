//! The Nth call of each kind fails, during each kind of work.

use std::io::Write as _;
use std::sync::Mutex;
use std::thread;

use crate::child::{ALL, While, as_child, spawn, work};
use crate::disk::{Call, Disk, EIO, ENOSPC, Fault};
use crate::support::Scratch;
use crate::{Said, audit, hear, hear_more};

#[test]
fn whichever_call_fails_everything_acknowledged_is_there_after_a_power_cut() {
    let everything = std::env::var("CLIENT_REGISTRY_FAULTS").is_ok_and(|faults| faults == "all");
    let jobs: Vec<_> =
        ALL.into_iter().flat_map(|during| KINDS.map(|(call, error)| (during, call, error))).collect();
    let jobs = Mutex::new(jobs);
    let tally = Mutex::new((0, 0, 0));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some((during, call, error)) = { jobs.lock().unwrap().pop() } {
                    let (runs, refusals, acknowledged) = sweep(during, call, error, everything);
                    let mut tally = tally.lock().unwrap();
                    *tally = (tally.0 + runs, tally.1 + refusals, tally.2 + acknowledged);
                }
            });
        }
    });
    let (runs, refusals, acknowledged) = tally.into_inner().unwrap();
    let _ = writeln!(
        std::io::stdout(),
        "{runs} calls failed, {refusals} refusals, {acknowledged} commits acknowledged"
    );
    assert!(runs > 60 && refusals > 20, "{runs} calls failed, {refusals} refusals");
}

/// The first call of a kind, the second and so on, until there are no more. How many failed, how often something was
/// refused, how many commits were acknowledged.
fn sweep(during: While, call: Call, error: i32, everything: bool) -> (usize, usize, usize) {
    let (mut runs, mut refusals, mut acknowledged, mut nth) = (0, 0, 0, 1);
    loop {
        let fault = Fault { call, nth, ending: "", error, evicts: nth % 2 == 0, for_good: false };
        let Some(said) = run(during, fault).unwrap_or_else(|why| panic!("{during:?}, {fault:?}: {why}"))
        else {
            return (runs, refusals, acknowledged);
        };
        runs += 1;
        refusals += said.refusals.len();
        acknowledged += said.acknowledged;
        // Else the first ones, and then ever fewer; fewest where a run takes longest.
        nth += match during {
            _ if everything => 1,
            While::Checkpoint => nth,
            _ => 1 + nth / 2,
        };
    }
}

/// Nothing where the work has fewer calls of this kind.
fn run(during: While, fault: Fault) -> Result<Option<Said>, String> {
    let scratch = Scratch::new();
    let disk = Disk::new(scratch.path());
    let role = |during: While, fault: Fault| format!("{during:?} {}", fault.to_word());
    let said = match during {
        While::Recovery | While::Dying => {
            let first =
                if during == While::Dying { fault } else { Fault { call: Call::Fsync, nth: 3, ..fault } };
            let said = hear(spawn("sweep::worker", &disk, &role(While::Dying, first)))?;
            let has_failed = disk.has_failed();
            disk.disarm();
            let never = Fault { nth: u32::MAX, ..fault };
            let next = if during == While::Dying { never } else { fault };
            let said = hear_more(spawn("sweep::worker", &disk, &role(While::Recovery, next)), said)?;
            if !(has_failed && during == While::Dying || disk.has_failed()) {
                return Ok(None);
            }
            said
        }
        _ => {
            let said = hear(spawn("sweep::worker", &disk, &role(during, fault)))?;
            if !disk.has_failed() {
                return Ok(None);
            }
            said
        }
    };
    // Advice that would lose something if it was followed.
    if let Some(why) = said.refusals.iter().find(|why| misleads(why)) {
        return Err(format!("the refusal misleads: {why}"));
    }
    for (name, some) in [("flushed", None), ("some", Some(u64::from(fault.nth)))] {
        let file = disk.after_a_power_cut(name, some);
        audit(&file, &said.ledger).map_err(|why| format!("{name}: {why}, after {:?}", said.refusals))?;
        if said.copied {
            // It has what was acknowledged before it was made.
            crate::open(&file.with_file_name("backup.db"))
                .map_err(|why| format!("{name}: the copy: {why}"))?;
        }
    }
    Ok(Some(said))
}

pub(crate) fn misleads(refusal: &str) -> bool {
    ["restore a backup", "restore it", "give this user"].iter().any(|words| refusal.contains(words))
}

#[test]
fn worker() {
    let Some((disk, role)) = as_child() else { return };
    let (during, fault) = role.split_once(' ').unwrap();
    let during = *ALL.iter().find(|known| format!("{known:?}") == during).unwrap();
    work(disk, during, Fault::of_word(fault));
}

const KINDS: [(Call, i32); 5] =
    [(Call::Fsync, EIO), (Call::Write, EIO), (Call::Write, ENOSPC), (Call::Truncate, EIO), (Call::Read, EIO)];
