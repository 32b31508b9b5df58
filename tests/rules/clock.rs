//! Rule 19: one clock, which may lag and step back.

use std::time::Duration;

use client_registry::{Client, Days, Refusal, Rotation, Secret, Timestamp};
use proptest::prelude::*;

use crate::common::{Desk, SeededEntropy, add_in, changed, lasting_days, later, registered, start};
use crate::history::{history, pick};
use crate::world::World;

proptest! {
    /// "`t = max(clock, changed_at)`, while that is at most a minute ahead. If it is more, the clock is taken as it is."
    #[test]
    fn rule_19_the_instant_of_judgement(steps in history(8), skew in skew()) {
        let world = World::after(&steps);
        let changed_at = world.client.changed_at();
        let clock = later(changed_at, skew);
        let ahead = skew < -60_000;
        let expected = if ahead { clock } else { clock.max(changed_at) };
        prop_assert_eq!(world.client.instant(clock), expected);
        prop_assert_eq!(world.client.is_ahead_of(clock), ahead);
    }

    /// "A client is never changed earlier than its last change", and past a minute "a seller's commands answer
    /// `ClockBehind` (an operator's go through)".
    #[test]
    fn rule_19_a_lagging_clock(steps in history(8), skew in skew(), pick in pick()) {
        let world = World::after(&steps);
        let (client, secret) = (&world.client, world.pick(pick));
        let clock = later(client.changed_at(), skew);
        let entropy = SeededEntropy::new(19);
        let add = |desk: &Desk| {
            let policy = Desk { actor: desk.actor.clone(), ..Desk::owner().allowing_secrets(32) };
            client.add_secret(&lasting_days(1), &entropy.client_secret(), &policy.at(clock))
        };
        let by = Duration::from_millis(skew.unsigned_abs());
        let (owner, operator) = (Desk::owner(), Desk::operator());
        if skew < -60_000 {
            prop_assert_eq!(add(&owner).err(), Some(Refusal::ClockBehind { by }));
            let plan = client.plan_deletion(secret, &world.uses, &owner.at(clock));
            prop_assert_eq!(plan.err(), Some(Refusal::ClockBehind { by }));
        } else {
            let (state, events) = changed(add(&owner).unwrap());
            prop_assert_eq!(state.changed_at(), clock.max(client.changed_at()));
            prop_assert!(events.iter().all(|event| event.at() == state.changed_at()));
        }
        let (state, events) = changed(add(&operator).unwrap());
        prop_assert_eq!(state.changed_at(), client.instant(clock));
        prop_assert!(events.iter().all(|event| event.at() == client.instant(clock)));
        if client.secret(secret).is_some() {
            prop_assert!(client.delete_in_emergency(secret, None, &owner.at(clock)).is_ok());
        }
    }

    /// Within a minute, a clock that has stepped back is as if it stood still: every command comes to the same.
    #[test]
    fn rule_19_within_a_minute_stepping_back_is_standing_still(
        steps in history(12),
        back in prop::collection::vec(0i64..=60_000, 12),
    ) {
        let (mut steady, mut jumping) = (World::new(), World::new());
        for (step, back) in steps.iter().zip(back) {
            steady.step(step);
            jumping.step_back(step, back);
            prop_assert_eq!(format!("{:?}", jumping.client), format!("{:?}", steady.client));
            prop_assert_eq!(jumping.client.head(), steady.client.head());
        }
    }

    /// Under a clock that was set back by more, an operator goes on: adding still takes signing from nobody, and the
    /// chain of events goes on.
    #[test]
    fn rule_19_an_operator_heals_a_clock_that_was_ahead(steps in history(10), back in 60_001i64..10_000_000_000) {
        let world = World::after(&steps);
        let operator = Desk::operator().allowing_secrets(32);
        let clock = later(world.client.changed_at(), -back);
        let entropy = SeededEntropy::new(20);
        let added = world.client.add_secret(&lasting_days(1), &entropy.client_secret(), &operator.at(clock));
        let (state, events) = changed(added.unwrap());
        let next = state.active().unwrap();
        prop_assert_eq!(next.changed_at(), clock);
        prop_assert_eq!(events[0].previous(), world.client.head());
        let before = world.client.signing_at(clock).secret();
        let new = next.secrets().last().unwrap().id();
        prop_assert_eq!(next.signing_at(clock).secret(), before.or(Some(new)));
        let seller = Desk::owner();
        prop_assert!(next.associate(&add_in(77), &seller.at(clock)).is_ok(), "the seller can go on as well");
        let ids: Vec<_> = next.secrets().map(Secret::id).collect();
        prop_assert!(ids.is_sorted());
    }
}

/// To the millisecond: a minute is borne, a millisecond more is not.
#[test]
fn rule_19_a_minute_and_not_a_millisecond_more() {
    let (client, desk) = client();
    let commands = |now: Timestamp| -> Vec<Option<Refusal>> {
        let (deciding, entropy) = (desk.at(now), SeededEntropy::new(5));
        let rotation = Rotation::overlap(Days::new(2));
        vec![
            client.add_secret(&lasting_days(1), &entropy.client_secret(), &deciding).err(),
            client.rotate(&rotation, &entropy.client_secret(), &deciding).err(),
            client.associate(&add_in(1), &deciding).err(),
            client.promote(crate::common::secret_id(1), &deciding).err(),
            client.plan_client_deletion(&client_registry::LastUses::default(), &deciding).err(),
        ]
    };
    assert!(commands(later(start(), -60_000)).iter().all(Option::is_none));
    let by = Duration::from_millis(60_001);
    let behind = commands(later(start(), -60_001));
    assert!(behind.iter().all(|refusal| *refusal == Some(Refusal::ClockBehind { by })), "{behind:?}");
}

/// A tombstone lives by the same clock.
#[test]
fn rule_19_a_tombstone_lives_by_the_same_clock() {
    let (client, desk) = client();
    let uses = client_registry::LastUses::default();
    let plan = client.plan_client_deletion(&uses, &desk.at(start())).unwrap();
    let (state, _) = changed(client.confirm(&plan, &uses, &desk.at(start())).unwrap());
    let client_registry::ClientState::Deleted(tombstone) = state else { panic!("it was deleted") };
    let mark = |desk: &Desk, now| tombstone.mark_compromised(crate::common::secret_id(1), &desk.at(now));
    let (marked, _) = changed(mark(&desk, later(start(), -60_000)).unwrap());
    assert_eq!(marked.changed_at(), start());
    let by = Duration::from_millis(60_001);
    assert_eq!(mark(&desk, later(start(), -60_001)).err(), Some(Refusal::ClockBehind { by }));
    assert!(mark(&Desk::operator(), later(start(), -60_001)).is_ok());
}

fn client() -> (Client, Desk) {
    let desk = Desk::owner();
    (registered(&lasting_days(90), &SeededEntropy::new(19), &desk, start()), desk)
}

/// Milliseconds that the clock is ahead of the last change: on the edges and anywhere.
fn skew() -> impl Strategy<Value = i64> {
    prop_oneof![-60_003i64..-59_997, -3i64..3, -200_000i64..200_000, -10_000_000_000i64..-60_000]
}
