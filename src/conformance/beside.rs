//! Two stores open in one place, like those of two nodes or two processes: each sees what the other acknowledges.
//!
//! A store may remember what it has looked at, but must not answer from that memory once another store has written. So each store
//! looks before the other one writes, at what exists and at what does not.

use std::mem::swap;

use crate::conformance::Factory;
use crate::conformance::author::{Author, Step, after_start, secret};
use crate::conformance::picture::{Look, Subjects, per_client};
use crate::conformance::stop::{Checked, same};
use crate::conformance::told::is_told;
use crate::conformance::trial::{MANY, Trial};
use crate::store::RecordChange;
use crate::value::ClientId;

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
