//! The expectations of a commit: each is checked, one of several writers wins, and a refused commit writes nothing.

use crate::conformance::Factory;
use crate::conformance::author::Step;
use crate::conformance::picture::Subjects;
use crate::conformance::records::chain;
use crate::conformance::stop::{Checked, Stop, ensure, same};
use crate::conformance::trial::{Racing, Trial, WRITERS, is_conflict, one_winner};
use crate::conformance::watch::Open;
use crate::record::RecordId;
use crate::store::{Commit, CommitError, Expected, IndexEntry};
use crate::value::Revision;

pub(super) fn absent_is_honoured<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let first = author.register("contoso", "calendar app")?;
    trial.commit([&first])?;
    let again = author.register_as(first.id(), "fabrikam", "another client")?;
    trial.conflict([&again], first.record_id(), Some(Revision::new(1)))?;
    trial.is_kept(&first)?;
    // The tombstone of a deleted client is a record like any other: its ID is never used again (rule 13).
    let deleted = author.delete(&first)?;
    trial.commit([&deleted])?;
    trial.conflict([&again], first.record_id(), Some(Revision::new(2)))?;
    trial.is_kept(&deleted)
}

pub(super) fn exactly_is_honoured<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let first = author.register("contoso", "calendar app")?;
    trial.conflict([&first.expecting(Expected::Exactly(Revision::ZERO))], first.record_id(), None)?;
    trial.conflict([&first.expecting(Expected::Exactly(Revision::new(1)))], first.record_id(), None)?;
    trial.is_record(first.record_id(), None)?;
    let second = author.associate(&first, "calendar")?;
    trial.conflict([&second], first.record_id(), None)?;
    trial.commit([&first])?;
    for wrong in [0, 2, 3, u64::from(u32::MAX), i64::MAX as u64, u64::MAX] {
        let wrong = second.expecting(Expected::Exactly(Revision::new(wrong)));
        trial.conflict([&wrong], first.record_id(), Some(Revision::new(1)))?;
    }
    trial.is_kept(&first)?;
    trial.commit([&second])?;
    trial.is_kept(&second)?;
    trial.conflict([&author.rename(&first, "stale")?], first.record_id(), Some(Revision::new(2)))?;
    trial.is_kept(&second)
}

pub(super) fn under_is_honoured<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let first = author.register("contoso", "calendar app")?;
    let resealed = author.reseal(&first)?;
    trial.conflict([&resealed], first.record_id(), None)?;
    trial.commit([&first])?;
    let (old, new) = (author.old_key().clone(), author.new_key().clone());
    let one = Revision::new(1);
    for wrong in [
        Expected::Under(one, new.clone()),
        Expected::Under(Revision::new(2), old.clone()),
        Expected::Under(Revision::ZERO, old.clone()),
        Expected::Under(Revision::new(2), new),
    ] {
        trial.conflict([&resealed.expecting(wrong)], first.record_id(), Some(one))?;
        trial.is_kept(&first)?;
    }
    trial.commit([&resealed])?;
    trial.is_kept(&resealed)?;
    // Once more: the revision is the same, but the key is not.
    trial.conflict([&resealed], first.record_id(), Some(one))?;
    trial.is_kept(&resealed)
}

pub(super) fn the_first_unmet_expectation_is_named<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let one = author.register("contoso", "calendar app")?;
    let other = author.register("contoso", "mail app")?;
    trial.commit([&one])?;
    trial.commit([&other])?;
    let (next_one, next_other) = (author.associate(&one, "calendar")?, author.associate(&other, "mail")?);
    let stale = |step: &Step| step.expecting(Expected::Exactly(Revision::new(7)));
    let found = Some(Revision::new(1));
    trial.conflict([&stale(&next_one), &next_other], one.record_id(), found)?;
    trial.conflict([&next_one, &stale(&next_other)], other.record_id(), found)?;
    trial.conflict([&stale(&next_one), &stale(&next_other)], one.record_id(), found)?;
    trial.conflict([&stale(&next_other), &stale(&next_one)], other.record_id(), found)
}

