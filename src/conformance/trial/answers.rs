//! Checks of answers: lists and feeds that are read to their end, and errors that must have come.

use crate::conformance::Factory;
use crate::conformance::stop::{Checked, Stop, brief, ensure, same};
use crate::conformance::trial::ENDLESS;
use crate::conformance::watch::Open;
use crate::event::EventText;
use crate::record::RecordId;
use crate::store::{CommitError, Cursor, IndexEntry, Store};
use crate::store_error::{StoreError, StoreErrorKind};
use crate::value::{ClientId, Revision};

/// Reads a feed to its end in pieces of `limit`.
pub(in crate::conformance) fn drain<F: Factory>(
    factory: &F,
    store: &Open<F>,
    after: Option<&Cursor>,
    limit: usize,
) -> Checked<(Vec<EventText>, Cursor)> {
    let (mut events, mut cursor) = (Vec::new(), after.cloned());
    loop {
        let changes = factory.block_on(store.changes(cursor.as_ref(), limit))?;
        ensure!(changes.events.len() <= limit, "{} events where {limit} were wanted", changes.events.len());
        ensure!(events.len() < ENDLESS, "the feed has no end: {ENDLESS} events and more");
        let is_end = changes.events.len() < limit;
        events.extend(changes.events);
        if is_end {
            return Ok((events, changes.cursor));
        }
        cursor = Some(changes.cursor);
    }
}

/// Reads a list to its end in pages of `limit`, each after the last row of the page before.
pub(in crate::conformance) fn pages<T: Clone>(
    limit: usize,
    mut page: impl FnMut(Option<&T>) -> Checked<Vec<T>>,
) -> Checked<Vec<T>> {
    let (mut read, mut after) = (Vec::new(), None);
    loop {
        let next = page(after.as_ref())?;
        ensure!(next.len() <= limit, "{} where {limit} were wanted", next.len());
        ensure!(read.len() < ENDLESS, "a list has no end: {ENDLESS} and more");
        let is_last = next.len() < limit;
        after = next.last().cloned().or(after);
        read.extend(next);
        if is_last {
            return Ok(read);
        }
    }
}

pub(in crate::conformance) fn is_conflict(
    answer: Result<(), CommitError>,
    at: RecordId<'_>,
    found: Option<Revision>,
) -> Checked {
    match answer {
        Err(CommitError::Conflict { record_id, found: said }) => {
            same("the record that a conflict names", &*record_id, at.as_str())?;
            same("the revision that a conflict found", said, found)
        }
        other => Err(Stop::failed(format!("expected a conflict at {at}, found {}", brief(&other)))),
    }
}

pub(in crate::conformance) fn is_taken(
    answer: Result<(), CommitError>,
    expected: &IndexEntry,
    by: &[&ClientId],
) -> Checked {
    match answer {
        Err(CommitError::Taken { entry, by: said }) => {
            same("the entry that is taken", &entry, expected)?;
            ensure!(
                by.contains(&&said),
                "{entry:?} is said to belong to {said}, and belongs to {}",
                brief(&by)
            );
            Ok(())
        }
        other => Err(Stop::failed(format!("expected {expected:?} to be taken, found {}", brief(&other)))),
    }
}

/// Checks that exactly one of some commits was acknowledged, and that the others were answered with errors of the right kind.
/// Returns the position of the winner.
pub(in crate::conformance) fn one_winner(
    answers: &[Result<(), CommitError>],
    others: fn(&CommitError) -> bool,
) -> Checked<usize> {
    let mut winners = Vec::new();
    for (position, answer) in answers.iter().enumerate() {
        match answer {
            Ok(()) => winners.push(position),
            Err(error) if others(error) => {}
            Err(other) => return Err(Stop::failed(format!("a loser was answered {}", brief(other)))),
        }
    }
    match *winners {
        [winner] => Ok(winner),
        _ => Err(Stop::failed(format!("{} of {} commits won", winners.len(), answers.len()))),
    }
}

/// Checks that a look-up was answered with an error of this kind.
pub(in crate::conformance) fn is_error<T: std::fmt::Debug>(
    what: &str,
    answer: Result<T, StoreError>,
    expected: StoreErrorKind,
) -> Checked {
    match answer {
        Err(error) => same(what, error.kind(), expected),
        Ok(found) => Err(Stop::failed(format!("{what}: expected {expected:?}, found {}", brief(&found)))),
    }
}
