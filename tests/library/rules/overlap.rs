//! Rule 11: calling a rotation off, and closing its overlap early.

mod twin;

use std::collections::BTreeSet;
use std::time::Duration;

use client_registry::client::{Client, ConfirmError, LastUses, Obstacle, Reason, Signing};
use client_registry::event::Fact;
use client_registry::{Days, Lifetime, Policy, Purpose, Refusal, Rotation, Secret, SecretId, Timestamp};
use proptest::prelude::*;

use self::twin::{Act, Twins, act};
use crate::rules::history::{Command, Step, When, history, pick, when};
use crate::rules::world::{World, probes};
use crate::support::{
    Desk, Seeded, days, days_later, into_client, is_unchanged, later, one_secret, secret_id, start,
    two_secrets,
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]
    /// "Each replaced secret that still runs gets back the end and the promotions it had, and is no longer replaced." At every
    /// instant of the overlap and after every command in between, a client whose rotation was called off signs and
    /// authenticates as its twin that was never rotated, then and later; or calling off is refused for what the twin says.
    #[test]
    fn rule_11_calling_off_leaves_a_client_as_if_it_had_not_been_rotated(
        steps in history(6),
        scheduled in prop::collection::vec((pick(), when()), 0..5),
        purpose in prop_oneof![5 => Just(Purpose::SigningAndPassword), 1 => Just(Purpose::PasswordOnly)],
        overlap in 1u32..12,
        lifetime in prop_oneof![Just(Days::new(3)), Just(Days::new(400))],
        signs in prop::option::of(when()),
        named in prop::option::of(prop::collection::vec(pick(), 1..3)),
        between in prop::collection::vec((when(), act()), 0..8),
        after in prop::collection::vec((when(), act()), 0..5),
    ) {
        let mut world = World::under(Desk::operator().allowing_unlimited().allowing_secrets(32));
        world.run(&[lasting(30), lasting(9)]);
        world.run(&steps);
        for (pick, at) in scheduled {
            world.step(&Step { wait: When::Now, command: Command::Schedule(pick, at) });
        }
        let rotation = Rotation::overlap(Days::new(overlap)).for_purpose(purpose);
        let rotation = rotation.lasting(Lifetime::Days(lifetime));
        let rotation = match signs.filter(|_| purpose.signs()) {
            Some(when) => rotation.signing_at(world.resolve(when)),
            None => rotation,
        };
        let rotation = match named {
            Some(named) => rotation.replacing(named.into_iter().map(|pick| world.pick(pick))),
            None => rotation,
        };
        let Some(mut twins) = Twins::part(world, &rotation) else { return Ok(()) };
        call_off_everywhere(&twins)?;
        for (wait, act) in between {
            twins.wait(wait);
            twins.act(act);
            call_off_everywhere(&twins)?;
        }
        // What is hidden shows later: both go on, and stay alike.
        let Some(restored) = call_off(&twins, twins.now)? else { return Ok(()) };
        twins.rotated = restored;
        // What had ended when it was called off has not come back, which shows where a clock is set back afterwards.
        for (wait, act) in after.into_iter().filter(|(_, act)| !matches!(act, Act::ClockSetBack(_))) {
            twins.wait(wait);
            twins.act(act);
            alike(&twins, &twins.rotated, twins.now)?;
        }
    }
}

/// A promotion that a rotation holds back comes back as it was made. What is promoted meanwhile was made later, so it has to be
/// recorded, also where nothing but the promotion that is held back would stand against it.
#[test]
fn rule_11_a_promotion_made_meanwhile_counts_against_one_that_is_held_back() {
    let (client, desk) = two_secrets();
    let (at, now) = (days_later(start(), 2), desk.at(start()));
    let client = into_client(client.promote(secret_id(1), &now).unwrap());
    let client = into_client(client.schedule_promotion(secret_id(1), at, &now).unwrap());
    let client = into_client(client.schedule_promotion(secret_id(2), at, &now).unwrap());
    let rotation = Rotation::overlap(Days::new(9)).replacing([secret_id(2)]);
    let (new, uses) = (Seeded::new(4).client_secret(), LastUses::default());
    let rotated = into_client(client.rotate(&rotation, &new, &uses, &now).unwrap());
    let called_off =
        |client: &Client, at| client.call_off(secret_id(3), &uses, &desk.at(at)).map(into_client).unwrap();
    assert_eq!(called_off(&rotated, start()).signing_at(at).secret(), Some(secret_id(2)));

    let again = |client: &Client| client.schedule_promotion(secret_id(1), at, &now).unwrap();
    let scheduled = into_client(again(&rotated));
    assert!(is_unchanged(&again(&scheduled)), "once is enough");
    assert_eq!(called_off(&scheduled, start()).signing_at(at).secret(), Some(secret_id(1)));

    let when = days_later(start(), 3);
    let again = |client: &Client| client.promote(secret_id(1), &desk.at(when)).unwrap();
    let promoted = into_client(again(&rotated));
    assert!(is_unchanged(&again(&promoted)), "once is enough");
    assert_eq!(called_off(&promoted, when).signing_at(when).secret(), Some(secret_id(1)));
    assert_eq!(called_off(&rotated, when).signing_at(when).secret(), Some(secret_id(2)));
}

