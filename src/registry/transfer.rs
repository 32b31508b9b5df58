//! Moving a registry between stores (section 5): records, trails and last uses go into a stream and come out of it with
//! revisions, keys and hashes as they were.
//!
//! The stream begins with a line of text. Pieces follow, each one byte that says what it is, its length (4 bytes, the most
//! significant first) and that many bytes, at most 64 KiB. What protects secrets is as sealed in the stream as in the
//! store. The record of the registry is written last: a store that was filled half-way has none, and cannot be
//! mistaken for a whole registry.

mod export;
mod import;
mod piece;

pub use self::export::{ExportError, Exported};
pub use self::import::{ImportError, Imported};
