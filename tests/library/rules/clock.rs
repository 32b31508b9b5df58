//! Rule 19: one clock, which may lag and step back.

use std::time::Duration;

use client_registry::client::{Client, ImportedClient};
use client_registry::{Availability, Days, Refusal, Rotation, Secret, Timestamp};
use proptest::prelude::*;

use crate::rules::history::{history, pick};
use crate::rules::world::{World, probes};
use crate::support::{
    Desk, Seeded, add_in, changed, client_id, days_later, details, foreign, into_client, lasting_days, later,
    registered, secret_id, start, validity,
};

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
        let entropy = Seeded::new(19);
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
        let entropy = Seeded::new(20);
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

proptest! {
    /// "No command does something that cannot be taken back merely because a clock says so: MAC keys and promotions stay
    /// until their secret is deleted or forgotten." What changes under a clock that is far ahead and has nothing to do with
    /// them leaves who signs at every instant as it was.
    #[test]
    fn rule_19_a_clock_far_ahead_takes_nothing(
        steps in history(12),
        ahead in prop::collection::vec(0i64..200_000_000_000, 1..4),
    ) {
        let world = World::after(&steps);
        let (before, operator) = (&world.client, Desk::operator());
        let mut client = into_client(before.associate(&add_in(70), &operator.at(world.now)).unwrap());
        for (number, ahead) in ahead.into_iter().enumerate() {
            let context = operator.at(later(world.now, ahead));
            client = into_client(client.associate(&add_in(71 + number), &context).unwrap());
        }
        client = into_client(client.dissociate(add_in(70).id(), &operator.at(world.now)).unwrap());
        prop_assert_eq!(client.promotions(), before.promotions());
        for t in probes(before, Timestamp::MIN) {
            prop_assert_eq!(client.signing_at(t), before.signing_at(t));
            for secret in before.secrets() {
                let promotes = |client: &Client| client.schedule_promotion(secret.id(), t, &operator.at(world.now)).err();
                prop_assert_eq!(promotes(&client), promotes(before));
            }
        }
        let signing = before.signing_at(world.now);
        prop_assert_eq!(client.signing_at(world.now), signing);
    }

    /// "MAC keys … stay (of imported ones too that had ended)": what was imported under a clock far ahead, or ended and
    /// imported, can be promoted as soon as the clock says that it is valid.
    #[test]
    fn rule_19_what_had_ended_when_it_was_imported_keeps_its_key(ahead in 0i64..200_000_000_000, whole in any::<bool>()) {
        let (entropy, operator) = (Seeded::new(19), Desk::operator());
        let (secret, now) = (foreign(1, validity(start(), days_later(start(), 10))), later(start(), ahead));
        let client = if whole {
            let owner = client_registry::SellerId::parse("contoso").unwrap();
            let imported = ImportedClient::new(client_id("moved-in"), owner, details("calendar app"), Availability::Worldwide);
            into_client(Client::import(&imported.with_secret(secret), &operator.at(now)).unwrap())
        } else {
            let client = registered(&lasting_days(900), &entropy, &operator, start());
            into_client(client.import_secret(&secret, &operator.at(now)).unwrap())
        };
        let imported = client.secrets().last().unwrap().id();
        let promoted = into_client(client.promote(imported, &operator.at(start())).unwrap());
        prop_assert_eq!(promoted.signing_at(start()).secret(), Some(imported));
    }
}

/// "Forgotten are only secrets that had ended at the client's previous change already": the first command under a clock that
/// is far ahead forgets none of those that run, and a second one does.
#[test]
fn rule_19_a_clock_far_ahead_forgets_nothing_at_once() {
    let (entropy, desk) = (Seeded::new(19), Desk::operator().allowing_secrets(32));
    let mut client = registered(&lasting_days(90), &entropy, &desk, start());
    for _ in 1..30 {
        let added = client.add_secret(&lasting_days(90), &entropy.client_secret(), &desk.at(start()));
        client = into_client(added.unwrap());
    }
    let valid = |client: &Client| client.valid_at(start()).count();
    assert_eq!(valid(&client), 30);
    let ahead = days_later(start(), 700);
    let add = |client: &Client| {
        into_client(client.add_secret(&lasting_days(90), &entropy.client_secret(), &desk.at(ahead)).unwrap())
    };
    let once = add(&client);
    assert_eq!(valid(&once), 30);
    assert!(once.signing_at(start()).secret().is_some());
    assert_eq!(valid(&add(&once)), 16);
    // Put right in between: that was the last change, by which none has ended.
    let healed = into_client(once.associate(&add_in(1), &desk.at(start())).unwrap());
    assert_eq!(valid(&add(&healed)), 30);
}