pub(super) fn expectations_come_before_uniqueness<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let holder = author.serving("contoso", "calendar app", &["calendar"])?;
    let other = author.register("contoso", "mail app")?;
    trial.commit([&holder])?;
    trial.commit([&other])?;
    let greedy = author.associate(&author.rename(&other, "Calendar App")?, "calendar")?;
    let stale = Some(Revision::new(1));
    // Both are violated. The expectation comes first, since the commit may have been decided on a state that is gone.
    trial.conflict([&greedy], other.record_id(), stale)?;
    trial.conflict([&greedy.expecting(Expected::Absent)], other.record_id(), stale)?;
    let greedy = greedy.expecting(Expected::Exactly(Revision::new(1)));
    let unmet = author.add_secret(&holder, 10)?.expecting(Expected::Exactly(Revision::new(7)));
    trial.conflict([&greedy, &unmet], holder.record_id(), stale)?;
    trial.is_kept(&other)
}

pub(super) fn one_of_many_writers_wins<F: Factory>(trial: Trial<'_, F>) -> Checked {
    writers_race(&trial, &[&trial.store])
}

pub(super) fn one_of_many_wins_across_stores<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let beside = trial.beside()?;
    writers_race(&trial, &[&trial.store, &beside])
}

fn writers_race<F: Factory>(trial: &Trial<'_, F>, stores: &[&Open<F>]) -> Checked {
    let author = &trial.author;
    let mut last = author.register("contoso", "calendar app")?;
    trial.commit([&last])?;
    for (round, how) in Racing::rounds() {
        let steps: Vec<_> = (0..WRITERS)
            .map(|writer| author.rename(&last, &format!("name {writer} of round {round}")))
            .collect::<Checked<_>>()?;
        last = settle(trial, stores, &steps, how)?;
    }
    let mut revisions = trial.history(last.id())?.into_iter().map(|committed| committed.revision.number());
    ensure!(
        revisions.by_ref().eq(1..=last.revision().number()),
        "the history does not count revisions one by one"
    );
    Ok(())
}

pub(super) fn one_of_many_creators_wins<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    for (round, how) in Racing::rounds() {
        let id = author.fresh_id()?;
        let steps: Vec<_> = (0..WRITERS)
            .map(|writer| author.register_as(&id, "contoso", &format!("name {writer} of round {round}")))
            .collect::<Checked<_>>()?;
        settle(&trial, &[&trial.store], &steps, how)?;
    }
    let commits: Vec<_> = (0..WRITERS)
        .map(|_| author.commit_of(vec![author.registry_record(None)?]))
        .collect::<Checked<_>>()?;
    let answers = trial.race(&[&trial.store], &commits, Racing::OnThreads)?;
    let winner = one_winner(&answers, |error| matches!(error, CommitError::Conflict { .. }))?;
    let kept = commits.get(winner).and_then(|commit| commit.changes().first());
    trial.is_record(RecordId::REGISTRY, kept.map(|change| change.record()))
}

/// One of several changes on the same revision wins, and the store then has what it wrote.
fn settle<F: Factory>(
    trial: &Trial<'_, F>,
    stores: &[&Open<F>],
    steps: &[Step],
    how: Racing,
) -> Checked<Step> {
    let commits: Vec<Commit> =
        steps.iter().map(|step| trial.author.commit([step])).collect::<Checked<_>>()?;
    let answers = trial.race(stores, &commits, how)?;
    let winner = one_winner(&answers, |error| matches!(error, CommitError::Conflict { .. }))?;
    let (Some(step), Some(commit)) = (steps.get(winner), commits.get(winner)) else {
        return Err(Stop::unprepared(&"the winner was not in the race"));
    };
    trial.is_kept(step)?;
    let history = trial.history(step.id())?;
    let last = history.last().map(|committed| (committed.revision, committed.commit_id));
    same("the last commit in the history", last, Some((step.revision(), commit.id())))?;
    Ok(step.clone())
}

