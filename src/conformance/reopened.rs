//! Crashes: everything acknowledged is there afterwards, cursors are still good, and dropped commits are whole. And two stores of
//! one place, which see each other's commits.

use crate::conformance::Factory;
use crate::conformance::author::{Author, Step, after_start, secret};
use crate::conformance::dropped::rounds;
use crate::conformance::picture::Subjects;
use crate::conformance::records::{chain, plain};
use crate::conformance::stop::{Checked, Stop, ensure, same};
use crate::conformance::together::dropped_after;
use crate::conformance::told::is_told;
use crate::conformance::trial::{Trial, drain, is_conflict};
use crate::record::MAX_RECORD;
use crate::store::{Commit, CommitError, Expected, Store, Use};
use crate::value::{Revision, Timestamp};

pub(super) fn what_was_acknowledged_is_there_after_a_crash<F: Factory>(mut trial: Trial<'_, F>) -> Checked {
    let author = std::sync::Arc::clone(&trial.author);
    let calendar =
        chain(&author, author.serving("contoso", "calendar app", &["moves"])?, 4, Author::another_change)?;
    let mail = chain(&author, author.register("contoso", "mail app")?, 4, Author::another_change)?;
    let adopted = author.serving("fabrikam", "adopted", &["c"])?;
    let together = (0..4)
        .map(|number| author.register("fabrikam", &format!("one of two {number}")))
        .collect::<Checked<Vec<_>>>()?;
    let [.., calendar_last] = &calendar[..] else { return Err(Stop::unprepared(&"steps")) };
    let [.., mail_last] = &mail[..] else { return Err(Stop::unprepared(&"steps")) };
    let mut later = author.moved(calendar_last, mail_last, "moves")?.to_vec();
    for step in &later.clone() {
        later.push(author.reseal(step)?);
    }
    later.push(author.delete(later.last().ok_or_else(|| Stop::unprepared(&"steps"))?)?);
    let subjects =
        Subjects::of(calendar.iter().chain(&mail).chain(&later).chain([&adopted]).chain(&together));
    let registry = author.registry_record(None)?;
    let next_registry = author.registry_record(Some(registry.record()))?;
    let mut sent: Vec<Commit> = Vec::new();

    // A crash after each write that can be acknowledged changes nothing.
    let (first, second) = later.split_at(2);
    for change in [registry, next_registry] {
        trial.send(&author.commit_of(vec![change])?)?;
        trial = unchanged_by_a_crash(trial, &subjects)?;
    }
    for (one, other) in calendar.iter().zip(&mail) {
        sent.push(trial.commit([one, other])?);
        trial = unchanged_by_a_crash(trial, &subjects)?;
    }
    trial.adopt(&[author.adopted([&adopted])?])?;
    trial = unchanged_by_a_crash(trial, &subjects)?;
    for both in together.chunks(2) {
        let both = both.iter().map(|step| author.adopted([step])).collect::<Checked<Vec<_>>>()?;
        trial.adopt(&both)?;
        trial = unchanged_by_a_crash(trial, &subjects)?;
    }
    for at in 5..=8 {
        let used =
            |step: &Step| Ok(Use { client_id: step.id().clone(), secret: secret(1)?, at: after_start(at)? });
        let count = if at % 2 == 0 { 1 } else { together.len() };
        let uses = together.iter().take(count).map(used).collect::<Checked<Vec<_>>>()?;
        trial.wait(trial.store.note_uses(&uses, Timestamp::MAX))?;
        trial = unchanged_by_a_crash(trial, &subjects)?;
    }
    sent.push(trial.commit(first)?);
    trial = unchanged_by_a_crash(trial, &subjects)?;
    // An emergency is as durable as any other commit.
    for step in second {
        let commit = author.commit([step])?.urgent();
        trial.send(&commit)?;
        sent.push(commit);
        trial = unchanged_by_a_crash(trial, &subjects)?;
    }
    for commit in &sent {
        let answer = trial.try_send(commit);
        let is_conflict = matches!(answer, Err(CommitError::Conflict { .. }));
        ensure!(
            is_conflict,
            "a commit that was acknowledged before a crash was answered {answer:?} after it"
        );
    }
    // Large ones, so that a store has to begin another file or page.
    for _ in 0..LARGE {
        let id = author.fresh_id()?;
        let body = format!("\"{}\"", "x".repeat(MAX_RECORD - 1024));
        let large = author.any_record(&id, Revision::new(1), &body, &[])?;
        trial.send(&author.commit_of(vec![plain(&large, Expected::Absent)])?)?;
        trial = trial.after_crash()?;
        trial.is_record((&id).into(), Some(&large)).map_err(|stop| stop.when("after a crash"))?;
    }
    Ok(())
}

fn unchanged_by_a_crash<'a, F: Factory>(trial: Trial<'a, F>, subjects: &Subjects) -> Checked<Trial<'a, F>> {
    let before = subjects.picture(&trial)?;
    let trial = trial.after_crash()?;
    before.is_still(&subjects.picture(&trial)?, "after a crash")?;
    Ok(trial)
}

