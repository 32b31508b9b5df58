//! PostgreSQL beside the bare statements: changes (one compare-and-set), authenticating (one SELECT), and the list of what ends.
//! The server writes to its disk before it answers.

mod authenticate;
mod changes;
mod ending;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use client_registry::store::PostgresOptions;
use tokio::runtime::Runtime;

use self::changes::Kind;
use crate::report::Report;
use crate::server;

pub fn measure(report: &mut Report) {
    let names: Vec<String> = [changes::names(Kind::Promote), changes::names(Kind::AddAndDelete)]
        .into_iter()
        .flatten()
        .chain([authenticate::NAME, authenticate::LOAD, ending::NAME].map(str::to_owned))
        .collect();
    if report.is_listing() {
        return names.iter().for_each(|name| println!("{name}"));
    }
    if !report.wants_any(&names.iter().map(String::as_str).collect::<Vec<_>>()) {
        return;
    }
    let url = server::shared_url();
    let runtime =
        Arc::new(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());
    for kind in [Kind::Promote, Kind::AddAndDelete] {
        changes::measure(&runtime, &url, kind, report);
    }
    authenticate::measure(&runtime, &url, report);
    ending::measure(&runtime, &url, report);
}

/// A schema that only this process uses. Each call names another one.
fn schema(connections: usize) -> (String, PostgresOptions) {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("measured_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let options = PostgresOptions::new().schema(&name).unwrap().max_connections(connections).hints(false);
    (name, options)
}

fn run(runtime: &Runtime, url: &str, sql: &str) {
    runtime.block_on(async {
        let client = server::client(url).await.expect("a server");
        client.batch_execute(sql).await.unwrap();
    });
}

/// Connections that are busy at once.
const WRITERS: usize = 8;