/// "An end that was moved since stays", and what was scheduled for after it does not come back.
#[test]
fn rule_11_what_was_scheduled_for_after_a_moved_end_does_not_come_back() {
    let (client, desk) = two_secrets();
    let (end, now, uses) = (days_later(start(), 3), desk.at(start()), LastUses::default());
    let rotation = Rotation::overlap(Days::new(9));
    for (scheduled, comes_back) in [(later(end, -1), true), (end, false), (later(end, 1), false)] {
        let client = into_client(client.schedule_promotion(secret_id(2), scheduled, &now).unwrap());
        let new = Seeded::new(4).client_secret();
        let client = into_client(client.rotate(&rotation, &new, &uses, &now).unwrap());
        let client = into_client(client.move_end(secret_id(2), end, &uses, &now).unwrap());
        let client = into_client(client.call_off(secret_id(3), &uses, &now).unwrap());
        assert_eq!(client.secret(secret_id(2)).unwrap().validity().until(), Some(end));
        assert_eq!(client.promotions().len(), usize::from(comes_back), "{scheduled}");
    }
}

/// A secret has two promotions at most, also where one comes back. Of two that are in force the earlier one stays, as it would have
/// without the rotation: under a clock that is set back it counts again.
#[test]
fn rule_11_a_promotion_that_comes_back_takes_the_place_of_the_earliest_alone() {
    let (client, desk) = two_secrets();
    let at = |days| desk.at(days_later(start(), days));
    let uses = LastUses::default();
    let client = into_client(client.promote(secret_id(2), &at(0)).unwrap());
    let client = into_client(client.schedule_promotion(secret_id(2), at(2).now, &at(0)).unwrap());
    let new = Seeded::new(4).client_secret();
    let rotated = into_client(client.rotate(&Rotation::overlap(Days::new(9)), &new, &uses, &at(1)).unwrap());
    let promotions = |client: Client| {
        let client = into_client(client.call_off(secret_id(3), &uses, &at(4)).unwrap());
        let mut instants: Vec<_> = client.promotions().iter().map(|promotion| promotion.at()).collect();
        instants.sort_unstable();
        instants
    };
    let scheduled = into_client(rotated.schedule_promotion(secret_id(2), at(6).now, &at(3)).unwrap());
    assert_eq!(promotions(rotated), [at(0).now, at(2).now]);
    assert_eq!(promotions(scheduled), [at(2).now, at(6).now]);
}

