//! Races over the life of a client: rotations that are called off, suspensions, transfers, and texts that leaked.

use std::cell::Cell;
use std::rc::Rc;

use client_registry::client::Revocation;
use client_registry::value::Actor;
use client_registry::*;
use pollster::block_on;

use super::{Handle, moved_in};
use crate::interleavings::race::{Race, in_every_order};
use crate::interleavings::world::{World, add_in, ensure, in_words, secret};
use crate::support::details;

/// The one takes back what the other makes final: never both, and never a half of each.
#[test]
fn rule_11_calling_off_a_rotation_while_it_is_closed() {
    in_every_order("calling a rotation off against closing it", |world| {
        let (client, ended) = rotated(world);
        let (calling, closing) = (client.clone(), client.clone());
        Race::of(async move { in_words(calling.call_off(secret(3)).await) })
            .against(async move { in_words(closing.close_early(secret(3)).await) })
            .answers(1, "Changed")
            .leaves(move |world, answers| {
                let found = world.snapshot(client.id()).unwrap();
                let old = found.client().secret(secret(2)).unwrap();
                let (until, came) = (old.validity().until(), found.client().secret(secret(3)));
                match answers[0] == "Changed" {
                    true => {
                        let is_back = until == Some(ended) && old.replaced_by().is_none() && came.is_none();
                        ensure(is_back, "rule 11: it was called off, and is not as it was")?;
                        ensure(answers[1].contains("UnknownSecret"), "rule 11: what is gone was closed")
                    }
                    false => {
                        let is_over = until == Some(found.at()) && came.is_some();
                        ensure(is_over, "rule 11: it was closed, and the old secret goes on")?;
                        ensure(answers[0].contains("NotUnderway"), "rule 11: what is over was called off")
                    }
                }
            })
    });
}

/// An end that was moved stays where it was moved to, whenever the rotation is called off.
#[test]
fn rule_21_calling_off_a_rotation_while_an_end_is_moved() {
    in_every_order("calling a rotation off against moving the end of a replaced secret", |world| {
        let (client, _) = rotated(world);
        let (calling, moving) = (client.clone(), client.clone());
        let soon = world.snapshot(client.id()).unwrap().at().saturating_add(Days::new(3).into());
        Race::of(async move { in_words(calling.call_off(secret(3)).await) })
            .against(async move { in_words(moving.move_end(secret(2), soon).await) })
            .answers(2, "Changed")
            .leaves(move |world, _| {
                let found = world.snapshot(client.id()).unwrap();
                let until = found.client().secret(secret(2)).and_then(|old| old.validity().until());
                ensure(until == Some(soon), "rule 21: the end that was moved was given back")
            })
    });
}

/// A third party changes the same client meanwhile; however that falls, nobody gets in with a call that began after the
/// suspension was acknowledged.
#[test]
fn rule_20_authenticating_during_a_suspension() {
    in_every_order("authenticating during a suspension", |world| {
        let (client, first) = world.client_of("contoso", "calendar");
        let presented = (first.client_id().to_string(), first.client_secret().expose().to_owned());
        let (registry, gates) = (world.registry.clone(), world.gates.clone());
        let acknowledged = Rc::new(Cell::new(false));
        let (is_suspended, suspending) = (Rc::clone(&acknowledged), client.clone());
        let presenting = async move {
            let mut answers = Vec::new();
            for _ in 0..2 {
                gates.between_calls().await;
                let was_suspended = is_suspended.get();
                let answer = registry.authenticate(&presented.0, &presented.1).await;
                answers.push(match answer {
                    Ok(_) if was_suspended => "let in after the suspension",
                    Ok(_) => "let in",
                    Err(AccessError::Denied(denied)) if denied.reason() == Reason::Suspended => "denied",
                    Err(error) => panic!("{error:?}"),
                });
            }
            answers.join(", ")
        };
        Race::of(async move {
            let answer = in_words(suspending.suspend().await);
            acknowledged.set(answer == "Changed");
            answer
        })
        .against(presenting)
        .against(async move { in_words(client.change_details(details("diary")).await) })
        .answers(0, "let in after")
        .answers(0, "denied, let in")
    });
}

/// In either order, the operator's suspension stands in the end.
#[test]
fn rule_20_a_seller_resumes_while_an_operator_suspends() {
    in_every_order("a seller resumes while an operator suspends", |world| {
        let client = world.client("calendar");
        block_on(client.suspend()).unwrap();
        let (operator, id) = (world.operator(), client.id().clone());
        Race::of(async move { in_words(operator.client(&id).suspend().await) })
            .against(resume(client.clone()))
            .against(resume(client.clone()))
            .leaves(move |world, answers| {
                ensure(answers[0] == "Changed", "rule 20: the operator did not suspend it")?;
                let found = world.snapshot(client.id()).unwrap();
                let by = found.client().suspension().map(|suspension| suspension.by().clone());
                ensure(
                    matches!(by, Some(Actor::Operator(_))),
                    "rule 20: an operator's suspension was lifted, or is a seller's",
                )
            })
    });
}

/// Either the add-in came first, or it stays where it is.
#[test]
fn rule_20_an_add_in_is_moved_to_a_client_that_is_suspended() {
    in_every_order("moving an add-in against suspending the target", |world| {
        let (from, to) = (world.client("calendar"), world.client("mail"));
        block_on(from.associate(&add_in("add-in-1"))).unwrap();
        let (target, suspending) = (to.id().clone(), to.clone());
        Race::of(async move { in_words(from.move_add_in(add_in("add-in-1").id(), &target).await) })
            .against(async move { in_words(suspending.suspend().await) })
            .leaves(move |world, answers| {
                ensure(answers[1] == "Changed", "rule 20: it was not suspended")?;
                let came = world.snapshot(to.id()).unwrap().client().add_ins().len() == 1;
                ensure(came == (answers[0] == "Changed"), "rule 20: the add-in is elsewhere")?;
                ensure(came != answers[0].contains("Suspended"), "rule 20: it was refused for something else")
            })
    });
}

