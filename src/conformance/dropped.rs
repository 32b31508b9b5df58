//! Futures that are dropped before they have finished: a write is there as a whole or not at all, cannot be applied later once
//! another one was acknowledged, and is settled by sending it again.

use crate::conformance::Factory;
use crate::conformance::author::{Step, add_in};
use crate::conformance::stop::{Checked, Stop, ensure, same};
use crate::conformance::together::{Pace, dropped_after};
use crate::conformance::told::is_told;
use crate::conformance::trial::{MANY, Trial, is_conflict};
use crate::record::RecordId;
use crate::store::{ClientsBy, CommitError, Store};
use crate::value::{Revision, Timestamp};

/// The number of polls before the future is dropped, and the pace, in each round.
pub(super) fn rounds() -> impl Iterator<Item = (usize, Pace)> {
    let paces = [Pace::Patient, Pace::Hasty];
    (0..ROUNDS).flat_map(move |polls| paces.map(|pace| (polls, pace)))
}

pub(super) fn a_dropped_commit_is_whole_or_nothing<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let mut one = author.serving("contoso", "calendar app", &["moves"])?;
    let mut other = author.register("contoso", "mail app")?;
    trial.commit([&one, &other])?;
    let mut events = [one.events(), other.events()].concat();
    for (polls, pace) in rounds() {
        let [left, came] = author.moved(&one, &other, "moves")?;
        let commit = author.commit([&left, &came])?;
        let answer = trial.wait(dropped_after(trial.store.commit(&commit), polls, pace));
        if let Some(answer) = answer {
            answer?;
        }
        // A reader sees both changes or none. The first change was read first, so it must not be newer.
        let (left_at, came_at) = (revision(&trial, &left)?, revision(&trial, &came)?);
        ensure!(
            left_at < Some(left.revision()) || came_at == Some(came.revision()),
            "a dropped commit was applied to one client and not to the other"
        );
        // Sending it again settles it: then it is there, by the first attempt or the second.
        let was_made = match trial.try_send(&commit) {
            Ok(()) => false,
            conflict @ Err(CommitError::Conflict { .. }) => {
                is_conflict(conflict, left.record_id(), Some(left.revision()))?;
                true
            }
            Err(other) => return Err(Stop::from(other).when("settling a dropped commit")),
        };
        for step in [&left, &came] {
            trial.is_kept(step)?;
            let last = trial.history(step.id())?.last().map(|last| (last.revision, last.commit_id));
            same("the last commit in the history", last, Some((step.revision(), commit.id()))).map_err(
                |stop| {
                    stop.when(if was_made {
                        "after it was answered with a conflict"
                    } else {
                        "after it was acknowledged"
                    })
                },
            )?;
        }
        trial.belongs("moves", Some(came.id()))?;
        events.extend_from_slice(left.events());
        events.extend_from_slice(came.events());
        (one, other) = (came, left);
    }
    is_told("the feed", &trial.drain(None, 9)?.0, &events)
}

pub(super) fn a_dropped_commit_is_fenced<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let mut last = author.register("contoso", "calendar app")?;
    trial.commit([&last])?;
    for (polls, pace) in rounds() {
        let dropped = author.associate(&last, &format!("dropped-{}-{polls}", last.revision()))?;
        let rival = author.associate(&last, &format!("rival-{}-{polls}", last.revision()))?;
        let commit = author.commit([&dropped])?;
        if let Some(answer) = trial.wait(dropped_after(trial.store.commit(&commit), polls, pace)) {
            answer?;
        }
        // Another commit is made on the same revision: one of the two is there, for good.
        let (winner, loser) = match trial.try_send(&author.commit([&rival])?) {
            Ok(()) => (rival, dropped),
            Err(CommitError::Conflict { .. }) => (dropped, rival),
            Err(error) => return Err(Stop::from(error).when("after a dropped commit")),
        };
        is_conflict(trial.try_send(&commit), last.record_id(), Some(winner.revision()))?;
        trial.is_kept(&winner)?;
        for add_in in &loser.index().add_ins {
            let holds = winner.index().add_ins.contains(add_in);
            same("the client of an add-in", trial.client_of(add_in)?.is_some(), holds)?;
        }
        last = winner;
    }
    same("the number of commits", trial.history(last.id())?.len() as u64, last.revision().number())
}

pub(super) fn a_dropped_adoption_is_whole_or_nothing<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    for (polls, pace) in rounds() {
        let name = |which| format!("{which} {polls} {pace:?}");
        let steps = [author.register("contoso", &name("one"))?, author.register("contoso", &name("other"))?];
        let adopted = [author.adopted([&steps[0]])?, author.adopted([&steps[1]])?];
        if let Some(answer) = trial.wait(dropped_after(trial.store.adopt(&adopted), polls, pace)) {
            answer?;
        }
        let [one, other] = &steps;
        let (first, second) = (revision(&trial, one)?, revision(&trial, other)?);
        ensure!(
            first.is_none() || second.is_some(),
            "a dropped adoption adopted one client and not the other"
        );
        match trial.try_adopt(&adopted) {
            Ok(()) => {}
            conflict @ Err(CommitError::Conflict { .. }) => {
                is_conflict(conflict, one.record_id(), Some(Revision::new(1)))?
            }
            Err(error) => return Err(Stop::from(error).when("adopting again")),
        }
        for step in &steps {
            trial.is_kept(step)?;
            same("the number of commits", trial.history(step.id())?.len(), 1)?;
        }
    }
    Ok(())
}

pub(super) fn dropped_readers_leave_a_working_store<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let mut step = author.register("contoso", "calendar app")?;
    trial.commit([&step])?;
    let (id, calendar) = (step.id().clone(), add_in("calendar")?);
    for (polls, pace) in rounds() {
        trial.wait(async {
            let store = &trial.store;
            let uses = [];
            drop(dropped_after(store.load(RecordId::from(&id)), polls, pace).await);
            drop(dropped_after(store.history(&id, Revision::ZERO, 1), polls, pace).await);
            drop(dropped_after(store.clients(ClientsBy::All, None, 1), polls, pace).await);
            drop(dropped_after(store.client_of(&calendar), polls, pace).await);
            drop(dropped_after(store.ending(Timestamp::MAX, None, 1), polls, pace).await);
            drop(dropped_after(store.changes(None, 1), polls, pace).await);
            drop(dropped_after(store.latest(), polls, pace).await);
            drop(dropped_after(store.note_uses(&uses, Timestamp::MAX), polls, pace).await);
            drop(dropped_after(store.last_uses(&id), polls, pace).await);
        });
        step = author.rename(&step, &format!("name {}", step.revision()))?;
        trial.commit([&step])?;
        trial.is_kept(&step)?;
    }
    same("the number of commits", trial.drain(None, MANY)?.0.len() as u64, step.revision().number() + 1)
}

fn revision<F: Factory>(trial: &Trial<'_, F>, step: &Step) -> Checked<Option<Revision>> {
    Ok(trial.load(step.record_id())?.map(|record| record.revision()))
}

/// More polls than a commit needs.
const ROUNDS: usize = 12;
