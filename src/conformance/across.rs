//! Two stores open in one place, like those of two nodes or two processes: each enforces the contract against what the other has
//! written.
//!
//! A store that decides from an earlier read would commit over a newer revision, give an add-in or a name away twice,
//! or note a use of a secret that is gone. So the two take turns, or race, for the same records, entries and uses.

use std::mem::swap;
use std::sync::Arc;

use crate::client::LastUses;
use crate::conformance::Factory;
use crate::conformance::author::{add_in, after_start, secret};
use crate::conformance::stop::{Checked, Stop, ensure, same};
use crate::conformance::together::{Job, Pinned, at_once, in_turns};
use crate::conformance::trial::{Racing, Trial, is_conflict, is_taken};
use crate::conformance::uniqueness::name_of;
use crate::conformance::watch::Open;
use crate::record::RecordId;
use crate::store::{CommitError, IndexEntry, Store, Use};
use crate::value::{Revision, Timestamp};

/// One store changes what another store has looked at, and the other one commits what was decided before.
pub(super) fn expectations_hold_across_stores<F: Factory>(mut trial: Trial<'_, F>) -> Checked {
    let mut beside = trial.beside()?;
    let author = Arc::clone(&trial.author);
    let registry = author.registry_record(None)?;
    let next_registry = author.registry_record(Some(registry.record()))?;
    for round in 0..4 {
        let moves = format!("moves-{round}");
        let first = author.serving("contoso", &format!("calendar app {round}"), &[&moves])?;
        let mail = author.register("contoso", &format!("mail app {round}"))?;
        let same_id = author.register_as(first.id(), "fabrikam", &format!("the same ID {round}"))?;
        let renamed = author.rename(&first, &format!("agenda {round}"))?;
        let serving = author.associate(&first, &format!("tasks-{round}"))?;
        let resealed = author.reseal(&renamed)?;
        let next_mail = author.rename(&mail, &format!("post {round}"))?;
        let moved = author.moved(&resealed, &mail, &moves)?;
        let last = author.rename(&resealed, &format!("diary {round}"))?;
        let deleted = author.delete(&last)?;
        let after_all = author.associate(&last, &format!("late-{round}"))?;
        for (what, done, late, at) in [
            ("made a client", &first, vec![same_id], &first),
            ("renamed a client", &renamed, vec![serving], &renamed),
            ("resealed a record", &resealed, vec![author.reseal(&renamed)?], &resealed),
            ("made another client", &mail, vec![mail.clone()], &mail),
            ("renamed the second of two clients", &next_mail, moved.to_vec(), &next_mail),
            ("renamed a client that was resealed", &last, vec![author.reseal(&resealed)?], &last),
            ("deleted a client", &deleted, vec![after_all], &deleted),
        ] {
            swap(&mut trial.store, &mut beside);
            for step in &late {
                trial.load(step.record_id())?;
            }
            swap(&mut trial.store, &mut beside);
            // What the other store wrote is expected here, and was not looked at.
            trial.commit([done]).map_err(|stop| stop.when(what))?;
            swap(&mut trial.store, &mut beside);
            trial
                .conflict(&late, at.record_id(), Some(at.revision()))
                .map_err(|stop| stop.when(&format!("when another store {what}")))?;
        }
    }
    for (change, revision) in [(registry, 1), (next_registry, 2)] {
        let late = author.commit_of(vec![change.clone()])?;
        swap(&mut trial.store, &mut beside);
        trial.load(RecordId::REGISTRY)?;
        swap(&mut trial.store, &mut beside);
        trial.send(&author.commit_of(vec![change])?)?;
        swap(&mut trial.store, &mut beside);
        is_conflict(trial.try_send(&late), RecordId::REGISTRY, Some(Revision::new(revision)))
            .map_err(|stop| stop.when("when another store changed the record of the registry"))?;
    }
    Ok(())
}

