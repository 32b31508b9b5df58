//! Add-ins and friendly names belong to one client alone (rules 1 and 15), also when several writers want the same one.

use crate::conformance::Factory;
use crate::conformance::author::{Step, add_in, seller};
use crate::conformance::stop::{Checked, Stop, ensure, same};
use crate::conformance::trial::{Racing, Trial, WRITERS, is_taken, one_winner};
use crate::conformance::watch::Open;
use crate::store::{ClientsBy, CommitError, IndexEntry};

pub(super) fn an_add_in_belongs_to_one_client<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let holder = author.serving("contoso", "calendar app", &["calendar", "mail"])?;
    trial.commit([&holder])?;
    let entry = IndexEntry::AddIn(add_in("mail")?);
    // Across sellers, for a new client and for a change.
    trial.taken([&author.serving("fabrikam", "calendar app", &["post", "mail"])?], &entry, holder.id())?;
    let other = author.register("fabrikam", "calendar app")?;
    trial.commit([&other])?;
    trial.taken([&author.associate(&other, "mail")?], &entry, holder.id())?;
    trial.belongs("mail", Some(holder.id()))?;
    trial.belongs("post", None)?;
    // A client's own add-ins are not in its way.
    let holder = author.associate(&holder, "tasks")?;
    trial.commit([&holder])?;
    // An add-in that was given up is free.
    let holder = author.dissociate(&holder, "mail")?;
    trial.commit([&holder])?;
    trial.belongs("mail", None)?;
    trial.commit([&author.associate(&other, "mail")?])?;
    trial.belongs("mail", Some(other.id()))?;
    trial.commit([&author.delete(&holder)?])?;
    trial.belongs("calendar", None)?;
    trial.commit([&author.serving("contoso", "next", &["calendar"])?])?;
    Ok(())
}

pub(super) fn a_name_belongs_to_one_client<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let holder = author.register("contoso", "Calendar App")?;
    trial.commit([&holder])?;
    let entry = name_of(&holder)?;
    // Another spelling has the same key (rule 15).
    trial.taken([&author.register("contoso", "calendar app")?], &entry, holder.id())?;
    let other = author.register("contoso", "mail app")?;
    trial.commit([&other])?;
    trial.taken([&author.rename(&other, "CALENDAR APP")?], &entry, holder.id())?;
    // The names of another seller are separate.
    trial.commit([&author.register("fabrikam", "calendar app")?])?;
    // A client's own name is not in its way.
    let holder = author.rename(&holder, "calendar APP")?;
    trial.commit([&holder])?;
    // A name is free after its client was renamed or deleted.
    let holder = author.rename(&holder, "agenda")?;
    trial.commit([&holder])?;
    let other = author.rename(&other, "calendar app")?;
    trial.commit([&other])?;
    trial.commit([&author.delete(&other)?])?;
    trial.commit([&author.register("contoso", "calendar app")?])?;
    Ok(())
}

