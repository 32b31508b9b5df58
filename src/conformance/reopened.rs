//! Crashes: everything acknowledged is there afterwards, cursors are still good, and dropped commits are whole. And two stores of
//! one place, which see each other's commits.

use crate::conformance::Factory;
use crate::conformance::author::{Author, after_start, secret};
use crate::conformance::dropped::rounds;
use crate::conformance::picture::Subjects;
use crate::conformance::records::chain;
use crate::conformance::stop::{Checked, Stop, ensure, same};
use crate::conformance::together::dropped_after;
use crate::conformance::told::is_told;
use crate::conformance::trial::{Trial, drain, is_conflict};
use crate::store::{Commit, CommitError, Store};

pub(super) fn what_was_acknowledged_is_there_after_a_crash<F: Factory>(mut trial: Trial<'_, F>) -> Checked {
    let author = std::sync::Arc::clone(&trial.author);
    let calendar =
        chain(&author, author.serving("contoso", "calendar app", &["moves"])?, 4, Author::another_change)?;
    let mail = chain(&author, author.register("contoso", "mail app")?, 4, Author::another_change)?;
    let adopted = author.serving("fabrikam", "adopted", &["c"])?;
    let [.., calendar_last] = &calendar[..] else { return Err(Stop::unprepared(&"steps")) };
    let [.., mail_last] = &mail[..] else { return Err(Stop::unprepared(&"steps")) };
    let mut later = author.moved(calendar_last, mail_last, "moves")?.to_vec();
    for step in &later.clone() {
        later.push(author.reseal(step)?);
    }
    later.push(author.delete(later.last().ok_or_else(|| Stop::unprepared(&"steps"))?)?);
    let subjects = Subjects::of(calendar.iter().chain(&mail).chain(&later).chain([&adopted]));
    let registry = author.registry_record(None)?;
    let mut sent: Vec<Commit> = Vec::new();

    // A crash after each write that can be acknowledged changes nothing.
    let (first, second) = later.split_at(2);
    trial.send(&author.commit_of(vec![registry])?)?;
    for (one, other) in calendar.iter().zip(&mail) {
        sent.push(trial.commit([one, other])?);
        trial = unchanged_by_a_crash(trial, &subjects)?;
    }
    trial.adopt(&[author.adopted([&adopted])?])?;
    trial = unchanged_by_a_crash(trial, &subjects)?;
    trial.note(adopted.id(), secret(1)?, after_start(5)?)?;
    trial = unchanged_by_a_crash(trial, &subjects)?;
    sent.push(trial.commit(first)?);
    trial = unchanged_by_a_crash(trial, &subjects)?;
    for step in second {
        sent.push(trial.commit([step])?);
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
    is_told("what a reader has seen that came back after each crash", &seen, &written)
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
        let history = trial.wait(reader.history(step.id(), crate::value::Revision::ZERO, 100))?;
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
