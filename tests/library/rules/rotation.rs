//! Rule 11: a new secret comes, the old ones end by themselves.

use client_registry::client::{Client, LastUses};
use client_registry::event::Fact;
use client_registry::value::Label;
use client_registry::{Days, Lifetime, NewSecret, Purpose, Refusal, Rotation, Secret, SecretId, Timestamp};
use proptest::prelude::*;

use crate::rules::history::{history, pick, when};
use crate::rules::world::{World, probes, replaceable};
use crate::support::{
    Desk, Seeded, days, days_later, into_client, lasting_days, later, registered, secret_id, start,
};

proptest! {
    /// "Replaces those of that purpose that have started and not ended (disabled ones included): each ends by itself
    /// after the overlap (`until = min(until, now + overlap)`) and remembers what replaced it; their scheduled
    /// promotions are withdrawn." All others stay as they are.
    #[test]
    fn rule_11_the_replaced_end_by_themselves(
        steps in history(14),
        purpose in purpose(),
        overlap in 1u32..40,
        named in prop::option::of(prop::collection::vec(pick(), 0..3)),
    ) {
        let mut world = World::under(Desk::owner().allowing_unlimited().allowing_secrets(32));
        world.run(&steps);
        let (client, now) = (&world.client, world.now);
        let named: Option<Vec<_>> = named.map(|picks| picks.into_iter().map(|pick| world.pick(pick)).collect());
        let rotation = Rotation::overlap(Days::new(overlap)).for_purpose(purpose).lasting(Lifetime::OneYear);
        let rotation = named.iter().fold(rotation, |rotation, named| rotation.replacing(named.iter().copied()));
        let entropy = Seeded::new(111);
        let found = client.rotate(&rotation, &entropy.client_secret(), &world.uses, &world.desk.at(now));

        let candidates = replaceable(&world.facts, purpose, now);
        if let Some(underway) = underway(client, purpose, now) {
            let secret = underway.id();
            let until = underway.validity().until().unwrap();
            let by = underway.replaced_by().unwrap();
            let last_used = world.uses.of(by);
            prop_assert_eq!(found.err(), Some(Refusal::RotationUnderway { secret, until, by, last_used }));
            return Ok(());
        }
        if let Some(refusal) = unfit(client, named.as_deref(), &candidates) {
            prop_assert_eq!(found.err(), Some(refusal));
            return Ok(());
        }
        let change = found.unwrap().change().unwrap();
        let by = change.added()[0];
        let next = change.next().active().unwrap();
        let replaced = named.unwrap_or(candidates);
        let overlap_ends = now.saturating_add(days(overlap));
        for before in client.secrets() {
            let after = next.secret(before.id()).unwrap();
            if !replaced.contains(&before.id()) {
                prop_assert_eq!(after, before);
                continue;
            }
            let until = before.validity().until().map_or(overlap_ends, |until| until.min(overlap_ends));
            prop_assert_eq!(after.validity().from(), before.validity().from());
            prop_assert_eq!(after.validity().until(), Some(until));
            prop_assert_eq!(after.replaced_by(), Some(by));
            prop_assert_eq!(after.disabled_since(), before.disabled_since());
        }
        for promotion in client.promotions().iter().filter(|promotion| promotion.at() > now) {
            let stays = next.promotions().contains(promotion);
            prop_assert_eq!(stays, !replaced.contains(&promotion.secret()));
        }
        let new = next.secret(by).unwrap();
        prop_assert_eq!((new.purpose(), new.validity()), (purpose, Lifetime::OneYear.starting(now).unwrap()));
        let recorded = change.events().iter().filter(|e| matches!(e.fact(), Fact::SecretReplaced { .. })).count();
        let expected: std::collections::BTreeSet<_> = replaced.iter().collect();
        prop_assert_eq!(recorded, expected.len());
    }

    /// "A new signing secret signs now, at an instant inside the overlap, or when the replaced ones have ended."
    #[test]
    fn rule_11_the_new_one_signs_when_asked(steps in history(10), overlap in 1u32..40, signs in prop::option::of(when())) {
        let mut world = World::under(Desk::owner().allowing_unlimited().allowing_secrets(32));
        world.run(&steps);
        let (client, now) = (&world.client, world.now);
        let overlap_ends = now.saturating_add(days(overlap));
        let asked = signs.map(|when| world.resolve(when));
        let rotation = Rotation::overlap(Days::new(overlap)).lasting(Lifetime::ThreeYears);
        let rotation = asked.map_or(rotation.clone(), |at| rotation.signing_at(at));
        let entropy = Seeded::new(112);
        let found = client.rotate(&rotation, &entropy.client_secret(), &LastUses::default(), &world.desk.at(now));
        if let Err(Refusal::RotationUnderway { .. }) = found {
            return Ok(());
        }
        if let Some(at) = asked.filter(|&at| at > overlap_ends) {
            prop_assert_eq!(found.err(), Some(Refusal::OutsideOverlap { at, now, overlap_ends }));
            return Ok(());
        }
        let change = found.unwrap().change().unwrap();
        let (by, next) = (change.added()[0], change.next().active().unwrap());
        let ends = next.secrets().filter(|secret| secret.replaced_by() == Some(by));
        let last_end = ends.filter_map(|secret| secret.validity().until()).max().unwrap_or(now);
        let signs = asked.unwrap_or(last_end);
        prop_assert_eq!(next.signing_at(signs).secret(), Some(by));
        let replaced_one_is_valid = |t| next.secrets().any(|s| s.replaced_by() == Some(by) && s.is_valid_at(t));
        for t in probes(next, now).into_iter().filter(|&t| t < signs && replaced_one_is_valid(t)) {
            prop_assert_ne!(next.signing_at(t).secret(), Some(by), "at {}", t);
        }
    }

    /// "While a replaced secret still runs, a further rotation of that purpose is refused": to the millisecond.
    #[test]
    fn rule_11_one_rotation_of_a_purpose_at_a_time(overlap in 1u32..40, other in purpose(), millis in 1i64..1000) {
        let (client, entropy, desk) = rotated(overlap);
        let end = days_later(start(), overlap);
        let rotate = |purpose, now| {
            let rotation = Rotation::overlap(Days::new(3)).for_purpose(purpose);
            client.rotate(&rotation, &entropy.client_secret(), &LastUses::default(), &desk.at(now))
        };
        let again = rotate(other, later(end, -millis));
        let underway =
            Refusal::RotationUnderway { secret: secret_id(1), until: end, by: secret_id(2), last_used: None };
        let expected = other.signs().then_some(underway);
        prop_assert_eq!(again.err(), expected);
        prop_assert!(rotate(other, end).is_ok());
    }
}

