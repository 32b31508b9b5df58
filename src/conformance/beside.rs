//! Two stores open in one place, like those of two nodes or two processes: each sees what the other acknowledges, and enforces
//! uniqueness against it.

use std::mem::swap;
use std::sync::Arc;

use crate::client::LastUses;
use crate::conformance::Factory;
use crate::conformance::author::{Author, Step, add_in, after_start, secret};
use crate::conformance::picture::{Look, Subjects, per_client};
use crate::conformance::stop::{Checked, Stop, ensure, same};
use crate::conformance::together::{Job, Pinned, at_once, in_turns};
use crate::conformance::told::is_told;
use crate::conformance::trial::{MANY, Racing, Trial, is_conflict, is_taken};
use crate::conformance::uniqueness::name_of;
use crate::conformance::watch::Open;
use crate::record::RecordId;
use crate::store::{CommitError, IndexEntry, RecordChange, Store, Use};
use crate::value::{ClientId, Revision, Timestamp};

/// A write of any kind.
enum Write {
    Commit(Vec<Step>),
    Adopt(Vec<Step>),
    Registry(RecordChange),
    Note(ClientId, i64),
}

impl Write {
    fn send<F: Factory>(&self, trial: &Trial<'_, F>) -> Checked {
        let author = &trial.author;
        match self {
            Self::Commit(steps) => trial.commit(steps).map(drop),
            Self::Adopt(steps) => trial.adopt(&[author.adopted(steps)?]),
            Self::Registry(change) => trial.send(&author.commit_of(vec![change.clone()])?),
            Self::Note(id, at) => trial.note(id, secret(1)?, after_start(*at)?),
        }
    }

    fn steps(&self) -> &[Step] {
        match self {
            Self::Commit(steps) | Self::Adopt(steps) => steps,
            Self::Registry(_) | Self::Note(..) => &[],
        }
    }
}

pub(super) fn every_look_up_sees_what_another_store_wrote<F: Factory>(mut trial: Trial<'_, F>) -> Checked {
    let mut beside = trial.beside()?;
    let life = life(&trial.author)?;
    let subjects = Subjects::of(life.iter().flat_map(|(_, write)| write.steps()));
    for (what, write) in &life {
        trial.is_at(&format!("where another store {what}"));
        // This store has looked before, both at what exists and at what does not: it must not answer from that memory.
        subjects.picture(&trial)?;
        let latest = trial.latest()?;
        swap(&mut trial.store, &mut beside);
        write.send(&trial).map_err(|stop| stop.when(what))?;
        let written = subjects.picture(&trial)?;
        swap(&mut trial.store, &mut beside);
        written
            .is_still(&subjects.picture(&trial)?, &format!("in a second store, when another one {what}"))?;
        let written: Vec<_> = write.steps().iter().flat_map(Step::events).cloned().collect();
        is_told(
            &format!("what comes after the latest cursor of a second store, when another one {what}"),
            &trial.drain(Some(&latest), 1)?.0,
            &written,
        )?;
        let latest = trial.latest()?;
        let rest = trial.changes(Some(&latest), 10)?.events;
        same(&format!("what comes after the latest cursor when another store {what}"), rest, vec![])?;
        // The two stores change places for the next write.
        swap(&mut trial.store, &mut beside);
    }
    Ok(())
}

