//! Rules 11 and 21: moving an end, and closing an overlap early, which moves the ends of the replaced secrets to now.

use client_registry::client::{Client, ConfirmError, LastUses, Obstacle, Promotion};
use client_registry::event::Fact;
use client_registry::{Days, Event, Lifetime, Policy, Refusal, Rotation, Secret, Timestamp};
use proptest::prelude::*;

use crate::rules::history::{history, pick, when};
use crate::rules::world::{World, probes};
use crate::support::{
    Desk, Seeded, days, days_later, into_client, is_unchanged, lasting_days, later, registered, secret_id,
    start, two_secrets,
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]
    /// "Earlier, with a plan: obstacles are judged as of the new end, and last use stands in the way only if the new end is
    /// before the last use plus `retire_after`. Later, never past the end it was issued with or what the policy allows.
    /// Scheduled promotions of the secret at or after its new end are withdrawn." Nothing else changes.
    #[test]
    fn rule_21_an_end_is_moved_as_the_text_says(
        steps in history(12),
        pick in pick(),
        until in when(),
        before in any::<bool>(),
        allowed in prop_oneof![Just(Lifetime::Unlimited), (1u32..30).prop_map(|days| Lifetime::Days(Days::new(days)))],
    ) {
        let world = World::after(&steps);
        let id = world.pick(pick);
        let until = if before { later(world.now, -1) } else { world.resolve(until) };
        let desk = world.desk.clone().under(world.desk.policy.clone().with_longest_lifetime(allowed));
        let (client, uses, now, context) = (&*world.client, &world.uses, world.now, desk.at(world.now));
        let plan = client.plan_end(id, until, uses, &context);
        let moved = client.move_end(id, until, uses, &context);
        if let Some(refusal) = refusal(client, id, until, &desk, now) {
            prop_assert_eq!(plan.err(), Some(refusal.clone()));
            prop_assert_eq!(moved.err(), Some(ConfirmError::Failed(refusal)));
            return Ok(());
        }
        let plan = plan.unwrap();
        let secret = client.secret(id).unwrap();
        let has = |t: Timestamp, signs: bool, without: bool| {
            let one = |one: &Secret| one.is_valid_at(t) && (!signs || one.purpose().signs());
            client.secrets().any(|other| one(other) && (!without || other.id() != id))
        };
        let earlier = secret.validity().until().is_none_or(|end| until < end);
        let used = last_used(&world, id).map(|used| used.saturating_add(days(7)));
        let expected: Vec<_> = [
            (earlier && has(until, false, false) && !has(until, false, true)).then_some(Obstacle::LastValid),
            (earlier && has(until, true, false) && !has(until, true, true)).then_some(Obstacle::LastThatSigns),
            used.filter(|used| earlier && until < *used).map(|until| Obstacle::UsedRecently { until }),
        ]
        .into_iter()
        .flatten()
        .collect();
        prop_assert_eq!(plan.obstacles(), &expected[..]);
        prop_assert_eq!((plan.secret(), plan.until(), plan.before()), (id, until, secret.validity().until()));
        let moved = match moved {
            Err(ConfirmError::Obstructed(again)) => {
                prop_assert_eq!(*again, plan);
                prop_assert!(!expected.is_empty());
                return Ok(());
            }
            moved => moved.unwrap(),
        };
        prop_assert_eq!(expected, []);
        let Some(change) = moved.change() else {
            prop_assert_eq!(secret.validity().until(), Some(until));
            return Ok(());
        };
        let next = change.next().active().unwrap();
        prop_assert_eq!(plan.signs_next(), next.signing_at(until).secret());
        prop_assert!(plan.valid_left().iter().copied().eq(next.valid_at(until).map(Secret::id)));
        for secret in client.secrets() {
            let after = next.secret(secret.id()).unwrap();
            let end = if secret.id() == id { Some(until) } else { secret.validity().until() };
            prop_assert_eq!((after.validity().from(), after.validity().until()), (secret.validity().from(), end));
            prop_assert_eq!(after.issued_until(), secret.issued_until());
            prop_assert_eq!((after.replaced_by(), after.disabled_since()), (secret.replaced_by(), secret.disabled_since()));
        }
        let by = secret.replaced_by();
        let stays = |one: &&Promotion| Some(one.secret()) != by && (one.secret() != id || one.at() <= now || one.at() < until);
        let stay = client.promotions().iter().filter(stays);
        prop_assert!(next.promotions().iter().filter(|one| Some(one.secret()) != by).eq(stay));
    }

    /// "A promotion that means 'when the replaced ones have ended' moves with the last of their ends": however often they are
    /// moved, the new secret begins to sign when the last of them ends, and not earlier.
    #[test]
    fn rule_21_what_waits_for_the_replaced_follows_the_last_of_their_ends(
        lasting in prop::collection::vec(1u32..60, 1..4),
        moves in prop::collection::vec((0usize..3, 1u32..60, 0u32..4), 1..6),
    ) {
        let desk = Desk::operator();
        let entropy = Seeded::new(21);
        let mut client = registered(&lasting_days(lasting[0]), &entropy, &desk, start());
        for days in &lasting[1..] {
            let added = client.add_secret(&lasting_days(*days), &entropy.client_secret(), &desk.at(start()));
            client = into_client(added.unwrap());
        }
        let (replaced, uses) = (lasting.len(), LastUses::default());
        let rotation = Rotation::overlap(Days::new(20)).lasting(Lifetime::ThreeYears);
        client = into_client(client.rotate(&rotation, &entropy.client_secret(), &uses, &desk.at(start())).unwrap());
        let came = client.secrets().map(Secret::id).max().unwrap();
        let mut now = start();
        for (which, end, wait) in moves {
            now = days_later(now, wait);
            let secret = client.secrets().nth(which % replaced).unwrap().id();
            let moved = client.move_end(secret, days_later(start(), end), &uses, &desk.at(now));
            let Ok(Some(change)) = moved.map(|moved| moved.change()) else { continue };
            client = into_client(client_registry::client::Decision::Changed(change));
            let ends = client.secrets().filter(|secret| secret.id() != came).filter_map(|secret| secret.validity().until());
            let last = ends.max().unwrap().max(now);
            let own = client.promotions().iter().filter(|one| one.secret() == came);
            prop_assert!(own.map(Promotion::at).eq([last]));
            let ends = client.secret(came).unwrap().validity().until().unwrap();
            for t in probes(&client, now).into_iter().filter(|t| *t < ends) {
                prop_assert_eq!(client.signing_at(t).secret() == Some(came), last <= t, "at {}", t);
            }
        }
    }

    /// "Closing early: the replaced secrets end now, as by rule 21."
    #[test]
    fn rule_11_closing_early_is_moving_the_ends_to_now(steps in history(8), between in history(6), wait in when()) {
        let desk = Desk::operator().allowing_unlimited().allowing_secrets(32);
        let mut world = World::under(desk);
        world.run(&steps);
        let rotation = Rotation::overlap(Days::new(9)).lasting(Lifetime::ThreeYears);
        let new = Seeded::new(2112).client_secret();
        let Ok(rotated) = world.client.rotate(&rotation, &new, &world.uses, &world.desk.at(world.now)) else { return Ok(()) };
        let rotated = into_client(rotated);
        let came = rotated.secrets().map(Secret::id).max().unwrap();
        world.client = std::rc::Rc::new(rotated);
        world.texts.insert(came, new.expose().to_owned());
        world.run(&between);
        let now = world.resolve(wait);
        let (client, context) = (&*world.client, world.desk.at(now));
        let closed = client.close_early(came, &world.uses, &context);
        let runs = |secret: &&Secret| secret.replaced_by() == Some(came) && secret.validity().runs(now);
        let ends: Vec<_> = client.secrets().filter(runs).map(Secret::id).collect();
        if client.secret(came).is_none() || ends.is_empty() {
            let refusal = match client.secret(came) {
                None => Refusal::UnknownSecret { secret: came },
                Some(_) => Refusal::NotUnderway { secret: came },
            };
            prop_assert_eq!(closed.err(), Some(ConfirmError::Failed(refusal)));
            return Ok(());
        }
        if ends.iter().any(|id| client.secret(*id).unwrap().validity().from() == now) {
            let is_invalid = matches!(closed, Err(ConfirmError::Failed(Refusal::Invalid(_))));
            prop_assert!(is_invalid, "an empty validity is refused");
            return Ok(());
        }
        let plan = client.plan_closing(came, &world.uses, &context).unwrap();
        prop_assert_eq!((plan.secret(), plan.ends()), (came, &ends[..]));
        let used = ends.iter().filter_map(|id| last_used(&world, *id)).max().map(|used| used.saturating_add(days(7)));
        let is_used = used.is_some_and(|until| now < until);
        let left = |signs: bool| {
            let left = |one: &Secret| one.is_valid_at(now) && (!signs || one.purpose().signs());
            (client.secrets().any(left), client.secrets().any(|one| left(one) && !ends.contains(&one.id())))
        };
        let expected = is_used || left(false) == (true, false) || left(true) == (true, false);
        prop_assert_eq!(!plan.obstacles().is_empty(), expected);
        let Ok(closed) = closed else {
            prop_assert!(expected);
            return Ok(());
        };
        let closed = into_client(closed);
        for secret in client.secrets() {
            let after = closed.secret(secret.id()).unwrap().validity().until();
            prop_assert_eq!(after, if ends.contains(&secret.id()) { Some(now) } else { secret.validity().until() });
        }
        let expected = closed.signing_at(now).secret();
        prop_assert_eq!(plan.signs_next(), expected);
        // A promotion that the seller chose an instant for stays where it is.
        let is_chosen = |event: &Event| matches!(*event.fact(), Fact::PromotionScheduled { secret, .. } if secret == came);
        let waits = client.promotions().iter().any(|one| one.secret() == came && now < one.at());
        let waits = waits && !world.trail.iter().any(is_chosen);
        prop_assert!(!waits || closed.promotions().iter().any(|one| one.secret() == came && one.at() == now));
        let refused = closed.call_off(came, &world.uses, &context).err();
        prop_assert_eq!(refused, Some(ConfirmError::Failed(Refusal::NotUnderway { secret: came })));
    }
}