/// "A rotation whose new secret was deleted is not under way": it can be given again, and what it replaces ends by it.
#[test]
fn rule_11_a_rotation_whose_new_secret_was_deleted_is_not_under_way() {
    for in_emergency in [false, true] {
        let (client, entropy, desk) = rotated(30);
        let now = desk.at(later(start(), 1));
        let (rotation, mut uses) = (Rotation::overlap(Days::new(40)), LastUses::default());
        uses.note(secret_id(2), start());
        let again = |client: &Client| client.rotate(&rotation, &entropy.client_secret(), &uses, &now);
        let refusal = again(&client).unwrap_err();
        let (until, last_used) = (days_later(start(), 30), Some(start()));
        let (secret, by) = (secret_id(1), secret_id(2));
        assert_eq!(refusal, Refusal::RotationUnderway { secret, until, by, last_used });
        let words = "a rotation is still under way: secret 1 ends at 2026-03-31T09:00:00.000Z and was replaced by secret 2, which \
                     was last used at 2026-03-01T09:00:00.000Z; wait until then, or, if nobody has the client secret of secret \
                     2, call off the rotation of secret 2 and rotate again";
        assert_eq!(refusal.to_string(), words);

        let unused = LastUses::default();
        let refusal = client.rotate(&rotation, &entropy.client_secret(), &unused, &now).unwrap_err();
        assert!(refusal.to_string().contains("was replaced by secret 2, which was never used; "));
        let without = if in_emergency {
            into_client(client.delete_in_emergency(by, None, &now).unwrap().0)
        } else {
            let plan = client.plan_deletion(by, &unused, &now).unwrap();
            assert_eq!(plan.obstacles(), []);
            into_client(client.confirm(&plan, &unused, &now).unwrap())
        };
        assert_eq!(without.signing_at(later(start(), 1)).secret(), Some(secret));
        let next = into_client(again(&without).unwrap());
        let replaced = next.secret(secret).unwrap();
        assert_eq!((replaced.replaced_by(), replaced.validity().until()), (Some(secret_id(3)), Some(until)));
        assert_eq!(next.signing_at(until).secret(), Some(secret_id(3)));
    }
}