/// A store may learn of a write by one look-up, and then answer the other look-ups from memory. So in each round only one kind of
/// look-up is made.
pub(super) fn each_look_up_alone_sees_what_another_store_wrote<F: Factory>(trial: Trial<'_, F>) -> Checked {
    for look in Look::EACH {
        let mut trial = trial.elsewhere()?;
        let mut beside = trial.beside()?;
        let life = life(&trial.author)?;
        let subjects = Subjects::of(life.iter().flat_map(|(_, write)| write.steps()));
        for (what, write) in &life {
            trial.is_at(&format!("where another store {what}, and the only look-up is {look:?}"));
            subjects.look(look, &trial)?;
            swap(&mut trial.store, &mut beside);
            write.send(&trial).map_err(|stop| stop.when(what))?;
            let written = subjects.look(look, &trial)?;
            swap(&mut trial.store, &mut beside);
            let seen = subjects.look(look, &trial)?;
            same(&format!("{look:?} in a second store, when another one {what}"), seen, written)?;
            swap(&mut trial.store, &mut beside);
        }
    }
    sees_what_comes_after_a_cursor(trial.elsewhere()?)?;
    // The same for `latest`.
    let mut trial = trial;
    let mut beside = trial.beside()?;
    for (what, write) in life(&trial.author)? {
        trial.latest()?;
        swap(&mut trial.store, &mut beside);
        write.send(&trial).map_err(|stop| stop.when(what))?;
        swap(&mut trial.store, &mut beside);
        let latest = trial.latest()?;
        swap(&mut trial.store, &mut beside);
        let rest = trial.changes(Some(&latest), 10)?.events;
        same(
            &format!("what comes after the latest cursor of a second store, when another one {what}"),
            rest,
            vec![],
        )?;
    }
    Ok(())
}

/// The only look-up is that of the feed, after one cursor.
fn sees_what_comes_after_a_cursor<F: Factory>(mut trial: Trial<'_, F>) -> Checked {
    let mut beside = trial.beside()?;
    let cursor = trial.latest()?;
    let look = |trial: &Trial<'_, F>| Checked::Ok(per_client(trial.drain(Some(&cursor), MANY)?.0));
    for (what, write) in life(&trial.author)? {
        look(&trial)?;
        swap(&mut trial.store, &mut beside);
        write.send(&trial).map_err(|stop| stop.when(what))?;
        let written = look(&trial)?;
        swap(&mut trial.store, &mut beside);
        let seen = look(&trial)?;
        same(
            &format!("what comes after a cursor in a second store, when another one {what}"),
            seen,
            written,
        )?;
        swap(&mut trial.store, &mut beside);
    }
    Ok(())
}

/// Writes of every kind, in an order in which they are possible.
fn life(author: &Author) -> Checked<Vec<(&'static str, Write)>> {
    let commit = |steps: &[&Step]| Write::Commit(steps.iter().copied().cloned().collect());
    let registry = author.registry_record(None)?;
    let next_registry = author.registry_record(Some(registry.record()))?;
    let first = author.serving("contoso", "calendar app", &["moves"])?;
    let mail = author.register("contoso", "mail app")?;
    let renamed = author.rename(&first, "agenda")?;
    let serving = author.associate(&renamed, "tasks")?;
    let two = author.add_secret(&serving, 10)?;
    let moved = author.moved(&two, &mail, "moves")?;
    let [left, came] = &moved;
    let one = author.delete_secret(left, secret(1)?)?;
    let alone = author.dissociate(&one, "tasks")?;
    let resealed = author.reseal(&alone)?;
    let adopted = author.serving("fabrikam", "adopted", &["adopted"])?;
    let deleted = author.delete(&resealed)?;
    let again = author.serving("contoso", "agenda", &["tasks"])?;
    Ok(vec![
        ("made the record of the registry", Write::Registry(registry)),
        ("made a client", commit(&[&first])),
        ("made another client", commit(&[&mail])),
        ("noted a use", Write::Note(first.id().clone(), 5)),
        ("renamed a client", commit(&[&renamed])),
        ("associated an add-in", commit(&[&serving])),
        ("added a secret", commit(&[&two])),
        ("noted a later use", Write::Note(first.id().clone(), 6)),
        ("moved an add-in", commit(&[left, came])),
        ("deleted a secret", commit(&[&one])),
        ("dissociated an add-in", commit(&[&alone])),
        ("resealed a record", commit(&[&resealed])),
        ("changed the record of the registry", Write::Registry(next_registry)),
        ("adopted a client", Write::Adopt(vec![adopted.clone()])),
        ("deleted a client", commit(&[&deleted])),
        ("made a client with the name of a deleted one", commit(&[&again])),
    ])
}

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
