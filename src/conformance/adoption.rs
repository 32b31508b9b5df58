//! Clients that move in from another store: with their revisions and histories, all or nothing, once.

use crate::conformance::Factory;
use crate::conformance::author::{Author, Step, add_in};
use crate::conformance::picture::Subjects;
use crate::conformance::records::chain;
use crate::conformance::stop::{Checked, Stop, same};
use crate::conformance::together::{Job, Pinned, at_once, in_turns};
use crate::conformance::told::is_told;
use crate::conformance::trial::{Racing, Trial, is_conflict, is_taken, one_winner};
use crate::conformance::uniqueness::name_of;
use crate::conformance::watch::Open;
use crate::store::{Adopted, CommitError, IndexEntry, Store};
use crate::value::Revision;

pub(super) fn adopted_clients_are_as_they_were<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let from = trial.elsewhere()?;
    let clients = some_clients(author)?;
    for step in clients.iter().flatten() {
        from.commit([step])?;
    }
    let mut adopted = Vec::new();
    for steps in &clients {
        let last = last(steps)?;
        let record = from.load(last.record_id())?.ok_or_else(|| Stop::unprepared(&"a record"))?;
        adopted.push(Adopted::new(record, last.index().clone(), from.history(last.id())?));
    }
    trial.adopt(&adopted)?;
    let subjects = Subjects::of(clients.iter().flatten());
    subjects.picture(&from)?.is_still(&subjects.picture(&trial)?, "after clients moved to another store")?;
    // The client can still be changed.
    let Some(Some(living)) = clients.first().map(|steps| steps.last()) else {
        return Err(Stop::unprepared(&"a client"));
    };
    let next = author.add_secret(living, 30)?;
    trial.commit([&next])?;
    trial.is_kept(&next)?;
    let revisions: Vec<_> =
        trial.history(next.id())?.iter().map(|committed| committed.revision.number()).collect();
    same("the revisions", revisions, (1..=next.revision().number()).collect())
}

pub(super) fn adopted_events_come_into_the_feed<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let before = author.register("fabrikam", "before")?;
    trial.commit([&before])?;
    let (seen, cursor) = trial.drain(None, 10)?;
    let clients = some_clients(author)?;
    let adopted: Vec<_> = clients.iter().map(|steps| author.adopted(steps)).collect::<Checked<_>>()?;
    trial.adopt(&adopted)?;
    let (read, _) = trial.drain(Some(&cursor), 1)?;
    let expected: Vec<_> = clients.iter().flatten().flat_map(Step::events).cloned().collect();
    is_told("the feed of clients that moved in", &read, &expected)?;
    is_told("the feed from the beginning", &trial.drain(None, 3)?.0, &[seen, read].concat())
}

pub(super) fn adopting_is_refused_whole<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let clients = some_clients(author)?;
    let adopted: Vec<_> = clients.iter().map(|steps| author.adopted(steps)).collect::<Checked<_>>()?;
    // Any of them may exist already, even as the tombstone of a deleted client.
    for present in &clients {
        let here = trial.elsewhere()?;
        for step in present {
            here.commit([step])?;
        }
        let subjects = Subjects::of(clients.iter().flatten());
        let before = subjects.picture(&here)?;
        let last = last(present)?;
        is_conflict(here.try_adopt(&adopted), last.record_id(), Some(last.revision()))?;
        before.is_still(&subjects.picture(&here)?, "after adopting was refused")?;
    }
    trial.adopt(&adopted)?;
    let first = last(clients.first().ok_or_else(|| Stop::unprepared(&"clients"))?)?;
    is_conflict(trial.try_adopt(&adopted), first.record_id(), Some(first.revision()))
}

pub(super) fn adopting_what_is_taken_is_refused<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let holder = author.serving("fabrikam", "calendar app", &["taken"])?;
    trial.commit([&holder])?;
    let subjects_of = |more: &[&Step]| Subjects::of([&holder].into_iter().chain(more.iter().copied()));
    let fine = author.serving("fabrikam", "fine", &["fine"])?;
    let greedy = [
        (
            author.serving("fabrikam", "other", &["other", "taken"])?,
            IndexEntry::AddIn(add_in("taken")?),
            holder.id(),
        ),
        (author.register("fabrikam", "CALENDAR APP")?, name_of(&holder)?, holder.id()),
        (author.serving("fabrikam", "another", &["fine"])?, IndexEntry::AddIn(add_in("fine")?), fine.id()),
        (author.register("fabrikam", "Fine")?, name_of(&fine)?, fine.id()),
    ];
    for (step, entry, by) in &greedy {
        let subjects = subjects_of(&[&fine, step]);
        let before = subjects.picture(&trial)?;
        let adopted = [author.adopted([&fine])?, author.adopted([step])?];
        // Two clients of one call want the same entry: the answer may name either as its holder.
        is_taken(trial.try_adopt(&adopted), entry, &[*by, step.id()])?;
        before.is_still(&subjects.picture(&trial)?, "after adopting was refused")?;
    }
    trial.adopt(&[author.adopted([&fine])?])?;
    trial.belongs("fine", Some(fine.id()))
}

