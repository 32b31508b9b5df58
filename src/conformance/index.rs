//! The lookup entries of a client: a commit replaces all of them, and its two clients may give each other theirs (rules 1, 14
//! and 15).

use crate::conformance::Factory;
use crate::conformance::author::{Step, add_in, secret, seller};
use crate::conformance::stop::{Checked, Stop, same};
use crate::conformance::trial::{MANY, Trial};
use crate::conformance::uniqueness::name_of;
use crate::store::{ClientsBy, Index, IndexEntry};
use crate::value::Timestamp;

pub(super) fn an_add_in_moves_in_one_commit<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let mut one = author.serving("contoso", "calendar app", &["a", "b", "moves"])?;
    let mut other = author.serving("contoso", "mail app", &["c"])?;
    trial.commit([&one, &other])?;
    for round in 0..4 {
        // There and back again, with either of the two first in the commit.
        let [left, came] = author.moved(&one, &other, "moves")?;
        match round < 2 {
            true => trial.commit([&left, &came])?,
            false => trial.commit([&came, &left])?,
        };
        trial.belongs("moves", Some(came.id()))?;
        trial.is_kept(&left)?;
        trial.is_kept(&came)?;
        (one, other) = (came, left);
    }
    // Each gives the other an add-in in the same commit.
    let swapped = [
        author.dissociate(&one, "a")?.found_by(with_add_ins(&one, &["b", "c", "moves"])?),
        author.dissociate(&other, "c")?.found_by(with_add_ins(&other, &["a"])?),
    ];
    trial.commit(&swapped)?;
    for (id, step) in [("a", &other), ("b", &one), ("c", &one), ("moves", &one)] {
        trial.belongs(id, Some(step.id()))?;
    }
    // What one client gives up, a client that is created in the same commit may take.
    let [gives, _] = swapped;
    let gives = author.dissociate(&gives, "b")?.found_by(with_add_ins(&one, &["c", "moves"])?);
    let newcomer = author.serving("fabrikam", "new", &["b"])?;
    trial.commit([&newcomer, &gives])?;
    trial.belongs("b", Some(newcomer.id()))
}

fn with_add_ins(step: &Step, add_ins: &[&str]) -> Checked<Index> {
    let add_ins = add_ins.iter().map(|id| add_in(id)).collect::<Checked<_>>()?;
    Ok(Index { add_ins, ..step.index().clone() })
}

pub(super) fn names_are_swapped_in_one_commit<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let one = author.register("contoso", "calendar app")?;
    let other = author.register("contoso", "mail app")?;
    trial.commit([&one, &other])?;
    let swapped = [author.rename(&one, "mail app")?, author.rename(&other, "calendar app")?];
    trial.commit(&swapped)?;
    let [one, other] = swapped;
    for step in [&one, &other] {
        trial.is_kept(step)?;
        let IndexEntry::Name(seller, key) = name_of(step)? else { return Err(Stop::unprepared(&"a name")) };
        same(
            "the client of a name",
            trial.clients(ClientsBy::Name(&seller, &key))?,
            vec![step.id().clone()],
        )?;
    }
    // A name is given up by one client and taken by the other, in either order in the commit, and by a new client.
    let chain = [author.rename(&one, "tasks")?, author.rename(&other, "mail app")?];
    trial.commit([&chain[1], &chain[0]])?;
    let newcomer = author.register("contoso", "tasks")?;
    trial.commit([&newcomer, &author.delete(&chain[0])?])?;
    let all = trial.clients(ClientsBy::Seller(&seller("contoso")?))?;
    same("the number of clients of the seller", all.len(), 2)
}

pub(super) fn the_index_is_replaced<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let first = author.serving("contoso", "calendar app", &["a", "b", "c"])?;
    trial.commit([&first])?;
    let (seller_id, other_seller) = (seller("contoso")?, seller("fabrikam")?);
    let IndexEntry::Name(_, old_name) = name_of(&first)? else { return Err(Stop::unprepared(&"a name")) };
    let renamed = author.rename(&first, "agenda")?;
    let IndexEntry::Name(_, new_name) = name_of(&renamed)? else { return Err(Stop::unprepared(&"a name")) };
    // Every lookup entry is replaced.
    let next = renamed.found_by(Index {
        name: Some((other_seller.clone(), new_name.clone())),
        add_ins: vec![add_in("c")?, add_in("d")?],
        ends: vec![(secret(2)?, Some(author.now())), (secret(3)?, None)],
        // That of the record, as always: a store may take it from there.
        key_id: Some(author.old_key().clone()),
    });
    trial.commit([&next])?;
    for (id, to) in [("a", None), ("b", None), ("c", Some(first.id())), ("d", Some(first.id()))] {
        trial.belongs(id, to)?;
    }
    let (none, only) = (vec![], vec![first.id().clone()]);
    same("by the old seller", trial.clients(ClientsBy::Seller(&seller_id))?, none.clone())?;
    same("by the new seller", trial.clients(ClientsBy::Seller(&other_seller))?, only.clone())?;
    same("by the old name", trial.clients(ClientsBy::Name(&seller_id, &old_name))?, none.clone())?;
    same(
        "by the old name of the new seller",
        trial.clients(ClientsBy::Name(&other_seller, &old_name))?,
        none.clone(),
    )?;
    same("by the new name", trial.clients(ClientsBy::Name(&other_seller, &new_name))?, only.clone())?;
    same("under its key", trial.clients(ClientsBy::Key(author.old_key()))?, only)?;
    same("under another key", trial.clients(ClientsBy::Key(author.new_key()))?, none)?;
    let ends: Vec<_> = trial.ending(Timestamp::MAX, None, MANY)?.into_iter().map(|end| end.secret).collect();
    same("the secrets that end", ends, vec![secret(2)?])?;
    // The former entries are free for others.
    trial.commit([&author.serving("contoso", "calendar app", &["a", "b"])?])?;
    Ok(())
}

pub(super) fn a_client_goes_to_another_seller<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let (from, to) = (seller("contoso")?, seller("fabrikam")?);
    let goes = author.serving("contoso", "calendar app", &["calendar", "mail"])?;
    let stays = author.register("contoso", "mail app")?;
    let holder = author.register("fabrikam", "Calendar App")?;
    for step in [&goes, &stays, &holder] {
        trial.commit([step])?;
    }
    // The name stays the same, and is another's there.
    let went = author.transfer(&goes, "fabrikam")?;
    trial.taken([&went], &name_of(&holder)?, holder.id())?;
    trial.is_kept(&goes)?;
    let holder = author.rename(&holder, "agenda")?;
    trial.commit([&holder])?;
    trial.commit([&went])?;

    trial.is_kept(&went)?;
    let IndexEntry::Name(_, key) = name_of(&went)? else { return Err(Stop::unprepared(&"a name")) };
    let mut both = vec![went.id().clone(), holder.id().clone()];
    both.sort();
    same("by the old seller", trial.clients(ClientsBy::Seller(&from))?, vec![stays.id().clone()])?;
    same("by the new seller", trial.clients(ClientsBy::Seller(&to))?, both)?;
    same("by the name, old seller", trial.clients(ClientsBy::Name(&from, &key))?, vec![])?;
    same("by the name, new seller", trial.clients(ClientsBy::Name(&to, &key))?, vec![went.id().clone()])?;
    for id in ["calendar", "mail"] {
        trial.belongs(id, Some(went.id()))?;
    }
    // The name is free where it was, and taken where it is.
    trial.commit([&author.register("contoso", "calendar app")?])?;
    trial.taken([&author.register("fabrikam", "calendar app")?], &name_of(&went)?, went.id())
}
