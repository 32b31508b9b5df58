//! Flushes that fail, and older copies that are put back: the answer to a write is true, nothing acknowledged is lost, and cursors
//! from after the copy are lost for good.

use std::fmt;
use std::sync::Arc;

use crate::conformance::Factory;
use crate::conformance::author::{Step, after_start, secret};
use crate::conformance::picture::Subjects;
use crate::conformance::stop::{Checked, Stop, ensure, is_down, same};
use crate::conformance::told::is_told;
use crate::conformance::trial::{MANY, Trial, is_error};
use crate::store::{Commit, CommitError, Store};
use crate::store_error::StoreErrorKind;

/// The write whose flush fails.
#[derive(Debug, Clone, Copy)]
enum Written {
    One,
    Two,
    Adopted,
}

/// The flushes that fail: one, or two in a row. A store that undoes what it could not flush has to flush that, too.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failing {
    after: usize,
    also_next: bool,
}

impl Failing {
    pub(super) fn each() -> impl Iterator<Item = Self> {
        (0..FLUSHES).flat_map(|after| [false, true].map(|also_next| Self { after, also_next }))
    }

    fn crashes(self) -> usize {
        if self.also_next { 24 } else { 8 }
    }

    pub(super) fn begin<F: Factory>(self, trial: &Trial<'_, F>) -> Checked {
        trial.factory.fail_flush(&trial.place, self.after)?;
        if self.also_next {
            trial.factory.fail_flush(&trial.place, self.after + 1)?;
        }
        Ok(())
    }
}

impl fmt::Display for Failing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.also_next {
            false => write!(f, "where flush {} fails", self.after),
            true => write!(f, "where flushes {} and {} fail", self.after, self.after + 1),
        }
    }
}

pub(super) fn what_is_said_of_a_failed_flush_is_true<F: Factory>(trial: Trial<'_, F>) -> Checked {
    trial.factory.fail_flush(&trial.place, usize::MAX)?;
    for written in [Written::One, Written::Two, Written::Adopted] {
        for failing in Failing::each() {
            // Many crashes, since a factory may cut the power in different ways, and only some of them keep what was undone.
            for crashes in std::iter::once(false).chain(std::iter::repeat_n(true, failing.crashes())) {
                let at = format!("writing {written:?}, {failing}");
                trial.is_at(&at);
                said_is_true(trial.elsewhere()?, written, failing, crashes).map_err(|stop| stop.when(&at))?;
            }
        }
    }
    Ok(())
}

fn said_is_true<F: Factory>(
    trial: Trial<'_, F>,
    written: Written,
    failing: Failing,
    crashes: bool,
) -> Checked {
    let author = Arc::clone(&trial.author);
    let one = author.serving("contoso", "calendar app", &["moves"])?;
    let other = author.register("contoso", "mail app")?;
    trial.commit([&one, &other])?;
    let steps: Vec<Step> = match written {
        Written::One => vec![author.rename(&one, "agenda")?],
        Written::Two => author.moved(&one, &other, "moves")?.into(),
        Written::Adopted => vec![author.serving("contoso", "adopted", &["adopted"])?],
    };
    let commit = author.commit(&steps)?;
    let adopted = [author.adopted(&steps)?];
    let send = |trial: &Trial<'_, F>| match written {
        Written::One | Written::Two => trial.try_send(&commit),
        Written::Adopted => trial.try_adopt(&adopted),
    };
    let subjects = Subjects::of(steps.iter().chain([&one, &other]));
    let before = subjects.picture(&trial)?;
    failing.begin(&trial)?;
    let answer = send(&trial);
    if let Err(CommitError::NotWritten(_)) = answer {
        // The store may refuse to answer, but its answers must be true.
        match subjects.picture(&trial) {
            Ok(now) => before.is_still(&now, "after a write was answered with `NotWritten`")?,
            Err(stop) => is_down(stop)?,
        }
    }
    trial.factory.fail_flush(&trial.place, usize::MAX)?;
    let trial = if crashes { trial.after_crash()? } else { trial.opened_again()? };
    let since = if crashes { "and after a crash" } else { "and after the store was opened again" };
    match answer {
        Ok(()) => steps.iter().try_for_each(|step| trial.is_kept(step)),
        Err(CommitError::NotWritten(_)) => {
            let now = subjects.picture(&trial)?;
            before.is_still(&now, &format!("after a write was answered with `NotWritten`, {since}"))
        }
        Err(CommitError::Failed(_)) => {
            // It is there as a whole or not at all, and sending it again settles it.
            match send(&trial) {
                Ok(()) => {}
                Err(CommitError::Conflict { .. }) => {}
                Err(error) => return Err(Stop::from(error).when("sending again a write that failed")),
            }
            steps.iter().try_for_each(|step| trial.is_kept(step))
        }
        Err(error) => Err(Stop::from(error)),
    }
    .map_err(|stop| stop.when(since))
}

pub(super) fn nothing_acknowledged_is_lost_after_a_failed_flush<F: Factory>(trial: Trial<'_, F>) -> Checked {
    trial.factory.fail_flush(&trial.place, usize::MAX)?;
    for failing in Failing::each() {
        trial.is_at(&failing.to_string());
        goes_on(trial.elsewhere()?, failing).map_err(|stop| stop.when(&failing.to_string()))?;
    }
    Ok(())
}

