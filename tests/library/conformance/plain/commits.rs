//! `commit`, and the faults that it can have: checks apart from writes, writes in pieces, and calls dropped half-way.

use std::sync::Mutex;

use client_registry::store::{Commit, CommitError, StoreError, StoreErrorKind};

use super::{Books, Disk, Plain, Write, history_of, lock, writes};
use crate::conformance::faults::Fault;

impl Plain {
    /// Writes, and only later takes note of it itself.
    pub(super) async fn write_then_note(
        &self,
        order: &[Write<'_>],
        check: impl Fn(&Books) -> Result<(), CommitError>,
    ) -> Result<(), CommitError> {
        let was_behind = {
            let mut behind = lock(&self.behind);
            let mut books = self.books();
            check(behind.as_ref().unwrap_or(&books))?;
            let was_behind = behind.is_some();
            behind.get_or_insert_with(|| books.clone());
            books.write(order, self.fault);
            was_behind
        };
        self.pause(1).await;
        match &mut *lock(&self.behind) {
            Some(behind) if was_behind => behind.write(order, self.fault),
            behind => *behind = None,
        }
        Ok(())
    }

    pub(super) async fn carry_out(&self, commit: &Commit) -> Result<(), CommitError> {
        let _turn = self.hold(Fault::DroppedCommitHolds).await;
        let fault = self.fault;
        for change in commit.changes() {
            let sealed = change.record().to_bytes();
            if fault == Fault::RefusalIsFailure {
                sealed?;
            } else if let Err(error) = sealed {
                return Err(CommitError::NotWritten(error));
            }
        }
        if fault == Fault::DroppedIsAppliedLater {
            let mut unfinished = Unfinished { late: &self.late, commit: Some(commit.clone()) };
            self.pause(1).await;
            unfinished.commit = None;
        }
        self.pause(1).await;
        if *lock(&self.is_busy) {
            return Err(CommitError::NotWritten(StoreError::new(StoreErrorKind::Unavailable)));
        }
        if matches!(fault, Fault::ChecksThenWrites | Fault::StoresDoNotLock) {
            self.books().check(commit, fault)?;
            self.gap(Fault::ChecksThenWrites).await;
            self.gap(Fault::StoresDoNotLock).await;
        } else if fault == Fault::ChecksUniquenessFirst {
            self.books().check_unique(&writes(commit), fault)?;
            self.gap(fault).await;
        } else if fault == Fault::OneByOne {
            for change in commit.changes() {
                let alone = Write {
                    record: change.record(),
                    index: change.index(),
                    history: history_of(commit.id(), change.record().revision(), change.events()),
                    is_adopted: false,
                };
                let mut books = self.books();
                books.check_one(change.id(), change.expected(), fault)?;
                books.check_unique(std::slice::from_ref(&alone), fault)?;
                books.write(&[alone], fault);
            }
            return Ok(());
        }
        self.make_up_for_failures().map_err(CommitError::Failed)?;
        let mut order = writes(commit);
        if fault == Fault::DroppedCommitIsNotNoted {
            return self.write_then_note(&order, |books| books.check(commit, fault)).await;
        }
        if matches!(fault, Fault::NumbersBeforehand | Fault::HidesBehindSlowWriters) {
            let first = {
                let mut books = self.books();
                books.check(commit, fault)?;
                books.draw(&order)
            };
            let _given_back = GivenBack { disk: &self.disk, first };
            self.gap(fault).await;
            let mut books = self.books();
            books.check(commit, fault)?;
            books.write_numbered(&order, fault, Some(first));
            return Ok(());
        }
        if fault == Fault::WritesInPieces {
            let last = order.pop();
            {
                let mut books = self.books();
                books.check(commit, fault)?;
                books.write(&order, fault);
            }
            self.gap(fault).await;
            self.books().write(last.as_slice(), fault);
            return Ok(());
        }
        let mut books = self.books();
        if fault == Fault::ChecksUniquenessFirst {
            books.check_expected(commit, fault)?;
        }
        if !matches!(fault, Fault::ChecksThenWrites | Fault::StoresDoNotLock | Fault::ChecksUniquenessFirst) {
            if fault == Fault::ResendIsFine && books.has(commit.id()) {
                return Ok(());
            }
            let checked = match fault {
                Fault::ExpectationsFromMemory => lock(&self.seen)
                    .check_expected(commit, fault)
                    .and_then(|()| books.check_unique(&writes(commit), fault)),
                Fault::UniquenessFromMemory => books
                    .check_expected(commit, fault)
                    .and_then(|()| lock(&self.seen).check_unique(&writes(commit), fault)),
                _ => books.check(commit, fault),
            };
            if let Err(error) = checked {
                if fault == Fault::ConflictWrites {
                    books.append(&order, fault, None);
                }
                return Err(error);
            }
        }
        if fault == Fault::AcknowledgesTooEarly {
            *lock(&self.disk.written) = Some(books.clone());
        }
        self.flush(None).map_err(CommitError::NotWritten)?;
        let before = books.clone();
        books.write(&order, fault);
        if let Err(error) = self.flush(Some(before.clone())) {
            if fault == Fault::RollbackIsNotFlushed {
                // The failed flush may have written all of it.
                *lock(&self.disk.written) = Some(std::mem::replace(&mut *books, before));
                return Err(CommitError::NotWritten(error));
            }
            if fault == Fault::RollbackIsTakenForGranted {
                let after = std::mem::replace(&mut *books, before);
                *lock(&self.disk.written) = self.flush(None).is_err().then_some(after);
                return Err(CommitError::NotWritten(error));
            }
            return Err(self.unknown(error));
        }
        self.see(&books);
        for late in lock(&self.late).drain(..) {
            books.write(&writes(&late), fault);
        }
        Ok(())
    }
}

/// A number of a slow writer that is given back when it is done, or dropped.
struct GivenBack<'a> {
    disk: &'a Disk,
    first: u64,
}

impl Drop for GivenBack<'_> {
    fn drop(&mut self) {
        // Not while the books are open: the call that holds them has written, and this comes after.
        lock(&self.disk.books).under_way.remove(&self.first);
    }
}

/// A commit that goes on when its future does not.
struct Unfinished<'a> {
    late: &'a Mutex<Vec<Commit>>,
    commit: Option<Commit>,
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        lock(self.late).extend(self.commit.take());
    }
}
