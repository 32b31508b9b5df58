//! Lists with more rows than any page of a store: each comes whole.

use crate::client::LastUses;
use crate::conformance::Factory;
use crate::conformance::author::{Author, Step, add_in, after_start, secret, seller};
use crate::conformance::records::{chain, id_of};
use crate::conformance::stop::{Checked, Stop, ensure, same};
use crate::conformance::told::is_told;
use crate::conformance::trial::{MANY, Trial, pages};
use crate::store::{ClientsBy, Ending, Index, Store, Use};
use crate::value::{ClientId, Revision, Timestamp};

pub(super) fn long_lists_come_whole<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let mut steps = (0..PLENTY - 1)
        .map(|number| author.serving("contoso", &format!("name {number}"), &[&format!("add-in-{number}")]))
        .collect::<Checked<Vec<_>>>()?;
    // One of them has as many add-ins as a client can have, and more secrets.
    let many = author.register("contoso", "many")?;
    let add_ins = (0..ADD_INS).map(|number| add_in(&format!("many-{number}"))).collect::<Checked<_>>()?;
    let ends = (1..=SECRETS).map(|number| Ok((secret(number)?, Some(after_start(i64::from(number))?))));
    let ends = ends.collect::<Checked<_>>()?;
    steps.push(many.found_by(Index { add_ins, ends, ..many.index().clone() }));
    let adopted = steps.iter().map(|step| author.adopted([step])).collect::<Checked<Vec<_>>>()?;
    trial.adopt(&adopted)?;
    steps.sort_by(|one, other| one.id().cmp(other.id()));
    let ids: Vec<ClientId> = steps.iter().map(|step| step.id().clone()).collect();
    let contoso = seller("contoso")?;
    for by in [ClientsBy::All, ClientsBy::Seller(&contoso), ClientsBy::Key(author.old_key())] {
        for limit in [999, 1000, 1001, MANY, usize::MAX] {
            let read = pages(limit, |after| trial.clients_after(by, after, limit))?;
            ensure!(read == ids, "{} of {PLENTY} clients by {by:?}, {limit} at a time", read.len());
        }
    }
    let mut ends: Vec<Ending> = steps.iter().flat_map(ends_of).collect();
    ends.sort();
    for limit in [1000, MANY, usize::MAX] {
        let read = pages(limit, |after| trial.ending(Timestamp::MAX, after, limit))?;
        ensure!(read == ends, "{} of {} endings, {limit} at a time", read.len(), ends.len());
    }
    let events: Vec<_> = steps.iter().flat_map(Step::events).cloned().collect();
    for limit in [1000, MANY, usize::MAX] {
        is_told(&format!("the feed, {limit} at a time"), &trial.drain(None, limit)?.0, &events)?;
    }
    // As many uses, in one call.
    let noted: Vec<Use> = ids
        .iter()
        .zip(0..)
        .map(|(id, at)| Ok(Use { client_id: id.clone(), secret: secret(1)?, at: after_start(at)? }))
        .collect::<Checked<_>>()?;
    trial.wait(trial.store.note_uses(&noted, Timestamp::MAX))?;
    for used in &noted {
        let found = trial.last_uses(&used.client_id)?.of(used.secret);
        same("one of many uses noted in one call", found, Some(used.at))?;
    }
    for step in steps.iter().filter(|step| step.id() == many.id()).chain(steps.iter().step_by(97)) {
        trial.is_kept(step)?;
        for add_in in &step.index().add_ins {
            trial.belongs(add_in.as_str(), Some(step.id()))?;
        }
    }
    Ok(())
}

pub(super) fn a_long_history_comes_whole<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let steps = chain(author, author.register("contoso", "calendar app")?, PLENTY, Author::another_change)?;
    trial.adopt(&[author.adopted(&steps)?])?;
    let id = id_of(&steps)?;
    let events: Vec<_> = steps.iter().flat_map(Step::events).cloned().collect();
    for limit in [1000, MANY, usize::MAX] {
        let commits = pages(limit, |after: Option<&crate::store::Committed>| {
            trial.history_after(id, after.map_or(Revision::ZERO, |last| last.revision), limit)
        })?;
        same(&format!("the number of commits, {limit} at a time"), commits.len(), PLENTY)?;
        let read: Vec<_> = commits.into_iter().flat_map(|committed| committed.events).collect();
        ensure!(read == events, "a history of {PLENTY} commits is not what was written, {limit} at a time");
    }
    is_told("the feed of a long trail", &trial.drain(None, MANY)?.0, &events)?;
    let last = steps.last().ok_or_else(|| Stop::unprepared(&"steps"))?;
    let next = author.rename(last, "one more")?;
    trial.commit([&next])?;
    let late = trial.history_after(id, last.revision(), MANY)?;
    same("the revisions after those", late.iter().map(|c| c.revision).collect(), vec![next.revision()])
}

