//! OAuth clients that nobody here wrote get tokens from `examples/token-endpoint`, and are refused where they have to be. The endpoint
//! answers as `oidc-provider` does, with the exceptions that `differential.rs` lists. Servers that let in everybody, and nobody, must be
//! caught by the same checks.

mod differential;
mod http;
mod lives;
mod peer;
mod platform;
mod requests;
mod server;
mod table;
#[allow(dead_code, reason = "the other driver uses all of it")]
#[path = "../../tally.rs"]
mod tally;

use std::process::ExitCode;

use peer::{OAuth2, Peer, Process};
use platform::{Expected, Platform};
use server::{Fake, Server};
use tally::Tally;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [endpoint, python, python_peer, node_peer, provider] = &arguments[..] else {
        eprintln!(
            "started by tests/foreign/run, with the paths of the endpoint, of Python, and of three scripts"
        );
        return ExitCode::FAILURE;
    };
    let platform = Platform::new();
    let server = Server::endpoint(endpoint, &platform);
    let mut peers: Vec<Box<dyn Peer>> = vec![
        Box::new(Process::start("Authlib", python, python_peer)),
        Box::new(Process::start("requests-oauthlib", python, python_peer)),
        Box::new(Process::start("openid-client", "node", node_peer)),
        Box::new(OAuth2),
    ];
    let mut tally = Tally::default();

    println!("{}", table::head(&peers));
    table::run(&platform.rows, &server.url, &mut peers, &mut tally, true);
    lives::run(&platform, &server.url, &mut peers, &mut tally);
    let provider = Server::provider(provider, &platform);
    let (requests, tokens) = differential::run(&platform, &server.url, &provider.url, &mut tally);
    println!("{requests} requests beside oidc-provider, {tokens} of them get a token");

    // Controls: these have to fail, or the checks above say nothing.
    for (fake, what) in
        [(Fake::lets_in_everybody(), "has to be refused"), (Fake::lets_in_nobody(), "has to get a token")]
    {
        let mut control = Tally::default();
        table::run(&platform.rows, &fake.url, &mut peers, &mut control, false);
        let expected = platform.rows.iter().filter(|row| row.expected.complaint() == what).count();
        let caught = control.failures.iter().filter(|failure| failure.contains(what)).count();
        // Each such row fails with each client and method, but for the texts that a client does not send.
        let all = expected * peers.len() * 2 - table::not_sent(&platform.rows, what);
        tally.check(format!("control: a server that is caught where one {what}"), equal(caught, all));
        let mut control = Tally::default();
        differential::run(&platform, &fake.url, &provider.url, &mut control);
        let all = if what == Expected::Refused.complaint() { requests - tokens } else { tokens };
        let caught = control.failures.iter().filter(|failure| failure.contains(fake.says)).count();
        tally.check(format!("control: beside oidc-provider, one {what}"), at_least(caught, all));
    }
    tally.failures.iter().for_each(|failure| println!("    {failure}"));
    println!("{} passed, {} failed", tally.passed, tally.failures.len());
    match (tally.failures.len(), tally.passed >= LEAST) {
        (0, true) => ExitCode::SUCCESS,
        (0, false) => {
            println!("fewer than {LEAST} checks were made");
            ExitCode::FAILURE
        }
        _ => ExitCode::FAILURE,
    }
}

fn equal(found: usize, expected: usize) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{found} instead of {expected}")) }
}

fn at_least(found: usize, expected: usize) -> Result<(), String> {
    if found >= expected { Ok(()) } else { Err(format!("{found} instead of at least {expected}")) }
}

/// So that no check is left out unnoticed.
const LEAST: usize = 340;
