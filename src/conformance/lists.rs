//! The lists: clients by seller, name and key, clients of add-ins, and ends of validity. Their order, their pages, their bounds.

use crate::conformance::Factory;
use crate::conformance::author::{Step, after_start, client_id, secret, seller};
use crate::conformance::records::alike;
use crate::conformance::stop::{Checked, Stop, ensure, same};
use crate::conformance::trial::{MANY, Trial, pages};
use crate::conformance::uniqueness::name_of;
use crate::store::{ClientsBy, Ending, Index, IndexEntry};
use crate::value::{ClientId, Revision, Timestamp};

pub(super) fn clients_are_listed_in_the_order_of_bytes<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let mut ids = alike().into_iter().map(client_id).collect::<Checked<Vec<_>>>()?;
    for (position, id) in ids.iter().enumerate() {
        trial.commit([&trial.author.register_as(id, "contoso", &format!("name {position}"))?])?;
    }
    ids.sort_by(|one, other| one.as_str().as_bytes().cmp(other.as_str().as_bytes()));
    same("all clients", trial.clients(ClientsBy::All)?, ids.clone())?;
    same("the clients of a seller", trial.clients(ClientsBy::Seller(&seller("contoso")?))?, ids.clone())?;
    same("the clients under a key", trial.clients(ClientsBy::Key(trial.author.old_key()))?, ids)
}

pub(super) fn clients_are_listed_by_seller<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let [mut contoso, mut fabrikam] = two_sellers(&trial)?.map(ids_of);
    contoso.sort();
    fabrikam.sort();
    same(
        "the clients of one seller",
        trial.clients(ClientsBy::Seller(&seller("contoso")?))?,
        contoso.clone(),
    )?;
    same(
        "the clients of the other seller",
        trial.clients(ClientsBy::Seller(&seller("fabrikam")?))?,
        fabrikam.clone(),
    )?;
    same(
        "the clients of a seller without clients",
        trial.clients(ClientsBy::Seller(&seller("Contoso")?))?,
        vec![],
    )?;
    let mut all = [contoso, fabrikam].concat();
    all.sort();
    same("all clients", trial.clients(ClientsBy::All)?, all)
}

pub(super) fn clients_are_listed_by_name<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let [contoso, fabrikam] = two_sellers(&trial)?;
    for step in contoso.iter().chain(&fabrikam) {
        let IndexEntry::Name(seller, key) = name_of(step)? else { return Err(Stop::unprepared(&"a name")) };
        let by = ClientsBy::Name(&seller, &key);
        let only = vec![step.id().clone()];
        same("the client of a name", trial.clients(by)?, only.clone())?;
        same("the first client of a name", trial.clients_after(by, None, 1)?, only.clone())?;
        same("the clients after it", trial.clients_after(by, Some(step.id()), 10)?, vec![])?;
        same(
            "the clients after the lowest ID",
            trial.clients_after(by, Some(&client_id("--------")?), 10)?,
            only,
        )?;
    }
    let IndexEntry::Name(seller, key) = name_of(&trial.author.register("contoso", "nobody's")?)? else {
        return Err(Stop::unprepared(&"a name"));
    };
    same("the client of a name that no client has", trial.clients(ClientsBy::Name(&seller, &key))?, vec![])
}

pub(super) fn clients_are_listed_by_key<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let [contoso, _] = two_sellers(&trial)?;
    let (old, new) = (trial.author.old_key(), trial.author.new_key());
    let mut under_old = trial.clients(ClientsBy::All)?;
    same("clients under the first key", trial.clients(ClientsBy::Key(old))?, under_old.clone())?;
    same("clients under the other key", trial.clients(ClientsBy::Key(new))?, vec![])?;
    let mut under_new = Vec::new();
    for step in contoso.iter().step_by(2) {
        trial.commit([&trial.author.reseal(step)?])?;
        under_new.push(step.id().clone());
    }
    under_new.sort();
    under_old.retain(|id| !under_new.contains(id));
    same("clients still under the first key", trial.clients(ClientsBy::Key(old))?, under_old)?;
    same("clients under the other key", trial.clients(ClientsBy::Key(new))?, under_new.clone())?;
    let first = under_new.first().ok_or_else(|| Stop::unprepared(&"one client"))?;
    let rest = under_new.get(1..).unwrap_or_default().to_vec();
    same("the clients after the first", trial.clients_after(ClientsBy::Key(new), Some(first), MANY)?, rest)
}