pub(super) fn every_secret_of_a_client_has_uses<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let step = author.register("contoso", "calendar app")?;
    // More secrets than any client has. Some never end, and some have ended.
    let ends = (1..=SECRETS).map(|number| {
        let at = match number % 3 {
            0 => None,
            1 => Some(after_start(-i64::from(number))?),
            _ => Some(after_start(i64::from(number))?),
        };
        Ok((secret(number)?, at))
    });
    // Truncated to 8, 16 or 24 bits, these would be the numbers of others.
    let large = [(1 << 16) + 1, (1 << 24) + 2, u32::MAX].map(|number| Ok((secret(number)?, None)));
    let ends = ends.chain(large);
    let step = step.found_by(Index { ends: ends.collect::<Checked<_>>()?, ..step.index().clone() });
    trial.commit([&step])?;
    let (mut all, mut expected) = (Vec::new(), LastUses::default());
    for (secret, place) in step.index().ends.iter().map(|(secret, _)| *secret).zip(1..) {
        let at = after_start(place * 7)?;
        all.push(Use { client_id: step.id().clone(), secret, at });
        expected.note(secret, at);
    }
    let (at_once, alone) = all.split_at(all.len() / 2);
    trial.wait(trial.store.note_uses(at_once, Timestamp::MAX))?;
    for used in alone {
        trial.note(&used.client_id, used.secret, used.at)?;
    }
    let found = trial.last_uses(step.id())?;
    for used in &all {
        let what = format!("the last use of secret {}", used.secret);
        same(&what, found.of(used.secret), Some(used.at))?;
    }
    same("the last uses", found, expected)
}

pub(super) fn secrets_without_an_end_have_uses<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let step = author.register("contoso", "calendar app")?;
    let (one, other) = (secret(1)?, secret(2)?);
    let with_ends = |step: &Step, ends| step.found_by(Index { ends, ..step.index().clone() });
    let first = with_ends(&step, vec![(one, None), (other, Some(after_start(1000)?))]);
    trial.commit([&first])?;
    let is_used = |one_at: Option<i64>, other_at: Option<i64>| {
        let uses = trial.last_uses(step.id())?;
        same("the last use of the first secret", uses.of(one), one_at.map(after_start).transpose()?)?;
        same("the last use of the second secret", uses.of(other), other_at.map(after_start).transpose()?)
    };
    trial.note(step.id(), one, after_start(5)?)?;
    trial.note(step.id(), other, after_start(6)?)?;
    is_used(Some(5), Some(6))?;
    trial.note(step.id(), one, after_start(7)?)?;
    trial.note(step.id(), one, after_start(4)?)?;
    is_used(Some(7), Some(6))?;
    // Ends are added, removed and moved, and the uses stay.
    let mut last = first;
    for ends in [
        vec![(one, Some(after_start(500)?)), (other, None)],
        vec![(one, None), (other, None)],
        vec![(one, None), (other, Some(after_start(2)?))],
    ] {
        last = with_ends(&author.rename(&last, &format!("name {}", last.revision()))?, ends);
        trial.commit([&last])?;
        is_used(Some(7), Some(6))?;
    }
    // Nor do they go when the record is resealed.
    let ends = vec![(one, None), (other, Some(after_start(2)?))];
    let resealed = author.reseal(&last)?;
    last = with_ends(&resealed, ends);
    trial.commit([&last])?;
    is_used(Some(7), Some(6))?;
    last = with_ends(&author.rename(&last, "without the first")?, vec![(other, None)]);
    trial.commit([&last])?;
    is_used(None, Some(6))?;
    trial.note(step.id(), one, after_start(8)?)?;
    is_used(None, Some(6))?;
    trial.commit([&with_ends(&author.rename(&last, "without any")?, vec![])])?;
    is_used(None, None)?;
    // A client that moves in has such secrets as well.
    let moved = with_ends(&author.register("fabrikam", "moved")?, vec![(one, None)]);
    trial.adopt(&[author.adopted([&moved])?])?;
    trial.note(moved.id(), one, after_start(9)?)?;
    let used = trial.last_uses(moved.id())?.of(one);
    same("the last use of a secret of a client that moved in", used, Some(after_start(9)?))
}

fn ends_of(step: &Step) -> Vec<Ending> {
    let ends = step.index().ends.iter();
    let end = |(secret, at): &(_, Option<_>)| {
        Some(Ending { at: (*at)?, client_id: step.id().clone(), secret: *secret })
    };
    ends.filter_map(end).collect()
}

/// The most add-ins of a client.
const ADD_INS: u32 = 256;
/// More than a page of a thousand.
const PLENTY: usize = 1100;
const SECRETS: u32 = 300;
