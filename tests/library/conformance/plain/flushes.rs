//! Writing through to the disk: flushes that fail, and what is made up for afterwards.

use std::sync::atomic::Ordering;

use client_registry::store::{CommitError, StoreError, StoreErrorKind};

use super::{Books, Plain, lock};
use crate::conformance::faults::Fault;

impl Plain {
    /// Writes through to the disk. When that fails, `before` is what is there, and nothing will change that by itself.
    pub(super) fn flush(&self, before: Option<Books>) -> Result<(), StoreError> {
        let mut failing = lock(&self.disk.failing);
        let fails = failing.remove(&0);
        *failing = failing.iter().map(|left| left - 1).collect();
        if !fails {
            return Ok(());
        }
        self.has_failed.store(true, Ordering::Relaxed);
        if let Some(before) = before {
            lock(&self.disk.written).get_or_insert(before);
        }
        if self.fault == Fault::FailedFlushIsIgnored {
            return Ok(());
        }
        Err(StoreError::new(StoreErrorKind::Unavailable))
    }

    /// Writes everything once more after a flush has failed: it has not written what it should have.
    pub(super) fn make_up_for_failures(&self) -> Result<(), StoreError> {
        let is_behind = lock(&self.disk.written).is_some();
        let is_known = self.fault != Fault::OnlyTheOneThatFailedWritesAgain
            || self.has_failed.swap(false, Ordering::Relaxed);
        if !is_behind
            || !is_known
            || matches!(
                self.fault,
                Fault::FlushIsNotRepeated
                    | Fault::AcknowledgesTooEarly
                    | Fault::FailedFlushIsIgnored
                    | Fault::UsesAreNotFlushed
                    | Fault::RollbackIsNotFlushed
                    | Fault::RollbackIsTakenForGranted
            )
        {
            return Ok(());
        }
        self.flush(None)?;
        *lock(&self.disk.written) = None;
        Ok(())
    }

    pub(super) fn unknown(&self, error: StoreError) -> CommitError {
        match self.fault {
            Fault::FailedFlushIsNotWritten => CommitError::NotWritten(error),
            _ => CommitError::Failed(error),
        }
    }
}
