//! A client's commits.

use super::author::Author;
use super::records::chain;
use super::stop::{Checked, Stop, ensure, same};
use super::trial::{Trial, is_error, pages};
use super::{Factory, Spoil};
use crate::event::{EventHash, Revision, check_trail};
use crate::store::{Committed, Store, StoreErrorKind};

pub(super) fn history_names_the_commits<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let steps = chain(author, author.register("contoso", "calendar app")?, 6, Author::another_change)?;
    let mut expected = Vec::new();
    for step in &steps {
        let commit = trial.commit([step])?;
        expected.push(Committed {
            commit_id: commit.id(),
            revision: step.revision(),
            events: step.events().to_vec(),
        });
        same("the history", trial.history(step.id())?, expected.clone())?;
    }
    same("the history of nobody", trial.history(&author.fresh_id()?)?, vec![])
}

pub(super) fn history_is_paged_by_commits<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    // The first commit has two events, and counts once.
    let steps = chain(author, author.register("contoso", "calendar app")?, 9, Author::another_change)?;
    let id = super::records::id_of(&steps)?;
    for step in &steps {
        trial.commit([step])?;
    }
    let whole = trial.history(id)?;
    same("the number of commits", whole.len(), steps.len())?;
    for limit in [1, 2, 4, 8, 9, 10] {
        let read = pages(limit, |after: Option<&Committed>| {
            trial.history_after(id, after.map_or(Revision::ZERO, |last| last.revision), limit)
        })?;
        ensure!(read == whole, "read by {limit}, the history is not the same");
    }
    let late = trial.history_after(id, Revision::new(7), usize::MAX)?;
    same("the revisions after 7", late.iter().map(|c| c.revision.number()).collect(), vec![8, 9])?;
    for after in [9, 10, u64::from(u32::MAX), i64::MAX as u64, u64::MAX] {
        let found = trial.history_after(id, Revision::new(after), usize::MAX)?;
        same(&format!("the history after {after}"), found, vec![])?;
    }
    Ok(())
}

pub(super) fn history_outlives_deletion<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let mut steps = chain(author, author.register("contoso", "calendar app")?, 4, Author::another_change)?;
    let Some(last) = steps.last() else { return Err(Stop::unprepared(&"steps")) };
    steps.push(author.delete(last)?);
    for step in &steps {
        trial.commit([step])?;
    }
    let Some(deleted) = steps.last() else { return Err(Stop::unprepared(&"steps")) };
    let history = trial.history(deleted.id())?;
    same("the number of commits", history.len(), steps.len())?;
    let events = history.iter().flat_map(|committed| &committed.events);
    check_trail(events, EventHash::START, deleted.opened().head())
        .map_err(|broken| Stop::failed(format!("after the client was deleted: {broken}")))
}

pub(super) fn history_is_of_one_client<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let one = author.serving("contoso", "calendar app", &["moves"])?;
    let other = author.register("contoso", "mail app")?;
    trial.commit([&one, &other])?;
    let moved = author.moved(&one, &other, "moves")?;
    let commit = trial.commit(&moved)?;
    for step in &moved {
        let expected =
            Committed { commit_id: commit.id(), revision: step.revision(), events: step.events().to_vec() };
        let found = trial.history_after(step.id(), Revision::new(1), 10)?;
        same("the commit of two clients in the history of one", found, vec![expected])?;
    }
    Ok(())
}

pub(super) fn undecodable_history_is_corrupt<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = std::sync::Arc::clone(&trial.author);
    let steps = chain(&author, author.register("contoso", "calendar app")?, 3, Author::another_change)?;
    let id = super::records::id_of(&steps)?.clone();
    for step in &steps {
        trial.commit([step])?;
    }
    let Some(trial) = trial.spoilt(Spoil::History(&id))? else { return Ok(()) };
    let history = trial.wait(trial.store.history(&id, Revision::ZERO, 10));
    is_error("an undecodable history", history, StoreErrorKind::Corrupt)?;
    is_error(
        "a feed with undecodable events",
        trial.wait(trial.store.changes(None, 10)),
        StoreErrorKind::Corrupt,
    )
}
