//! Moving a registry between stores (section 5): records, trails and last uses go into a stream and come out of it with
//! revisions, keys and hashes as they were.
//!
//! The stream begins with a line of text. Pieces follow, each one byte that says what it is, its length (4 bytes, the most
//! significant first) and that many bytes, at most 64 KiB. What protects secrets is as sealed in the stream as in the
//! store. While a store is being filled, the record of the registry in it says so, and nobody opens it: half a registry is
//! not mistaken for a whole one.

mod export;
mod import;
mod piece;

pub use self::export::{ExportError, Exported};
pub use self::import::{ImportError, Imported};