/// "Where an operator works under a clock that was set back, what they add or enable counts as no earlier than what stands
/// already", and `valid_since` says what counts.
#[test]
fn rule_06_under_a_clock_that_was_set_back_nothing_counts_as_earlier_than_what_stands() {
    let (entropy, desk) = (Seeded::new(6), Desk::operator().allowing_secrets(32));
    let client = registered(&lasting_days(900), &entropy, &desk, start());
    let back = desk.at(days_later(start(), 0));
    // The client stands in a year; the clock is set back to the start.
    let ahead = days_later(start(), 365);
    let added = client.add_secret(&lasting_days(900), &entropy.client_secret(), &desk.at(ahead));
    let client = into_client(added.unwrap());
    let plan = client
        .plan_disabling(secret_id(1), &client_registry::client::LastUses::default(), &desk.at(ahead))
        .unwrap();
    let disabled =
        client.confirm(&plan, &client_registry::client::LastUses::default(), &desk.at(ahead)).unwrap();
    let client = into_client(disabled);

    let entry = || entropy.client_secret();
    let next: [Client; 4] = [
        into_client(client.add_secret(&lasting_days(900), &entry(), &back).unwrap()),
        into_client(client.import_secret(&foreign(1, validity(later(start(), -5), ahead)), &back).unwrap()),
        into_client(client.enable(secret_id(1), &back).unwrap()),
        into_client(
            client.delete_in_emergency(secret_id(2), Some((&lasting_days(900), &entry())), &back).unwrap().0,
        ),
    ];
    for (client, (number, since)) in next.iter().zip([(3, ahead), (3, ahead), (1, ahead), (3, start())]) {
        let secret = client.secret(secret_id(number)).unwrap();
        // With the one that stands in the future nothing is left to count from.
        assert_eq!(secret.valid_since(), since, "secret {number}");
        let at = later(ahead, 1);
        if client.secret(secret_id(2)).is_some() {
            assert_eq!(client.signing_at(at).secret(), Some(secret_id(2)), "secret {number} takes nothing");
        }
    }
}

/// To the millisecond: a minute is borne, a millisecond more is not.
#[test]
fn rule_19_a_minute_and_not_a_millisecond_more() {
    let (client, desk) = client();
    let commands = |now: Timestamp| -> Vec<Option<Refusal>> {
        let (context, entropy) = (desk.at(now), Seeded::new(5));
        let rotation = Rotation::overlap(Days::new(2));
        vec![
            client.add_secret(&lasting_days(1), &entropy.client_secret(), &context).err(),
            client
                .rotate(
                    &rotation,
                    &entropy.client_secret(),
                    &client_registry::client::LastUses::default(),
                    &context,
                )
                .err(),
            client.associate(&add_in(1), &context).err(),
            client.promote(secret_id(1), &context).err(),
            client.plan_client_deletion(&client_registry::client::LastUses::default(), &context).err(),
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
    let uses = client_registry::client::LastUses::default();
    let plan = client.plan_client_deletion(&uses, &desk.at(start())).unwrap();
    let (state, _) = changed(client.confirm(&plan, &uses, &desk.at(start())).unwrap());
    let client_registry::client::ClientState::Deleted(tombstone) = state else { panic!("it was deleted") };
    let mark = |desk: &Desk, now| tombstone.mark_compromised(secret_id(1), &desk.at(now));
    let (marked, _) = changed(mark(&desk, later(start(), -60_000)).unwrap());
    assert_eq!(marked.changed_at(), start());
    let by = Duration::from_millis(60_001);
    assert_eq!(mark(&desk, later(start(), -60_001)).err(), Some(Refusal::ClockBehind { by }));
    assert!(mark(&Desk::operator(), later(start(), -60_001)).is_ok());
}

fn client() -> (Client, Desk) {
    let desk = Desk::owner();
    (registered(&lasting_days(90), &Seeded::new(19), &desk, start()), desk)
}

/// Milliseconds that the clock is ahead of the last change: on the edges and anywhere.
fn skew() -> impl Strategy<Value = i64> {
    prop_oneof![-60_003i64..-59_997, -3i64..3, -200_000i64..200_000, -10_000_000_000i64..-60_000]
}
