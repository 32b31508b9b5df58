//! Resealing: a commit that expects a revision under a key, and changes only the key.

use crate::conformance::Factory;
use crate::conformance::author::{Author, secret};
use crate::conformance::picture::per_client;
use crate::conformance::records::{chain, id_of};
use crate::conformance::stop::{Checked, Stop, brief, ensure, same};
use crate::conformance::trial::{MANY, Racing, Trial, one_winner};
use crate::store::{ClientsBy, CommitError};
use crate::value::Timestamp;

pub(super) fn resealing_keeps_all_but_the_key<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let first = author.serving("contoso", "calendar app", &["a", "b"])?;
    let steps = chain(author, first, 3, |author, step| author.add_secret(step, 10))?;
    for step in &steps {
        trial.commit([step])?;
    }
    let Some(last) = steps.last() else { return Err(Stop::unprepared(&"steps")) };
    trial.note(last.id(), secret(1)?, author.now())?;
    let history = trial.history(last.id())?;
    let (feed, cursor) = trial.drain(None, 10)?;
    let endings = trial.ending(Timestamp::MAX, None, MANY)?;
    let uses = trial.last_uses(last.id())?;

    let resealed = author.reseal(last)?;
    trial.commit([&resealed])?;
    trial.is_kept(&resealed)?;
    same(
        "the revision",
        trial.load(last.record_id())?.map(|record| record.revision()),
        Some(last.revision()),
    )?;
    same("the history", trial.history(last.id())?, history)?;
    same("the feed", per_client(trial.drain(None, 10)?.0), per_client(feed))?;
    same("what comes after the last cursor", trial.changes(Some(&cursor), 10)?.events, vec![])?;
    same("the endings", trial.ending(Timestamp::MAX, None, MANY)?, endings)?;
    same("the last uses", trial.last_uses(last.id())?, uses)?;
    for add_in in ["a", "b"] {
        trial.belongs(add_in, Some(last.id()))?;
    }
    let next = author.rename(&resealed, "agenda")?;
    trial.commit([&next])?;
    trial.is_kept(&next)
}

pub(super) fn resealing_moves_between_keys<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let steps = (0..5)
        .map(|number| author.register("contoso", &format!("client {number}")))
        .collect::<Checked<Vec<_>>>()?;
    for step in &steps {
        trial.commit([step])?;
    }
    let (old, new) = (ClientsBy::Key(author.old_key()), ClientsBy::Key(author.new_key()));
    let mut ids: Vec<_> = steps.iter().map(|step| step.id().clone()).collect();
    ids.sort();
    // As the registry reseals: the clients that are left are those listed under the old key.
    for done in 0..=ids.len() {
        let (under_new, under_old) = ids.split_at(done);
        same("under the old key", trial.clients(old)?, under_old.to_vec())?;
        same("under the new key", trial.clients(new)?, under_new.to_vec())?;
        let next = trial.clients_after(old, None, 1)?;
        let Some(step) = steps.iter().find(|step| next.first() == Some(step.id())) else { break };
        trial.commit([&author.reseal(step)?])?;
    }
    same("all", trial.clients(ClientsBy::All)?, ids)
}

pub(super) fn resealing_loses_to_a_change<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    for (round, how) in Racing::rounds() {
        let steps = chain(
            author,
            author.register("contoso", &format!("client {round}"))?,
            2,
            Author::another_change,
        )?;
        let [first, second] = &steps[..] else { return Err(Stop::unprepared(&"two steps")) };
        trial.commit([first])?;
        let resealed = [author.reseal(first)?, author.reseal(first)?];
        let [one, other] = &resealed;
        let commits = [author.commit([one])?, author.commit([second])?, author.commit([other])?];
        let answers = trial.race(&[&trial.store], &commits, how)?;
        let [reseal_one, change, reseal_other] = &answers[..] else {
            return Err(Stop::unprepared(&"three answers"));
        };
        // Resealing does not change the revision that a change expects.
        ensure!(change.is_ok(), "a change lost to a record that was resealed: {}", brief(change));
        let both_won = reseal_one.is_ok() && reseal_other.is_ok();
        ensure!(!both_won, "a record was resealed twice under one key");
        for answer in [reseal_one, reseal_other] {
            let is_fine = matches!(answer, Ok(()) | Err(CommitError::Conflict { .. }));
            ensure!(is_fine, "resealing was answered {}", brief(answer));
        }
        trial.is_kept(second)?;
        let commits = trial.history(id_of(&steps)?)?;
        same("the number of commits", commits.len(), 2)?;
    }
    let alone = author.register("contoso", "alone")?;
    trial.commit([&alone])?;
    let resealed = [author.reseal(&alone)?, author.reseal(&alone)?];
    let commits = resealed.iter().map(|step| author.commit([step])).collect::<Checked<Vec<_>>>()?;
    let answers = trial.race(&[&trial.store], &commits, Racing::OnThreads)?;
    let winner = one_winner(&answers, |error| matches!(error, CommitError::Conflict { .. }))?;
    resealed.get(winner).map_or(Ok(()), |step| trial.is_kept(step))
}