/// A writer goes on, sends failed commits again, and opens the store again if it does not recover.
fn goes_on<F: Factory>(mut trial: Trial<'_, F>, failing: Failing) -> Checked {
    let author = Arc::clone(&trial.author);
    let mut step = author.register("contoso", "calendar app")?;
    trial.commit([&step])?;
    trial.note(step.id(), secret(1)?, after_start(0)?)?;
    let mut steps = vec![step.clone()];
    let mut last_use = after_start(0)?;
    failing.begin(&trial)?;
    for round in 1..=6 {
        step = author.associate(&step, &format!("add-in-{round}"))?;
        let commit = author.commit([&step])?;
        trial = settled(trial, &commit, &step)?;
        steps.push(step.clone());
        let at = after_start(round)?;
        if trial.note(step.id(), secret(1)?, at).is_ok() {
            last_use = at;
        }
    }
    trial.factory.fail_flush(&trial.place, usize::MAX)?;
    let trial = trial.after_crash()?;
    trial.is_kept(&step).map_err(|stop| stop.when("after a crash"))?;
    let history: Vec<_> = trial.history(step.id())?.into_iter().flat_map(|c| c.events).collect();
    let written: Vec<_> = steps.iter().flat_map(Step::events).cloned().collect();
    ensure!(history == written, "after a crash, the history is not the acknowledged one");
    is_told("the feed after a crash", &trial.drain(None, MANY)?.0, &written)?;
    let found = trial.last_uses(step.id())?.of(secret(1)?);
    ensure!(
        found >= Some(last_use),
        "after a crash, the last use is {found:?}, but {last_use} was acknowledged"
    );
    Ok(())
}

/// Sends a commit until it is settled.
pub(super) fn settled<'a, F: Factory>(
    mut trial: Trial<'a, F>,
    commit: &Commit,
    step: &Step,
) -> Checked<Trial<'a, F>> {
    for attempt in 0..6 {
        match trial.try_send(commit) {
            Ok(()) => return Ok(trial),
            Err(CommitError::Conflict { found, .. }) if found == Some(step.revision()) => {
                let history = trial.history(step.id())?;
                same(
                    "the commit that is there",
                    history.last().map(|last| last.commit_id),
                    Some(commit.id()),
                )?;
                return Ok(trial);
            }
            Err(CommitError::Failed(_) | CommitError::NotWritten(_)) => {}
            Err(error) => return Err(Stop::from(error).when("sending again a commit that failed")),
        }
        if attempt > 1 {
            trial = trial.opened_despite_failures()?;
        }
    }
    Err(Stop::failed(
        "a commit cannot be settled, though at most two flushes failed and the store was opened again",
    ))
}

pub(super) fn cursors_beyond_an_older_copy_are_lost<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = Arc::clone(&trial.author);
    let other = trial.elsewhere()?;
    let first = author.register("contoso", "calendar app")?;
    let second = author.rename(&first, "agenda")?;
    trial.commit([&first])?;
    trial.commit([&second])?;
    let subjects = Subjects::of([&first, &second]);
    let before = subjects.picture(&trial)?;
    let (_, early) = trial.drain(None, 10)?;
    let (copy, trial) = trial.copied_to(other)?;
    // The store is written on, and all of that is undone.
    let mut last = second.clone();
    for round in 0..4 {
        last = author.rename(&last, &format!("name {round}"))?;
        trial.commit([&last])?;
        trial.commit([&author.register("fabrikam", &format!("other {round}"))?])?;
    }
    let (_, late) = trial.drain(Some(&early), 3)?;
    let latest = trial.latest()?;
    let (trial, _copy) = copy.copied_to(trial)?;
    before.is_still(&subjects.picture(&trial)?, "after an older copy was put back")?;
    for (cursor, what) in [(&late, "a cursor"), (&latest, "the latest cursor")] {
        let what = format!("the feed after {what} from after the copy that was put back");
        is_error(&what, trial.wait(trial.store.changes(Some(cursor), 10)), StoreErrorKind::CursorLost)?;
    }
    // A cursor from before the copy may still be known: then it means the same place.
    let known = trial.wait(trial.store.changes(Some(&early), 10));
    let is_known = match known {
        Ok(changes) => {
            same("the feed after a cursor from before the copy", changes.events, vec![])?;
            true
        }
        Err(error) => {
            same("the feed after a cursor from before the copy", error.kind(), StoreErrorKind::CursorLost)?;
            false
        }
    };
    let again = author.rename(&second, "another future")?;
    trial.commit([&again])?;
    trial.is_kept(&again)?;
    let mut since = again.events().to_vec();
    // They stay lost when the feed reaches their position, and when it has gone past it.
    for round in 0..12 {
        for (cursor, what) in [(&late, "a cursor"), (&latest, "the latest cursor")] {
            let commits = round + 1;
            let what = format!(
                "the feed after {what} from after the copy that was put back, and {commits} other commits"
            );
            is_error(&what, trial.wait(trial.store.changes(Some(cursor), 10)), StoreErrorKind::CursorLost)?;
        }
        let more = author.register("fabrikam", &format!("instead {round}"))?;
        trial.commit([&more])?;
        since.extend_from_slice(more.events());
    }
    if is_known {
        same(
            "the feed after a cursor from before the copy",
            trial.drain(Some(&early), 10)?.0,
            since.clone(),
        )?;
    }
    let whole = [first.events(), second.events(), &since].concat();
    same("the feed", trial.drain(None, 10)?.0, whole)
}

/// More flushes than a commit makes.
const FLUSHES: usize = 8;