pub(super) fn lists_are_paged<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let _ = two_sellers(&trial)?;
    let seller = seller("contoso")?;
    let lists = [ClientsBy::All, ClientsBy::Seller(&seller), ClientsBy::Key(trial.author.old_key())];
    for by in lists {
        let whole = trial.clients_after(by, None, usize::MAX)?;
        ensure!(whole.len() >= 7, "only {} clients by {by:?}", whole.len());
        for limit in [1, 2, 3, whole.len() - 1, whole.len(), whole.len() + 1] {
            let read = pages(limit, |after| trial.clients_after(by, after, limit))?;
            same(&format!("by {by:?}, {limit} at a time"), read, whole.clone())?;
        }
        // The client that a page comes after need not exist.
        for after in ["--------", "5555555555", "MMMMMMMM", "________", "zzzzzzzz"] {
            let after = client_id(after)?;
            let expected: Vec<_> = whole.iter().filter(|id| **id > after).cloned().collect();
            same(
                &format!("by {by:?} after {after}"),
                trial.clients_after(by, Some(&after), MANY)?,
                expected,
            )?;
        }
    }
    Ok(())
}

pub(super) fn tombstones_are_listed_by_all_and_key<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let step = author.serving("contoso", "calendar app", &["calendar"])?;
    trial.commit([&step])?;
    let IndexEntry::Name(seller, key) = name_of(&step)? else { return Err(Stop::unprepared(&"a name")) };
    let deleted = author.delete(&step)?;
    trial.commit([&deleted])?;
    trial.is_kept(&deleted)?;
    let (none, only) = (vec![], vec![step.id().clone()]);
    same("by seller", trial.clients(ClientsBy::Seller(&seller))?, none.clone())?;
    same("by name", trial.clients(ClientsBy::Name(&seller, &key))?, none.clone())?;
    same("all", trial.clients(ClientsBy::All)?, only.clone())?;
    same("under its key", trial.clients(ClientsBy::Key(author.old_key()))?, only.clone())?;
    trial.belongs("calendar", None)?;
    same("endings", trial.ending(Timestamp::MAX, None, MANY)?, vec![])?;
    let resealed = author.reseal(&deleted)?;
    trial.commit([&resealed])?;
    trial.is_kept(&resealed)?;
    same("under its old key", trial.clients(ClientsBy::Key(author.old_key()))?, none)?;
    same("under its new key", trial.clients(ClientsBy::Key(author.new_key()))?, only.clone())?;
    same("all", trial.clients(ClientsBy::All)?, only)
}

pub(super) fn client_of_follows_the_index<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    trial.belongs("calendar", None)?;
    let step = author.register("contoso", "calendar app")?;
    trial.commit([&step])?;
    let step = author.associate(&step, "calendar")?;
    trial.belongs("calendar", None)?;
    trial.commit([&step])?;
    trial.belongs("calendar", Some(step.id()))?;
    let step = author.associate(&step, "tasks")?;
    trial.commit([&step])?;
    trial.belongs("calendar", Some(step.id()))?;
    trial.belongs("tasks", Some(step.id()))?;
    let step = author.dissociate(&step, "calendar")?;
    trial.commit([&step])?;
    trial.belongs("calendar", None)?;
    trial.belongs("tasks", Some(step.id()))?;
    trial.commit([&author.delete(&step)?])?;
    trial.belongs("tasks", None)
}

