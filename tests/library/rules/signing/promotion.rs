//! Rule 7: choosing the secret that signs, now, later, or no longer.

use client_registry::client::Client;
use client_registry::{Refusal, Secret, SecretId, Timestamp};
use proptest::prelude::*;

use super::three_secrets;
use crate::rules::history::{history, pick, when};
use crate::rules::world::{World, probes};
use crate::support::{days_later, into_client, is_unchanged, later, secret_id, start, two_secrets};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    /// "The secret must be able to sign and be valid at that instant", now or scheduled; "others stay passwords".
    #[test]
    fn rule_07_only_a_valid_one_that_can_sign_is_promoted(steps in history(12), pick in pick(), when in when()) {
        let world = World::after(&steps);
        let (client, now, context) = (&world.client, world.now, world.desk.at(world.now));
        let (secret, at) = (world.pick(pick), world.resolve(when));
        let found = client.schedule_promotion(secret, at, &context);
        if at == now {
            prop_assert_eq!(told(&found), told(&client.promote(secret, &context)));
        }
        if !world.facts.secrets().contains(&secret) {
            prop_assert_eq!(found.err(), Some(Refusal::UnknownSecret { secret }));
        } else if !world.facts.can_sign(secret) {
            prop_assert_eq!(found.err(), Some(Refusal::CannotSign));
        } else if !world.facts.is_valid(secret, at) {
            prop_assert_eq!(found.err(), Some(Refusal::NotValidThen { at }));
        } else if let Some(change) = found.unwrap().change() {
            let next = change.next().active().unwrap();
            prop_assert_eq!(next.signing_at(at).secret(), Some(secret));
            for t in probes(next, now) {
                let (before, after): (Vec<_>, Vec<_>) =
                    (client.valid_at(t).map(Secret::id).collect(), next.valid_at(t).map(Secret::id).collect());
                prop_assert_eq!(before, after, "a promotion changed the passwords");
            }
            for t in probes(client, now).into_iter().filter(|&t| t < at) {
                let replaces = client.promotions().iter().any(|p| p.secret() == secret && now < p.at() && p.at() <= t);
                prop_assert!(replaces || next.signing_at(t) == client.signing_at(t), "it began before its time");
            }
        }
    }

    /// "At most one scheduled promotion per secret"; "disabling or deleting a secret withdraws its promotions".
    #[test]
    fn rule_07_at_most_one_is_scheduled_and_none_outlives_its_secret(steps in history(16)) {
        let mut world = World::new();
        for step in &steps {
            let outcome = world.step(step);
            let client = &outcome.after;
            for secret in client.secrets() {
                let of_it = client.promotions().iter().filter(|p| p.secret() == secret.id());
                let scheduled = of_it.clone().filter(|p| p.at() > outcome.now).count();
                prop_assert!(scheduled <= 1, "{scheduled} promotions of secret {} are scheduled", secret.id());
                prop_assert!(secret.disabled_since().is_none() || of_it.count() == 0);
            }
            prop_assert!(client.promotions().iter().all(|p| client.secret(p.secret()).is_some()));
            let bound = 2 * client.secrets().len();
            prop_assert!(client.promotions().len() <= bound, "promotions pile up");
        }
    }

    /// "It can be withdrawn": then everything is as if it had never been scheduled.
    #[test]
    fn rule_07_withdrawing_undoes_scheduling(steps in history(12), pick in pick(), when in when()) {
        let world = World::after(&steps);
        let (client, context) = (&world.client, world.desk.at(world.now));
        let (secret, at) = (world.pick(pick), world.resolve(when));
        let is_scheduled = client.promotions().iter().any(|p| p.secret() == secret && p.at() > world.now);
        if at <= world.now || is_scheduled {
            return Ok(());
        }
        if client.secret(secret).is_some() {
            let refusal = client.withdraw_promotion(secret, &context).unwrap_err();
            prop_assert_eq!(refusal, Refusal::NothingScheduled { secret });
        }
        let Ok(scheduled) = client.schedule_promotion(secret, at, &context) else { return Ok(()) };
        let withdrawn = into_client(into_client(scheduled).withdraw_promotion(secret, &context).unwrap());
        prop_assert_eq!(withdrawn.promotions(), but_superseded(client, secret, world.now));
        for t in probes(client, world.now) {
            prop_assert_eq!(withdrawn.signing_at(t), client.signing_at(t));
        }
    }
}

/// The promotions without those of a secret that a later one has taken the place of: scheduling it leaves them out.
fn but_superseded(
    client: &Client,
    secret: SecretId,
    now: Timestamp,
) -> Vec<client_registry::client::Promotion> {
    let of_it = client.promotions().iter().filter(|one| one.secret() == secret && one.at() <= now);
    let latest = of_it.enumerate().max_by_key(|(position, one)| (one.at(), *position)).map(|(_, one)| *one);
    let stays = |one: &&client_registry::client::Promotion| {
        one.secret() != secret || one.at() > now || latest == Some(**one)
    };
    client.promotions().iter().filter(stays).copied().collect()
}

/// Of what is in force of a secret nothing else is kept: a client that promotes by turns for years keeps its size.
#[test]
fn rule_07_promoting_now_replaces_what_is_in_force() {
    let (mut client, desk) = three_secrets();
    for (minutes, number) in [(0, 2), (1, 3), (2, 2), (2, 3), (2, 2), (3, 3)] {
        let now = later(start(), minutes * 60_000);
        client = into_client(client.promote(secret_id(number), &desk.at(now)).unwrap());
        assert_eq!(client.signing_at(now).secret(), Some(secret_id(number)));
        let of_it = client.promotions().iter().filter(|promotion| promotion.secret() == secret_id(number));
        assert_eq!(of_it.map(|promotion| promotion.at()).collect::<Vec<_>>(), [now]);
    }
}

fn told(found: &Result<client_registry::client::Decision, Refusal>) -> String {
    match found {
        Ok(transition) if is_unchanged(transition) => "unchanged".to_owned(),
        Ok(_) => "changed".to_owned(),
        Err(refusal) => refusal.to_string(),
    }
}

/// "Scheduling again replaces it"; of two that begin at one instant "the one made last" counts: so scheduling again, after
/// another secret was scheduled for the same instant, is a change.
#[test]
fn rule_07_scheduling_again_after_another_one_is_a_change() {
    let (mut client, desk) = two_secrets();
    let at = days_later(start(), 1);
    for (secret, is_news) in [(1, true), (1, false), (2, true), (2, false), (1, true), (1, false)] {
        let scheduled = client.schedule_promotion(secret_id(secret), at, &desk.at(start())).unwrap();
        assert_eq!(is_unchanged(&scheduled), !is_news, "secret {secret}");
        if is_news {
            client = into_client(scheduled);
        }
        assert_eq!(client.signing_at(at).secret(), Some(secret_id(secret)));
        let scheduled = client.promotions().iter().filter(|one| one.at() == at).count();
        assert!(scheduled <= 2, "each secret has one");
    }
}
