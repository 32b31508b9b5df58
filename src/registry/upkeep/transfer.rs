//! Moving a registry between stores: records, trails and last uses go into a stream and come out of it with
//! the same revisions, keys and hashes.
//!
//! The stream begins with a line of text. Pieces follow. A piece is one byte for its kind, its length (4 bytes, big-endian), that
//! many bytes (at most 64 KiB), and a proof of 32 bytes: HMAC-SHA-256 over the proof of the piece before (zeros for the first) and
//! this piece, under a subkey of the key that the first piece names. So an attacker who lacks the key cannot edit, drop, add or
//! reorder a piece, and the last proof vouches for the whole stream. Streams of the first version have no proofs. Verifiers and
//! MAC keys are sealed in the stream as they are in the store. While a store is being filled, its record of the registry says
//! so, and the store does not open: half a registry is not mistaken for a whole one.

mod error;
mod export;
mod import;
mod piece;
mod reading;
mod target;

pub use self::error::{ImportError, ImportSummary};
pub use self::export::{ExportError, ExportSummary};
