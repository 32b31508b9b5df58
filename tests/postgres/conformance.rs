//! The conformance suite on PostgreSQL: all of it, with nothing skipped. A crash is the server killed without a word.

use std::time::Duration;

use client_registry::conformance::{Factory, Skip, Spoil, Suite};
use client_registry::store::{PostgresStore, StoreError};
use tokio::runtime::Runtime;

use crate::support::server::{Schema, Server};

/// Schemas on a server of their own, which may be killed.
struct OnServer {
    server: Server,
    runtime: Runtime,
    is_behind_pooler: bool,
}

impl OnServer {
    fn new(is_behind_pooler: bool) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        Self { server: Server::start(), runtime, is_behind_pooler }
    }
}

impl Factory for OnServer {
    type Place = Schema;
    type Store = PostgresStore;

    fn place(&self) -> Schema {
        Schema::at(self.server.url())
    }

    fn open(&self, place: &Schema) -> Result<PostgresStore, StoreError> {
        let options = place.options().max_connections(4).hints(false);
        let options = if self.is_behind_pooler { options.behind_pooler() } else { options };
        self.block_on(PostgresStore::connect_with(&place.url, options))
    }

    fn crash(&self, _: &Schema, store: PostgresStore) -> Result<(), Skip> {
        self.server.kill();
        drop(store);
        self.server.up();
        Ok(())
    }

    fn share(&self) -> Result<(), Skip> {
        Ok(())
    }

    fn step_clock_back(&self, _: &Schema, _: Duration) -> Result<(), Skip> {
        Ok(()) // it asks no clock
    }

    fn copy(&self, from: &Schema, to: &Schema) -> Result<(), Skip> {
        let tables = ["meta", "records", "entries", "secrets", "history", "pending", "feed", "feed_end"];
        let copied = tables.map(|table| {
            let (from, to) = (format!("{}.{table}", from.name), format!("{}.{table}", to.name));
            format!("TRUNCATE {to}; INSERT INTO {to} SELECT * FROM {from};")
        });
        self.runtime.block_on(to.run(&copied.concat()));
        Ok(())
    }

    fn fail_flush(&self, _: &Schema, _: usize) -> Result<(), Skip> {
        Err(Skip::because("the server stops when it cannot flush its log, as when it is killed"))
    }

    fn spoil(&self, place: &Schema, what: Spoil<'_>) -> Result<(), Skip> {
        let sql = match what {
            Spoil::Record(id) => {
                format!(
                    "UPDATE client_registry.records SET registry_id = '\\x07' WHERE id = '{id}' RETURNING 1"
                )
            }
            Spoil::History(id) => {
                format!(
                    "UPDATE client_registry.history SET events = '{{' WHERE client_id = '{id}' RETURNING 1"
                )
            }
            _ => return Err(Skip::because("there is no such thing in the schema")),
        };
        assert!(!self.runtime.block_on(place.run(&sql)).is_empty());
        Ok(())
    }

    fn block_on<T: Future + Send>(&self, future: T) -> T::Output {
        self.runtime.block_on(future)
    }
}

/// With more time for each case than it has by default: some kill the server two dozen times.
fn suite(is_behind_pooler: bool) -> Suite<OnServer> {
    Suite::new(OnServer::new(is_behind_pooler)).time_limit(Duration::from_secs(600))
}

/// What the server does by itself.
const NO_FLUSH: &[&str] = &[
    "what_is_said_of_a_failed_flush_is_true",
    "nothing_acknowledged_is_lost_after_a_failed_flush",
    "uses_noted_again_after_a_failed_flush_are_kept",
    "nothing_acknowledged_is_lost_when_opened_after_a_failed_flush",
    "nothing_acknowledged_is_lost_beside_a_failed_flush",
    "what_is_shown_after_a_failed_flush_is_durable",
];

#[test]
fn the_store_in_postgresql_passes() {
    let report = suite(false).run();
    println!("{report}");
    report.assert_complete_but_for(NO_FLUSH);
}

/// With statements that have no names and sessions that keep nothing.
#[test]
fn the_store_behind_a_pooler_passes() {
    suite(true).run().assert_complete_but_for(NO_FLUSH);
}
