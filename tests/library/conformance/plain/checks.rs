//! What is checked before anything is written: expectations, and that names and add-ins have one holder.

use client_registry::ClientId;
use client_registry::store::{Commit, CommitError, CommitId, Expected, Index, IndexEntry, Record, RecordId};
use client_registry::value::{KeyId, Revision};

use super::{Books, Write, start, writes};
use crate::conformance::faults::Fault;

impl Books {
    pub(super) fn check(&self, commit: &Commit, fault: Fault) -> Result<(), CommitError> {
        if fault == Fault::UniquenessComesFirst {
            self.check_unique(&writes(commit), fault)?;
        }
        self.check_expected(commit, fault)?;
        self.check_unique(&writes(commit), fault)
    }

    pub(super) fn check_expected(&self, commit: &Commit, fault: Fault) -> Result<(), CommitError> {
        let check = |change: &client_registry::store::RecordChange| {
            self.check_one(change.id(), change.expected(), fault)
        };
        match fault {
            Fault::LastConflictIsNamed => commit.changes().iter().rev().try_for_each(check),
            _ => commit.changes().iter().try_for_each(check),
        }
    }

    pub(super) fn check_one(
        &self,
        id: RecordId<'_>,
        expected: &Expected,
        fault: Fault,
    ) -> Result<(), CommitError> {
        let found = self.records.get(id.as_str()).map(|bytes| Record::from_bytes(bytes)).transpose();
        let found = found.map_err(CommitError::NotWritten)?;
        let there: Option<(Revision, Option<&KeyId>)> = found.as_ref().map(|r| (r.revision(), r.key_id()));
        let holds = match (fault, expected, there) {
            (Fault::UnderIgnoresKey, Expected::Under(revision, _), Some((found, _))) => *revision == found,
            (Fault::UnderIgnoresRevision, Expected::Under(_, key_id), Some((_, under))) => {
                Some(key_id) == under
            }
            (Fault::DeletedIsAbsent, Expected::Absent, Some(_)) => self
                .indexes
                .iter()
                .any(|(client, index)| client.as_str() == id.as_str() && index.name.is_none()),
            (Fault::AnyRevisionWillDo, Expected::Exactly(_), Some(_)) => true,
            _ => expected.holds(there),
        };
        if holds {
            return Ok(());
        }
        let found = found.map(|found| found.revision()).filter(|_| fault != Fault::ConflictSaysNothing);
        Err(CommitError::Conflict { record_id: id.as_str().into(), found })
    }

    pub(super) fn check_unique(&self, all: &[Write<'_>], fault: Fault) -> Result<(), CommitError> {
        let mut claimed: Vec<(IndexEntry, ClientId)> = Vec::new();
        for write in all {
            let Some(id) = write.record.id().client_id() else { continue };
            let kept = self.indexes.get(&id).and_then(|before| before.name.as_ref()).map(|(_, key)| key);
            for entry in entries(write.index) {
                let is_same = |other: &IndexEntry| match (fault, &entry, other) {
                    (Fault::AddInsIgnoreCase, IndexEntry::AddIn(one), IndexEntry::AddIn(other)) => {
                        one.as_str().eq_ignore_ascii_case(other.as_str())
                    }
                    (
                        Fault::NamesIgnoreAccents,
                        IndexEntry::Name(seller, one),
                        IndexEntry::Name(other_seller, other),
                    ) => seller == other_seller && unaccented(one.as_str()) == unaccented(other.as_str()),
                    (Fault::AddInsAreCut, IndexEntry::AddIn(one), IndexEntry::AddIn(other)) => {
                        start(one.as_str(), 127) == start(other.as_str(), 127)
                    }
                    (
                        Fault::NamesAreCut,
                        IndexEntry::Name(seller, one),
                        IndexEntry::Name(other_seller, other),
                    ) => seller == other_seller && start(one.as_str(), 255) == start(other.as_str(), 255),
                    (Fault::NamesAreJoined, IndexEntry::Name(..), IndexEntry::Name(..))
                    | (Fault::EntriesAreJoined, _, _) => joined(&entry) == joined(other),
                    (Fault::KeptNamesAreNotChecked, IndexEntry::Name(_, key), IndexEntry::Name(..))
                        if kept.is_some_and(|kept| kept == key) =>
                    {
                        false
                    }
                    (Fault::NamesAreNotChecked, IndexEntry::Name(..), _)
                    | (Fault::AddInsAreNotChecked, IndexEntry::AddIn(_), _) => false,
                    _ => entry == *other,
                };
                let is_changed = |holder: &ClientId| match fault {
                    Fault::MovesTrip => holder == &id,
                    Fault::HoldersAreCut => all
                        .iter()
                        .any(|write| start(write.record.id().as_str(), 63) == start(holder.as_str(), 63)),
                    _ => all.iter().any(|write| write.record.id() == holder.into()),
                };
                let mut holders = self.indexes.iter().filter(|(holder, _)| !is_changed(holder));
                let before = holders.find(|(_, index)| entries(index).any(|other| is_same(&other)));
                let beside = claimed.iter().find(|(other, _)| is_same(other));
                let beside = beside.filter(|_| fault != Fault::ClaimedTwice);
                // The first of the client's entries, whichever of them another client has.
                let first = claimed.first().filter(|_| fault == Fault::TakenNamesAnother);
                if let (Some((by, _)), Some((first, _))) = (before, first) {
                    return Err(CommitError::Taken { entry: first.clone(), by: by.clone() });
                }
                if let Some(by) = before.map(|(id, _)| id).or(beside.map(|(_, id)| id)) {
                    return Err(CommitError::Taken { entry, by: by.clone() });
                }
                claimed.push((entry, id.clone()));
            }
        }
        Ok(())
    }

    pub(super) fn has(&self, commit_id: CommitId) -> bool {
        self.trails.values().flatten().any(|stretch| stretch.commit_id == commit_id)
    }
}

fn entries(index: &Index) -> impl Iterator<Item = IndexEntry> + '_ {
    let name = index.name.iter().map(|(seller, key)| IndexEntry::Name(seller.clone(), key.clone()));
    name.chain(index.add_ins.iter().cloned().map(IndexEntry::AddIn))
}

fn joined(entry: &IndexEntry) -> String {
    match entry {
        IndexEntry::AddIn(add_in) => add_in.to_string(),
        IndexEntry::Name(seller, key) => format!("{seller}:{}", key.as_str()),
        _ => unreachable!("there are no others"),
    }
}

fn unaccented(text: &str) -> String {
    text.replace('\u{e9}', "e").replace("\u{df}", "ss")
}
