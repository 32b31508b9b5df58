//! Writes whose future was dropped: every store of the place shows the same of them, also after it was opened again. A store must
//! not write to its files what its memory never learns of.

use std::mem::swap;
use std::sync::Arc;

use crate::conformance::Factory;
use crate::conformance::author::{Author, Step};
use crate::conformance::dropped::rounds;
use crate::conformance::picture::Subjects;
use crate::conformance::stop::{Checked, Stop, ensure};
use crate::conformance::together::{Pinned, dropped_after};
use crate::conformance::told::is_told;
use crate::conformance::trial::{MANY, Trial, is_conflict};
use crate::store::{Adopted, Commit, CommitError, Store};

/// What is written and dropped.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Commit,
    Adoption,
}

/// A write that can be sent again.
struct Write {
    step: Step,
    sent: Sent,
}

enum Sent {
    Commit(Commit),
    Adoption([Adopted; 1]),
}

impl Write {
    /// The next revision of a client, or another client that moves in.
    fn next(author: &Author, last: &Step, kind: Kind, round: usize) -> Checked<Self> {
        Ok(match kind {
            Kind::Commit => {
                let step = author.rename(last, &format!("dropped {round}"))?;
                let sent = Sent::Commit(author.commit([&step])?);
                Self { step, sent }
            }
            Kind::Adoption => {
                let step = author.register("contoso", &format!("dropped {round}"))?;
                let sent = Sent::Adoption([author.adopted([&step])?]);
                Self { step, sent }
            }
        })
    }

    fn send<'a, S: Store>(&'a self, store: &'a S) -> Pinned<'a, Result<(), CommitError>> {
        match &self.sent {
            Sent::Commit(commit) => Box::pin(store.commit(commit)),
            Sent::Adoption(clients) => Box::pin(store.adopt(clients)),
        }
    }

    /// Sends it again, after which it is there.
    fn settle<F: Factory>(&self, trial: &Trial<'_, F>) -> Checked {
        match trial.wait(self.send(&trial.store)) {
            Ok(()) => {}
            conflict @ Err(CommitError::Conflict { .. }) => {
                is_conflict(conflict, self.step.record_id(), Some(self.step.revision()))?
            }
            Err(error) => return Err(Stop::from(error).when("sending a dropped write again")),
        }
        trial.is_kept(&self.step)
    }
}

pub(super) fn what_a_dropped_commit_left_is_the_same_for_everybody<F: Factory>(
    trial: Trial<'_, F>,
) -> Checked {
    is_the_same_for_everybody(trial, Kind::Commit)
}

pub(super) fn what_a_dropped_adoption_left_is_the_same_for_everybody<F: Factory>(
    trial: Trial<'_, F>,
) -> Checked {
    is_the_same_for_everybody(trial, Kind::Adoption)
}

fn is_the_same_for_everybody<F: Factory>(mut trial: Trial<'_, F>, kind: Kind) -> Checked {
    let mut beside = trial.beside()?;
    let author = Arc::clone(&trial.author);
    let mut last = author.register("contoso", "calendar app")?;
    trial.commit([&last])?;
    let mut events = last.events().to_vec();
    for (round, (polls, pace)) in rounds().enumerate() {
        let at = format!("after a write was dropped, polled {polls} times");
        trial.is_at(&at);
        let write = Write::next(&author, &last, kind, round)?;
        if let Some(answer) = trial.wait(dropped_after(write.send(&trial.store), polls, pace)) {
            answer?;
        }
        // It may still be under way, so it may appear between two looks, but it never disappears.
        let mut seen = None;
        for store in [&trial.store, &beside, &trial.store] {
            let found = trial.wait(store.load(write.step.record_id()))?.map(|record| record.revision());
            ensure!(
                seen <= found,
                "{at}, a store loads revision {seen:?}, and then another store of the place loads {found:?}"
            );
            seen = found;
        }
        write.settle(&trial).map_err(|stop| stop.when(&at))?;
        let subjects = Subjects::of([&last, &write.step]);
        let here = subjects.picture(&trial)?;
        swap(&mut trial.store, &mut beside);
        let there = subjects.picture(&trial)?;
        swap(&mut trial.store, &mut beside);
        here.is_still(&there, &format!("{at} and sent again, in another store of the place"))?;
        events.extend_from_slice(write.step.events());
        last = write.step;
    }
    is_told("the feed", &trial.drain(None, MANY)?.0, &events)
}

pub(super) fn what_a_dropped_commit_left_stays_when_opened_again<F: Factory>(trial: Trial<'_, F>) -> Checked {
    stays_when_opened_again(trial, Kind::Commit)
}

pub(super) fn what_a_dropped_adoption_left_stays_when_opened_again<F: Factory>(
    trial: Trial<'_, F>,
) -> Checked {
    stays_when_opened_again(trial, Kind::Adoption)
}

fn stays_when_opened_again<F: Factory>(mut trial: Trial<'_, F>, kind: Kind) -> Checked {
    let author = Arc::clone(&trial.author);
    let mut last = author.register("contoso", "calendar app")?;
    trial.commit([&last])?;
    let mut events = last.events().to_vec();
    for (round, (polls, pace)) in rounds().enumerate() {
        let at = format!("after a write was dropped, polled {polls} times");
        trial.is_at(&at);
        let write = Write::next(&author, &last, kind, round)?;
        if let Some(answer) = trial.wait(dropped_after(write.send(&trial.store), polls, pace)) {
            answer?;
        }
        write.settle(&trial).map_err(|stop| stop.when(&at))?;
        let next = author.rename(&write.step, &format!("next {round}"))?;
        trial.commit([&next])?;
        let subjects = Subjects::of([&last, &write.step, &next]);
        let before = subjects.picture(&trial)?;
        trial = trial.opened_again()?;
        let since = format!("{at}, sent again, and the store was opened again");
        before.is_still(&subjects.picture(&trial)?, &since)?;
        events.extend([write.step.events(), next.events()].concat());
        is_told(&format!("the feed {since}"), &trial.drain(None, MANY)?.0, &events)?;
        last = next;
    }
    Ok(())
}
