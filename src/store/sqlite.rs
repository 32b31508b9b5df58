#![doc = include_str!("sqlite/operations.md")]

mod advice;
mod backup;
mod batch;
mod cells;
mod checkpoint;
mod commit;
mod connect;
mod content;
mod cursor;
mod fault;
mod file;
mod identity;
mod lineage;
mod log;
mod making;
mod medium;
mod next;
mod options;
mod place;
mod queue;
mod reads;
mod restore;
mod schema;
mod store;
mod unfinished;
mod uses;
mod writer;
mod writer_thread;

pub use self::options::SqliteOptions;
pub use self::store::SqliteStore;
