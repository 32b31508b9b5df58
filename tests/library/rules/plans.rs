//! Rule 9: taking out of use, in calm and in an emergency.

mod emergency;

use client_registry::client::{Client, ConfirmError, LastUses, Obstacle, SecretDeletion};
use client_registry::value::Validity;
use client_registry::{ErrorKind, Plan, Refusal, Secret, SecretId, Timestamp};
use proptest::prelude::*;

use crate::rules::history::{history, pick, step, when};
use crate::rules::world::World;
use crate::support::{
    Desk, Seeded, client_id, days, days_later, details, foreign, into_client, lasting_days, later,
    one_secret, registered, secret_id, start, two_secrets, validity,
};

proptest! {
    /// The plan says who signs next, how many are left, when it was last used and what stands in the way, exactly as
    /// the text has it; confirming does just that, or is refused for just those obstacles.
    #[test]
    fn rule_09_a_deletion_does_what_its_plan_says(steps in history(14), pick in pick(), wait in when()) {
        let mut world = World::after(&steps);
        world.now = world.resolve(wait);
        let secret = world.pick(pick);
        let (client, uses, context) = (&world.client, &world.uses, world.desk.at(world.now));
        let plan = client.plan_deletion(secret, uses, &context);
        if client.secret(secret).is_none() {
            prop_assert_eq!(plan.unwrap_err(), Refusal::UnknownSecret { secret });
            return Ok(());
        }
        let plan = plan.unwrap();
        let last_used = last_used(&world, secret);
        let until = last_used.map(|used| used.saturating_add(days(7)));
        let recently = until.filter(|&until| world.now < until).map(|until| Obstacle::UsedRecently { until });
        let expected: Vec<_> = last_of_its_kind(&world, secret).into_iter().chain(recently).collect();
        prop_assert_eq!(plan.obstacles(), &expected[..]);
        prop_assert_eq!(plan.last_used(), last_used);
        prop_assert_eq!((plan.client_id(), plan.revision(), plan.at()), (client.id(), client.revision(), world.now));
        prop_assert_eq!((plan.secret(), plan.signs()), (secret, client.signing_at(world.now).secret()));

        match client.confirm(&plan, uses, &context) {
            Ok(transition) => {
                prop_assert!(expected.is_empty());
                let next = into_client(transition);
                prop_assert!(next.secret(secret).is_none());
                prop_assert_eq!(plan.signs_next(), next.signing_at(world.now).secret());
                prop_assert_eq!(plan.valid_left(), &valid(&next, world.now)[..]);
            }
            Err(ConfirmError::Obstructed(again)) => {
                prop_assert!(!expected.is_empty());
                prop_assert_eq!(*again, plan);
            }
            Err(other) => prop_assert!(false, "{other}"),
        }
    }

    /// "A use more than a minute ahead of the deciding clock is not believed, the plan says so": of a use that was noted and
    /// of an import alike.
    #[test]
    fn rule_09_a_use_more_than_a_minute_ahead_is_not_believed(
        ahead in prop_oneof![Just(0i64), Just(59_999), Just(60_000), Just(60_001), 0i64..4_000_000_000_000],
        imported in any::<bool>(),
    ) {
        let used = later(start(), ahead);
        let (mut uses, (client, desk)) = (LastUses::default(), two_secrets());
        let (client, secret) = if imported {
            let secret = foreign(5, Validity::new(start(), None).unwrap());
            let decided = client.import_secret(&secret, &desk.at(used));
            (into_client(decided.unwrap()), secret_id(3))
        } else {
            uses.note(secret_id(1), used);
            (client, secret_id(1))
        };
        // An operator goes on under the clock that was set right, as by rule 19.
        let ann = Desk::operator();
        let context = ann.at(start());
        let now = client.instant(start());
        let is_believed = used <= later(now, 60_000);
        let until = used.saturating_add(days(7));
        let recently: &[_] = if is_believed { &[Obstacle::UsedRecently { until }] } else { &[] };
        let plan = client.plan_deletion(secret, &uses, &context).unwrap();
        let is_of_use = |obstacle: &&Obstacle| matches!(obstacle, Obstacle::UsedRecently { .. });
        let of_use: Vec<_> = plan.obstacles().iter().filter(is_of_use).copied().collect();
        prop_assert_eq!(&of_use[..], recently);
        prop_assert_eq!(plan.last_used(), Some(used).filter(|_| is_believed));
        prop_assert_eq!(plan.use_ahead(), Some(used).filter(|_| !is_believed));
        let whole = client.plan_client_deletion(&uses, &context).unwrap();
        prop_assert_eq!((whole.last_used(), whole.use_ahead()), (plan.last_used(), plan.use_ahead()));
        // A plan that was stored before there was such a time is read as ever.
        let mut json = serde_json::to_value(&plan).unwrap();
        json.as_object_mut().unwrap().remove("use_ahead");
        let read: Plan<SecretDeletion> = serde_json::from_value(json).unwrap();
        prop_assert_eq!((read.last_used(), read.use_ahead()), (plan.last_used(), None));
    }

    /// "Disabling goes the same way, with the same obstacles but the last use."
    #[test]
    fn rule_09_a_disabling_does_what_its_plan_says(steps in history(14), pick in pick()) {
        let world = World::after(&steps);
        let secret = world.pick(pick);
        let (client, uses, context) = (&world.client, &world.uses, world.desk.at(world.now));
        let Ok(plan) = client.plan_disabling(secret, uses, &context) else { return Ok(()) };
        let expected = last_of_its_kind(&world, secret);
        prop_assert_eq!(plan.obstacles(), &expected[..]);
        match client.confirm(&plan, uses, &context) {
            Ok(transition) => {
                prop_assert!(expected.is_empty());
                let change = transition.change();
                let next = change.as_ref().map_or(&**client, |change| change.next().active().unwrap());
                prop_assert!(next.secret(secret).unwrap().disabled_since().is_some());
                prop_assert_eq!(plan.signs_next(), next.signing_at(world.now).secret());
                prop_assert_eq!(plan.valid_left(), &valid(next, world.now)[..]);
            }
            Err(ConfirmError::Obstructed(again)) => {
                prop_assert!(!expected.is_empty());
                prop_assert_eq!(*again, plan);
            }
            Err(other) => prop_assert!(false, "{other}"),
        }
    }

    /// "If the client or a consequence has changed, the new plan comes back instead": whatever the change was.
    #[test]
    fn rule_09_a_plan_does_not_outlive_a_change(steps in history(10), pick in pick(), between in step()) {
        let mut world = World::after(&steps);
        let secret = world.pick(pick);
        let uses = world.uses.clone();
        let Ok(plan) = world.client.plan_deletion(secret, &uses, &world.desk.at(world.now)) else { return Ok(()) };
        let revision = world.client.revision();
        world.step(&between);
        let (client, context) = (&world.client, world.desk.at(world.now));
        let current = client.plan_deletion(secret, &uses, &context);
        match (client.confirm(&plan, &uses, &context), current) {
            (Ok(_), Ok(current)) => {
                prop_assert_eq!(client.revision(), revision);
                prop_assert!(current.obstacles().is_empty() && same_consequences(&plan, &current));
            }
            (Err(ConfirmError::Obstructed(new)), Ok(current)) => {
                prop_assert!(!current.obstacles().is_empty());
                prop_assert_eq!(*new, current);
            }
            (Err(ConfirmError::Changed(new)), Ok(current)) => {
                prop_assert!(client.revision() != revision || !same_consequences(&plan, &current));
                prop_assert!(client.confirm(&*new, &uses, &context).is_ok(), "the new plan can be confirmed");
                prop_assert_eq!(*new, current);
            }
            (Err(ConfirmError::Failed(refusal)), Err(current)) => prop_assert_eq!(refusal, current),
            (confirmed, current) => prop_assert!(false, "{confirmed:?} but {current:?}"),
        }
    }
}