pub(super) fn unique_keys_are_compared_as_bytes<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    // A collation, a pattern or a length limit would take one of them for another.
    let long = "x".repeat(127);
    let (long_a, long_b) = (format!("{long}a"), format!("{long}b"));
    let add_ins = [
        "add-in",
        "ADD-IN",
        "Add-In",
        "add_in",
        "add.in",
        "addXin",
        "add%",
        "add%in",
        "';--",
        "\"add-in\"",
        "\\",
        "\\\\",
        "1",
        "01",
        "1.0",
        "1e0",
        "NULL",
        "add-in~",
        "~registry",
        &long_a,
        &long_b,
    ];
    let names = [
        "resume",
        "re\u{301}sume\u{301}",
        "resume.",
        "resume s",
        "resume-s",
        "stra\u{df}e",
        "strasse",
        "\u{f8}re",
        "ore",
        "\u{131}d",
        "id",
        "a",
        "\u{20061}",
        "\u{1f511}",
        "\u{1f512}",
        "100%",
        "100_",
        "1001",
    ];
    let sellers = ["contoso", "Contoso", "CONTOSO", "contoso.", "con_toso", "conXtoso"];
    let mut steps = Vec::new();
    for (position, id) in add_ins.iter().enumerate() {
        steps.push(author.serving("contoso", &format!("add-in {position}"), &[id])?);
    }
    for name in names {
        steps.push(author.register("contoso", name)?);
    }
    for seller in sellers {
        steps.push(author.register(seller, "the same name")?);
    }
    for step in &steps {
        trial.commit([step]).map_err(|stop| stop.when(&format!("{:?}", step.index())))?;
    }
    for (id, step) in add_ins.iter().zip(&steps) {
        trial.belongs(id, Some(step.id()))?;
    }
    for step in &steps {
        let IndexEntry::Name(seller, key) = name_of(step)? else { return Err(Stop::unprepared(&"a name")) };
        let found = trial.clients(ClientsBy::Name(&seller, &key))?;
        same(&format!("the client {key:?} of {seller}"), found, vec![step.id().clone()])?;
    }
    for id in sellers.iter().skip(1) {
        let found = trial.clients(ClientsBy::Seller(&seller(id)?))?;
        same(&format!("the number of clients of {id}"), found.len(), 1)?;
    }
    trial.belongs("aDD-IN", None)
}

pub(super) fn an_entry_is_claimed_once_in_a_commit<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let one = author.register("contoso", "calendar app")?;
    let other = author.register("contoso", "mail app")?;
    trial.commit([&one, &other])?;
    let either = [one.id(), other.id()];
    let twice = [author.associate(&one, "tasks")?, author.associate(&other, "tasks")?];
    is_taken(trial.try_send(&author.commit(&twice)?), &IndexEntry::AddIn(add_in("tasks")?), &either)?;
    let twice = [author.rename(&one, "Tasks")?, author.rename(&other, "tasks")?];
    is_taken(
        trial.try_send(&author.commit(&twice)?),
        &name_of(&author.register("contoso", "tasks")?)?,
        &either,
    )?;
    trial.belongs("tasks", None)?;
    trial.is_kept(&one)?;
    trial.is_kept(&other)
}

pub(super) fn taken_names_one_of_several_entries<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let holders = [
        author.serving("contoso", "calendar app", &["calendar"])?,
        author.serving("fabrikam", "mail app", &["mail"])?,
        author.serving("fabrikam", "tasks", &["tasks"])?,
    ];
    for holder in &holders {
        trial.commit([holder])?;
    }
    let [named, with_mail, with_tasks] = &holders;
    let taken = [
        (name_of(named)?, named),
        (IndexEntry::AddIn(add_in("mail")?), with_mail),
        (IndexEntry::AddIn(add_in("tasks")?), with_tasks),
    ];
    for name in ["Calendar App", "a free name"] {
        let greedy = author.serving("contoso", name, &["free", "tasks", "mail"])?;
        let clients = [author.adopted([&greedy])?];
        for answer in [trial.try_send(&author.commit([&greedy])?), trial.try_adopt(&clients)] {
            let Err(CommitError::Taken { entry, by }) = &answer else {
                return Err(Stop::failed(format!("expected an entry to be taken, found {answer:?}")));
            };
            let is_true = taken.iter().any(|(taken, holder)| entry == taken && by == holder.id());
            ensure!(is_true, "where several entries are taken, {entry:?} is said to belong to {by}");
        }
        trial.belongs("free", None)?;
        trial.is_record(greedy.record_id(), None)?;
    }
    Ok(())
}

pub(super) fn one_of_many_gets_the_add_in<F: Factory>(trial: Trial<'_, F>) -> Checked {
    add_ins_are_raced_for(&trial, &[&trial.store])
}

pub(super) fn one_of_many_gets_the_add_in_across_stores<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let beside = trial.beside()?;
    add_ins_are_raced_for(&trial, &[&trial.store, &beside])
}

