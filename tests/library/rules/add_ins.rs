//! Rules 1, 2, 14 and 15, as far as one or two clients can tell: add-ins, availability, moving, sellers apart.

use client_registry::client::{Client, ClientState, ConfirmError, Decision, ImportedClient, LastUses, Move};
use client_registry::event::Fact;
use client_registry::{AddIn, Availability, ClientSecret, Days, Event, Refusal, Rotation};
use proptest::prelude::*;

use crate::rules::history::{history, pick};
use crate::rules::world::World;
use crate::support::{
    Desk, Seeded, add_in, changed, client_id, contoso, days_later, details, foreign, into_client,
    is_unchanged, lasting_days, later, secret_id, start, validity,
};

proptest! {
    /// "Doing it again with the same one changes nothing"; ending an association that is not there neither. The
    /// add-ins are a set.
    #[test]
    fn rule_01_associating_is_idempotent(numbers in prop::collection::vec((0usize..12, any::<bool>()), 1..40)) {
        let (mut client, desk) = client("calendar-app", Availability::Worldwide);
        let mut expected = std::collections::BTreeSet::new();
        for (number, comes) in numbers {
            let add_in = add_in(number);
            let news = comes != expected.contains(add_in.id());
            let transition = match comes {
                true => client.associate(&add_in, &desk.at(start())).unwrap(),
                false => client.dissociate(add_in.id(), &desk.at(start())).unwrap(),
            };
            prop_assert_eq!(!is_unchanged(&transition), news);
            if comes { expected.insert(add_in.id().clone()); } else { expected.remove(add_in.id()); }
            if news {
                client = into_client(transition);
            }
            prop_assert!(client.add_ins().iter().eq(&expected));
        }
    }

    /// "It is given when they are made and never changes": no history moves it.
    #[test]
    fn rule_02_availability_never_changes(steps in history(14)) {
        let mut world = World::new();
        for step in &steps {
            let outcome = world.step(step);
            prop_assert_eq!(outcome.after.availability(), Availability::Worldwide);
        }
    }

    /// "A seller sees and touches only its own client IDs; others answer as if they did not exist": to every command,
    /// in every state, at every instant, and nothing changes.
    #[test]
    fn rule_15_to_a_stranger_there_is_no_such_client(
        steps in history(8),
        pick in pick(),
        skew in prop_oneof![Just(0i64), Just(-3_600_000), Just(86_400_000)],
    ) {
        let world = World::after(&steps);
        let (client, secret) = (&world.client, world.pick(pick));
        let stranger = Desk::stranger();
        let now = later(world.now, skew);
        let before = format!("{client:?}");
        for (command, refusal) in answers(client, secret, &world, &stranger, now) {
            prop_assert_eq!(refusal, Some(Refusal::UnknownClient), "{}", command);
        }
        prop_assert_eq!(format!("{client:?}"), before);
    }

    /// "One commit: at no instant does the add-in have none or two", and both clients change at one instant, no earlier
    /// than the last change of either.
    #[test]
    fn rule_14_moving_takes_one_commit(ahead in 0i64..60_000, behind in 0i64..60_000, number in 0usize..3) {
        let (from, desk) = serving("calendar-app", 3);
        let (to, _) = client("mail-app", Availability::Worldwide);
        let to = into_client(to.associate(&add_in(9), &desk.at(later(start(), ahead))).unwrap());
        let moved = add_in(number);
        let clock = later(start(), ahead - behind);
        let result = from.move_add_in(&to, moved.id(), &desk.at(clock)).unwrap();
        let Move::Changed { from: left, to: come } = result else { panic!("it was elsewhere") };
        let (left, come) = (left.into_parts(), come.into_parts());
        let (one, other) = (active(&left.0), active(&come.0));
        prop_assert!(!one.add_ins().contains(moved.id()) && other.add_ins().contains(moved.id()));
        prop_assert_eq!((one.add_ins().len(), other.add_ins().len()), (2, 2));
        prop_assert_eq!(left.1[0].at(), come.1[0].at());
        prop_assert!(left.1[0].at() >= from.changed_at().max(to.changed_at()));
        prop_assert_eq!(one.changed_at(), other.changed_at());
        let moved_out = Fact::AddInMovedOut { add_in: moved.id().clone(), to: to.id().clone() };
        let moved_in = Fact::AddInMovedIn { add_in: moved.id().clone(), from: from.id().clone() };
        prop_assert_eq!(facts(&left.1), [moved_out]);
        prop_assert_eq!(facts(&come.1), [moved_in]);
        let again = one.move_add_in(other, moved.id(), &desk.at(clock)).unwrap();
        prop_assert!(matches!(again, Move::Unchanged));
    }
}

