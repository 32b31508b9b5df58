//! Calls out: which secret is tried first, and when the other one.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use client_registry::clock::ManualClock;
use client_registry::ring::{CallError, Slot};
use client_registry::secret::KeyEncoding;
use client_registry::{ClientSecret, Days, Lifetime, NewSecret, Reason, SecretRing};
use pollster::block_on;
use proptest::prelude::*;

use super::{Answer, Answers, answers, call, id, ring_secret, sign, text};
use crate::support::{Platform, START, secret_id};

/// Seconds until the next call.
fn waits() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0u64), Just(1), Just(3599), Just(3600), 0u64..4000]
}

proptest! {
    #[test]
    fn rule_17_a_call_tries_first_what_worked_last_and_the_other_one_only_if_refused(
        calls in prop::collection::vec((answers(), waits()), 1..20),
        has_secondary: bool,
    ) {
        let clock = ManualClock::new(START.parse().unwrap());
        let (one, two) = (text(1, KeyEncoding::Utf8), text(2, KeyEncoding::Base64));
        let ring = match has_secondary {
            true => SecretRing::new(id(), ring_secret(&one), Some(ring_secret(&two))),
            false => SecretRing::new(id(), ring_secret(&one), None),
        };
        let ring = ring.with_clock(clock.clone());
        // When the primary one was refused last, in seconds, if it has not worked since.
        let (mut now, mut worked_last, mut refused_at) = (0, Slot::Primary, 0);
        for (answers, wait) in calls {
            clock.advance(Duration::from_secs(wait));
            now += wait;
            let order = match worked_last {
                Slot::Secondary if now < refused_at + 3600 => [Slot::Secondary, Slot::Primary],
                _ => [Slot::Primary, Slot::Secondary],
            };
            let answer_to = |slot| match slot {
                Slot::Primary => answers.primary,
                Slot::Secondary => answers.secondary,
            };
            let mut expected = (vec![order[0]], answer_to(order[0]));
            if has_secondary && expected.1 == Answer::InvalidClient {
                expected = (order.to_vec(), answer_to(order[1]));
            }
            let (tried, outcome) = call(&ring, answers);
            match expected.1 {
                Answer::Welcome => {
                    worked_last = *expected.0.last().unwrap();
                    if expected.0 == [Slot::Primary, Slot::Secondary] {
                        refused_at = now;
                    }
                    prop_assert_eq!(outcome, Ok(worked_last));
                }
                refused => prop_assert_eq!(outcome, Err(refused)),
            }
            prop_assert_eq!(tried, expected.0);
        }
    }
}

/// One refusal in passing does not keep the old secret in use for ever, whatever the traffic: it can be deleted in the end.
#[test]
fn rule_17_after_an_hour_the_primary_secret_is_tried_again() {
    let platform = Platform::new();
    block_on(async {
        let issued = platform.register("calendar app").await;
        let client_id = issued.client_id().clone();
        let client = platform.contoso.client(&client_id);
        let next = client.add_secret(NewSecret::lasting(Lifetime::OneYear)).await.unwrap();
        let ring = SecretRing::new(client_id.clone(), issued.into_client_secret(), None);
        let ring = ring.with_clock(platform.clock.clone());
        ring.add(next.into_client_secret());
        let refuses = AtomicBool::new(true);
        let call = || {
            ring.call(async |credentials| {
                if credentials.slot() == Slot::Primary && refuses.load(Ordering::Relaxed) {
                    return Err(CallError::InvalidClient(Reason::Wrong));
                }
                let (id, secret) = (credentials.client_id().as_str(), credentials.client_secret().expose());
                Ok(platform.registry.authenticate(id, secret).await.unwrap().secret_id())
            })
        };
        assert_eq!(call().await, Ok(secret_id(1)));
        refuses.store(false, Ordering::Relaxed);
        let mut used = vec![];
        for _ in 0..9 {
            platform.clock.advance(Duration::from_secs(10 * 60));
            used.push(call().await.unwrap().number());
        }
        assert_eq!(used, [1, 1, 1, 1, 1, 2, 2, 2, 2]);
        platform.clock.advance(Days::new(7));
        assert_eq!(call().await, Ok(secret_id(2)));
        let plan = client.plan_deletion(secret_id(1)).await.unwrap();
        client.confirm(plan).await.unwrap();
    });
}

#[test]
fn rule_17_a_call_goes_on_with_the_secrets_that_it_began_with() {
    let [one, two, three, four] = [1, 2, 3, 4].map(|seed| text(seed, KeyEncoding::Utf8));
    let ring = SecretRing::new(id(), ring_secret(&one), Some(ring_secret(&two)));
    let mut presented = vec![];
    let outcome = block_on(ring.call(|credentials| {
        presented.push(credentials.client_secret().expose().to_owned());
        assert_eq!(*credentials.client_id(), id());
        ring.replace(ring_secret(&three), Some(ring_secret(&four)));
        std::future::ready(match credentials.slot() {
            Slot::Primary => Err(CallError::InvalidClient(())),
            Slot::Secondary => Ok(()),
        })
    }));
    assert_eq!((outcome, presented), (Ok(()), vec![one.0.to_string(), two.0.to_string()]));

    // What worked was the old ring's; the new one begins with its primary, and knows nothing of the old ones.
    let welcome = Answers { primary: Answer::Welcome, secondary: Answer::Welcome };
    assert_eq!(call(&ring, welcome).0, [Slot::Primary]);
    assert_eq!(ring.verify_mac(&sign(&three, b"message"), b"message"), Ok(Slot::Primary));
    assert_eq!(ring.verify_mac(&sign(&four, b"message"), b"message"), Ok(Slot::Secondary));
    for old in [&one, &two] {
        assert!(ring.verify_mac(&sign(old, b"message"), b"message").is_err());
    }
    ring.replace(ClientSecret::parse(&two.0).unwrap(), None);
    assert_eq!(ring.client_id(), id());
    assert!(ring.verify_mac(&sign(&three, b"message"), b"message").is_err());
    assert_eq!(ring.verify_mac(&sign(&two, b"message"), b"message"), Ok(Slot::Primary));
}
