//! Races over the secrets of one client: the cap, who signs, and what is deleted, rotated or compromised meanwhile.

use std::cell::Cell;
use std::rc::Rc;

use client_registry::client::Revocation;
use client_registry::registry::ConfirmError;
use client_registry::*;
use pollster::block_on;

use super::{Handle, add, moved_in};
use crate::interleavings::gates::Gates;
use crate::interleavings::race::{Race, in_every_order};
use crate::interleavings::world::{World, ensure, in_words, one_more, secret};
use crate::support::details;

#[test]
fn rule_03_two_adds_at_the_cap() {
    in_every_order("two adds at the cap", |world| {
        let client = with_secrets(world.client("calendar"), 4);
        Race::of(add(client.clone()))
            .against(add(client.clone()))
            .answers(1, "Issued")
            .answers(1, "TooManySecrets { limit: 5 }")
            .leaves(has_secrets(&client, 5))
    });
}

#[test]
fn rule_03_three_adds_where_two_have_room() {
    in_every_order("three adds where two have room", |world| {
        let client = with_secrets(world.client("calendar"), 3);
        Race::of(add(client.clone()))
            .against(add(client.clone()))
            .against(add(client.clone()))
            .answers(2, "Issued")
            .answers(1, "TooManySecrets { limit: 5 }")
            .leaves(has_secrets(&client, 5))
    });
}

#[test]
fn rule_03_an_add_and_an_import_at_the_cap() {
    in_every_order("an add and an import at the cap", |world| {
        let client = with_secrets(world.client("calendar"), 4);
        let importing = client.clone();
        Race::of(add(client.clone()))
            .against(async move { in_words(importing.import_secret(moved_in()).await) })
            .answers(1, "TooManySecrets { limit: 5 }")
            .leaves(has_secrets(&client, 5))
    });
}

#[test]
fn rule_09_deleting_a_secret_while_it_is_promoted() {
    in_every_order("deletion against promotion", |world| {
        let client = with_secrets(world.client("calendar"), 2);
        let promoting = client.clone();
        Race::of(delete_once(client.clone(), 2, &world.gates))
            .against(async move { in_words(promoting.promote(secret(2)).await) })
            .leaves(something_signs(&client))
    });
}

#[test]
fn rule_09_deleting_the_last_two_secrets() {
    in_every_order("two deletions of the last two secrets", |world| {
        let client = with_secrets(world.client("calendar"), 2);
        Race::of(delete(client.clone(), 1, &world.gates))
            .against(delete(client.clone(), 2, &world.gates))
            .answers(1, "Changed")
            .answers(1, "LastValid")
            .leaves(has_secrets(&client, 1))
            .leaves(something_signs(&client))
    });
}

#[test]
fn rule_09_deleting_one_and_disabling_the_other_of_the_last_two() {
    in_every_order("deletion against disabling of the last two secrets", |world| {
        let client = with_secrets(world.client("calendar"), 2);
        Race::of(delete(client.clone(), 1, &world.gates))
            .against(disable(client.clone(), 2, &world.gates))
            .answers(1, "Changed")
            .answers(1, "LastValid")
            .leaves(something_signs(&client))
    });
}

#[test]
fn rule_09_an_emergency_deletion_and_adds_at_the_cap() {
    in_every_order("emergency deletion against two adds at the cap", |world| {
        let client = with_secrets(world.client("calendar"), 5);
        Race::of(delete_in_emergency(client.clone(), 1, None))
            .against(add(client.clone()))
            .against(add(client.clone()))
            .leaves(is_gone(&client, 1))
    });
}

#[test]
fn rule_09_an_emergency_deletion_with_replacement_and_an_add() {
    in_every_order("emergency deletion with replacement against an add", |world| {
        let client = with_secrets(world.client("calendar"), 4);
        Race::of(delete_in_emergency(client.clone(), 1, Some(one_more())))
            .against(add(client.clone()))
            .answers(1, "Replaced")
            .leaves(is_gone(&client, 1))
            .leaves(has_secrets(&client, 5))
    });
}

#[test]
fn rule_09_two_emergency_deletions_with_replacements_at_the_cap() {
    in_every_order("two emergency deletions with replacements at the cap", |world| {
        let client = with_secrets(world.client("calendar"), 5);
        Race::of(delete_in_emergency(client.clone(), 1, Some(one_more())))
            .against(delete_in_emergency(client.clone(), 2, Some(one_more())))
            .answers(2, "Replaced")
            .leaves(is_gone(&client, 1))
            .leaves(is_gone(&client, 2))
            .leaves(has_secrets(&client, 5))
    });
}

#[test]
fn rule_09_an_emergency_deletion_and_a_calm_one_of_the_other_secret() {
    in_every_order("emergency deletion against a calm one of the other secret", |world| {
        let client = with_secrets(world.client("calendar"), 2);
        Race::of(delete(client.clone(), 2, &world.gates))
            .against(delete_in_emergency(client.clone(), 1, None))
            .leaves(is_gone(&client, 1))
    });
}

#[test]
fn rule_11_two_rotations_at_once() {
    in_every_order("two rotations at once", |world| {
        let client = world.client("calendar");
        Race::of(rotate(client.clone()))
            .against(rotate(client.clone()))
            .answers(1, "Issued")
            .answers(1, "RotationUnderway")
            .leaves(has_secrets(&client, 2))
    });
}

