//! The last uses of secrets: the later one wins unless it cannot be believed, and they go with their secret.

use crate::client::LastUses;
use crate::conformance::Factory;
use crate::conformance::author::{after_start, secret};
use crate::conformance::picture::Subjects;
use crate::conformance::stop::{Checked, ensure, same};
use crate::conformance::together::{Job, Pinned, at_once, in_turns};
use crate::conformance::trial::{Racing, Trial};
use crate::store::{Store, Use};
use crate::value::{ClientId, Timestamp};

pub(super) fn the_later_use_wins<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let step = author.add_secret(&author.register("contoso", "calendar app")?, 10)?;
    let first = author.register_as(step.id(), "contoso", "calendar app")?;
    trial.commit([&first])?;
    let step = author.add_secret(&first, 10)?;
    trial.commit([&step])?;
    same("the last uses of what was not used", trial.last_uses(step.id())?, LastUses::default())?;
    let (one, other) = (secret(1)?, secret(2)?);
    for (at, latest) in
        [(-5_000_000_000_000, -5_000_000_000_000), (0, 0), (-1, 0), (1000, 1000), (1000, 1000), (999, 1000)]
    {
        trial.note(step.id(), one, after_start(at)?)?;
        is_used(&trial, step.id(), &[(1, Some(latest)), (2, None)])?;
    }
    // Several in one call, also of one secret, in any order.
    let used = |secret, at| -> Checked<Use> {
        Ok(Use { client_id: step.id().clone(), secret, at: after_start(at)? })
    };
    let uses = [used(other, 7)?, used(one, 2000)?, used(other, 9)?, used(one, 1500)?, used(other, 8)?];
    trial.wait(trial.store.note_uses(&uses, Timestamp::MAX))?;
    is_used(&trial, step.id(), &[(1, Some(2000)), (2, Some(9))])?;
    trial.wait(trial.store.note_uses(&[], Timestamp::MAX))?;
    trial.note(step.id(), one, Timestamp::MAX)?;
    same("the last possible use", trial.last_uses(step.id())?.of(one), Some(Timestamp::MAX))
}

pub(super) fn the_later_use_wins_a_race<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let step = author.register("contoso", "calendar app")?;
    trial.commit([&step])?;
    for (round, how) in Racing::rounds() {
        let uses = [3, 1, 4, 2]
            .into_iter()
            .map(|at| {
                let at = after_start(i64::try_from(round).unwrap_or_default() * 10 + at)?;
                Ok([Use { client_id: step.id().clone(), secret: secret(1)?, at }])
            })
            .collect::<Checked<Vec<_>>>()?;
        let answers = match how {
            Racing::InTurns => {
                let note = |uses| Box::pin(trial.store.note_uses(uses, Timestamp::MAX)) as Pinned<'_, _>;
                trial.wait(in_turns(uses.iter().map(|uses| note(&uses[..])).collect()))
            }
            Racing::OnThreads => {
                let trial = &trial;
                let note = |uses| {
                    Box::new(move || trial.wait(trial.store.note_uses(uses, Timestamp::MAX))) as Job<'_, _>
                };
                at_once(uses.iter().map(|uses| note(&uses[..])).collect())?
            }
        };
        answers.into_iter().collect::<Result<(), _>>()?;
        is_used(&trial, step.id(), &[(1, Some(i64::try_from(round).unwrap_or_default() * 10 + 4))])?;
    }
    Ok(())
}

pub(super) fn an_unbelievable_use_is_replaced<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let first = author.register("contoso", "calendar app")?;
    let step = author.add_secret(&first, 10)?;
    trial.commit([&first])?;
    trial.commit([&step])?;
    let (one, other) = (secret(1)?, secret(2)?);
    let used = |secret, at| -> Checked<Use> {
        Ok(Use { client_id: step.id().clone(), secret, at: after_start(at)? })
    };
    let note = |uses: &[Use], believable_until| -> Checked {
        Ok(trial.wait(trial.store.note_uses(uses, after_start(believable_until)?))?)
    };
    // Noted for both under a clock that is far ahead.
    note(&[used(one, 9_000_000_000)?, used(other, 9_000_000_000)?], 9_000_060_000)?;
    // Noted for one of them under a clock that is right.
    note(&[used(one, 1000)?], 61_000)?;
    is_used(&trial, step.id(), &[(1, Some(1000)), (2, Some(9_000_000_000))])?;
    // A time that can be believed, to the last millisecond, stays.
    note(&[used(one, 61_000)?], 61_000)?;
    note(&[used(one, 1000)?], 61_000)?;
    is_used(&trial, step.id(), &[(1, Some(61_000)), (2, Some(9_000_000_000))])?;
    note(&[used(one, 1000)?, used(other, 999)?, used(other, 998)?], 60_999)?;
    is_used(&trial, step.id(), &[(1, Some(1000)), (2, Some(999))])?;
    // A time beyond every calendar is replaced like any other.
    trial.note(step.id(), one, Timestamp::MAX)?;
    note(&[used(one, -5)?], 0)?;
    is_used(&trial, step.id(), &[(1, Some(-5)), (2, Some(999))])
}

