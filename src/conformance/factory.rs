//! How the suite comes to a store.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use crate::conformance::together::block_on;
use crate::store::{RecordId, Store};
use crate::store_error::StoreError;
use crate::value::ClientId;

/// How a store under test is made, and what can be done to it.
///
/// What cannot be arranged is answered with a [`Skip`] and its reason; the cases that need it stand in the report as
/// skipped. May panic where something of its own goes wrong: that fails the case.
pub trait Factory: Send + Sync + 'static {
    /// Where one store keeps what it keeps: a directory, a schema. When it is dropped, after the store, it cleans up.
    type Place: Send + Sync;
    /// The store.
    type Store: Store;

    /// A new place with nothing in it.
    fn place(&self) -> Self::Place;

    /// Opens the store that lives in a place, or makes it there. A store that is opened by a future does it by
    /// [`block_on`](Self::block_on).
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be opened. Where a case has had something [spoilt](Self::spoil), of kind
    /// [`StoreErrorKind::Corrupt`](crate::store_error::StoreErrorKind::Corrupt).
    fn open(&self, place: &Self::Place) -> Result<Self::Store, StoreError>;

    /// Ends the store that is open in a place, as abruptly as can be arranged, so that [`open`](Self::open) finds what a
    /// loss of power would leave.
    ///
    /// A store that is dropped has closed its files, and closing may write and flush what should have been written and flushed
    /// before: this proves nothing. The files as they are before it closes them show what a killed process leaves; they do not
    /// show that a flush is missing, since the operating system hands out what it has not written yet. A store that keeps files
    /// can be opened on a [`Disk`](super::Disk) and have its power [cut](super::Disk::cut_power).
    ///
    /// # Errors
    /// [`Skip`] when it is not durable.
    fn crash(&self, place: &Self::Place, store: Self::Store) -> Result<(), Skip>;

    /// Whether several stores may be open in one place at the same time, as those of several nodes or processes are.
    ///
    /// # Errors
    /// [`Skip`] when only one may.
    fn share(&self) -> Result<(), Skip>;

    /// Puts everything that is kept in one place into another one, in place of what is there, as it is when a copy is put back.
    /// A store was open in each of them, and is closed meanwhile.
    ///
    /// # Errors
    /// [`Skip`] when there are no copies of what the store keeps.
    fn copy(&self, from: &Self::Place, to: &Self::Place) -> Result<(), Skip>;

    /// Lets one flush of the store that is open in a place fail, the one after so many others; `usize::MAX` takes that back. What
    /// it should have written is lost if the power is, and a later flush does not make up for it, as on Linux: a
    /// [`Disk`](super::Disk) does so by [`fail_flush`](super::Disk::fail_flush).
    ///
    /// # Errors
    /// [`Skip`] when it cannot be arranged.
    fn fail_flush(&self, place: &Self::Place, after: usize) -> Result<(), Skip>;

    /// Makes something that is kept in a place undecodable, below the store, which is closed meanwhile.
    ///
    /// # Errors
    /// [`Skip`] when it cannot be done.
    fn spoil(&self, place: &Self::Place, what: Spoil<'_>) -> Result<(), Skip>;

    /// Sets the clock that the store in a place asks back, while it is open. Nothing is to be done, and nothing to be skipped,
    /// where the store asks no clock: it has no need to.
    ///
    /// # Errors
    /// [`Skip`] when the store asks a clock that cannot be set.
    fn step_clock_back(&self, place: &Self::Place, by: Duration) -> Result<(), Skip>;

    /// Drives a future to its end. Called on several threads at once. Unless said otherwise by polling it on this thread,
    /// which parks in between; a store that needs a runtime gets it here: `self.runtime.block_on(future)`.
    fn block_on<T: Future + Send>(&self, future: T) -> T::Output {
        block_on(future)
    }
}

/// Why something cannot be arranged with a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skip(String);

impl Skip {
    /// For this reason.
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

/// What is to be made undecodable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Spoil<'a> {
    /// The bytes of a record, so that no [`Record`](crate::store::Record) can be made of them: cut short, say.
    Record(RecordId<'a>),
    /// The events of a client's first commit, where its history has them.
    History(&'a ClientId),
}
