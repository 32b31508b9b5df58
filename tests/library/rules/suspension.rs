//! Rule 20: while a client is suspended nothing of it works, and all else goes on.

use client_registry::client::{Client, CommandContext, LastUses, Move};
use client_registry::event::Fact;
use client_registry::value::Actor;
use client_registry::{Reason, Refusal, Secret};
use proptest::prelude::*;

use crate::rules::history::{history, pick};
use crate::rules::world::{World, probes};
use crate::support::{
    Desk, Seeded, add_in, client_id, contoso, details, into_client, is_unchanged, lasting_days, one_secret,
    start, two_secrets,
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    /// "While it is suspended nothing of it authenticates, signs or verifies. The log's reason is *suspended* only where the secret
    /// would have passed; presenting a valid one counts as use." Once it is resumed, it is as it was.
    #[test]
    fn rule_20_nothing_of_a_suspended_client_works(steps in history(10), by_operator in any::<bool>()) {
        let world = World::after(&steps);
        let (client, desk) = (&*world.client, if by_operator { Desk::operator() } else { Desk::owner() });
        let suspended = into_client(client.suspend(&desk.at(world.now)).unwrap());
        let resumed = into_client(suspended.resume(&desk.at(world.now)).unwrap());
        prop_assert!(resumed.suspension().is_none() && client.suspension().is_none());
        for t in probes(client, world.now) {
            prop_assert!(suspended.sign(b"message", t).is_none() && suspended.sign_all(b"message", t).is_empty());
            for signature in client.sign_all(b"message", t) {
                let denials = [
                    suspended.verify(&signature, b"message", t).unwrap_err(),
                    suspended.verify_any(signature.mac(), b"message", t).unwrap_err(),
                ];
                for denial in denials {
                    prop_assert_eq!((denial.reason(), denial.is_use()), (Reason::Suspended, false));
                }
                let forged = |client: &Client| client.verify(&signature, b"another", t).unwrap_err();
                prop_assert_eq!(forged(&suspended), forged(client));
                let forged = |client: &Client| client.verify_any(&[7; 32], b"message", t).unwrap_err();
                prop_assert_eq!(forged(&suspended), forged(client));
                prop_assert!(resumed.verify(&signature, b"message", t).is_ok());
            }
            for (id, text) in &world.texts {
                let found = |client: &Client| {
                    let found = client.authenticate(text, &world.desk.policy, t);
                    found.map(Secret::id).map_err(|denial| (denial.reason(), denial.secret_id(), denial.is_use()))
                };
                let expected = match found(client) {
                    Ok(_) => Err((Reason::Suspended, Some(*id), true)),
                    denied => denied,
                };
                prop_assert_eq!(found(&suspended), expected);
                prop_assert_eq!(found(&resumed), found(client));
                prop_assert!(!suspended.is_alive(*id, t));
                prop_assert_eq!(client.is_alive(*id, t), found(client).is_ok());
            }
        }
    }

    /// "Everything else goes on: rules 4 and 6, plans and the timeline ignore it." A command does the same, and leaves it suspended.
    #[test]
    fn rule_20_everything_else_goes_on(steps in history(8), after in history(6), pick in pick()) {
        let mut spared = World::after(&steps);
        let mut suspended = World::after(&steps);
        let context = suspended.desk.at(suspended.now);
        suspended.client = std::rc::Rc::new(into_client(suspended.client.suspend(&context).unwrap()));
        for step in &after {
            let (one, other) = (spared.step(step), suspended.step(step));
            let told = |outcome: &crate::rules::world::Outcome| {
                let events = outcome.result.as_ref().map(|events| {
                    events.iter().map(|event| (event.fact().clone(), event.signing())).collect::<Vec<_>>()
                });
                format!("{events:?}")
            };
            prop_assert_eq!(told(&one), told(&other));
            prop_assert!(other.after.suspension().is_some());
        }
        let timelines = [&spared, &suspended].map(|world| world.client.timeline());
        for t in probes(&spared.client, spared.now) {
            prop_assert_eq!(spared.client.signing_at(t), suspended.client.signing_at(t));
            let [one, other] = timelines.each_ref().map(|timeline| timeline.at(t).unwrap());
            prop_assert_eq!((one.signing(), one.passwords()), (other.signing(), other.passwords()));
        }
        let (id, context) = (spared.pick(pick), spared.desk.at(spared.now));
        let plan = |world: &World| {
            let plan = world.client.plan_deletion(id, &world.uses, &context);
            plan.map(|plan| (plan.signs_next(), plan.valid_left().to_vec(), plan.obstacles().to_vec()))
        };
        prop_assert_eq!(plan(&spared), plan(&suspended));
    }
}