pub(super) fn two_clients_change_or_neither<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let one = author.register("contoso", "calendar app")?;
    let other = author.register("contoso", "mail app")?;
    let both = trial.commit([&one, &other])?;
    for step in [&one, &other] {
        trial.is_kept(step)?;
        let ids: Vec<_> = trial.history(step.id())?.iter().map(|committed| committed.commit_id).collect();
        same("the commits of a client", ids, vec![both.id()])?;
    }
    let third = author.serving("fabrikam", "third", &["taken"])?;
    trial.commit([&third])?;
    let (next_one, next_other) = (author.associate(&one, "calendar")?, author.rename(&other, "post")?);
    let subjects = Subjects::of([&one, &other, &next_one, &next_other, &third]);
    let before = subjects.picture(&trial)?;
    let unmet = next_other.expecting(Expected::Exactly(Revision::new(2)));
    let greedy = author.associate(&other, "taken")?;
    for steps in [[&next_one, &unmet], [&unmet, &next_one]] {
        trial.conflict(steps, other.record_id(), Some(Revision::new(1)))?;
        before.is_still(&subjects.picture(&trial)?, "after a conflict at one of two clients")?;
    }
    let entry = IndexEntry::AddIn(super::author::add_in("taken")?);
    for steps in [[&next_one, &greedy], [&greedy, &next_one]] {
        trial.taken(steps, &entry, third.id())?;
        before.is_still(&subjects.picture(&trial)?, "after an entry of one of two clients was taken")?;
    }
    trial.commit([&next_other, &next_one])?;
    trial.is_kept(&next_one)?;
    trial.is_kept(&next_other)
}

pub(super) fn a_refused_commit_writes_nothing<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let steps = chain(author, author.register("contoso", "calendar app")?, 4, |author, step| {
        author.another_change(step)
    })?;
    for step in &steps {
        trial.commit([step])?;
    }
    let [.., stale, last] = &steps[..] else { return Err(Stop::unprepared(&"four steps")) };
    let holder = author.serving("contoso", "mail app", &["mail"])?;
    trial.commit([&holder])?;
    trial.note(last.id(), super::author::secret(1)?, author.now())?;
    let newcomer = author.register("contoso", "MAIL app")?;
    let refused = [
        ("a stale change", author.add_secret(stale, 10)?),
        ("a stale deletion", author.delete(stale)?),
        ("a change of what is not there", author.rename(&newcomer, "a free name")?),
        ("a second creation", author.register_as(last.id(), "contoso", "a free name")?),
        ("a name that is taken", newcomer),
        ("an add-in that is taken", author.associate(last, "mail")?),
        ("a name that is taken and an end", author.rename(last, "mail app")?),
        ("a reseal of a stale revision", author.reseal(stale)?),
    ];
    let subjects = Subjects::of(refused.iter().map(|(_, step)| step).chain(&steps).chain([&holder]));
    let before = subjects.picture(&trial)?;
    for (what, step) in &refused {
        let commit = author.commit([step])?;
        match trial.try_send(&commit) {
            Err(CommitError::Conflict { .. } | CommitError::Taken { .. }) => {}
            other => return Err(Stop::failed(format!("{what} was answered {other:?}"))),
        }
        before.is_still(&subjects.picture(&trial)?, &format!("after {what} was refused"))?;
    }
    // The refused commits left nothing that would be in the way of later ones.
    trial.commit([&author.add_secret(last, 10)?])?;
    Ok(())
}

pub(super) fn the_same_commit_again_is_a_conflict<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let one = author.register("contoso", "calendar app")?;
    let other = author.register("contoso", "mail app")?;
    let [moves, _] = [author.associate(&one, "calendar")?, other.clone()];
    let mut sent = vec![trial.commit([&one])?, trial.commit([&other])?, trial.commit([&moves])?];
    let moved = author.moved(&moves, &other, "calendar")?;
    sent.push(trial.commit(&moved)?);
    let subjects = Subjects::of([&one, &other, &moves]);
    let before = subjects.picture(&trial)?;
    for commit in &sent {
        let Some(change) = commit.changes().first() else { return Err(Stop::unprepared(&"an empty commit")) };
        let id = change.id();
        let found = trial.load(id)?.map(|record| record.revision());
        is_conflict(trial.try_send(commit), id, found)?;
        before.is_still(&subjects.picture(&trial)?, "after the same commit was sent again")?;
        let client_id = id.client_id().ok_or_else(|| Stop::unprepared(&"a client"))?;
        let made = trial.history(&client_id)?.into_iter().any(|committed| {
            committed.commit_id == commit.id() && committed.revision == change.record().revision()
        });
        ensure!(made, "the history of {client_id} does not say that commit {:?} was made", commit.id());
    }
    // A commit that was refused is refused again after others were made.
    let late = author.commit([&author.rename(&moves, "too late")?])?;
    for _ in 0..2 {
        is_conflict(trial.try_send(&late), one.record_id(), Some(Revision::new(3)))?;
    }
    Ok(())
}