/// A plan may travel; nothing it says is believed.
#[test]
fn rule_09_a_forged_plan_is_not_believed() {
    let (client, desk) = two_secrets();
    let (uses, now) = (LastUses::default(), desk.at(start()));
    let plan = client.plan_deletion(secret_id(1), &uses, &now).unwrap();
    let text = serde_json::to_string(&plan).unwrap();
    let travelled: Plan<SecretDeletion> = serde_json::from_str(&text).unwrap();
    assert_eq!(travelled, plan);
    assert!(client.confirm(&travelled, &uses, &now).is_ok());

    let forged: Plan<SecretDeletion> =
        serde_json::from_str(&text.replace(r#""signs_next":2"#, r#""signs_next":1"#)).unwrap();
    assert_ne!(forged, plan);
    assert_eq!(client.confirm(&forged, &uses, &now).unwrap_err(), ConfirmError::Changed(Box::new(plan)));

    let (single, desk) = one_secret();
    let plan = single.plan_deletion(secret_id(1), &uses, &now).unwrap();
    assert_eq!(plan.obstacles(), [Obstacle::LastValid, Obstacle::LastThatSigns]);
    let mut forged = serde_json::to_value(&plan).unwrap();
    forged["obstacles"] = serde_json::json!([]);
    let forged: Plan<SecretDeletion> = serde_json::from_value(forged).unwrap();
    let refused = single.confirm(&forged, &uses, &desk.at(start())).unwrap_err();
    assert_eq!(refused, ConfirmError::Obstructed(Box::new(plan)));
}

/// What stands in the way is said in words, each obstacle with what to do.
#[test]
fn rule_09_obstacles_are_told_in_words() {
    let (single, desk) = one_secret();
    let mut uses = LastUses::default();
    uses.note(secret_id(1), start());
    let plan = single.plan_deletion(secret_id(1), &uses, &desk.at(start())).unwrap();
    let words = [
        "no other secret is valid, so the add-in could no longer authenticate: add another one first",
        "no other valid secret can sign, so the platform could no longer sign for the add-in: add one that can",
        "a secret that would stop working was used recently: unless it is used again, it can be taken out of use at",
    ];
    assert_eq!(plan.obstacles().len(), words.len());
    for (obstacle, words) in plan.obstacles().iter().zip(words) {
        assert!(obstacle.to_string().starts_with(words), "{obstacle}");
    }
    assert!(plan.obstacles()[2].to_string().contains(&days_later(start(), 7).to_string()));
    let refused = single.confirm(&plan, &uses, &desk.at(start())).unwrap_err().to_string();
    assert!(refused.starts_with("the plan cannot be confirmed: no other secret is valid, so"), "{refused}");
    // The last valid secret is the last one that signs as well: the first says enough.
    assert!(refused.contains(words[2]), "{refused}");
    assert_eq!(refused.matches("; ").count(), 1, "{refused}");
}

/// Time alone changes consequences: another one that ends meanwhile is no longer left.
#[test]
fn rule_09_a_consequence_changes_with_time() {
    let (entropy, desk) = (Seeded::new(9), Desk::owner());
    let mut client = registered(&lasting_days(9), &entropy, &desk, start());
    for lifetime in [9, 3] {
        let added = client.add_secret(&lasting_days(lifetime), &entropy.client_secret(), &desk.at(start()));
        client = into_client(added.unwrap());
    }
    let uses = LastUses::default();
    let plan = client.plan_deletion(secret_id(1), &uses, &desk.at(start())).unwrap();
    assert_eq!(plan.valid_left(), [secret_id(2), secret_id(3)]);
    let end = days_later(start(), 3);
    assert!(client.confirm(&plan, &uses, &desk.at(later(end, -1))).is_ok());
    let Err(ConfirmError::Changed(plan)) = client.confirm(&plan, &uses, &desk.at(end)) else {
        panic!("the third one has ended");
    };
    assert_eq!(plan.valid_left(), [secret_id(2)]);
}

/// "Used within `Policy::retire_after` (7 days)", to the millisecond; "an imported secret counts as used at its import".
#[test]
fn rule_09_used_recently_ends_after_seven_days() {
    let (client, desk) = two_secrets();
    let imported = foreign(1, validity(later(start(), -1), days_later(start(), 300)));
    let client = into_client(client.import_secret(&imported, &desk.at(start())).unwrap());
    let mut uses = LastUses::default();
    uses.note(secret_id(1), start());
    uses.note(secret_id(1), later(start(), -5));
    let until = days_later(start(), 7);
    for secret in [secret_id(1), secret_id(3)] {
        let plan = |now| client.plan_deletion(secret, &uses, &desk.at(now)).unwrap();
        assert_eq!(plan(later(until, -1)).obstacles(), [Obstacle::UsedRecently { until }]);
        assert_eq!(plan(until).obstacles(), []);
        assert_eq!(plan(until).last_used(), Some(start()));
        let disabling = client.plan_disabling(secret, &uses, &desk.at(start())).unwrap();
        assert_eq!(disabling.obstacles(), []);
    }
    assert_eq!(client.plan_deletion(secret_id(2), &uses, &desk.at(start())).unwrap().last_used(), None);
}

/// A plan is for one client ID.
#[test]
fn rule_09_a_plan_of_another_client_is_refused() {
    let (client, desk) = two_secrets();
    let (uses, now) = (LastUses::default(), desk.at(start()));
    let other = into_client(
        Client::register(
            client_id("mail-app"),
            client.owner().clone(),
            details("calendar app"),
            client.availability(),
            &lasting_days(9),
            &Seeded::new(77).client_secret(),
            &now,
        )
        .unwrap(),
    );
    let plan = other.plan_deletion(secret_id(1), &uses, &now).unwrap();
    assert_eq!(client.confirm(&plan, &uses, &now).unwrap_err(), Refusal::PlanOfAnotherClient.into());
}

/// The codes and kinds that services answer with.
#[test]
fn why_a_plan_was_not_carried_out_has_a_code() {
    let (client, desk) = one_secret();
    let now = desk.at(start());
    let plan = client.plan_deletion(secret_id(1), &LastUses::default(), &now).unwrap();
    let refusal = Refusal::UnknownSecret { secret: secret_id(9) };
    for (error, code, kind) in [
        (ConfirmError::Obstructed(Box::new(plan.clone())), "obstructed", ErrorKind::Conflict),
        (ConfirmError::Changed(Box::new(plan)), "plan_changed", ErrorKind::Conflict),
        (ConfirmError::Failed(refusal.clone()), "unknown_secret", refusal.kind()),
    ] {
        assert_eq!((error.code(), error.kind()), (code, kind));
    }
}

/// The obstacles that do not depend on use, from the rule's text.
fn last_of_its_kind(world: &World, secret: SecretId) -> Vec<Obstacle> {
    let (facts, now) = (&world.facts, world.now);
    let valid = facts.valid_at(now);
    let signers: Vec<_> = valid.iter().copied().filter(|&id| facts.can_sign(id)).collect();
    let last_valid = (valid == [secret]).then_some(Obstacle::LastValid);
    let last_that_signs = (signers == [secret]).then_some(Obstacle::LastThatSigns);
    last_valid.into_iter().chain(last_that_signs).collect()
}

fn last_used(world: &World, secret: SecretId) -> Option<Timestamp> {
    let secret = world.client.secret(secret)?;
    let imported_at = match secret.origin() {
        client_registry::secret::Origin::Generated => None,
        _ => Some(secret.added_at()),
    };
    world.uses.of(secret.id()).max(imported_at)
}

fn same_consequences(one: &Plan<SecretDeletion>, other: &Plan<SecretDeletion>) -> bool {
    (one.signs(), one.signs_next(), one.valid_left())
        == (other.signs(), other.signs_next(), other.valid_left())
}

fn valid(client: &Client, now: Timestamp) -> Vec<SecretId> {
    client.valid_at(now).map(Secret::id).collect()
}