pub(super) fn adopting_nothing_is_possible<F: Factory>(trial: Trial<'_, F>) -> Checked {
    trial.adopt(&[])?;
    same("the feed", trial.drain(None, 10)?.0, vec![])
}

/// Two clients that changed in one commit move in, together and one after the other: the commit has one ID in both histories.
pub(super) fn halves_of_a_commit_are_adopted<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let from = trial.elsewhere()?;
    let one = author.serving("contoso", "calendar app", &["moves"])?;
    let other = author.register("contoso", "mail app")?;
    from.commit([&one, &other])?;
    let moved = author.moved(&one, &other, "moves")?;
    let commit = from.commit(&moved)?;
    let mut adopted = Vec::new();
    for step in &moved {
        let history = from.history(step.id())?;
        same(
            "the last commit at home",
            history.last().map(|committed| committed.commit_id),
            Some(commit.id()),
        )?;
        adopted.push(Adopted::new(step.record().clone(), step.index().clone(), history));
    }
    let together = trial.elsewhere()?;
    together.adopt(&adopted).map_err(|stop| stop.when("adopting both clients of a commit in one call"))?;
    for half in &adopted {
        trial
            .adopt(std::slice::from_ref(half))
            .map_err(|stop| stop.when("adopting the clients of a commit one after the other"))?;
    }
    let subjects = Subjects::of(&moved);
    let at_home = subjects.picture(&from)?;
    at_home.is_still(&subjects.picture(&together)?, "after both clients of a commit moved in one call")?;
    at_home.is_still(&subjects.picture(&trial)?, "after the clients of a commit moved one after the other")
}

pub(super) fn one_of_many_adopts<F: Factory>(trial: Trial<'_, F>) -> Checked {
    adopters_race(&trial, [&trial.store; 3])
}

pub(super) fn one_of_many_adopts_across_stores<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let (one, other) = (trial.beside()?, trial.beside()?);
    adopters_race(&trial, [&trial.store, &one, &other])
}

fn adopters_race<F: Factory>(trial: &Trial<'_, F>, stores: [&Open<F>; 3]) -> Checked {
    let author = &trial.author;
    for (round, how) in Racing::rounds().take(20) {
        let contested = author.register("contoso", &format!("contested {round}"))?;
        let groups = (0..3)
            .map(|group| {
                let own = author.register("contoso", &format!("own {group} of {round}"))?;
                let both = [author.adopted([&own])?, author.adopted([&contested])?];
                Ok((own, both))
            })
            .collect::<Checked<Vec<_>>>()?;
        let both = stores.into_iter().zip(groups.iter().map(|(_, both)| &both[..]));
        let answers = match how {
            Racing::InTurns => {
                let mut futures = Vec::new();
                for (store, both) in both {
                    futures.push(Box::pin(store.adopt(both)) as Pinned<'_, _>);
                }
                trial.wait(in_turns(futures))
            }
            Racing::OnThreads => {
                let mut jobs = Vec::new();
                for (store, both) in both {
                    jobs.push(Box::new(move || trial.wait(store.adopt(both))) as Job<'_, _>);
                }
                at_once(jobs)?
            }
        };
        let winner = one_winner(&answers, |error| matches!(error, CommitError::Conflict { .. }))?;
        trial.is_kept(&contested)?;
        for (position, (own, _)) in groups.iter().enumerate() {
            let found = trial.load(own.record_id())?.map(|record| record.revision());
            let expected = (position == winner).then_some(Revision::new(1));
            same("what came with the one that was contested", found, expected)?;
        }
        same("the number of commits", trial.history(contested.id())?.len(), 1)?;
    }
    Ok(())
}

/// A live client, a deleted one and a resealed one.
fn some_clients(author: &Author) -> Checked<Vec<Vec<Step>>> {
    let living = chain(author, author.serving("contoso", "living", &["a", "b"])?, 4, Author::another_change)?;
    let mut deleted = chain(author, author.register("contoso", "deleted")?, 2, Author::another_change)?;
    deleted.push(author.delete(last(&deleted)?)?);
    let mut resealed = vec![author.serving("fabrikam", "resealed", &["c"])?];
    resealed.push(author.reseal(last(&resealed)?)?);
    Ok(vec![living, deleted, resealed])
}

fn last(steps: &[Step]) -> Checked<&Step> {
    steps.last().ok_or_else(|| Stop::unprepared(&"steps"))
}
