//! Moving a registry between stores: records, trails and last uses go into a stream and come out of it with
//! revisions, keys and hashes as they were.
//!
//! The stream begins with a line of text. Pieces follow, each one byte that says what it is, its length (4 bytes, the most
//! significant first), that many bytes, at most 64 KiB, and a proof of 32 bytes: HMAC-SHA-256 over the proof of the piece
//! before (zeros for the first), and this piece, under a subkey of the key that the first piece names. So nobody who lacks the
//! key edits, drops, adds or reorders a piece, and the last proof stands for the whole stream. Streams of the first version
//! have no proofs. What protects secrets is as sealed in the stream as in the
//! store. While a store is being filled, the record of the registry in it says so, and nobody opens it: half a registry is
//! not mistaken for a whole one.

mod export;
mod import;
mod piece;

pub use self::export::{ExportError, ExportSummary};
pub use self::import::{ImportError, ImportSummary};
