//! Concurrent registries on one store behave, for each client, as if every call had taken effect at one instant between its
//! beginning and its end (linearizability). A call of unknown outcome may take effect at any time after its beginning, or
//! never.
//!
//! Threads call registries of their own, through a store that loses answers and lets commits arrive late. What they were
//! told is then explained, by trying out every order that fits, or it cannot be: two stores with planted faults show that
//! this is found.

mod checker;
mod history;
mod unreliable;

use std::io::Write;

use client_registry::store::{MemoryStore, Store};

use checker::explain;
use history::run;
use unreliable::Unreliable;

/// Runs histories until one cannot be explained, or until there were enough of them.
fn check<S: Store + Clone>(what: &str, count: u64, store: impl Fn(u64) -> Unreliable<S>) -> Option<String> {
    let (mut calls, mut open) = (0, 0);
    for seed in 0..count {
        let history = run(store(seed), seed);
        calls += history.len();
        open += history.iter().filter(|call| call.answer.is_none()).count();
        if let Err(unexplained) = explain(&history) {
            return Some(format!("{what}, history {seed}:\n{unexplained}"));
        }
    }
    let _ = writeln!(
        std::io::stdout(),
        "{what}: {count} histories, {calls} calls, {open} of unknown outcome, all of them explained"
    );
    assert!(open * 50 > calls && open * 3 < calls, "{open} of {calls} calls are of unknown outcome");
    None
}

#[test]
fn in_memory_1000_histories_are_linearizable() {
    let unexplained = check("memory", 1000, |seed| Unreliable::new(MemoryStore::new(), seed));
    assert_eq!(unexplained, None);
}

/// In a file, and in a directory that is gone afterwards.
#[cfg(feature = "sqlite")]
#[test]
fn in_a_file_200_histories_are_linearizable() {
    let memory = std::path::Path::new("/dev/shm");
    let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let directory = parent.join(format!("client-registry-linearizable-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let unexplained = check("a file", 200, |seed| {
        let path = directory.join(format!("{seed}.db"));
        Unreliable::new(client_registry::store::SqliteStore::open(path).unwrap(), seed)
    });
    std::fs::remove_dir_all(&directory).unwrap();
    assert_eq!(unexplained, None);
}

/// In PostgreSQL, with every commit flushed.
#[cfg(feature = "postgres")]
#[test]
fn in_postgresql_200_histories_are_linearizable() {
    let schemas = std::cell::RefCell::new(Vec::new());
    let unexplained = check("PostgreSQL", 200, |seed| {
        let schema = crate::support::server::Schema::shared();
        let options = schema.options().max_connections(3).hints(false);
        let store = crate::support::block_on(schema.store_with(options));
        schemas.borrow_mut().push(schema);
        Unreliable::new(store, seed)
    });
    assert_eq!(unexplained, None);
}

#[test]
fn a_store_that_answers_with_what_was_is_found() {
    let found = check("stale", 1000, |seed| Unreliable::new(MemoryStore::new(), seed).stale());
    assert!(found.is_some());
}

#[test]
fn a_store_that_acknowledges_what_it_loses_is_found() {
    let found = check("forgetful", 1000, |seed| Unreliable::new(MemoryStore::new(), seed).forgetful());
    assert!(found.is_some());
}
