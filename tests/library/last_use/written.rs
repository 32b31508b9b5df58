//! When last uses are written: once an interval, the later time, with a plan, and again where the store did not answer.

use std::time::Duration;

use client_registry::client::Obstacle;
use client_registry::store::Store;
use client_registry::{Error, Lifetime, NewSecret, Policy, Registry};
use pollster::block_on;
use proptest::prelude::*;

use super::seconds;
use crate::support::{Platform, START, Seeded, Watched, details, instant};

/// A registry that notes the use of a secret at most this often.
fn noting_every(interval: Duration) -> Platform {
    let platform = Platform::new();
    let store = Watched::default();
    let registry = Registry::builder()
        .clock(platform.clock.clone())
        .entropy(Seeded::new(2))
        .last_use_interval(interval)
        .in_memory_behind(|_| store.clone());
    let contoso = registry.as_seller("contoso").unwrap();
    Platform { registry, store, contoso, ..platform }
}

#[test]
fn rule_09_last_uses_that_cannot_be_written_are_kept_and_delay_nobody() {
    let platform = Platform::new();
    block_on(async {
        let issued = platform.register("calendar app").await;
        let client = platform.contoso.client(issued.client_id());
        platform.store.knobs.uses_fail.on();
        platform.authenticate(issued.client_id(), issued.client_secret()).await;
        platform.registry.flush_last_uses().await.unwrap_err();
        let plan = client.plan_deletion(issued.secret_id()).await;
        assert!(matches!(plan, Err(Error::Unavailable(_))), "a plan that may be wrong is none");
        platform.store.knobs.uses_fail.off();

        // Nor are they lost with a call that is dropped half-way.
        platform.store.knobs.note_waits.on();
        {
            let mut flush = Box::pin(platform.registry.flush_last_uses());
            assert!(crate::support::poll_once(flush.as_mut()).is_pending());
            // A caller that authenticates meanwhile does not wait.
            let secret = issued.client_secret().expose();
            let mut authenticate =
                Box::pin(platform.registry.authenticate(issued.client_id().as_str(), secret));
            assert!(crate::support::poll_once(authenticate.as_mut()).is_ready());
        }
        platform.store.knobs.note_waits.off();
        assert_eq!(platform.last_used(issued.client_id(), issued.secret_id()).await, Some(instant(START)));
    });
}

/// Last uses are written in 16 portions. One that fails keeps no other from being written; where all fail, each is tried in turn.
#[test]
fn rule_09_last_uses_that_cannot_be_written_keep_no_others_from_being_written() {
    let platform = Platform::new();
    block_on(async {
        let mut all = Vec::new();
        for number in 0..400 {
            all.push(platform.register(&format!("app {number}")).await);
        }
        for issued in &all {
            platform.authenticate(issued.client_id(), issued.client_secret()).await;
        }
        let knobs = &platform.store.knobs;
        let noted = || std::mem::take(&mut *knobs.noted.lock().unwrap()).len();
        knobs.uses_fail.on();
        for _ in 0..8 {
            platform.registry.flush_last_uses().await.unwrap_err();
        }
        assert_eq!(
            (platform.store.notes(), noted()),
            (16, 400),
            "two at a time: the store may not answer at all"
        );
        knobs.uses_fail.off();

        *knobs.uses_fail_of.lock().unwrap() = Some(all[7].client_id().clone());
        platform.registry.flush_last_uses().await.unwrap_err();
        assert_eq!((platform.store.notes(), noted()), (32, 400));
        platform.registry.flush_last_uses().await.unwrap_err();
        assert_eq!(platform.store.notes(), 33, "the others have been written");
        *knobs.uses_fail_of.lock().unwrap() = None;
        platform.registry.flush_last_uses().await.unwrap();
        for issued in &all {
            let uses = platform.store.last_uses(issued.client_id()).await.unwrap();
            assert_eq!(uses.of(issued.secret_id()), Some(instant(START)));
        }
    });
}

/// A node that follows the feed writes its uses at least once a minute, whatever the store takes for it; so a plan of another
/// node knows of every use that is a minute old.
#[test]
fn rule_09_a_node_that_follows_the_feed_writes_its_uses_within_a_minute() {
    let store = Watched::default();
    let here = Platform::over(store.clone(), 1, Policy::default());
    let there = Platform::over(store, 2, Policy::default());
    block_on(async {
        let issued = here.register("calendar app").await;
        let client = here.contoso.client(issued.client_id());
        let _next = client.add_secret(NewSecret::lasting(Lifetime::OneYear)).await.unwrap();
        let waits = std::sync::Mutex::new(vec![]);
        let mut following = Box::pin(there.registry.keep_fresh(|at_most| {
            waits.lock().unwrap().push(at_most);
            crate::support::once_pending()
        }));
        let mut pass = |time: Duration| {
            let mut passed = Duration::ZERO;
            while passed < time {
                assert!(crate::support::poll_once(following.as_mut()).is_pending());
                let wait = waits.lock().unwrap().pop().expect("the loop waits");
                for platform in [&here, &there] {
                    platform.clock.advance(wait);
                }
                passed += wait;
            }
            assert!(crate::support::poll_once(following.as_mut()).is_pending());
        };
        let used_recently = async || {
            let plan = client.plan_deletion(issued.secret_id()).await.unwrap();
            matches!(plan.obstacles(), [Obstacle::UsedRecently { .. }])
        };
        // Longer than the interval, so that the last time was a while ago when the use comes.
        pass(seconds(3600));
        there.authenticate(issued.client_id(), issued.client_secret()).await;
        assert!(!used_recently().await, "nobody has told");
        pass(seconds(60));
        assert!(used_recently().await);

        // A store that is slow to write stops neither the following nor, once it answers, the writing.
        let before = there.store.notes();
        there.store.knobs.note_waits.on();
        for _ in 0..3 {
            there.authenticate(issued.client_id(), issued.client_secret()).await;
            pass(seconds(120));
        }
        assert_eq!(there.store.notes(), before + 1);
        there.store.knobs.note_waits.off();
        pass(seconds(120));
        let last = here.last_used(issued.client_id(), issued.secret_id()).await.unwrap();
        assert_eq!(instant(START).saturating_add(seconds(3600 + 60 + 240)), last);
    });
}