/// "By its seller or by an operator; an operator's suspension takes the place of a seller's, and only an operator lifts it."
#[test]
fn rule_20_an_operators_suspension_is_lifted_by_operators_alone() {
    let (client, owner) = one_secret();
    let (ann, stranger) = (Desk::operator(), Desk::stranger());
    let by = |client: &Client| client.suspension().map(|suspension| suspension.by().clone());
    for forbidden in [client.suspend(&stranger.at(start())), client.resume(&stranger.at(start()))] {
        assert_eq!(forbidden.err(), Some(Refusal::UnknownClient));
    }
    assert!(is_unchanged(&client.resume(&owner.at(start())).unwrap()));
    let by_seller = client.suspend(&owner.at(start())).unwrap().change().unwrap();
    assert_eq!(by_seller.events()[0].fact(), &Fact::ClientSuspended {});
    let by_seller = into_client(client_registry::client::Decision::Changed(by_seller));
    assert_eq!(by(&by_seller), Some(Actor::Seller(contoso())));
    assert_eq!(by_seller.suspension().unwrap().since(), start());
    assert!(is_unchanged(&by_seller.suspend(&owner.at(start())).unwrap()), "twice is once");
    for lifts in [&owner, &ann] {
        assert!(into_client(by_seller.resume(&lifts.at(start())).unwrap()).suspension().is_none());
    }

    let by_operator = into_client(by_seller.suspend(&ann.at(start())).unwrap());
    assert_eq!(by(&by_operator), Some(ann.actor.clone()));
    for again in [&owner, &ann] {
        assert!(is_unchanged(&by_operator.suspend(&again.at(start())).unwrap()));
    }
    let refused = by_operator.resume(&owner.at(start())).err();
    assert_eq!(refused, Some(Refusal::SuspendedByOperator { since: start() }));
    let resumed = into_client(by_operator.resume(&ann.at(start())).unwrap());
    assert!(resumed.suspension().is_none());
}

/// "A compromised one alarms as ever": also while the client is suspended.
#[test]
fn rule_20_a_compromised_secret_is_recognised_while_suspended() {
    let (client, desk) = two_secrets();
    let text = Seeded::new(9).client_secret();
    let context: CommandContext<'_> = desk.at(start());
    let suspended = into_client(client.suspend(&context).unwrap());
    let reason =
        |client: &Client| client.authenticate(text.expose(), &desk.policy, start()).unwrap_err().reason();
    assert_eq!(reason(&suspended), Reason::Suspended);
    let (deleted, _) = suspended.delete_in_emergency(crate::support::secret_id(2), None, &context).unwrap();
    assert_eq!(reason(&into_client(deleted)), Reason::Compromised);
}

/// "No add-in is moved to a suspended client"; from one it can be moved, which is what a seller does then.
#[test]
fn rule_20_no_add_in_moves_to_a_suspended_client() {
    let (client, desk) = one_secret();
    let context = desk.at(start());
    let from = into_client(client.associate(&add_in(1), &context).unwrap());
    let other = Client::register(
        client_id("another-app"),
        contoso(),
        details("another app"),
        client_registry::Availability::Worldwide,
        &lasting_days(9),
        &Seeded::new(5).client_secret(),
        &context,
    );
    let other = into_client(other.unwrap());
    let suspend = |client: &Client| into_client(client.suspend(&context).unwrap());
    let moved = |from: &Client, to: &Client| from.move_add_in(to, add_in(1).id(), &context);
    assert!(matches!(moved(&from, &other), Ok(Move::Changed { .. })));
    assert!(matches!(moved(&suspend(&from), &other), Ok(Move::Changed { .. })));
    assert_eq!(moved(&from, &suspend(&other)).err(), Some(Refusal::Suspended));
    let uses = LastUses::default();
    assert!(suspend(&from).plan_client_deletion(&uses, &context).is_ok());
}
