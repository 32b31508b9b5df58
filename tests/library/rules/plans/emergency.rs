//! Taking a secret out of use in an emergency.

use client_registry::client::{Replacement, Revocation};
use client_registry::{ClientSecret, Days, Lifetime, NewSecret, Refusal, Timestamp};
use proptest::prelude::*;

use crate::rules::history::{history, pick};
use crate::rules::world::World;
use crate::support::{
    Desk, Seeded, into_client, is_unchanged, lasting_days, later, registered, secret_id, start,
};

proptest! {
    /// "**Emergency deletion** is one call, refused only for an unknown secret": whatever the state, the clock and
    /// the replacement, and marked compromised.
    #[test]
    fn rule_09_an_emergency_deletion_is_refused_for_nothing_else(
        steps in history(14),
        pick in pick(),
        limit in 2usize..6,
        behind in prop_oneof![Just(0i64), 0i64..200_000, Just(1_000_000_000_000)],
        replacement in prop::option::of(replacement()),
    ) {
        let mut world = World::under(Desk::owner().allowing_secrets(limit));
        world.run(&steps);
        let (client, secret) = (&world.client, world.pick(pick));
        let entropy = Seeded::new(99);
        let client_secret = entropy.client_secret();
        let replacement = replacement.as_ref().map(|new| (new, &client_secret));
        let context = world.desk.at(later(client.changed_at(), -behind));
        let known = client.secret(secret).is_some() || client.remembered().any(|(id, _)| id == secret);
        match client.delete_in_emergency(secret, replacement, &context) {
            Err(refusal) => {
                prop_assert!(!known);
                prop_assert_eq!(refusal, Refusal::UnknownSecret { secret });
            }
            Ok((transition, replaced)) => {
                prop_assert!(known);
                prop_assert_eq!(replacement.is_none(), replaced == Replacement::NotRequested);
                let was_dead = client.remembered().any(|dead| dead == (secret, Revocation::Compromised));
                let nothing_to_do = was_dead && !matches!(replaced, Replacement::Added(_));
                prop_assert_eq!(is_unchanged(&transition), nothing_to_do);
                let Some(change) = transition.change() else { return Ok(()) };
                let next = change.next().active().unwrap();
                prop_assert!(next.secret(secret).is_none());
                prop_assert!(next.remembered().any(|dead| dead == (secret, Revocation::Compromised)));
                prop_assert_eq!(next.revision(), client.revision().next());
                if let Replacement::Added(added) = replaced {
                    prop_assert_eq!(change.added(), &[added][..]);
                    prop_assert!(next.secret(added).is_some());
                }
            }
        }
    }
}

/// At the limit, under a lagging clock, with a replacement that no rule allows: the deletion goes ahead all the same.
#[test]
fn rule_09_an_emergency_does_not_wait() {
    let (entropy, desk) = (Seeded::new(9), Desk::owner().allowing_secrets(2));
    let client = registered(&lasting_days(90), &entropy, &desk, start());
    let client = into_client(
        client.add_secret(&lasting_days(90), &entropy.client_secret(), &desk.at(start())).unwrap(),
    );
    let lagging = desk.at(later(start(), -3_600_000));
    let absurd = NewSecret::lasting(Lifetime::Unlimited);
    let (new, good) = (entropy.client_secret(), lasting_days(5));

    let (transition, replaced) =
        client.delete_in_emergency(secret_id(1), Some((&absurd, &new)), &lagging).unwrap();
    assert!(matches!(replaced, Replacement::Refused(Refusal::LifetimeTooLong { .. })));
    assert_eq!(into_client(transition).secrets().len(), 1);

    let (transition, replaced) =
        client.delete_in_emergency(secret_id(1), Some((&good, &new)), &lagging).unwrap();
    assert_eq!(replaced, Replacement::Added(secret_id(3)));
    assert_eq!(into_client(transition).secrets().len(), 2);

    let foreign = ClientSecret::parse(&crate::support::foreign_text(1)).unwrap();
    let (_, replaced) = client.delete_in_emergency(secret_id(1), Some((&good, &foreign)), &lagging).unwrap();
    assert_eq!(replaced, Replacement::Refused(Refusal::NotGenerated));
    let unknown = client.delete_in_emergency(secret_id(9), Some((&good, &new)), &lagging).unwrap_err();
    assert_eq!(unknown, Refusal::UnknownSecret { secret: secret_id(9) });
}

/// Replacements, among them those that no rule allows.
fn replacement() -> impl Strategy<Value = NewSecret> {
    prop_oneof![
        Just(lasting_days(5)),
        Just(lasting_days(0)),
        Just(lasting_days(u32::MAX)),
        Just(NewSecret::lasting(Lifetime::Unlimited)),
        Just(NewSecret::lasting(Lifetime::OneYear).starting(Timestamp::MIN)),
        Just(NewSecret::lasting(Lifetime::OneYear).starting(Timestamp::MAX)),
        Just(NewSecret::lasting(Lifetime::Days(Days::new(2000)))),
    ]
}