pub(super) fn endings_come_in_order<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let endings = some_endings(&trial)?;
    same("the endings", trial.ending(Timestamp::MAX, None, MANY)?, endings.clone())?;
    let mut instants: Vec<_> = endings.iter().map(|ending| ending.at).collect();
    instants.dedup();
    for before in instants {
        // Half-open: a secret that ends at that instant does not end before it.
        let expected = endings.iter().filter(|ending| ending.at < before).cloned().collect();
        same(&format!("the endings before {before}"), trial.ending(before, None, MANY)?, expected)?;
    }
    Ok(())
}

pub(super) fn endings_are_paged<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let endings = some_endings(&trial)?;
    let before = after_start(500_000)?;
    let bounded: Vec<_> = endings.iter().filter(|ending| ending.at < before).cloned().collect();
    ensure!(bounded.len() > 5 && bounded.len() < endings.len(), "not a bound: {}", bounded.len());
    for limit in [1, 2, 3, bounded.len(), usize::MAX] {
        let read = pages(limit, |after| trial.ending(before, after, limit))?;
        same(&format!("the endings, {limit} at a time"), read, bounded.clone())?;
    }
    // The ending that a page comes after need not exist any longer.
    for ending in &endings {
        let after = Ending { secret: secret(u32::MAX)?, ..ending.clone() };
        let expected = endings.iter().filter(|ending| **ending > after).cloned().collect();
        same(
            &format!("the endings after {after:?}"),
            trial.ending(Timestamp::MAX, Some(&after), MANY)?,
            expected,
        )?;
    }
    Ok(())
}

/// Secrets of several clients that end at the same and at different instants, in an order that texts would not have, and some
/// that never end.
fn some_endings<F: Factory>(trial: &Trial<'_, F>) -> Checked<Vec<Ending>> {
    let ids = ["client-b", "Client-a", "client.a", "CLIENT-B"];
    let ends: [&[(u32, Option<i64>)]; 4] = [
        &[(1, Some(900_000)), (2, None), (9, Some(1000)), (10, Some(1000)), (11, Some(-1))],
        &[(1, Some(1000)), (2, Some(1000)), (100, Some(999)), (30, Some(1001))],
        &[(1, Some(1000)), (3, Some(-5_000_000_000_000)), (4, Some(5_000_000_000_000_000))],
        &[(2, Some(1000)), (4_000_000_000, Some(1000)), (7, None), (8, Some(499_999)), (9, Some(500_000))],
    ];
    let mut endings = Vec::new();
    for (position, (id, ends)) in ids.into_iter().zip(ends).enumerate() {
        let id = client_id(id)?;
        let step = trial.author.register_as(&id, "contoso", &format!("client {position}"))?;
        let ends: Vec<_> = ends
            .iter()
            .map(|(number, at)| Ok((secret(*number)?, at.map(after_start).transpose()?)))
            .collect::<Checked<_>>()?;
        for (secret, at) in &ends {
            endings.extend(at.map(|at| Ending { at, client_id: id.clone(), secret: *secret }));
        }
        trial.commit([&step.found_by(Index { ends, ..step.index().clone() })])?;
    }
    endings.sort();
    Ok(endings)
}

pub(super) fn endings_follow_the_index<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let mut step = author.register("contoso", "calendar app")?;
    let check = |step: &Step| {
        let ends = step.index().ends.iter();
        let mut expected: Vec<_> = ends
            .filter_map(|(secret, at)| {
                at.map(|at| Ending { at, client_id: step.id().clone(), secret: *secret })
            })
            .collect();
        expected.sort();
        same("the endings", trial.ending(Timestamp::MAX, None, MANY)?, expected)
    };
    for days in [0, 30, 10, 20] {
        if days > 0 {
            step = author.add_secret(&step, days)?;
        }
        trial.commit([&step])?;
        check(&step)?;
    }
    for number in [3, 1] {
        step = author.delete_secret(&step, secret(number)?)?;
        trial.commit([&step])?;
        check(&step)?;
    }
    let deleted = author.delete(&step)?;
    trial.commit([&deleted])?;
    check(&deleted)
}

