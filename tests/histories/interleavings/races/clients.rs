//! Races between clients: names, add-ins, client IDs, and clients that are deleted meanwhile.

use client_registry::client::ImportedClient;
use client_registry::registry::ConfirmError;
use client_registry::*;
use pollster::block_on;

use super::{Handle, add, moved_in};
use crate::interleavings::gates::Gates;
use crate::interleavings::race::{Race, in_every_order};
use crate::interleavings::world::{World, add_in, ensure, in_words};
use crate::support::details;

#[test]
fn rule_01_two_clients_take_one_add_in() {
    in_every_order("two clients of one seller take one add-in", |world| {
        let (one, other) = (world.client("calendar"), world.client("mail"));
        Race::of(associate(one))
            .against(associate(other))
            .answers(1, "Changed")
            .answers(1, "AddInTaken { add_in: AddInId(add-in-1), by: Some(")
            .leaves(add_in_has_a_client)
    });
}

#[test]
fn rule_15_clients_of_two_sellers_take_one_add_in() {
    in_every_order("clients of two sellers take one add-in", |world| {
        let (one, other) = (world.client("calendar"), world.client_of("fabrikam", "mail").0);
        Race::of(associate(one))
            .against(associate(other))
            .answers(1, "Changed")
            .answers(1, "AddInTaken { add_in: AddInId(add-in-1), by: None }")
            .leaves(add_in_has_a_client)
    });
}

#[test]
fn rule_15_two_registrations_of_one_name() {
    in_every_order("two registrations of one name", |world| {
        Race::of(register(world, "calendar app"))
            .against(register(world, "Calendar APP"))
            .answers(1, "Issued")
            .answers(1, "NameTaken")
            .leaves(name_is_found)
    });
}

#[test]
fn rule_15_a_registration_and_a_renaming_to_one_name() {
    in_every_order("a registration and a renaming to one name", |world| {
        let client = world.client("mail");
        Race::of(register(world, "calendar app"))
            .against(async move { in_words(client.change_details(details("CALENDAR app")).await) })
            .answers(1, "NameTaken")
            .leaves(name_is_found)
    });
}

#[test]
fn rule_15_two_that_take_a_name_while_it_is_given_up() {
    in_every_order("two that take a name while it is given up", |world| {
        let (giving, taking) = (world.client("calendar app"), world.client("mail"));
        Race::of(async move { in_words(giving.change_details(details("diary")).await) })
            .against(async move { in_words(taking.change_details(details("calendar app")).await) })
            .against(register(world, "calendar app"))
    });
}

#[test]
fn rule_14_moving_and_dissociating_an_add_in() {
    in_every_order("moving against dissociating an add-in", |world| {
        let (from, to) = (world.client("calendar"), world.client("mail"));
        block_on(from.associate(&add_in("add-in-1"))).unwrap();
        let leaving = from.clone();
        Race::of(move_add_in(from, &to))
            .against(async move { in_words(leaving.dissociate(add_in("add-in-1").id()).await) })
    });
}

#[test]
fn rule_14_moving_an_add_in_to_a_client_that_is_deleted() {
    in_every_order("moving an add-in against deletion of the target", |world| {
        let (from, to) = (world.client("calendar"), world.client("mail"));
        block_on(from.associate(&add_in("add-in-1"))).unwrap();
        let remaining = from.clone();
        Race::of(move_add_in(from, &to)).against(delete_client(to, &world.gates)).leaves(
            move |world, answers| {
                let stays = world.snapshot(remaining.id()).is_ok_and(|f| f.client().add_ins().len() == 1);
                let moved = answers[0] == "Changed";
                ensure(moved != stays, "rule 14: the add-in is with neither client, or with both")
            },
        )
    });
}

#[test]
fn rule_14_moving_an_add_in_to_two_clients() {
    in_every_order("moving an add-in to two clients", |world| {
        let (from, one, other) = (world.client("calendar"), world.client("mail"), world.client("diary"));
        block_on(from.associate(&add_in("add-in-1"))).unwrap();
        Race::of(move_add_in(from.clone(), &one))
            .against(move_add_in(from, &other))
            .answers(1, "Changed")
            .answers(1, "NotAssociated")
            .leaves(add_in_has_a_client)
    });
}

#[test]
fn rule_14_moving_an_add_in_there_and_back() {
    in_every_order("moving an add-in there and back", |world| {
        let (one, other) = (world.client("calendar"), world.client("mail"));
        block_on(one.associate(&add_in("add-in-1"))).unwrap();
        let renaming = one.clone();
        Race::of(move_add_in(one.clone(), &other))
            .against(move_add_in(other, &one))
            .against(async move { in_words(renaming.change_details(details("diary")).await) })
            .leaves(add_in_has_a_client)
    });
}

#[test]
fn rule_13_deleting_a_client_and_adding_a_secret() {
    in_every_order("deletion of a client against an add", |world| {
        let client = world.client("calendar");
        Race::of(delete_client(client.clone(), &world.gates)).against(add(client))
    });
}

#[test]
fn rule_13_deleting_a_client_and_taking_its_name() {
    in_every_order("deletion of a client against two registrations of its name", |world| {
        let client = world.client("calendar app");
        Race::of(delete_client(client, &world.gates))
            .against(register(world, "calendar app"))
            .against(register(world, "calendar app"))
    });
}

#[test]
fn rule_18_two_imports_of_one_client() {
    in_every_order("two imports of one client", |world| {
        Race::of(import(world)).against(import(world)).answers(1, "Changed").answers(1, "Unchanged")
    });
}

async fn associate(client: Handle) -> String {
    in_words(client.associate(&add_in("add-in-1")).await)
}

fn move_add_in(from: Handle, to: &Handle) -> impl Future<Output = String> + use<> {
    let to = to.id().clone();
    async move { in_words(from.move_add_in(add_in("add-in-1").id(), &to).await) }
}

fn register(world: &World, name: &'static str) -> impl Future<Output = String> + use<> {
    let seller = world.seller("contoso");
    async move { in_words(seller.register(details(name), Lifetime::OneYear).await) }
}

fn import(world: &World) -> impl Future<Output = String> + use<> {
    let operator = world.operator();
    async move {
        let owner = SellerId::parse("contoso").unwrap();
        let id = ClientId::parse("calendar-app").unwrap();
        let imported = ImportedClient::new(id, owner, details("calendar app"), Availability::Worldwide)
            .with_secret(moved_in())
            .with_add_in(add_in("add-in-1"));
        in_words(operator.import(imported).await)
    }
}

fn delete_client(client: Handle, gates: &Gates) -> impl Future<Output = String> + use<> {
    let gates = gates.clone();
    async move {
        let mut plan = match client.plan_client_deletion().await {
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

fn add_in_has_a_client(world: &World, _: &[String]) -> Result<(), String> {
    let found = block_on(world.operator().client_of(add_in("add-in-1").id())).unwrap();
    ensure(found.is_some(), "rule 1: the add-in has no client")
}

fn name_is_found(world: &World, _: &[String]) -> Result<(), String> {
    let found = block_on(world.seller("contoso").client_named("calendar app")).unwrap();
    ensure(found.is_some(), "rule 15: nobody has the name")
}
