//! `adopt`, and the faults that it can have.

use client_registry::store::{Adopted, CommitError, Committed, Expected, StoreError, StoreErrorKind};

use super::{Books, Plain, Write, lock};
use crate::conformance::faults::Fault;

impl Plain {
    pub(super) async fn take_in(&self, clients: &[Adopted]) -> Result<(), CommitError> {
        let _turn = self.hold(Fault::DroppedAdoptHolds).await;
        let fault = self.fault;
        if fault == Fault::AdoptingNothingFails && clients.is_empty() {
            return Err(CommitError::NotWritten(StoreError::new(StoreErrorKind::Corrupt)));
        }
        self.pause(1).await;
        let all = clients.iter().map(|adopted| Write {
            record: adopted.record(),
            index: adopted.index(),
            history: match fault {
                Fault::AdoptedHistoryIsOne => adopted.history().last().into_iter().cloned().collect(),
                _ => adopted.history().to_vec(),
            },
            is_adopted: true,
        });
        let mut all: Vec<_> = all.collect();
        if fault == Fault::AdoptsInPieces {
            for one in &all {
                {
                    let mut books = self.books();
                    books.check_one(one.record.id(), &Expected::Absent, fault)?;
                    books.check_unique(std::slice::from_ref(one), fault)?;
                    books.write(std::slice::from_ref(one), fault);
                }
                self.gap(fault).await;
            }
            return Ok(());
        }
        self.make_up_for_failures().map_err(CommitError::Failed)?;
        let check = |books: &Books, all: &[Write<'_>]| -> Result<(), CommitError> {
            all.iter().try_for_each(|one| books.check_one(one.record.id(), &Expected::Absent, fault))?;
            books.check_unique(all, fault)
        };
        if fault == Fault::ChecksThenAdopts {
            check(&self.books(), &all)?;
            self.gap(fault).await;
            self.books().write(&all, fault);
            return Ok(());
        }
        if fault == Fault::DroppedAdoptionIsNotNoted {
            return self.write_then_note(&all, |books| check(books, &all)).await;
        }
        let mut books = self.books();
        let has = |committed: &Committed| books.has(committed.commit_id);
        if fault == Fault::CommitIdsAreUnique && all.iter().flat_map(|one| &one.history).any(has) {
            return Err(CommitError::NotWritten(StoreError::new(StoreErrorKind::Corrupt)));
        }
        if fault == Fault::AdoptsWhatIsMissing {
            all.retain(|one| !books.records.contains_key(one.record.id().as_str()));
        }
        match fault {
            Fault::UniquenessFromMemory | Fault::AdoptsFromMemory => check(&lock(&self.seen), &all)?,
            _ => check(&books, &all)?,
        }
        if fault == Fault::AcknowledgesTooEarly {
            *lock(&self.disk.written) = Some(books.clone());
        }
        let before = books.feed.len();
        let flushed_before = books.clone();
        books.write(&all, fault);
        self.flush(Some(flushed_before)).map_err(|error| self.unknown(error))?;
        self.see(&books);
        if fault == Fault::AdoptedIsNotInTheFeed {
            books.feed.truncate(before);
        }
        Ok(())
    }
}