pub(super) fn uses_of_what_is_not_there_are_passed_over<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let step = author.register("contoso", "calendar app")?;
    trial.commit([&step])?;
    let nobody = author.fresh_id()?;
    let at = author.now();
    let used = |client_id: &ClientId, number| -> Checked<Use> {
        Ok(Use { client_id: client_id.clone(), secret: secret(number)?, at })
    };
    // Passed over, not refused: the other uses of the call are noted.
    let uses = [used(step.id(), 7)?, used(&nobody, 1)?, used(step.id(), 1)?, used(step.id(), u32::MAX)?];
    trial.wait(trial.store.note_uses(&uses, Timestamp::MAX))?;
    let mut expected = LastUses::default();
    expected.note(secret(1)?, at);
    same("the last uses", trial.last_uses(step.id())?, expected)?;
    same("the last uses of nobody", trial.last_uses(&nobody)?, LastUses::default())?;
    // It does not appear when a secret of that number is added later.
    let step = author.add_secret(&step, 10)?;
    trial.note(step.id(), secret(2)?, at)?;
    trial.commit([&step])?;
    same("the last use of a new secret", trial.last_uses(step.id())?.of(secret(2)?), None)
}

pub(super) fn uses_go_with_their_secret<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let first = author.register("contoso", "calendar app")?;
    let second = author.add_secret(&first, 10)?;
    trial.commit([&first])?;
    trial.commit([&second])?;
    for number in [1, 2] {
        trial.note(second.id(), secret(number)?, after_start(5)?)?;
    }
    let third = author.delete_secret(&second, secret(1)?)?;
    trial.commit([&third])?;
    is_used(&trial, third.id(), &[(1, None), (2, Some(5))])?;
    trial.note(third.id(), secret(1)?, after_start(6)?)?;
    is_used(&trial, third.id(), &[(1, None), (2, Some(5))])?;
    trial.commit([&author.delete(&third)?])?;
    same("the last uses", trial.last_uses(third.id())?, LastUses::default())?;
    trial.note(third.id(), secret(2)?, after_start(7)?)?;
    same("the last uses of a deleted client", trial.last_uses(third.id())?, LastUses::default())
}

pub(super) fn uses_stay_through_other_changes<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let other = author.register("contoso", "mail app")?;
    trial.commit([&other])?;
    let mut step = author.serving("contoso", "calendar app", &["moves"])?;
    trial.commit([&step])?;
    trial.note(step.id(), secret(1)?, after_start(5)?)?;
    trial.note(other.id(), secret(1)?, after_start(6)?)?;
    step = author.add_secret(&step, 10)?;
    trial.commit([&step])?;
    is_used(&trial, step.id(), &[(1, Some(5)), (2, None)])?;
    let [left, came] = author.moved(&step, &other, "moves")?;
    trial.commit([&left, &came])?;
    is_used(&trial, left.id(), &[(1, Some(5)), (2, None)])?;
    trial.commit([&author.reseal(&left)?])?;
    is_used(&trial, left.id(), &[(1, Some(5)), (2, None)])?;
    is_used(&trial, other.id(), &[(1, Some(6))])
}

pub(super) fn uses_never_outlive_a_deletion<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    for (round, how) in Racing::rounds() {
        let first = author.register("contoso", &format!("client {round}"))?;
        trial.commit([&first])?;
        let deleted = match round % 4 {
            0 | 1 => author.delete(&first)?,
            _ => author.delete_secret(&first, secret(1)?)?,
        };
        let commit = author.commit([&deleted])?;
        let uses = [Use { client_id: first.id().clone(), secret: secret(1)?, at: author.now() }];
        match how {
            Racing::InTurns => {
                let note = || async {
                    let noted = trial.store.note_uses(&uses, Timestamp::MAX).await;
                    noted.map_err(crate::store::CommitError::from)
                };
                let delete = async { trial.store.commit(&commit).await };
                let futures: Vec<Pinned<'_, _>> = match round % 8 < 4 {
                    true => vec![Box::pin(note()), Box::pin(delete), Box::pin(note())],
                    false => vec![Box::pin(delete), Box::pin(note()), Box::pin(note())],
                };
                trial.wait(in_turns(futures)).into_iter().collect::<Result<(), _>>()?;
            }
            Racing::OnThreads => {
                let note = || -> Job<'_, Checked> {
                    Box::new(|| Ok(trial.wait(trial.store.note_uses(&uses, Timestamp::MAX))?))
                };
                let delete: Job<'_, Checked> = Box::new(|| trial.send(&commit));
                at_once(vec![note(), delete, note()])?.into_iter().collect::<Checked>()?;
            }
        }
        let left = trial.last_uses(first.id())?;
        ensure!(
            left == LastUses::default(),
            "a use was noted while its secret was deleted, and is still there"
        );
    }
    Ok(())
}

pub(super) fn uses_change_nothing_else<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let step = author.serving("contoso", "calendar app", &["calendar"])?;
    trial.commit([&step])?;
    let subjects = Subjects::of([&step]);
    trial.note(step.id(), secret(1)?, after_start(5)?)?;
    let before = subjects.picture(&trial)?;
    trial.note(step.id(), secret(1)?, after_start(4)?)?;
    trial.note(step.id(), secret(2)?, after_start(4)?)?;
    before.is_still(&subjects.picture(&trial)?, "after uses that say nothing new")?;
    trial.note(step.id(), secret(1)?, after_start(6)?)?;
    trial.is_kept(&step)?;
    let (seen, expected) = (trial.drain(None, 10)?.0, step.events().to_vec());
    same("the feed", seen, expected)?;
    same("the number of commits", trial.history(step.id())?.len(), 1)?;
    trial.belongs("calendar", Some(step.id()))?;
    trial.commit([&author.rename(&step, "agenda")?])?;
    Ok(())
}

/// The last uses of some secrets, in milliseconds after the first change of the case.
fn is_used<F: Factory>(trial: &Trial<'_, F>, id: &ClientId, expected: &[(u32, Option<i64>)]) -> Checked {
    let uses = trial.last_uses(id)?;
    for (number, at) in expected {
        let at = at.map(after_start).transpose()?;
        same(&format!("the last use of secret {number}"), uses.of(secret(*number)?), at)?;
    }
    Ok(())
}
