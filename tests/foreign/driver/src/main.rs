//! Libraries that nobody here wrote verify what the registry signs, and a ring verifies what they sign: tokens and webhooks, before,
//! during and after an overlap. One changed byte and a wrong key are refused. A peer that accepts everything, and one that accepts
//! nothing, must be caught by the same checks.

mod checks;
mod peer;
mod platform;
mod tally;

use std::process::ExitCode;

use peer::{AcceptsAll, AcceptsNothing, JsonWebToken, Peer, Process};
use tally::Tally;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [python, python_peer, node_peer] = &arguments[..] else {
        eprintln!(
            "started by tests/foreign/run, with the paths of the Python interpreter and of two scripts"
        );
        return ExitCode::FAILURE;
    };
    let mut failed = 0;
    let mut peers: Vec<Box<dyn Peer>> = vec![
        Box::new(Process::start("Python: PyJWT, standardwebhooks", python, python_peer)),
        Box::new(Process::start("Node: jose, standardwebhooks", "node", node_peer)),
        Box::new(JsonWebToken),
    ];
    let mut passed = 0;
    for peer in &mut peers {
        let mut tally = Tally::default();
        checks::run(&mut **peer, &mut tally);
        println!("{}: {} passed, {} failed", peer.name(), tally.passed, tally.failures.len());
        tally.failures.iter().for_each(|failure| println!("    {failure}"));
        passed += tally.passed;
        failed += tally.failures.len();
        if tally.passed < peer.least() {
            println!("    fewer than {} checks were made", peer.least());
            failed += 1;
        }
    }
    // Controls: these have to fail, or the checks above say nothing.
    for (mut control, kind) in [
        (Box::new(AcceptsAll) as Box<dyn Peer>, "wrong key"),
        (Box::new(AcceptsAll), "changed byte"),
        (Box::new(AcceptsNothing), "accepted"),
    ] {
        let mut tally = Tally::default();
        checks::run(&mut *control, &mut tally);
        match tally.failures.iter().any(|failure| failure.contains(kind)) {
            true => passed += 1,
            false => {
                println!("control: {} was not caught ({kind})", control.name());
                failed += 1;
            }
        }
    }
    println!("{passed} passed, {failed} failed");
    match failed {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}