pub(super) fn cursors_outlive_a_crash<F: Factory>(mut trial: Trial<'_, F>) -> Checked {
    let author = std::sync::Arc::clone(&trial.author);
    let steps = chain(&author, author.register("contoso", "calendar app")?, 8, Author::another_change)?;
    let (mut seen, mut cursor) = (Vec::new(), trial.changes(None, 1)?.cursor);
    for (position, step) in steps.iter().enumerate() {
        trial.commit([step])?;
        trial = trial.after_crash()?;
        if position % 2 == 1 {
            let changes = trial.changes(Some(&cursor), 1)?;
            seen.extend(changes.events);
            cursor = changes.cursor;
            trial = trial.after_crash()?;
        }
    }
    let (rest, _) = trial.drain(Some(&cursor), 2)?;
    seen.extend(rest);
    let written: Vec<_> = steps.iter().flat_map(|step| step.events()).cloned().collect();
    is_told("what a reader has seen that came back after each crash", &seen, &written)?;
    // The cursor of an empty store is a cursor like any other. Several crashes, since a factory may cut the power in different ways.
    for round in 0..4 {
        let empty = trial.elsewhere()?;
        let cursor = empty.latest()?;
        let empty = empty.after_crash()?;
        let step = author.register("contoso", &format!("first {round}"))?;
        empty.commit([&step])?;
        let (read, _) = empty.drain(Some(&cursor), 2)?;
        is_told("the feed after the cursor of an empty store, after a crash", &read, step.events())?;
    }
    Ok(())
}

pub(super) fn dropped_commits_are_whole_after_a_crash<F: Factory>(mut trial: Trial<'_, F>) -> Checked {
    let author = std::sync::Arc::clone(&trial.author);
    let mut one = author.serving("contoso", "calendar app", &["moves"])?;
    let mut other = author.register("contoso", "mail app")?;
    trial.commit([&one, &other])?;
    let mut events = [one.events(), other.events()].concat();
    for (polls, pace) in rounds() {
        let moved = author.moved(&one, &other, "moves")?;
        let commit = author.commit(&moved)?;
        if let Some(answer) = trial.wait(dropped_after(trial.store.commit(&commit), polls, pace)) {
            answer?;
        }
        trial = trial.after_crash()?;
        let [left, came] = moved;
        match trial.try_send(&commit) {
            Ok(()) => {}
            conflict @ Err(CommitError::Conflict { .. }) => {
                is_conflict(conflict, left.record_id(), Some(left.revision()))?
            }
            Err(error) => return Err(Stop::from(error).when("settling a dropped commit after a crash")),
        }
        for step in [&left, &came] {
            trial.is_kept(step)?;
            let last = trial.history(step.id())?.last().map(|last| (last.revision, last.commit_id));
            same("the last commit in the history", last, Some((step.revision(), commit.id())))?;
        }
        trial.belongs("moves", Some(came.id()))?;
        events.extend_from_slice(left.events());
        events.extend_from_slice(came.events());
        (one, other) = (came, left);
    }
    is_told("the feed", &trial.drain(None, 9)?.0, &events)
}

pub(super) fn stores_side_by_side_see_one_another<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let beside = trial.beside()?;
    let steps =
        chain(author, author.serving("contoso", "calendar app", &["a", "b"])?, 12, Author::another_change)?;
    let mut cursor = None;
    for (position, step) in steps.iter().enumerate() {
        let commit = author.commit([step])?;
        let (writer, reader) =
            if position % 2 == 0 { (&trial.store, &beside) } else { (&beside, &trial.store) };
        trial.wait(writer.commit(&commit))?;
        let found = trial.wait(reader.load(step.record_id()))?.map(|record| record.to_bytes()).transpose()?;
        ensure!(
            found == Some(step.record().to_bytes()?),
            "what one store acknowledged another one does not load"
        );
        let history = trial.wait(reader.history(step.id(), Revision::ZERO, 100))?;
        same("the last commit", history.last().map(|last| last.commit_id), Some(commit.id()))?;
        for add_in in &step.index().add_ins {
            same("the client of an add-in", trial.wait(reader.client_of(add_in))?.as_ref(), Some(step.id()))?;
        }
        // A cursor is valid in every store of the place.
        let (read, end) = drain(trial.factory, reader, cursor.as_ref(), 1)?;
        same("what was read from the other store", read, step.events().to_vec())?;
        cursor = Some(end);
        is_conflict(trial.wait(reader.commit(&commit)), step.record_id(), Some(step.revision()))?;
    }
    let newcomer = author.serving("fabrikam", "new", &["b"])?;
    let taken = trial.wait(beside.commit(&author.commit([&newcomer])?));
    ensure!(matches!(taken, Err(CommitError::Taken { .. })), "another store took an add-in again: {taken:?}");
    Ok(())
}

/// The number of large records, each with a crash after it.
const LARGE: usize = 6;