/// A disabled secret is replaced as well, and so cannot come back for longer than the overlap.
#[test]
fn rule_11_a_disabled_one_is_replaced_as_well() {
    let (client, entropy, desk) = single();
    let now = desk.at(start());
    let client = into_client(client.add_secret(&lasting_days(90), &entropy.client_secret(), &now).unwrap());
    let uses = LastUses::default();
    let plan = client.plan_disabling(secret_id(1), &uses, &now).unwrap();
    let client = into_client(client.confirm(&plan, &uses, &now).unwrap());
    let rotation = Rotation::overlap(Days::new(2));
    let client =
        into_client(client.rotate(&rotation, &entropy.client_secret(), &LastUses::default(), &now).unwrap());
    let end = days_later(start(), 2);
    for number in [1, 2] {
        let replaced = client.secret(secret_id(number)).unwrap();
        assert_eq!((replaced.validity().until(), replaced.replaced_by()), (Some(end), Some(secret_id(3))));
    }
    let enabled = into_client(client.enable(secret_id(1), &now).unwrap());
    assert!(!enabled.secret(secret_id(1)).unwrap().is_valid_at(end));
    let deleted = into_client(client.delete_in_emergency(secret_id(2), None, &now).unwrap().0);
    let again = deleted.rotate(&rotation, &entropy.client_secret(), &LastUses::default(), &now);
    let expected =
        Refusal::RotationUnderway { secret: secret_id(1), until: end, by: secret_id(3), last_used: None };
    assert_eq!(again.err(), Some(expected), "the disabled one still runs");
}

/// What cannot sign is not asked to; the purposes rotate apart.
#[test]
fn rule_11_passwords_rotate_apart() {
    let (client, entropy, desk) = single();
    let now = desk.at(start());
    let password = NewSecret::lasting(Lifetime::OneYear).for_purpose(Purpose::PasswordOnly);
    let client = into_client(client.add_secret(&password, &entropy.client_secret(), &now).unwrap());
    let rotation = Rotation::overlap(Days::new(2)).for_purpose(Purpose::PasswordOnly);
    for signing in [rotation.clone().signing_now(), rotation.clone().signing_at(start())] {
        let found = client.rotate(&signing, &entropy.client_secret(), &LastUses::default(), &now);
        assert_eq!(found.err(), Some(Refusal::CannotSign));
    }
    let next =
        into_client(client.rotate(&rotation, &entropy.client_secret(), &LastUses::default(), &now).unwrap());
    assert_eq!(next.secret(secret_id(1)), client.secret(secret_id(1)));
    assert_eq!(next.secret(secret_id(2)).unwrap().replaced_by(), Some(secret_id(3)));
    assert!(next.promotions().is_empty());
}

/// The new one has to be there when it is to sign, and there has to be room for it.
#[test]
fn rule_11_the_new_one_has_to_fit() {
    let (client, entropy, desk) = single();
    let rotate = |rotation: Rotation, desk: &Desk| {
        client.rotate(&rotation, &entropy.client_secret(), &LastUses::default(), &desk.at(start())).err()
    };
    let short = Rotation::overlap(Days::new(30)).lasting(Lifetime::Days(Days::new(30)));
    let at = days_later(start(), 30);
    assert_eq!(rotate(short, &desk), Some(Refusal::NotValidThen { at }));
    let past = later(start(), -1);
    let early = Rotation::overlap(Days::new(30)).signing_at(past);
    let overlap_ends = at;
    let refusal = Refusal::OutsideOverlap { at: past, now: start(), overlap_ends };
    assert_eq!(rotate(early, &desk), Some(refusal));

    // The end of the overlap belongs to it.
    for (at, refused) in [(overlap_ends, false), (later(overlap_ends, 1), true)] {
        let refusal = Refusal::OutsideOverlap { at, now: start(), overlap_ends };
        let found = rotate(Rotation::overlap(Days::new(30)).signing_at(at), &desk);
        assert_eq!(found, refused.then_some(refusal));
    }

    let tight = Desk::owner().allowing_secrets(2);
    let full = into_client(
        client.add_secret(&lasting_days(9), &entropy.client_secret(), &tight.at(start())).unwrap(),
    );
    let found = full.rotate(
        &Rotation::overlap(Days::new(3)),
        &entropy.client_secret(),
        &LastUses::default(),
        &tight.at(start()),
    );
    assert_eq!(found.err(), Some(Refusal::TooManySecrets { limit: 2 }));
    let long = Rotation::overlap(Days::new(3)).lasting(Lifetime::Unlimited);
    let refusal = Refusal::LifetimeTooLong { longest: Lifetime::ThreeYears };
    assert_eq!(rotate(long, &desk), Some(refusal));
}