pub(super) fn bounds_may_be_extreme<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let step = author.register("contoso", "calendar app")?;
    let (first, last) = (secret(1)?, secret(u32::MAX)?);
    let ends = vec![(first, Some(Timestamp::MIN)), (last, Some(Timestamp::MAX))];
    let step = step.found_by(Index { ends, ..step.index().clone() });
    trial.commit([&step])?;
    let at_min = Ending { at: Timestamp::MIN, client_id: step.id().clone(), secret: first };
    let none = Vec::<Ending>::new();
    same(
        "the endings before the end of the calendar",
        trial.ending(Timestamp::MAX, None, usize::MAX)?,
        vec![at_min.clone()],
    )?;
    same("the endings before its beginning", trial.ending(Timestamp::MIN, None, usize::MAX)?, none.clone())?;
    same(
        "the endings after the only one",
        trial.ending(Timestamp::MAX, Some(&at_min), usize::MAX)?,
        none.clone(),
    )?;
    let after = Ending { at: Timestamp::MAX, client_id: step.id().clone(), secret: last };
    same(
        "the endings after the last possible one",
        trial.ending(Timestamp::MAX, Some(&after), usize::MAX)?,
        none,
    )?;
    for limit in [1, usize::MAX >> 1, usize::MAX] {
        same("clients", trial.clients_after(ClientsBy::All, None, limit)?, vec![step.id().clone()])?;
        let commits = trial.history_after(step.id(), Revision::ZERO, limit)?;
        same("commits", commits.len(), 1)?;
        let changes = trial.changes(None, limit)?;
        same("events", changes.events.len(), limit.min(2))?;
    }
    // After something, too: the position and the limit together exceed every integer type.
    let (next, other) = (author.rename(&step, "agenda")?, author.register("fabrikam", "mail app")?);
    trial.commit([&next])?;
    trial.commit([&other])?;
    let mut ids = ids_of(vec![next.clone(), other]);
    ids.sort();
    let [one, another] = &ids[..] else { return Err(Stop::unprepared(&"two clients")) };
    let events = trial.drain(None, 10)?.0.len();
    let first = trial.changes(None, 1)?.cursor;
    for limit in [usize::MAX >> 1, usize::MAX] {
        let clients = trial.clients_after(ClientsBy::All, Some(one), limit)?;
        same("the clients after the first", clients, vec![another.clone()])?;
        let commits = trial.history_after(next.id(), Revision::new(1), limit)?;
        same("the commits after the first", commits.len(), 1)?;
        same(
            "the number of events after the first",
            trial.changes(Some(&first), limit)?.events.len(),
            events - 1,
        )?;
    }
    // Truncated to 31 or 32 bits, these would be early revisions.
    for beyond in [2, 1 << 31, (1 << 31) + 1, 1 << 32, (1 << 32) + 1, 1 << 63, u64::MAX] {
        let commits = trial.history_after(next.id(), Revision::new(beyond), usize::MAX)?;
        same(&format!("commits after revision {beyond}"), commits.len(), 0)?;
    }
    Ok(())
}

/// Clients of two sellers, under random IDs.
fn two_sellers<F: Factory>(trial: &Trial<'_, F>) -> Checked<[Vec<Step>; 2]> {
    let mut steps = [Vec::new(), Vec::new()];
    for (seller, steps) in ["contoso", "fabrikam"].into_iter().zip(&mut steps) {
        for number in 0..8 {
            let step = trial.author.register(seller, &format!("app {number}"))?;
            trial.commit([&step])?;
            steps.push(step);
        }
    }
    Ok(steps)
}

fn ids_of(steps: Vec<Step>) -> Vec<ClientId> {
    steps.iter().map(|step| step.id().clone()).collect()
}