/// "Notices count from when the end was set", and an end that was put off can be put off up to the one of the issue.
#[test]
fn rule_21_an_end_is_put_off_up_to_the_one_that_was_issued() {
    let (entropy, desk, uses) = (Seeded::new(22), Desk::owner(), LastUses::default());
    let client = registered(&lasting_days(90), &entropy, &desk, start());
    let rotation = Rotation::overlap(Days::new(7));
    let client =
        into_client(client.rotate(&rotation, &entropy.client_secret(), &uses, &desk.at(start())).unwrap());
    let move_to = |client: &Client, day, desk: &Desk| {
        client.move_end(secret_id(1), days_later(start(), day), &uses, &desk.at(days_later(start(), 1)))
    };
    let late = into_client(move_to(&client, 14, &desk).unwrap());
    assert_eq!(late.signing_at(days_later(start(), 13)).secret(), Some(secret_id(1)));
    assert_eq!(late.signing_at(days_later(start(), 14)).secret(), Some(secret_id(2)));
    let latest = days_later(start(), 90);
    assert!(move_to(&client, 90, &desk).is_ok());
    let refusal = Refusal::EndTooLate { secret: secret_id(1), latest };
    assert_eq!(move_to(&client, 91, &desk).unwrap_err(), ConfirmError::Failed(refusal));
    let strict = Policy::default().with_longest_lifetime(Lifetime::Days(Days::new(30)));
    let refusal = Refusal::EndTooLate { secret: secret_id(1), latest: days_later(start(), 30) };
    assert_eq!(
        move_to(&client, 31, &Desk::owner().under(strict)).unwrap_err(),
        ConfirmError::Failed(refusal)
    );

    // To where it is: once, since a rotation has put it there; then nothing changes.
    let kept = move_to(&client, 7, &desk).unwrap();
    let kept = into_client(kept);
    assert!(is_unchanged(&move_to(&kept, 7, &desk).unwrap()));
    let called_off =
        into_client(kept.call_off(secret_id(2), &uses, &desk.at(days_later(start(), 1))).unwrap());
    assert_eq!(called_off.secret(secret_id(1)).unwrap().validity().until(), Some(days_later(start(), 7)));
    let event = move_to(&client, 14, &desk).unwrap().change().unwrap();
    assert!(matches!(event.events()[0].fact(), Fact::EndMoved { secret, .. } if *secret == secret_id(1)));
}

