//! How the suite makes stores, and what it does to them: the trait that a test implements for its store.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use crate::conformance::together::block_on;
use crate::store::{RecordId, Store};
use crate::store_error::StoreError;
use crate::value::ClientId;

/// Makes the stores under test, and arranges what the cases need: crashes, copies, failures.
///
/// A method that cannot arrange something returns a [`Skip`] with the reason. The report lists the cases that need it as
/// skipped. A method may panic where it fails itself: that fails the case.
pub trait Factory: Send + Sync + 'static {
    /// The place where one store keeps its data, for example a directory or a schema. The suite drops it after the store, and
    /// the place then deletes the data.
    ///
    /// What stores of one place share outside their files, such as a file lock, belongs here too.
    type Place: Send + Sync;
    /// The store.
    type Store: Store;

    /// Creates a new, empty place.
    fn place(&self) -> Self::Place;

    /// Opens the store that lives in a place, or creates it there. A store that is opened by a future is opened with
    /// [`block_on`](Self::block_on).
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be opened. Its kind is
    /// [`StoreErrorKind::Corrupt`](crate::store_error::StoreErrorKind::Corrupt) if the reason is data that a case has
    /// [spoilt](Self::spoil).
    fn open(&self, place: &Self::Place) -> Result<Self::Store, StoreError>;

    /// Ends the store that is open in a place as abruptly as possible, so that [`open`](Self::open) then finds what a power cut
    /// would leave. The suite has closed all other stores of the place before.
    ///
    /// Dropping the store proves nothing: closing its files may write and flush what should have been written and flushed
    /// before. A copy of the files, taken before they are closed, shows what a killed process leaves. It does not show a missing
    /// flush, since the operating system also returns data that it has not written yet. A store that keeps files can be opened
    /// on a [`Disk`](super::Disk). Cut its power before the store is dropped, and in two ways in turns, all of it
    /// ([`cut_power`](super::Disk::cut_power)) and in part ([`cut_power_in_part`](super::Disk::cut_power_in_part), with another
    /// seed each time).
    ///
    /// # Errors
    /// [`Skip`] when the store is not durable.
    fn crash(&self, place: &Self::Place, store: Self::Store) -> Result<(), Skip>;

    /// Returns `Ok` if several stores may be open in one place at the same time, as those of several nodes or processes are.
    ///
    /// # Errors
    /// [`Skip`] when only one store may.
    fn share(&self) -> Result<(), Skip>;

    /// Replaces everything in one place with a copy of another place, as restoring a backup does. Each of the two has had a
    /// store, and both stores are closed.
    ///
    /// # Errors
    /// [`Skip`] when the data cannot be copied.
    fn copy(&self, from: &Self::Place, to: &Self::Place) -> Result<(), Skip>;

    /// Makes one flush of the store that is open in a place fail: the next one if `after` is 0, the one after that if it is 1.
    /// Every flush counts, those of files and those of directories. Another call makes another flush fail, as a disk does that
    /// fails while the store undoes what it wrote. `usize::MAX` takes all earlier calls back.
    ///
    /// A power cut then loses what this flush should have written, and a later flush does not make up for it, as on Linux.
    /// [`Disk::fail_flush`](super::Disk::fail_flush) does this.
    ///
    /// # Errors
    /// [`Skip`] when this cannot be arranged.
    fn fail_flush(&self, place: &Self::Place, after: usize) -> Result<(), Skip>;

    /// Makes part of the data in a place undecodable, below the store, which is closed. A checksum around the data is computed
    /// anew: the store must notice the spoilt data itself.
    ///
    /// # Errors
    /// [`Skip`] when this cannot be done.
    fn spoil(&self, place: &Self::Place, what: Spoil<'_>) -> Result<(), Skip>;

    /// Sets back the clock that the store in a place reads, while the store is open. Return `Ok` without doing anything if the
    /// store reads no clock; it needs none.
    ///
    /// # Errors
    /// [`Skip`] when the store reads a clock that cannot be set.
    fn step_clock_back(&self, place: &Self::Place, by: Duration) -> Result<(), Skip>;

    /// Runs a future to completion. The suite calls this on several threads at once.
    ///
    /// The default polls the future on the calling thread and parks the thread in between. A store that needs a runtime gets it
    /// here: `self.runtime.block_on(future)`.
    fn block_on<T: Future + Send>(&self, future: T) -> T::Output {
        block_on(future)
    }
}

/// The reason why something cannot be arranged with a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skip(String);

impl Skip {
    /// Creates a skip with this reason.
    #[must_use]
    pub fn because(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The data that is to be made undecodable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Spoil<'a> {
    /// The bytes of a record, so that no [`Record`](crate::store::Record) can be made of them. Cutting them short does it.
    Record(RecordId<'a>),
    /// The events of a client's first commit in its history.
    History(&'a ClientId),
}