pub(super) fn uniqueness_holds_across_stores<F: Factory>(mut trial: Trial<'_, F>) -> Checked {
    let mut beside = trial.beside()?;
    let author = Arc::clone(&trial.author);
    let mut holder = author.serving("contoso", "calendar app", &["calendar"])?;
    let mut other = author.register("contoso", "mail app")?;
    trial.commit([&other])?;
    trial.commit([&holder])?;
    for round in 0..4 {
        // The other store has seen neither that the entry is taken nor, later, that it is free.
        swap(&mut trial.store, &mut beside);
        let (name, add_in) = (name_of(&holder)?, IndexEntry::AddIn(add_in("calendar")?));
        let wants = [
            (author.associate(&other, "calendar")?, &add_in),
            (author.rename(&other, "Calendar App")?, &name),
            (author.serving("fabrikam", &format!("new {round}"), &["calendar"])?, &add_in),
            (author.register("contoso", "CALENDAR APP")?, &name),
        ];
        for (step, entry) in &wants {
            trial.taken([step], entry, holder.id())?;
            let adopted = [author.adopted([step])?];
            let is_new = step.revision().number() == 1;
            if is_new {
                is_taken(trial.try_adopt(&adopted), entry, &[holder.id()])?;
            }
        }
        // One store gives it up, the other takes it.
        let gone = author.rename(&author.dissociate(&holder, "calendar")?, &format!("gone {round}"))?;
        for step in [author.dissociate(&holder, "calendar")?, gone.clone()] {
            trial.commit([&step])?;
        }
        swap(&mut trial.store, &mut beside);
        let first = author.associate(&other, "calendar")?;
        let came = author.rename(&first, "calendar app")?;
        for step in [&first, &came] {
            trial.commit([step]).map_err(|stop| stop.when("taking what another store gave up"))?;
        }
        (holder, other) = (came, gone);
    }
    Ok(())
}

pub(super) fn adopting_and_committing_exclude_one_another<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let beside = trial.beside()?;
    for (round, how) in Racing::rounds().take(30) {
        let add_in = format!("add-in-{round}");
        let adopted = author.serving("contoso", &format!("name {round}"), &[&add_in])?;
        let committed = match round % 3 {
            0 => author.register_as(adopted.id(), "fabrikam", &format!("the same ID {round}"))?,
            1 => author.serving("fabrikam", &format!("the same add-in {round}"), &[&add_in])?,
            _ => author.register("contoso", &format!("name {round}"))?,
        };
        let (clients, commit) = ([author.adopted([&adopted])?], author.commit([&committed])?);
        let answers = match how {
            Racing::InTurns => {
                let both: Vec<Pinned<'_, _>> =
                    vec![Box::pin(trial.store.adopt(&clients)), Box::pin(beside.commit(&commit))];
                trial.wait(in_turns(both))
            }
            Racing::OnThreads => {
                let adopt: Job<'_, _> = Box::new(|| trial.wait(trial.store.adopt(&clients)));
                let commit: Job<'_, _> = Box::new(|| trial.wait(beside.commit(&commit)));
                at_once(vec![adopt, commit])?
            }
        };
        let [adopting, committing] = &answers[..] else { return Err(Stop::unprepared(&"two answers")) };
        let lost = match (adopting, committing) {
            (Ok(()), Err(lost)) | (Err(lost), Ok(())) => lost,
            both => {
                return Err(Stop::failed(format!(
                    "an adoption and a commit of the same client were answered {both:?}"
                )));
            }
        };
        let is_fair = match round % 3 {
            0 => matches!(lost, CommitError::Conflict { .. }),
            _ => matches!(lost, CommitError::Taken { .. }),
        };
        ensure!(is_fair, "an adoption and a commit wanted the same, and the loser was answered {lost:?}");
        trial.is_kept(if adopting.is_ok() { &adopted } else { &committed })?;
    }
    Ok(())
}

pub(super) fn stores_share_the_uses<F: Factory>(mut trial: Trial<'_, F>) -> Checked {
    let mut beside = trial.beside()?;
    let author = Arc::clone(&trial.author);
    let step = author.register("contoso", "calendar app")?;
    trial.commit([&step])?;
    let both_say = |trial: &Trial<'_, F>, beside: &Open<F>, at: Option<i64>| {
        let at = at.map(after_start).transpose()?;
        for store in [&trial.store, beside] {
            same("the last use", trial.wait(store.last_uses(step.id()))?.of(secret(1)?), at)?;
        }
        Checked::Ok(())
    };
    both_say(&trial, &beside, None)?;
    for (at, latest) in [(5, 5), (4, 5), (6, 6), (7, 7), (5, 7), (6, 7), (9, 9)] {
        swap(&mut trial.store, &mut beside);
        trial.note(step.id(), secret(1)?, after_start(at)?)?;
        both_say(&trial, &beside, Some(latest))?;
    }
    for (round, how) in Racing::rounds().take(30) {
        let at = 100 * i64::try_from(round + 1).unwrap_or_default();
        let uses = [after_start(at + 2)?, after_start(at + 1)?]
            .map(|at| Ok([Use { client_id: step.id().clone(), secret: secret(1)?, at }]));
        let uses = uses.into_iter().collect::<Checked<Vec<_>>>()?;
        note_at_once(&trial, &[&trial.store, &beside], &uses, how)?;
        both_say(&trial, &beside, Some(at + 2))?;
        swap(&mut trial.store, &mut beside);
    }
    Ok(())
}

