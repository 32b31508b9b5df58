//! After a failed flush: the same uses are noted again, the store is opened again, another store goes on, someone looks. Each of
//! them may find writes that are in the files but not on the disk, and must make them durable before it builds on them or shows
//! them.

use std::mem::swap;
use std::sync::Arc;

use crate::conformance::Factory;
use crate::conformance::author::{after_start, secret};
use crate::conformance::flushes::{Failing, settled};
use crate::conformance::picture::Subjects;
use crate::conformance::stop::{Checked, Stop, ensure, is_down, same};
use crate::conformance::trial::Trial;
use crate::store::CommitError;

pub(super) fn uses_noted_again_after_a_failed_flush_are_kept<F: Factory>(trial: Trial<'_, F>) -> Checked {
    for_each_flush(&trial, noted_again)
}

/// Notes the same use until that succeeds.
fn noted_again<F: Factory>(mut trial: Trial<'_, F>, failing: Failing) -> Checked {
    let step = trial.author.register("contoso", "calendar app")?;
    trial.commit([&step])?;
    trial.note(step.id(), secret(1)?, after_start(0)?)?;
    let at = after_start(1)?;
    failing.begin(&trial)?;
    let mut is_noted = false;
    for attempt in 0..6 {
        is_noted = trial.note(step.id(), secret(1)?, at).is_ok();
        if is_noted {
            break;
        }
        if attempt > 1 {
            trial = trial.opened_despite_failures()?;
        }
    }
    ensure!(
        is_noted,
        "a use cannot be noted, though at most two flushes failed and the store was opened again"
    );
    trial.factory.fail_flush(&trial.place, usize::MAX)?;
    let trial = trial.after_crash()?;
    same("the last use after a crash", trial.last_uses(step.id())?.of(secret(1)?), Some(at))
}

pub(super) fn nothing_acknowledged_is_lost_when_opened_after_a_failed_flush<F: Factory>(
    trial: Trial<'_, F>,
) -> Checked {
    for_each_flush(&trial, |trial, failing| another_goes_on(trial, failing, false))
}

pub(super) fn nothing_acknowledged_is_lost_beside_a_failed_flush<F: Factory>(trial: Trial<'_, F>) -> Checked {
    trial.factory.share()?;
    for_each_flush(&trial, |trial, failing| another_goes_on(trial, failing, true))
}

/// One store fails, and another store of the place goes on: one that is opened next, or one that was open already.
fn another_goes_on<F: Factory>(mut trial: Trial<'_, F>, failing: Failing, is_beside: bool) -> Checked {
    let author = Arc::clone(&trial.author);
    let before = author.register("contoso", "before")?;
    let tried = author.register("contoso", "tried")?;
    let later = author.register("contoso", "later")?;
    trial.commit([&before])?;
    let mut beside = is_beside.then(|| trial.beside()).transpose()?;
    let commit = author.commit([&tried])?;
    failing.begin(&trial)?;
    let answer = trial.try_send(&commit);
    trial.factory.fail_flush(&trial.place, usize::MAX)?;
    match &mut beside {
        Some(beside) => swap(&mut trial.store, beside),
        None => trial = trial.opened_again()?,
    }
    let trial = settled(trial, &author.commit([&later])?, &later)?;
    // `Factory::crash` promises that all other stores are closed.
    drop(beside);
    let trial = trial.after_crash()?;
    let since = "after a crash";
    for step in [&before, &later] {
        trial.is_kept(step).map_err(|stop| stop.when(since))?;
    }
    match answer {
        Ok(()) => trial.is_kept(&tried).map_err(|stop| stop.when(since)),
        Err(CommitError::Failed(_) | CommitError::NotWritten(_)) => {
            settled(trial, &commit, &tried)?.is_kept(&tried)
        }
        Err(error) => Err(Stop::from(error)),
    }
}

pub(super) fn what_is_shown_after_a_failed_flush_is_durable<F: Factory>(trial: Trial<'_, F>) -> Checked {
    for written in [Written::Commit, Written::Adoption, Written::Use] {
        for is_opened_again in [false, true] {
            for_each_flush(&trial, |trial, failing| is_durable(trial, failing, written, is_opened_again))
                .map_err(|stop| stop.when(&format!("writing a {written:?}")))?;
        }
    }
    Ok(())
}

/// The write whose flush fails.
#[derive(Debug, Clone, Copy)]
enum Written {
    Commit,
    Adoption,
    Use,
}

fn is_durable<F: Factory>(
    mut trial: Trial<'_, F>,
    failing: Failing,
    written: Written,
    is_opened_again: bool,
) -> Checked {
    let author = Arc::clone(&trial.author);
    let one = author.register("contoso", "calendar app")?;
    let other = author.register("contoso", "mail app")?;
    trial.commit([&one])?;
    let subjects = Subjects::of([&one, &other]);
    let before = subjects.picture(&trial)?;
    failing.begin(&trial)?;
    // Any answer will do: what counts is what the store shows afterwards.
    match written {
        Written::Commit => drop(trial.try_send(&author.commit([&other])?)),
        Written::Adoption => drop(trial.try_adopt(&[author.adopted([&other])?])),
        Written::Use => drop(trial.note(one.id(), secret(1)?, after_start(0)?)),
    }
    trial.factory.fail_flush(&trial.place, usize::MAX)?;
    if is_opened_again {
        trial = trial.opened_again()?;
    }
    let shown = match subjects.picture(&trial) {
        Ok(shown) => shown,
        // The store may refuse to answer until it is opened again.
        Err(stop) => return is_down(stop),
    };
    let trial = trial.after_crash()?;
    // A write that was not shown may be on the disk all the same.
    if shown == before {
        return Ok(());
    }
    shown.is_still(
        &subjects.picture(&trial)?,
        "after the store showed a write whose flush had failed, and a crash",
    )
}

/// Runs a case in a new place for each flush that can fail, alone and with the next one.
fn for_each_flush<'a, F: Factory>(
    trial: &Trial<'a, F>,
    case: impl Fn(Trial<'a, F>, Failing) -> Checked,
) -> Checked {
    trial.factory.fail_flush(&trial.place, usize::MAX)?;
    for failing in Failing::each() {
        trial.is_at(&failing.to_string());
        case(trial.elsewhere()?, failing).map_err(|stop| stop.when(&failing.to_string()))?;
    }
    Ok(())
}