/// A plan writes what its node knows, so that it can be confirmed on another one.
#[test]
fn rule_09_a_plan_writes_the_uses_of_its_client() {
    let store = Watched::default();
    let here = Platform::over(store.clone(), 1, Policy::default());
    let there = Platform::over(store, 2, Policy::default());
    block_on(async {
        let issued = here.register("calendar app").await;
        let client = here.contoso.client(issued.client_id());
        let _next = client.add_secret(NewSecret::lasting(Lifetime::OneYear)).await.unwrap();
        let early = client.plan_deletion(issued.secret_id()).await.unwrap();
        assert_eq!(here.store.notes(), 0, "there is nothing to write");
        here.authenticate(issued.client_id(), issued.client_secret()).await;
        let plan = client.plan_deletion(issued.secret_id()).await.unwrap();
        assert!(matches!(plan.obstacles(), [Obstacle::UsedRecently { .. }]));
        let refused = there.contoso.client(issued.client_id()).confirm(early).await.unwrap_err();
        assert!(refused.to_string().starts_with("the plan cannot be confirmed"));
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// What is told lies within one interval of the latest use, and the later time wins, as long as it can be believed: after
    /// a clock that goes back by more than a minute, the next use replaces it.
    #[test]
    fn rule_09_uses_are_coalesced_and_the_later_time_wins(
        interval in 0u64..120,
        uses in prop::collection::vec((0u64..600, any::<bool>()), 1..30),
    ) {
        let platform = noting_every(seconds(interval));
        block_on(async {
            let issued = platform.register("calendar app").await;
            let (mut latest, mut is_believed) = (0, true);
            // What the store has and what it is yet to be told, and what of one time and a later note is left.
            let (mut stored, mut pending, mut noted) = (None, None, None);
            let merged = |time: Option<u64>, note: Option<u64>, now: u64| match (time, note) {
                (Some(time), Some(note)) if time <= now + 60 => Some(time.max(note)),
                (time, note) => note.or(time),
            };
            for (at, flush) in uses {
                // The clock may go back as well; the client's last change bounds it (rule 19).
                let at_wall = instant(START).checked_add(seconds(at)).unwrap();
                platform.clock.set_wall(at_wall.to_datetime());
                platform.authenticate(issued.client_id(), issued.client_secret()).await;
                is_believed &= latest <= at + 60;
                latest = latest.max(at);
                if noted.is_none_or(|noted| at >= noted + interval || noted > at + 60) {
                    (noted, pending) = (Some(at), merged(pending, Some(at), at));
                }
                if flush {
                    platform.registry.flush_last_uses().await.unwrap();
                    (stored, pending) = (merged(stored, pending, at), None);
                }
                let last = platform.last_used(issued.client_id(), issued.secret_id()).await.unwrap();
                let last = last.saturating_since(instant(START)).as_secs();
                prop_assert_eq!(Some(last), merged(stored, pending, at));
                if is_believed {
                    prop_assert!(last <= latest);
                    prop_assert!(latest - last < interval.max(1), "told {}, was {}", last, latest);
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn rule_09_within_an_interval_a_use_is_written_once(
        interval in 1u64..120,
        uses in prop::collection::vec(0u64..30, 1..40),
    ) {
        let platform = noting_every(seconds(interval));
        block_on(async {
            let issued = platform.register("calendar app").await;
            let (mut clock, mut expected, mut noted) = (0, 0, None);
            for wait in uses {
                clock += wait;
                platform.clock.advance(seconds(wait));
                platform.authenticate(issued.client_id(), issued.client_secret()).await;
                if noted.is_none_or(|noted| clock >= noted + interval) {
                    noted = Some(clock);
                    expected += 1;
                }
                platform.registry.flush_last_uses().await.unwrap();
                prop_assert_eq!(platform.store.notes(), expected);
            }
            Ok(())
        })?;
    }
}

/// Two sellers' clients, two nodes: uses of one say nothing of the other, and both nodes' uses count.
#[test]
fn rule_09_uses_on_every_node_count_once_they_are_written() {
    let store = Watched::default();
    let here = Platform::over(store.clone(), 1, Policy::default());
    let there = Platform::over(store, 2, Policy::default());
    block_on(async {
        let issued = here.register("calendar app").await;
        let other = here.contoso.register(details("another app"), Lifetime::OneYear).await.unwrap();
        there.clock.advance(seconds(20));
        there.authenticate(issued.client_id(), issued.client_secret()).await;
        here.clock.advance(seconds(10));
        here.authenticate(issued.client_id(), issued.client_secret()).await;
        there.registry.flush_last_uses().await.unwrap();
        let last = here.last_used(issued.client_id(), issued.secret_id()).await;
        assert_eq!(last, Some(instant("2026-03-01T09:00:20Z")));
        assert_eq!(here.last_used(other.client_id(), other.secret_id()).await, None);
    });
}