/// An add-in comes with the client or is refused; it is never left with a seller that no longer has the client.
#[test]
fn rule_22_a_transfer_while_an_add_in_is_associated() {
    in_every_order("a transfer against associating an add-in", |world| {
        let client = world.client("calendar");
        Race::of(transfer(world, &client)).against(associate(client.clone())).answers(0, "AddInTaken").leaves(
            move |world, answers| {
                belongs_to_fabrikam(world, &client)?;
                let found = block_on(world.seller("fabrikam").client_of(add_in("add-in-1").id())).unwrap();
                let is_refused = answers[1].contains("UnknownClient");
                ensure(found.is_none() == is_refused, "rule 22: the add-in did not come along")?;
                let seen = block_on(world.seller("contoso").client_of(add_in("add-in-1").id())).unwrap();
                ensure(seen.is_none(), "rule 22: the old seller sees the add-in")
            },
        )
    });
}

/// A client moves to another seller while an add-in moves between it and another client of the old one: the add-in is with one
/// of the two.
#[test]
fn rule_22_a_transfer_while_an_add_in_is_moved() {
    in_every_order("a transfer against moving an add-in", |world| {
        let (from, to) = (world.client("calendar"), world.client("mail"));
        block_on(from.associate(&add_in("add-in-1"))).unwrap();
        let (leaving, target) = (from.clone(), to.id().clone());
        Race::of(transfer(world, &from))
            .against(async move { in_words(leaving.move_add_in(add_in("add-in-1").id(), &target).await) })
            .leaves(move |world, answers| {
                belongs_to_fabrikam(world, &from)?;
                let holder = block_on(world.operator().client_of(add_in("add-in-1").id())).unwrap();
                let holder = holder.map(|found| found.client().id().clone());
                let expected = if answers[1] == "Changed" { to.id() } else { from.id() };
                ensure(holder.as_ref() == Some(expected), "rule 14: the add-in is with another client")
            })
    });
}

/// Of a transfer and a registration of the same name with the new seller one is refused.
#[test]
fn rule_22_a_transfer_while_its_name_is_taken() {
    in_every_order("a transfer against a registration of its name", |world| {
        let (client, fabrikam) = (world.client("calendar app"), world.seller("fabrikam"));
        Race::of(transfer(world, &client))
            .against(
                async move { in_words(fabrikam.register(details("Calendar APP"), Lifetime::OneYear).await) },
            )
            .answers(1, "NameTaken")
            .leaves(|world, _| {
                let found = block_on(world.seller("fabrikam").client_named("calendar app")).unwrap();
                ensure(found.is_some(), "rule 15: nobody has the name")
            })
    });
}

/// What was found is dead in the end, whatever the rotation made of it meanwhile.
#[test]
fn rule_23_leaked_secrets_are_deleted_while_they_are_rotated() {
    in_every_order("leak intake against a rotation", |world| {
        let (client, first) = world.client_of("contoso", "calendar");
        let leaked = first.client_secret().expose().to_owned();
        let (operator, gates, rotating) = (world.operator(), world.gates.clone(), client.clone());
        Race::of(async move {
            let mut search = operator.find_leaked([&leaked]).unwrap();
            while search.next_page(1).await.unwrap() {}
            let found: Vec<_> = search.found().cloned().collect();
            gates.between_calls().await;
            let deleted = operator.delete_leaked(&found).await;
            deleted.into_iter().map(|(_, deleted)| in_words(deleted)).collect()
        })
        .against(async move { in_words(rotating.rotate(Rotation::overlap(Days::new(30))).await) })
        .answers(1, "Deleted")
        .answers(1, "Issued")
        .leaves(move |world, _| {
            let found = world.snapshot(client.id()).unwrap();
            let dead = (secret(1), Revocation::Compromised);
            let is_dead = found.client().remembered().any(|remembered| remembered == dead);
            ensure(is_dead, "rule 23: what leaked was found, and lives")?;
            let left: Vec<_> = found.client().valid_at(found.at()).map(Secret::id).collect();
            ensure(left == [secret(2)], "rule 11: the secret that came is not there")?;
            ensure(found.signing().secret() == Some(secret(2)), "rule 6: nothing signs")
        })
    });
}

/// A client with a secret of its own and one that was moved in, which a rotation has replaced; and the end that this one had.
fn rotated(world: &World) -> (Handle, Timestamp) {
    let client = world.client("calendar");
    block_on(client.import_secret(moved_in())).unwrap();
    let found = block_on(client.snapshot()).unwrap();
    let ended = found.client().secret(secret(2)).and_then(|old| old.validity().until()).unwrap();
    drop(block_on(client.rotate(Rotation::overlap(Days::new(30)).replacing([secret(2)]))).unwrap());
    (client, ended)
}

async fn resume(client: Handle) -> String {
    in_words(client.resume().await)
}

async fn associate(client: Handle) -> String {
    in_words(client.associate(&add_in("add-in-1")).await)
}

fn transfer(world: &World, client: &Handle) -> impl Future<Output = String> + use<> {
    let (operator, id) = (world.operator(), client.id().clone());
    async move { in_words(operator.client(&id).transfer(&SellerId::parse("fabrikam").unwrap()).await) }
}

fn belongs_to_fabrikam(world: &World, client: &Handle) -> Result<(), String> {
    let found = world.snapshot(client.id()).unwrap();
    ensure(found.client().owner().as_str() == "fabrikam", "rule 22: the client was not transferred")
}