/// The obstacle names the instant from which the secret may end. To wait until then does not help one whose end was to come before.
#[test]
fn rule_21_an_obstacle_says_from_when_on_a_secret_may_end() {
    let ((client, desk), mut uses) = (two_secrets(), LastUses::default());
    uses.note(secret_id(1), start());
    let plan_end = |until, now| client.plan_end(secret_id(1), until, &uses, &desk.at(now));
    let (sooner, until) = (days_later(start(), 2), days_later(start(), 7));
    let plan = plan_end(sooner, start()).unwrap();
    assert_eq!(plan.obstacles(), [Obstacle::UsedRecently { until }]);
    let words = format!("it can be taken out of use at {until} or later");
    assert!(plan.obstacles()[0].to_string().ends_with(&words), "{}", plan.obstacles()[0]);
    assert_eq!(plan_end(until, start()).unwrap().obstacles(), []);
    assert_eq!(plan_end(sooner, until).err(), Some(Refusal::InThePast { at: sooner, now: until }));
}

/// Where there is no rotation to call off or to close, the refusal says how a secret is removed.
#[test]
fn rule_11_where_no_rotation_is_under_way_the_refusal_says_what_to_do() {
    let ((client, desk), uses) = (two_secrets(), LastUses::default());
    let refused = client.plan_calling_off(secret_id(2), &uses, &desk.at(start())).unwrap_err();
    assert_eq!(refused, Refusal::NotUnderway { secret: secret_id(2) });
    assert!(refused.to_string().ends_with("to remove the secret, plan its deletion"), "{refused}");
}