#[test]
fn rule_11_a_rotation_and_a_promotion_of_the_replaced_secret() {
    in_every_order("a rotation against a promotion of the replaced secret", |world| {
        let client = with_secrets(world.client("calendar"), 2);
        let promoting = client.clone();
        let soon = world.snapshot(client.id()).unwrap().at().saturating_add(Days::new(1).into());
        Race::of(rotate(client.clone()))
            .against(async move { in_words(promoting.schedule_promotion(secret(2), soon).await) })
            .leaves(something_signs(&client))
    });
}

#[test]
fn rule_10_marking_a_secret_compromised_twice() {
    in_every_order("marking a secret compromised twice", |world| {
        let client = with_secrets(world.client("calendar"), 2);
        let plan = block_on(client.plan_deletion(secret(1))).unwrap();
        block_on(client.confirm(plan)).unwrap();
        let mark = |client: Handle| async move { in_words(client.mark_compromised(secret(1)).await) };
        Race::of(mark(client.clone())).against(mark(client)).answers(1, "Changed").answers(1, "Unchanged")
    });
}

/// A third party that changes the same client makes the deletion go round again; however that falls, nobody gets in
/// with a call that began after the deletion was acknowledged.
#[test]
fn rule_05_authenticating_during_a_deletion() {
    in_every_order("authenticating during a deletion", |world| {
        let (client, first) = world.client_of("contoso", "calendar");
        let client = with_secrets(client, 2);
        let presented = (first.client_id().to_string(), first.client_secret().expose().to_owned());
        let (registry, gates) = (world.registry.clone(), world.gates.clone());
        let acknowledged = Rc::new(Cell::new(false));
        let is_deleted = Rc::clone(&acknowledged);
        let deleting = delete(client.clone(), 1, &world.gates);
        let presenting = async move {
            let mut answers = Vec::new();
            for _ in 0..2 {
                gates.between_calls().await;
                let was_deleted = is_deleted.get();
                let answer = registry.authenticate(&presented.0, &presented.1).await;
                answers.push(match answer {
                    Ok(_) if was_deleted => "let in after the deletion",
                    Ok(_) => "let in",
                    Err(_) => "denied",
                });
            }
            answers.join(", ")
        };
        Race::of(async move {
            let answer = deleting.await;
            acknowledged.set(answer == "Changed");
            answer
        })
        .against(presenting)
        .against(async move { in_words(client.change_details(details("diary")).await) })
        .answers(0, "let in after")
        .answers(0, "denied, let in")
    });
}

async fn delete_in_emergency(client: Handle, id: u32, replacement: Option<NewSecret>) -> String {
    in_words(client.delete_in_emergency(secret(id), replacement).await)
}

async fn rotate(client: Handle) -> String {
    in_words(client.rotate(Rotation::overlap(Days::new(30))).await)
}

/// Plans, then confirms, once.
fn delete_once(client: Handle, id: u32, gates: &Gates) -> impl Future<Output = String> + use<> {
    let gates = gates.clone();
    async move {
        let plan = match client.plan_deletion(secret(id)).await {
            Ok(plan) => plan,
            Err(error) => return format!("{error:?}"),
        };
        gates.between_calls().await;
        in_words(client.confirm(plan).await)
    }
}

/// Plans, then confirms; where the client has changed, the new plan.
fn delete(client: Handle, id: u32, gates: &Gates) -> impl Future<Output = String> + use<> {
    let gates = gates.clone();
    async move {
        let mut plan = match client.plan_deletion(secret(id)).await {
            Ok(plan) => plan,
            Err(error) => return format!("{error:?}"),
        };
        loop {
            gates.between_calls().await;
            match client.confirm(plan).await {
                Err(ConfirmError::Changed(now)) => plan = *now,
                answer => return in_words(answer),
            }
        }
    }
}

fn disable(client: Handle, id: u32, gates: &Gates) -> impl Future<Output = String> + use<> {
    let gates = gates.clone();
    async move {
        let mut plan = match client.plan_disabling(secret(id)).await {
            Ok(plan) => plan,
            Err(error) => return format!("{error:?}"),
        };
        loop {
            gates.between_calls().await;
            match client.confirm(plan).await {
                Err(ConfirmError::Changed(now)) => plan = *now,
                answer => return in_words(answer),
            }
        }
    }
}

fn with_secrets(client: Handle, count: usize) -> Handle {
    for _ in 1..count {
        drop(block_on(client.add_secret(one_more())).unwrap());
    }
    client
}

fn has_secrets(client: &Handle, count: usize) -> impl Fn(&World, &[String]) -> Result<(), String> + use<> {
    let id = client.id().clone();
    move |world, _| {
        let found = world.snapshot(&id).unwrap().client().secrets().len();
        ensure(found == count, &format!("{found} secrets instead of {count}"))
    }
}

fn something_signs(client: &Handle) -> impl Fn(&World, &[String]) -> Result<(), String> + use<> {
    let id = client.id().clone();
    move |world, _| {
        let signing = world.snapshot(&id).unwrap().signing().secret();
        ensure(signing.is_some(), "rule 9: nothing signs, though all deletions were calm")
    }
}

fn is_gone(client: &Handle, id: u32) -> impl Fn(&World, &[String]) -> Result<(), String> + use<> {
    let client_id = client.id().clone();
    move |world, _| {
        let found = world.snapshot(&client_id).unwrap();
        let dead = (secret(id), Revocation::Compromised);
        let is_dead = found.client().remembered().any(|remembered| remembered == dead);
        ensure(is_dead && found.client().secret(secret(id)).is_none(), "rule 9: the secret still lives")
    }
}