fn add_ins_are_raced_for<F: Factory>(trial: &Trial<'_, F>, stores: &[&Open<F>]) -> Checked {
    let author = &trial.author;
    let mut sellers = register_some(trial)?;
    for (round, how) in Racing::rounds() {
        let id = format!("add-in-{round}");
        let steps: Vec<_> = sellers.iter().map(|last| author.associate(last, &id)).collect::<Checked<_>>()?;
        let winner = settle(trial, stores, &steps, how)?;
        trial.belongs(&id, steps.get(winner).map(Step::id))?;
        advance(&mut sellers, steps, winner);
    }
    Ok(())
}

pub(super) fn one_of_many_gets_the_name<F: Factory>(trial: Trial<'_, F>) -> Checked {
    names_are_raced_for(&trial, &[&trial.store])
}

pub(super) fn one_of_many_gets_the_name_across_stores<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let beside = trial.beside()?;
    names_are_raced_for(&trial, &[&trial.store, &beside])
}

fn names_are_raced_for<F: Factory>(trial: &Trial<'_, F>, stores: &[&Open<F>]) -> Checked {
    let author = &trial.author;
    let mut clients = register_some(trial)?;
    for (round, how) in Racing::rounds() {
        let name = format!("name {round}");
        // Some register a client with the name, some rename theirs to it.
        let steps: Vec<_> = clients
            .iter()
            .enumerate()
            .map(|(writer, last)| match (writer + round) % 2 {
                0 => author.rename(last, &name),
                _ => author.register("contoso", &name),
            })
            .collect::<Checked<_>>()?;
        let winner = settle(trial, stores, &steps, how)?;
        let Some(step) = steps.get(winner) else { return Err(Stop::unprepared(&"a winner")) };
        let IndexEntry::Name(seller, key) = name_of(step)? else { return Err(Stop::unprepared(&"a name")) };
        let found = trial.clients(ClientsBy::Name(&seller, &key))?;
        same(&format!("the client {key:?}"), found, vec![step.id().clone()])?;
        advance(&mut clients, steps, winner);
    }
    Ok(())
}

/// Clients of one seller.
fn register_some<F: Factory>(trial: &Trial<'_, F>) -> Checked<Vec<Step>> {
    (0..WRITERS)
        .map(|writer| {
            let step = trial.author.register("contoso", &format!("client {writer}"))?;
            trial.commit([&step])?;
            Ok(step)
        })
        .collect()
}

/// Keeps the winner's change as the state for the next round.
fn advance(clients: &mut [Step], steps: Vec<Step>, winner: usize) {
    if let (Some(client), Some(step)) = (clients.get_mut(winner), steps.into_iter().nth(winner)) {
        *client = step;
    }
}

/// One of several changes that want the same entry wins.
fn settle<F: Factory>(
    trial: &Trial<'_, F>,
    stores: &[&Open<F>],
    steps: &[Step],
    how: Racing,
) -> Checked<usize> {
    let commits: Vec<_> = steps.iter().map(|step| trial.author.commit([step])).collect::<Checked<_>>()?;
    let answers = trial.race(stores, &commits, how)?;
    let winner = one_winner(&answers, |error| matches!(error, CommitError::Taken { .. }))?;
    for (position, step) in steps.iter().enumerate() {
        if position == winner {
            trial.is_kept(step)?;
            continue;
        }
        let found = trial.load(step.record_id())?.map(|record| record.revision());
        ensure!(found < Some(step.revision()), "what lost is there: {} at {found:?}", step.id());
    }
    Ok(winner)
}

/// The entry for a client's name.
pub(super) fn name_of(step: &Step) -> Checked<IndexEntry> {
    let name = step.index().name.clone().ok_or_else(|| Stop::unprepared(&"a client with a name"))?;
    Ok(IndexEntry::Name(name.0, name.1))
}
