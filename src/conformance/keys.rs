//! Keys in every table: none is truncated, case-folded or confused with others it is joined with, and the longest ones are kept
//! whole.

use crate::client::LastUses;
use crate::conformance::Factory;
use crate::conformance::author::{Author, Step, add_in, after_start, client_id, secret, seller};
use crate::conformance::picture::Subjects;
use crate::conformance::records::chain;
use crate::conformance::stop::{Checked, Stop, same};
use crate::conformance::told::is_told;
use crate::conformance::trial::{MANY, Trial};
use crate::conformance::uniqueness::name_of;
use crate::store::{ClientsBy, Ending, Index, IndexEntry};
use crate::value::Timestamp;

pub(super) fn ids_are_kept_whole_in_every_table<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let mut clients = Vec::new();
    for (position, id) in neighbours().iter().enumerate() {
        let id = client_id(id)?;
        let first = author.register_as(&id, "contoso", &format!("name {position}"))?;
        let first =
            first.found_by(Index { add_ins: vec![add_in(&format!("{position}"))?], ..first.index().clone() });
        let second = author.add_secret(&first, 10 + u32::try_from(position).unwrap_or_default())?;
        let second =
            second.found_by(Index { add_ins: first.index().add_ins.clone(), ..second.index().clone() });
        clients.push([first, second]);
    }
    // All clients are created before any is changed, so that each has others before and after it.
    for step in clients.iter().map(|[first, _]| first).chain(clients.iter().map(|[_, second]| second)) {
        trial.commit([step])?;
    }
    for (position, [_, second]) in clients.iter().enumerate() {
        let at = i64::try_from(position).unwrap_or_default();
        trial.note(second.id(), secret(1)?, after_start(at)?)?;
        trial.note(second.id(), secret(2)?, after_start(-at)?)?;
    }
    for (position, steps) in clients.iter().enumerate() {
        let at = i64::try_from(position).unwrap_or_default();
        is_whole(&trial, steps, position, at)?;
    }
    let mut all: Vec<_> = clients.iter().map(|[first, _]| first.id().clone()).collect();
    all.sort();
    let contoso = seller("contoso")?;
    for by in [ClientsBy::All, ClientsBy::Seller(&contoso), ClientsBy::Key(author.old_key())] {
        same(&format!("the clients by {by:?}"), trial.clients(by)?, all.clone())?;
        for (position, id) in all.iter().enumerate() {
            let rest = all.get(position + 1..).unwrap_or_default().to_vec();
            same(
                &format!("the clients by {by:?} after {id}"),
                trial.clients_after(by, Some(id), MANY)?,
                rest,
            )?;
        }
    }
    let events: Vec<_> = clients.iter().flatten().flat_map(Step::events).cloned().collect();
    is_told("the feed", &trial.drain(None, 5)?.0, &events)?;
    // If one of them loses something, the others do not.
    while let Some([_, last]) = clients.pop() {
        let deleted = author.delete(&last)?;
        let subjects = Subjects::of(clients.iter().flatten());
        let before = about(&trial, &subjects, &clients)?;
        trial.commit([&deleted])?;
        same("the last uses of a deleted client", trial.last_uses(last.id())?, LastUses::default())?;
        let after = about(&trial, &subjects, &clients)?;
        same(&format!("the data of the other clients after {} was deleted", last.id()), after, before)?;
    }
    Ok(())
}

/// The data of each of some clients.
fn about<F: Factory>(
    trial: &Trial<'_, F>,
    subjects: &Subjects,
    clients: &[[Step; 2]],
) -> Checked<Vec<String>> {
    let mut found = subjects.own(trial)?;
    let ids: Vec<_> = clients.iter().map(|[first, _]| first.id()).collect();
    let ends = trial.ending(Timestamp::MAX, None, MANY)?;
    found.extend(ends.iter().filter(|end| ids.contains(&&end.client_id)).map(|end| format!("{end:?}")));
    Ok(found)
}

fn is_whole<F: Factory>(trial: &Trial<'_, F>, steps: &[Step; 2], position: usize, at: i64) -> Checked {
    let [first, second] = steps;
    let id = second.id();
    trial.is_kept(second)?;
    trial.belongs(&format!("{position}"), Some(id))?;
    let history: Vec<_> = trial.history(id)?.into_iter().flat_map(|committed| committed.events).collect();
    same(&format!("the history of {id}"), history, [first.events(), second.events()].concat())?;
    let mut uses = LastUses::default();
    uses.note(secret(1)?, after_start(at)?);
    uses.note(secret(2)?, after_start(-at)?);
    same(&format!("the last uses of {id}"), trial.last_uses(id)?, uses)?;
    let ends = trial.ending(Timestamp::MAX, None, MANY)?.into_iter().filter(|end| end.client_id == *id);
    let mut expected: Vec<_> = ends_of(second).collect();
    expected.sort();
    same(&format!("the ends of {id}"), ends.collect(), expected)
}

