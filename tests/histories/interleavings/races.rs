//! The races, one per pair of commands that the rules have something to say about.

use std::cell::Cell;
use std::rc::Rc;

use client_registry::client::{ImportedClient, ImportedSecret, Revocation};
use client_registry::registry::ConfirmError;
use client_registry::secret::KeyEncoding;
use client_registry::*;
use pollster::block_on;

use crate::interleavings::gates::{Gated, Gates};
use crate::interleavings::race::{Race, in_every_order};
use crate::interleavings::world::{World, add_in, ensure, in_words, one_more, secret};
use crate::support::details;

type Handle = Rc<ClientHandle<Gated>>;

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

async fn add(client: Handle) -> String {
    in_words(client.add_secret(one_more()).await)
}

async fn delete_in_emergency(client: Handle, id: u32, replacement: Option<NewSecret>) -> String {
    in_words(client.delete_in_emergency(secret(id), replacement).await)
}

async fn rotate(client: Handle) -> String {
    in_words(client.rotate(Rotation::overlap(Days::new(30))).await)
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

fn with_secrets(client: Handle, count: usize) -> Handle {
    for _ in 1..count {
        drop(block_on(client.add_secret(one_more())).unwrap());
    }
    client
}

fn moved_in() -> ImportedSecret {
    let text = ClientSecret::parse("an imported client secret, 1").unwrap();
    let from: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let validity = Lifetime::OneYear.starting(from).unwrap();
    ImportedSecret::new(text, validity, KeyEncoding::Utf8)
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

fn add_in_has_a_client(world: &World, _: &[String]) -> Result<(), String> {
    let found = block_on(world.operator().client_of(add_in("add-in-1").id())).unwrap();
    ensure(found.is_some(), "rule 1: the add-in has no client")
}

fn name_is_found(world: &World, _: &[String]) -> Result<(), String> {
    let found = block_on(world.seller("contoso").client_named("calendar app")).unwrap();
    ensure(found.is_some(), "rule 15: nobody has the name")
}
