//! Changes that wait together are made in one transaction, and share its flush.
//!
//! All changes of a batch are answered after the flush, also those that are refused: what stood against one may be another of
//! the batch. If the flush fails, all of them are unknown.
//!
//! A change that is refused (`Conflict`, `Taken`) has written nothing: all of it is compared before anything is written. So the
//! others of its batch stay as they are, and no savepoint is needed. Any other error, and a refusal that has written something all
//! the same, may leave half a change behind. Then the whole transaction is rolled back, and each change of the batch is made
//! once more in a transaction of its own, where it gets the answer that it would have got alone.

use std::time::Duration;

use futures_channel::oneshot;
use rusqlite::Connection;

use super::fault::Fault;
use super::identity::Identity;
use super::writer::Writer;
use crate::clock::Stopwatch;
use crate::store::CommitError;
use crate::store_error::StoreErrorKind;

/// The answer to a change.
pub(super) type Answer = Result<(), CommitError>;

/// What a change does inside a transaction.
pub(super) type Work = Box<dyn Fn(&Connection) -> Answer + Send>;

/// A change that waits for the thread that writes.
pub(super) struct Change {
    given: Stopwatch,
    sharing: Sharing,
    work: Work,
    answer: oneshot::Sender<Answer>,
}

/// How changes share transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sharing {
    /// It may share one. It writes nothing when it is refused.
    Together,
    /// It has one of its own.
    Alone,
}

impl Change {
    /// Returns a change that is given now, and where its answer comes.
    pub(super) fn given_now(sharing: Sharing, work: Work) -> (Self, oneshot::Receiver<Answer>) {
        let (answer, answered) = oneshot::channel();
        (Self { given: Stopwatch::start(), sharing, work, answer }, answered)
    }

    /// Tells whether it may share a transaction.
    pub(super) fn shares(&self) -> bool {
        self.sharing == Sharing::Together
    }

    fn alone(self) -> Self {
        Self { sharing: Sharing::Alone, ..self }
    }

    fn is_abandoned(&self) -> bool {
        self.answer.is_canceled()
    }

    /// The caller may have gone meanwhile.
    fn answer(self, answer: Answer) {
        let _ = self.answer.send(answer);
    }
}

/// Makes changes in one transaction, the longest waiting first, and answers them. Returns those that have to be made once more,
/// each alone: nothing of them was written.
#[must_use]
pub(super) fn make(writer: &mut Writer, batch: Vec<Change>) -> Vec<Change> {
    let (identity, most) = (writer.identity().clone(), writer.patience());
    let mut begun = Vec::with_capacity(batch.len());
    for change in batch.into_iter().filter(|change| !change.is_abandoned()) {
        match left_since(change.given, most, &identity) {
            Ok(_) => begun.push(change),
            Err(fault) => change.answer(Err(fault.into())),
        }
    }
    let done = match begun.as_slice() {
        [] => return Vec::new(),
        [one] => writer.transact(one.given, &one.work).map(|()| vec![Ok(())]),
        [first, ..] => writer.attempt(first.given, &|connection: &Connection| {
            begun.iter().map(|change| one_of_many(change, connection, most, &identity)).collect()
        }),
    };
    match done {
        Ok(answers) => begun.into_iter().zip(answers).for_each(|(change, answer)| change.answer(answer)),
        Err(CommitError::Failed(error)) => {
            begun.into_iter().for_each(|change| change.answer(Err(CommitError::Failed(error.share()))));
        }
        Err(error) if begun.len() == 1 => {
            begun.into_iter().zip([error]).for_each(|(change, error)| change.answer(Err(error)));
        }
        Err(_) => return begun.into_iter().map(Change::alone).collect(),
    }
    Vec::new()
}

/// Makes one change of a batch.
///
/// # Errors
/// Those that may have left half of it in the transaction.
fn one_of_many(
    change: &Change,
    connection: &Connection,
    most: Duration,
    identity: &Identity,
) -> Result<Answer, CommitError> {
    // Those before it took their time.
    if let Err(fault) = left_since(change.given, most, identity) {
        return Ok(Err(fault.into()));
    }
    if change.is_abandoned() {
        return Ok(Ok(()));
    }
    let before = connection.total_changes();
    match (change.work)(connection) {
        Err(refused @ (CommitError::Conflict { .. } | CommitError::Taken { .. }))
            if connection.total_changes() == before =>
        {
            Ok(Err(refused))
        }
        Err(error) => Err(error),
        Ok(()) => Ok(Ok(())),
    }
}

/// Returns how long a change that was given then may still wait, of so much at most.
pub(super) fn left_since(given: Stopwatch, most: Duration, identity: &Identity) -> Result<Duration, Fault> {
    match most.checked_sub(given.elapsed()) {
        Some(left) => Ok(left),
        // Where no other process is to be waited for, it is tried once.
        None if most.is_zero() => Ok(Duration::ZERO),
        None => Err(Fault::file(identity.path(), StoreErrorKind::Unavailable, TOO_LATE)),
    }
}

const TOO_LATE: &str =
    "other changes have been waiting for the file for too long, and this one was not begun: try again";

#[cfg(test)]
mod tests;