fn ends_of(step: &Step) -> impl Iterator<Item = Ending> {
    let ends = step.index().ends.iter();
    ends.filter_map(|(secret, at)| Some(Ending { at: (*at)?, client_id: step.id().clone(), secret: *secret }))
}

/// Client IDs that become equal when they are truncated, compared without case, padded, or taken for a prefix.
fn neighbours() -> [String; 14] {
    let long = "i".repeat(63);
    [
        format!("{long}a"),
        format!("{long}b"),
        format!("{long}A"),
        format!("{}a", "I".repeat(63)),
        long,
        "i".repeat(62),
        "client-1".to_owned(),
        "client-11".to_owned(),
        "client-1.".to_owned(),
        "client-1_".to_owned(),
        "client-1-".to_owned(),
        "Client-1".to_owned(),
        "CLIENT-1".to_owned(),
        "0client-1".to_owned(),
    ]
}

pub(super) fn holders_are_told_apart<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let [one, other, ..] = neighbours();
    for (round, (one, other)) in
        [(one, other), ("client-a".into(), "Client-a".into()), ("client-b".into(), "client-b0".into())]
            .into_iter()
            .enumerate()
    {
        let (one, other) = (client_id(&one)?, client_id(&other)?);
        let wanted = add_in(&format!("wanted-{round}"))?;
        let holder = author.register_as(&one, "contoso", &format!("holder {round}"))?;
        let holder = author.associate(&holder, wanted.as_str())?;
        let first = author.register_as(&one, "contoso", &format!("holder {round}"))?;
        let first =
            first.found_by(Index { add_ins: holder.index().add_ins.clone(), ..first.index().clone() });
        trial.commit([&first])?;
        let rival = author.register_as(&other, "contoso", &format!("rival {round}"))?;
        trial.commit([&rival])?;
        // A client may keep its own entries. A client with a similar ID is another client.
        trial.taken(
            [&author.associate(&rival, wanted.as_str())?],
            &IndexEntry::AddIn(wanted.clone()),
            first.id(),
        )?;
        trial.taken([&author.rename(&rival, &format!("Holder {round}"))?], &name_of(&first)?, first.id())?;
        trial.belongs(wanted.as_str(), Some(first.id()))?;
        let next = author.add_secret(&first, 10)?;
        let next = next.found_by(Index { add_ins: first.index().add_ins.clone(), ..next.index().clone() });
        trial.commit([&next])?;
        trial.belongs(wanted.as_str(), Some(first.id()))?;
    }
    Ok(())
}

pub(super) fn keys_that_read_alike_when_joined_are_apart<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let mut steps = Vec::new();
    for (position, joint) in JOINTS.iter().enumerate() {
        let [a, c] = [format!("a{position}"), format!("c{position}")];
        steps.push(author.register(&format!("{a}{joint}b"), &c)?);
        steps.push(author.register(&a, &format!("b{joint}{c}"))?);
        // An add-in ID that reads like a seller with a name.
        steps.push(author.serving(
            "fabrikam",
            &format!("name {position}"),
            &[&format!("{a}{joint}b{joint}{c}")],
        )?);
    }
    for step in &steps {
        trial.commit([step]).map_err(|stop| stop.when(&format!("{:?}", step.index())))?;
    }
    for step in &steps {
        let IndexEntry::Name(seller, key) = name_of(step)? else { return Err(Stop::unprepared(&"a name")) };
        let found = trial.clients(ClientsBy::Name(&seller, &key))?;
        same(&format!("the client {key:?} of {seller}"), found, vec![step.id().clone()])?;
        if seller.as_str() != "fabrikam" {
            let mut expected: Vec<_> = steps
                .iter()
                .filter(|step| step.index().name.as_ref().is_some_and(|(owner, _)| *owner == seller))
                .map(|step| step.id().clone())
                .collect();
            expected.sort();
            same(&format!("the clients of {seller}"), trial.clients(ClientsBy::Seller(&seller))?, expected)?;
        }
        for add_in in &step.index().add_ins {
            trial.belongs(add_in.as_str(), Some(step.id()))?;
        }
    }
    Ok(())
}

