//! PostgreSQL beside the bare statements: changes (one compare-and-set), authentication (one SELECT), and the list of what ends.
//!
//! What is compared runs in turns, so that a machine that slows down does so for all of it. The server writes to its disk before
//! it answers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a bench that cannot go on may stop"
)]

mod authenticate;
mod changes;
mod ending;
#[path = "../floor"]
mod floor {
    pub(crate) mod server;
}
#[path = "../../tests/support/forward.rs"]
mod forward;
#[path = "../../tests/support/server/mod.rs"]
mod server;
#[path = "../support/mod.rs"]
mod support;
mod tap;

use std::time::Instant;

use client_registry::Keyring;
use client_registry::value::KeyId;

use self::changes::Kind;
use self::support::ratios::Ratios;

fn main() {
    let url = server::shared_url();
    let mut ratios = Ratios::new();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    for kind in [Kind::Promote, Kind::AddAndDelete] {
        changes::measure(&runtime, &url, kind, &mut ratios);
    }
    authenticate::measure(&runtime, &url, &mut ratios);
    ending::measure(&runtime, &url, &mut ratios);
    ratios.print(["PostgreSQL", "floor", "ours", "ratio"]);
}

fn keyring() -> Keyring {
    let key = std::array::from_fn(|position| position as u8);
    Keyring::new(KeyId::parse("2026").unwrap(), &key).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "measuring is what a benchmark is for")]
fn now() -> Instant {
    Instant::now()
}

/// Connections that are busy at once.
const WRITERS: usize = 8;