/// "A client serves up to 256 add-ins", by any way that they come.
#[test]
fn rule_01_a_client_serves_up_to_256() {
    let (full, desk) = serving("calendar-app", 256);
    assert_eq!(full.add_ins().len(), 256);
    let refusal = full.associate(&add_in(256), &desk.at(start())).unwrap_err();
    assert_eq!(refusal, Refusal::TooManyAddIns { limit: 256 });
    assert!(is_unchanged(&full.associate(&add_in(17), &desk.at(start())).unwrap()));
    let (other, _) = serving("mail-app", 1);
    let other = into_client(other.associate(&add_in(300), &desk.at(start())).unwrap());
    let refusal = other.move_add_in(&full, add_in(300).id(), &desk.at(start())).unwrap_err();
    assert_eq!(refusal, Refusal::TooManyAddIns { limit: 256 });
    assert!(matches!(other.move_add_in(&full, add_in(0).id(), &desk.at(start())), Ok(Move::Unchanged)));

    let blank = || {
        ImportedClient::new(
            client_id("contacts-app"),
            contoso(),
            details("calendar app"),
            Availability::Worldwide,
        )
    };
    let with = |count| (0..count).map(add_in).fold(blank(), ImportedClient::with_add_in);
    let operator = Desk::operator();
    let imported = Client::import(&with(256).with_add_in(add_in(3)), &operator.at(start()));
    assert_eq!(into_client(imported.unwrap()).add_ins().len(), 256);
    let refusal = Client::import(&with(257), &operator.at(start())).unwrap_err();
    assert_eq!(refusal, Refusal::TooManyAddIns { limit: 256 });
}

/// "An add-in and its client ID have the same `Availability`", by any way that they come together.
#[test]
fn rule_02_china_stays_apart() {
    use Availability::{ChinaOnly, Worldwide};
    for (of_client, of_add_in) in [(Worldwide, ChinaOnly), (ChinaOnly, Worldwide)] {
        let (client, desk) = client("calendar-app", of_client);
        let foreign = AddIn::new("calendar", of_add_in).unwrap();
        let own = AddIn::new("calendar", of_client).unwrap();
        let differs = Refusal::AvailabilityDiffers { add_in: of_add_in, client: of_client };
        assert_eq!(client.associate(&foreign, &desk.at(start())).unwrap_err(), differs);
        assert!(client.associate(&own, &desk.at(start())).is_ok());

        let (other, _) = crate::rules::add_ins::client("mail-app", of_add_in);
        let other = into_client(other.associate(&foreign, &desk.at(start())).unwrap());
        assert_eq!(other.move_add_in(&client, foreign.id(), &desk.at(start())).unwrap_err(), differs);

        let imported =
            ImportedClient::new(client_id("contacts-app"), contoso(), details("calendar app"), of_client);
        let operator = Desk::operator();
        let refusal = Client::import(&imported.with_add_in(foreign), &operator.at(start())).unwrap_err();
        assert_eq!(refusal, differs);
    }
}

/// "Same seller, same availability, a valid secret at that instant", and it has to be there.
#[test]
fn rule_14_where_an_add_in_moves_to() {
    let (from, desk) = serving("calendar-app", 1);
    let (to, _) = client("mail-app", Availability::Worldwide);
    let moved = add_in(0);
    let end = days_later(start(), 90);
    let to_at = |now| from.move_add_in(&to, moved.id(), &desk.at(now));
    assert!(to_at(later(end, -1)).is_ok());
    assert_eq!(to_at(end).unwrap_err(), Refusal::NoValidSecret);
    let stray = add_in(5);
    let refusal = from.move_add_in(&to, stray.id(), &desk.at(start())).unwrap_err();
    assert_eq!(refusal, Refusal::NotAssociated { add_in: stray.id().clone() });

    let stranger = Desk::stranger();
    let SellersClient(theirs) = SellersClient::of(&stranger);
    assert_eq!(from.move_add_in(&theirs, moved.id(), &desk.at(start())).unwrap_err(), Refusal::UnknownClient);
    assert_eq!(theirs.move_add_in(&from, moved.id(), &desk.at(start())).unwrap_err(), Refusal::UnknownClient);
    let operator = Desk::operator();
    assert_eq!(
        from.move_add_in(&theirs, moved.id(), &operator.at(start())).unwrap_err(),
        Refusal::OtherOwner
    );
}

/// A plan for a seller's own client ID says nothing about another seller's either.
#[test]
fn rule_15_a_plan_of_ones_own_finds_nothing_elsewhere() {
    let (ours, _) = client("calendar-app", Availability::Worldwide);
    let (stranger, uses) = (Desk::stranger(), LastUses::default());
    let SellersClient(theirs) = SellersClient::of(&stranger);
    let plan = theirs.plan_deletion(secret_id(1), &uses, &stranger.at(start())).unwrap();
    let refused = ours.confirm(&plan, &uses, &stranger.at(start())).unwrap_err();
    assert_eq!(refused, ConfirmError::Failed(Refusal::UnknownClient));
}