/// Without anything to replace the new one signs at once.
#[test]
fn rule_11_the_new_secret_has_the_label_that_the_rotation_says() {
    let (entropy, desk) = (Seeded::new(12), Desk::owner());
    let client = registered(&lasting_days(9), &entropy, &desk, start());
    let label = Label::parse("deploy of March").unwrap();
    let rotation = Rotation::overlap(Days::new(2)).labelled(label.clone());
    let change = client
        .rotate(&rotation, &entropy.client_secret(), &LastUses::default(), &desk.at(start()))
        .unwrap()
        .change()
        .unwrap();
    let added = change.added()[0];
    assert_eq!(change.next().active().unwrap().secret(added).unwrap().label(), Some(&label));
    let told = change.events().iter().any(|event| {
        matches!(event.fact(), Fact::SecretAdded { secret, label: Some(told), .. } if (*secret, told) == (added, &label))
    });
    assert!(told, "{:?}", change.events());
}

#[test]
fn rule_11_with_nothing_to_replace_it_signs_at_once() {
    let (client, entropy, desk) = single();
    let end = days_later(start(), 90);
    let client = into_client(
        client
            .rotate(
                &Rotation::overlap(Days::new(3)),
                &entropy.client_secret(),
                &LastUses::default(),
                &desk.at(end),
            )
            .unwrap(),
    );
    assert_eq!(client.signing_at(end).secret(), Some(secret_id(2)));
    assert_eq!(client.secret(secret_id(1)).unwrap().replaced_by(), None);
}

fn single() -> (Client, Seeded, Desk) {
    let (entropy, desk) = (Seeded::new(11), Desk::owner());
    (registered(&lasting_days(90), &entropy, &desk, start()), entropy, desk)
}

fn rotated(overlap: u32) -> (Client, Seeded, Desk) {
    let (client, entropy, desk) = single();
    let rotation = Rotation::overlap(Days::new(overlap));
    let client = client.rotate(&rotation, &entropy.client_secret(), &LastUses::default(), &desk.at(start()));
    (into_client(client.unwrap()), entropy, desk)
}

fn purpose() -> impl Strategy<Value = Purpose> {
    prop_oneof![Just(Purpose::SigningAndPassword), Just(Purpose::PasswordOnly)]
}

/// A replaced secret of that purpose that still runs.
fn underway(client: &Client, purpose: Purpose, now: Timestamp) -> Option<&Secret> {
    client.secrets().find(|secret| {
        let came = secret.replaced_by().is_some_and(|by| client.secret(by).is_some());
        secret.purpose() == purpose && came && secret.validity().runs(now)
    })
}

/// The first named one, in the order of IDs, that cannot be replaced.
fn unfit(client: &Client, named: Option<&[SecretId]>, candidates: &[SecretId]) -> Option<Refusal> {
    let mut named = named?.to_vec();
    if named.is_empty() {
        return Some(Refusal::NothingToReplace);
    }
    named.sort_unstable();
    let secret = named.into_iter().find(|secret| !candidates.contains(secret))?;
    match client.secret(secret) {
        Some(_) => Some(Refusal::CannotReplace { secret }),
        None => Some(Refusal::UnknownSecret { secret }),
    }
}