pub(super) fn numbers_that_read_alike_when_joined_are_apart<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    // Joined with the client ID, secret 11 of the first reads like secret 1 of the second, and revision 11 like revision 1.
    let mut chains = Vec::new();
    for (position, id) in
        ["client-1", "client-11", "client-1.1", "client-1-1", "client-1_1"].iter().enumerate()
    {
        let first = author.register_as(&client_id(id)?, "contoso", &format!("name {position}"))?;
        let steps = chain(author, first, 12, |author, step| {
            author.rename(step, &format!("{} {id}", step.revision()))
        })?;
        chains.push(steps);
    }
    for (position, steps) in chains.iter_mut().enumerate() {
        for (revision, step) in steps.iter_mut().enumerate() {
            let at = i64::try_from(100 * position + revision).unwrap_or_default();
            let ends = [1, 2, 11, 12, 111].map(|number| Ok((secret(number)?, Some(after_start(at)?))));
            let ends = ends.into_iter().collect::<Checked<_>>()?;
            *step = step.found_by(Index { ends, ..step.index().clone() });
        }
    }
    for row in 0..12 {
        for steps in &chains {
            trial.commit(steps.get(row))?;
        }
    }
    let (mut uses, mut endings) = (Vec::new(), Vec::new());
    for (position, steps) in chains.iter().enumerate() {
        let Some(last) = steps.last() else { return Err(Stop::unprepared(&"steps")) };
        let mut noted = LastUses::default();
        for number in [1, 2, 11, 12, 111_u32] {
            let at = after_start(i64::from(number) + 1000 * i64::try_from(position).unwrap_or_default())?;
            trial.note(last.id(), secret(number)?, at)?;
            noted.note(secret(number)?, at);
        }
        uses.push((last.id(), noted));
        endings.extend(ends_of(last));
    }
    for (id, noted) in uses {
        same(&format!("the last uses of {id}"), trial.last_uses(id)?, noted)?;
    }
    endings.sort();
    same("the endings", trial.ending(Timestamp::MAX, None, MANY)?, endings)?;
    for steps in &chains {
        let Some(last) = steps.last() else { return Err(Stop::unprepared(&"steps")) };
        let revisions: Vec<_> = trial.history(last.id())?.iter().map(|c| c.revision.number()).collect();
        same(&format!("the revisions of {}", last.id()), revisions, (1..=12).collect())?;
        trial.is_kept(last)?;
    }
    Ok(())
}

pub(super) fn the_longest_keys_are_kept_whole<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let long_keys = ["k".repeat(31) + "a", "k".repeat(31) + "b"];
    let author = &Author::under(long_keys)?;
    let (seller_a, seller_b) = ("s".repeat(127) + "a", "s".repeat(127) + "b");
    let (add_in_a, add_in_b) = ("a".repeat(127) + "a", "a".repeat(127) + "b");
    // One character of a name may become 33 bytes of its key.
    let names = ["\u{fdfa}", "\u{1f511}", "n"].map(|letter| ["a", "b"].map(|last| letter.repeat(99) + last));
    let longest = "\u{fdfa}".repeat(100);
    let mut steps = Vec::new();
    for name in names.iter().flatten().chain([&longest]) {
        for seller in [&seller_a, &seller_b] {
            steps.push(author.register(seller, name)?);
        }
    }
    steps.push(author.serving("contoso", "one", &[&add_in_a])?);
    steps.push(author.serving("contoso", "other", &[&add_in_b])?);
    for step in &steps {
        trial.commit([step])?;
    }
    for step in &steps {
        let IndexEntry::Name(seller, key) = name_of(step)? else { return Err(Stop::unprepared(&"a name")) };
        let found = trial.clients(ClientsBy::Name(&seller, &key))?;
        same("the client of one of the longest names", found, vec![step.id().clone()])?;
        for add_in in &step.index().add_ins {
            trial.belongs(add_in.as_str(), Some(step.id()))?;
        }
        // No other client of the seller gets it.
        let again = author.register_as(&author.fresh_id()?, seller.as_str(), "again")?;
        let taken = again.found_by(Index { name: step.index().name.clone(), ..again.index().clone() });
        trial.taken([&taken], &name_of(step)?, step.id())?;
    }
    let key_len =
        steps.iter().filter_map(|step| step.index().name.as_ref().map(|(_, key)| key.as_str().len())).max();
    same("the length of the longest name key", key_len, Some(MAX_NAME_KEY))?;
    let (one, other) = (seller(&seller_a)?, seller(&seller_b)?);
    for (seller, position) in [(&one, 0), (&other, 1)] {
        let mut expected: Vec<_> =
            steps.iter().skip(position).step_by(2).take(7).map(|step| step.id().clone()).collect();
        expected.sort();
        same(
            "the clients of a seller with one of the longest IDs",
            trial.clients(ClientsBy::Seller(seller))?,
            expected,
        )?;
    }
    let Some(first) = steps.first() else { return Err(Stop::unprepared(&"steps")) };
    let resealed = author.reseal(first)?;
    trial.commit([&resealed])?;
    trial.is_kept(&resealed)?;
    same("under the new key", trial.clients(ClientsBy::Key(author.new_key()))?, vec![first.id().clone()])?;
    same("under the old key", trial.clients(ClientsBy::Key(author.old_key()))?.len(), steps.len() - 1)
}

/// Separators that a store may join keys with.
const JOINTS: [&str; 20] =
    ["", ":", "::", "/", "|", "-", ".", ",", ";", "_", "#", "=", "~", "\\", "'", "\"", "%", "&", "+", "\\0"];
/// The bytes of the longest name key: a hundred characters, each of which becomes eighteen characters.
const MAX_NAME_KEY: usize = 3300;
