#![doc = include_str!("postgres/operations.md")]

mod address;
mod batch;
mod checks;
mod columns;
mod connections;
mod contract;
mod dial;
mod events;
mod failure;
mod feed;
mod feed_statements;
mod hints;
mod options;
mod proof;
mod read;
mod read_statements;
mod rows;
mod schema;
mod server;
mod session;
mod store;
mod turns;
mod uses;
mod write;
mod write_statements;

pub use self::hints::ChangeHints;
pub use self::options::PostgresOptions;
pub use self::store::PostgresStore;