/// "The overlap is at least `Policy::min_overlap` (an hour)", to the millisecond; and an end beyond the calendar is none.
#[test]
fn rule_11_an_overlap_is_at_least_as_long_as_the_policy_says() {
    let ((client, desk), entropy) = (one_secret(), Seeded::new(11));
    let rotate = |overlap: Duration, desk: &Desk| {
        client.rotate(
            &Rotation::overlap(overlap),
            &entropy.client_secret(),
            &LastUses::default(),
            &desk.at(start()),
        )
    };
    let hour = Duration::from_secs(60 * 60);
    for overlap in [Duration::ZERO, Duration::from_nanos(999_999), hour - Duration::from_nanos(1)] {
        let refusal = rotate(overlap, &desk).unwrap_err();
        assert_eq!(refusal, Refusal::OverlapTooShort { shortest: hour }, "{overlap:?}");
        assert!(refusal.to_string().ends_with("make it at least 3600 s"), "{refusal}");
    }
    for overlap in [Duration::MAX, days(u32::MAX)] {
        let refusal = rotate(overlap, &desk).unwrap_err();
        assert_eq!(refusal, Refusal::OverlapTooLong, "{overlap:?}");
        assert!(refusal.to_string().contains("ends after the year 262142"), "{refusal}");
    }
    let rotated = into_client(rotate(hour, &desk).unwrap());
    let end = rotated.secret(secret_id(1)).unwrap().validity().until();
    assert_eq!(end, Some(later(start(), 60 * 60 * 1000)));

    // Whatever the policy says, it is more than nothing: a part of a millisecond is none.
    let hasty = Desk::owner().under(Policy::default().with_min_overlap(Duration::ZERO));
    let shortest = Duration::from_millis(1);
    for overlap in [Duration::ZERO, Duration::from_nanos(999_999)] {
        let refusal = rotate(overlap, &hasty).unwrap_err();
        assert_eq!(refusal, Refusal::OverlapTooShort { shortest });
    }
    let rotated = into_client(rotate(shortest, &hasty).unwrap());
    let end = rotated.secret(secret_id(1)).unwrap().validity().until();
    assert_eq!(end, Some(later(start(), 1)));
    assert_eq!(rotated.signing_at(start()).secret(), Some(secret_id(1)));
    assert_eq!(rotated.signing_at(later(start(), 1)).secret(), Some(secret_id(2)));
}

/// Adding a secret that lasts for so many days.
fn lasting(days: u32) -> Step {
    let (purpose, lifetime) = (Purpose::SigningAndPassword, Lifetime::Days(Days::new(days)));
    Step { wait: When::Now, command: Command::Add { purpose, starts: When::Now, lifetime } }
}

/// Calls off at every instant of the overlap from now on.
fn call_off_everywhere(twins: &Twins) -> Result<(), TestCaseError> {
    for t in probes(&twins.rotated, twins.now) {
        // Under a clock that was set back by less than a minute, both are judged at their last changes.
        if [&twins.rotated, &twins.spared].map(|client| client.instant(t)) == [t, t] {
            call_off(twins, t)?;
        }
    }
    Ok(())
}

/// Calls off at `t`, as the rotated client and its twin say, and compares the two. Returns the client if it was done.
fn call_off(twins: &Twins, t: Timestamp) -> Result<Option<Client>, TestCaseError> {
    let Twins { rotated, spared, came, uses: [uses, _], .. } = twins;
    let (came, context) = (*came, twins.desk.at(t));
    let plan = rotated.plan_calling_off(came, uses, &context);
    let called_off = rotated.call_off(came, uses, &context);
    let underway: Vec<_> = rotated
        .secrets()
        .filter(|secret| secret.replaced_by() == Some(came) && !secret.validity().has_ended(t))
        .map(Secret::id)
        .collect();
    let refusal = match rotated.secret(came) {
        None => Some(Refusal::UnknownSecret { secret: came }),
        Some(_) if underway.is_empty() => Some(Refusal::NotUnderway { secret: came }),
        Some(_) => None,
    };
    if let Some(refusal) = refusal {
        prop_assert_eq!(plan.err(), Some(refusal.clone()));
        prop_assert_eq!(called_off.err(), Some(ConfirmError::Failed(refusal)));
        return Ok(None);
    }
    let plan = plan.unwrap();
    prop_assert_eq!(plan.restores(), &underway[..]);
    if revives(twins, t) {
        return Ok(None);
    }
    let valid = |client: &Client| client.valid_at(t).count() > 0;
    let signs = |client: &Client| client.signing_at(t).secret().is_some();
    let until = uses.of(came).map(|used| used.saturating_add(twins.desk.policy.retire_after()));
    let ahead = uses.of(came).is_some_and(|used| later(t, 60_000) < used);
    let expected: Vec<_> = [
        (valid(rotated) && !valid(spared)).then_some(Obstacle::LastValid),
        (signs(rotated) && !signs(spared)).then_some(Obstacle::LastThatSigns),
        until.filter(|until| t < *until && !ahead).map(|until| Obstacle::UsedRecently { until }),
    ]
    .into_iter()
    .flatten()
    .collect();
    prop_assert_eq!(plan.obstacles(), &expected[..]);
    let restored = match called_off {
        Err(ConfirmError::Obstructed(again)) => {
            prop_assert_eq!(*again, plan);
            return Ok(None);
        }
        called_off => called_off.unwrap(),
    };
    prop_assert_eq!(expected, []);
    let change = restored.change().unwrap();
    prop_assert_eq!(change.events()[0].fact(), &Fact::RotationCalledOff { secret: came });
    let restored = into_client(client_registry::client::Decision::Changed(change));
    prop_assert_eq!(plan.signs(), rotated.signing_at(t).secret());
    prop_assert_eq!(plan.signs_next(), restored.signing_at(t).secret());
    prop_assert!(plan.valid_left().iter().copied().eq(restored.valid_at(t).map(Secret::id)));
    alike(twins, &restored, t)?;
    Ok(Some(restored))
}