fn refusal(
    client: &Client,
    id: client_registry::SecretId,
    until: Timestamp,
    desk: &Desk,
    now: Timestamp,
) -> Option<Refusal> {
    let Some(secret) = client.secret(id) else { return Some(Refusal::UnknownSecret { secret: id }) };
    let validity = secret.validity();
    if let Some(at) = validity.until().filter(|at| *at <= now) {
        return Some(Refusal::AlreadyEnded { secret: id, at });
    }
    if until < now {
        return Some(Refusal::InThePast { at: until, now });
    }
    let allowed = match desk.policy.longest_lifetime() {
        Lifetime::Days(days) => Some(days_later(validity.from(), days.count())),
        _ => None,
    };
    let latest = [secret.issued_until(), allowed].into_iter().flatten().min();
    if let (Some(before), Some(latest)) = (validity.until(), latest)
        && before < until
        && latest < until
    {
        return Some(Refusal::EndTooLate { secret: id, latest: latest.max(before) });
    }
    client_registry::value::Validity::new(validity.from(), Some(until)).err().map(Refusal::Invalid)
}

/// The last use that is known. An imported secret counts as used at its import.
fn last_used(world: &World, id: client_registry::SecretId) -> Option<Timestamp> {
    let secret = world.client.secret(id)?;
    let imported =
        (secret.origin() != client_registry::secret::Origin::Generated).then_some(secret.added_at());
    world.uses.of(id).max(imported)
}