pub(super) fn uses_never_outlive_a_deletion_across_stores<F: Factory>(mut trial: Trial<'_, F>) -> Checked {
    let mut beside = trial.beside()?;
    let author = Arc::clone(&trial.author);
    for (round, how) in Racing::rounds().take(40) {
        let first = author.register("contoso", &format!("client {round}"))?;
        trial.commit([&first])?;
        let used = [Use { client_id: first.id().clone(), secret: secret(1)?, at: author.now() }];
        // The second store has seen the secret before it was deleted.
        swap(&mut trial.store, &mut beside);
        trial.note(first.id(), secret(1)?, after_start(1)?)?;
        let noted = trial.last_uses(first.id())?.of(secret(1)?);
        same("a use of a secret that another store added", noted, Some(after_start(1)?))?;
        swap(&mut trial.store, &mut beside);
        let deleted = match round % 2 {
            0 => author.delete(&first)?,
            _ => author.delete_secret(&first, secret(1)?)?,
        };
        if round % 4 < 2 {
            let commit = author.commit([&deleted])?;
            let notes = || -> Job<'_, Checked> {
                Box::new(|| Ok(trial.wait(beside.note_uses(&used, Timestamp::MAX))?))
            };
            match how {
                Racing::InTurns => {
                    let note =
                        async { beside.note_uses(&used, Timestamp::MAX).await.map_err(CommitError::from) };
                    let both: Vec<Pinned<'_, _>> =
                        vec![Box::pin(note), Box::pin(trial.store.commit(&commit))];
                    trial.wait(in_turns(both)).into_iter().collect::<Result<(), _>>()?;
                }
                Racing::OnThreads => {
                    let delete: Job<'_, Checked> = Box::new(|| trial.send(&commit));
                    at_once(vec![notes(), delete])?.into_iter().collect::<Checked>()?;
                }
            }
        } else {
            trial.commit([&deleted])?;
        }
        for (store, which) in [(&beside, "in another store"), (&trial.store, "in the store")] {
            let found = trial.wait(store.last_uses(first.id()))?;
            ensure!(
                found == LastUses::default(),
                "the use of a secret that was deleted is still there {which}"
            );
        }
        trial.wait(beside.note_uses(&used, Timestamp::MAX))?;
        let found = trial.last_uses(first.id())?;
        ensure!(found == LastUses::default(), "a use was noted of a secret that another store deleted");
        // The ID of a deleted client is not free in the other store either.
        let again =
            author.commit([&author.register_as(first.id(), "contoso", &format!("again {round}"))?])?;
        is_conflict(trial.wait(beside.commit(&again)), first.record_id(), Some(deleted.revision()))?;
        swap(&mut trial.store, &mut beside);
    }
    Ok(())
}

/// Notes some uses at the same time, each through the next store.
fn note_at_once<F: Factory>(
    trial: &Trial<'_, F>,
    stores: &[&Open<F>],
    uses: &[[Use; 1]],
    how: Racing,
) -> Checked {
    let pairs = uses.iter().zip(stores.iter().copied().cycle());
    let answers = match how {
        Racing::InTurns => {
            let mut futures = Vec::new();
            for (uses, store) in pairs {
                futures.push(Box::pin(store.note_uses(uses, Timestamp::MAX)) as Pinned<'_, _>);
            }
            trial.wait(in_turns(futures))
        }
        Racing::OnThreads => {
            let mut jobs = Vec::new();
            for (uses, store) in pairs {
                jobs.push(Box::new(move || trial.wait(store.note_uses(uses, Timestamp::MAX))) as Job<'_, _>);
            }
            at_once(jobs)?
        }
    };
    Ok(answers.into_iter().collect::<Result<(), _>>()?)
}