/// "What has ended or was deleted meanwhile does not come back": whether one has ended that would not have ended by now.
fn revives(twins: &Twins, t: Timestamp) -> bool {
    twins.spared.secrets().any(|secret| {
        let other = twins.rotated.secret(twins.in_rotated(secret.id()));
        let ended = other.is_none_or(|other| other.validity().has_ended(t));
        ended && !secret.validity().has_ended(t)
    })
}

/// The client signs and authenticates as the twin that was not rotated, from `t` on.
fn alike(twins: &Twins, client: &Client, t: Timestamp) -> Result<(), TestCaseError> {
    let spared = &twins.spared;
    let told = |secret: &Secret| {
        // One that has ended on both sides does not get back the end that it would have had.
        let validity = (secret.validity(), secret.issued_until(), secret.valid_since());
        let validity = (!secret.validity().has_ended(t)).then_some(validity);
        (secret.id(), secret.purpose(), secret.disabled_since(), validity)
    };
    let here: Vec<_> = client.secrets().map(told).collect();
    let there: Vec<_> =
        spared.secrets().map(told).map(|told| (twins.in_rotated(told.0), told.1, told.2, told.3)).collect();
    prop_assert_eq!(here, there, "at {}", t);
    let scheduled = |client: &Client, named: &dyn Fn(SecretId) -> SecretId| {
        let promotions = client.promotions().iter().filter(|promotion| promotion.at() > t);
        promotions.map(|promotion| (named(promotion.secret()), promotion.at())).collect::<BTreeSet<_>>()
    };
    prop_assert_eq!(scheduled(client, &|id| id), scheduled(spared, &|id| twins.in_rotated(id)));

    let instants: BTreeSet<_> = probes(client, t).into_iter().chain(probes(spared, t)).collect();
    for &at in &instants {
        let signs = spared.signing_at(at).secret().map(|secret| twins.in_rotated(secret));
        prop_assert_eq!(client.signing_at(at).secret(), signs, "at {} as of {}", at, t);
        let named = |signing: Signing| matches!(signing, Signing::Promoted { .. });
        prop_assert_eq!(named(client.signing_at(at)), named(spared.signing_at(at)));
        let valid = spared.valid_at(at).map(|secret| twins.in_rotated(secret.id()));
        prop_assert!(client.valid_at(at).map(Secret::id).eq(valid));
    }
    for at in [Some(t), instants.last().copied()].into_iter().flatten() {
        let signed = client.sign_all(b"message", at).into_iter().map(|one| (one.secret_id(), *one.mac()));
        let twin = spared.sign_all(b"message", at).into_iter();
        prop_assert!(signed.eq(twin.map(|one| (twins.in_rotated(one.secret_id()), *one.mac()))));
        for (secret, text) in &twins.texts {
            let passes = |client: &Client| {
                let found = client.authenticate(text, &Policy::default(), at);
                found.map(|secret| secret.id()).map_err(|denial| denial.reason())
            };
            match (passes(client), passes(spared)) {
                (Err(_), Err(_)) if *secret == twins.came => {}
                (Err(Reason::Deleted | Reason::Wrong), Err(Reason::Deleted | Reason::Wrong)) => {}
                (here, there) => {
                    prop_assert_eq!(
                        here,
                        there.map(|id| twins.in_rotated(id)),
                        "secret {} at {}",
                        secret,
                        at
                    );
                }
            }
        }
    }
    Ok(())
}