/// An operator may act on every client ID.
#[test]
fn rule_15_an_operator_may_act_for_every_seller() {
    let (client, _) = client("calendar-app", Availability::Worldwide);
    let operator = Desk::operator();
    let (state, events) = changed(client.associate(&add_in(1), &operator.at(start())).unwrap());
    assert_eq!(events[0].actor(), &operator.actor);
    assert_eq!(state.owner(), &contoso());
}

/// What each command answers.
fn answers(
    client: &Client,
    secret: client_registry::SecretId,
    world: &World,
    stranger: &Desk,
    now: client_registry::Timestamp,
) -> Vec<(&'static str, Option<Refusal>)> {
    let (entropy, uses, context) = (Seeded::new(15), &world.uses, stranger.at(now));
    let new = lasting_days(3);
    let text = entropy.client_secret();
    let known = foreign(1, validity(start(), days_later(start(), 9)));
    let again =
        ImportedClient::new(client.id().clone(), contoso(), details("calendar app"), client.availability());
    let (other, _) = crate::rules::add_ins::client("mail-app", Availability::Worldwide);
    let add_in = add_in(1);
    let owner = world.desk.at(world.now);
    let deletion = client.plan_deletion(secret, uses, &owner).ok();
    let disabling = client.plan_disabling(secret, uses, &owner).ok();
    let ending = client.plan_client_deletion(uses, &owner).unwrap();
    let mut answers = vec![
        ("add", client.add_secret(&new, &text, &context).err()),
        ("enable", client.enable(secret, &context).err()),
        ("promote", client.promote(secret, &context).err()),
        ("schedule", client.schedule_promotion(secret, now, &context).err()),
        ("withdraw", client.withdraw_promotion(secret, &context).err()),
        (
            "rotate",
            client.rotate(&Rotation::overlap(Days::new(3)), &text, &LastUses::default(), &context).err(),
        ),
        ("import", client.import_secret(&known, &context).err()),
        ("import again", client.import_again(&again, &context).err()),
        ("emergency", client.delete_in_emergency(secret, Some((&new, &text)), &context).err()),
        ("mark compromised", client.mark_compromised(secret, &context).err()),
        ("associate", client.associate(&add_in, &context).err()),
        ("dissociate", client.dissociate(add_in.id(), &context).err()),
        ("move out", client.move_add_in(&other, add_in.id(), &context).err()),
        ("move in", other.move_add_in(client, add_in.id(), &context).err()),
        ("change details", client.change_details(details("mine"), &context).err()),
        ("plan deletion", client.plan_deletion(secret, uses, &context).err()),
        ("plan disabling", client.plan_disabling(secret, uses, &context).err()),
        ("plan client deletion", client.plan_client_deletion(uses, &context).err()),
        ("confirm client deletion", client.confirm(&ending, uses, &context).err().and_then(refusal)),
    ];
    if let Some(plan) = deletion {
        answers.push(("confirm deletion", client.confirm(&plan, uses, &context).err().and_then(refusal)));
    }
    if let Some(plan) = disabling {
        let refused = client.confirm(&plan, uses, &context).err();
        answers.push(("confirm disabling", refused.and_then(refusal)));
    }
    answers
}

/// The rule that stands against a plan, rather than an obstacle or a change.
fn refusal<C>(unconfirmed: ConfirmError<C>) -> Option<Refusal> {
    match unconfirmed {
        ConfirmError::Failed(refusal) => Some(refusal),
        _ => None,
    }
}

/// A client of another seller.
struct SellersClient(Client);

impl SellersClient {
    fn of(desk: &Desk) -> Self {
        let client_registry::value::Actor::Seller(owner) = &desk.actor else { panic!("a seller") };
        let text = Seeded::new(16).client_secret();
        let (id, first) = (client_id("their-app"), lasting_days(90));
        let registered = Client::register(
            id,
            owner.clone(),
            details("calendar app"),
            Availability::Worldwide,
            &first,
            &text,
            &desk.at(start()),
        );
        Self(into_client(registered.unwrap()))
    }
}

fn client(id: &str, availability: Availability) -> (Client, Desk) {
    let (text, desk): (ClientSecret, _) = (Seeded::new(1).client_secret(), Desk::owner());
    let first = lasting_days(90);
    let registered: Result<Decision, _> = Client::register(
        client_id(id),
        contoso(),
        details("calendar app"),
        availability,
        &first,
        &text,
        &desk.at(start()),
    );
    (into_client(registered.unwrap()), desk)
}

/// A client that serves the add-ins with the first numbers.
fn serving(id: &str, count: usize) -> (Client, Desk) {
    let (mut client, desk) = client(id, Availability::Worldwide);
    for number in 0..count {
        client = into_client(client.associate(&add_in(number), &desk.at(start())).unwrap());
    }
    (client, desk)
}

fn active(state: &ClientState) -> &Client {
    state.active().expect("the client is there")
}

fn facts(events: &[Event]) -> Vec<Fact> {
    events.iter().map(|event| event.fact().clone()).collect()
}
