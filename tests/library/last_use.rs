//! Last uses at the registry (rule 9): noted when a secret authenticates or is refused as ended or disabled, and at no
//! other time; coalesced; the later time wins; never for a deleted secret, and never in the way of authenticating.

use std::time::Duration;

use crate::support::{Platform, START, Seeded, Watched, details, instant};
use client_registry::client::{ImportedSecret, Obstacle};
use client_registry::secret::KeyEncoding;
use client_registry::store::{Store, Use};
use client_registry::value::Validity;
use client_registry::{ClientSecret, Days, Error, Lifetime, NewSecret, Policy, Reason, Registry, Timestamp};
use pollster::block_on;
use proptest::prelude::*;

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

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
fn rule_09_a_use_is_noted_when_a_secret_authenticates_or_has_ended_or_is_disabled() {
    let platform = Platform::seeded(1, Policy::default().with_max_secrets(8).unwrap());
    block_on(async {
        let issued = platform.register("calendar app").await;
        let client = platform.contoso.client(issued.client_id());
        let lasting = |days| NewSecret::lasting(Lifetime::Days(Days::new(days)));
        let short = client.add_secret(lasting(1)).await.unwrap();
        let disabled = client.add_secret(lasting(90)).await.unwrap();
        let future = client.add_secret(lasting(90).starting(instant("2026-05-01T00:00:00Z"))).await.unwrap();
        let untouched = client.add_secret(lasting(90)).await.unwrap();
        let plan = client.plan_disabling(disabled.secret_id()).await.unwrap();
        client.confirm(plan).await.unwrap();
        platform.clock.advance(Days::new(1));
        let now = instant("2026-03-02T09:00:00Z");

        platform.authenticate(issued.client_id(), issued.client_secret()).await;
        for (presented, reason) in
            [(&short, Reason::Ended), (&disabled, Reason::Disabled), (&future, Reason::NotYetStarted)]
        {
            let text = presented.client_secret().expose();
            assert_eq!(platform.reason(issued.client_id(), text).await, reason);
        }
        platform.reason(issued.client_id(), &untouched.client_secret().expose()[..52]).await;
        platform.registry.sign(issued.client_id(), b"message").await.unwrap();

        for (secret, used) in [
            (&issued, Some(now)),
            (&short, Some(now)),
            (&disabled, Some(now)),
            (&future, None),
            (&untouched, None),
        ] {
            let id = secret.secret_id();
            assert_eq!(platform.last_used(issued.client_id(), id).await, used, "{id}");
        }
    });
}

#[test]
fn rule_09_a_use_stands_in_the_way_of_deleting_until_it_is_long_ago() {
    let platform = Platform::new();
    block_on(async {
        let issued = platform.register("calendar app").await;
        let client = platform.contoso.client(issued.client_id());
        let _next = client.add_secret(NewSecret::lasting(Lifetime::OneYear)).await.unwrap();
        let early = client.plan_deletion(issued.secret_id()).await.unwrap();
        assert_eq!((early.last_used(), early.obstacles()), (None, &[][..]));

        platform.clock.advance(seconds(5));
        platform.authenticate(issued.client_id(), issued.client_secret()).await;
        let until = instant("2026-03-08T09:00:05Z");
        let plan = client.plan_deletion(issued.secret_id()).await.unwrap();
        assert_eq!(plan.last_used(), Some(instant("2026-03-01T09:00:05Z")));
        assert_eq!(plan.obstacles(), [Obstacle::UsedRecently { until }]);
        // A plan made before the use no longer holds.
        let refused = client.confirm(early).await.unwrap_err();
        assert!(refused.to_string().starts_with("the plan cannot be confirmed"));
        // Disabling can be undone, so a use does not stand in its way.
        let plan = client.plan_disabling(issued.secret_id()).await.unwrap();
        assert!(plan.obstacles().is_empty());

        let just_before = Timestamp::from_millis(until.as_millis() - 1).unwrap();
        platform.clock.set_wall(just_before.to_datetime());
        let plan = client.plan_deletion(issued.secret_id()).await.unwrap();
        assert_eq!(plan.obstacles(), [Obstacle::UsedRecently { until }]);
        platform.clock.set_wall(until.to_datetime());
        let plan = client.plan_deletion(issued.secret_id()).await.unwrap();
        assert_eq!(plan.obstacles(), []);
        client.confirm(plan).await.unwrap();
    });
}

/// A clock that was set to 2099 by mistake, and then right: nothing waits until 2099.
#[test]
fn rule_09_a_use_under_a_clock_far_ahead_is_not_believed() {
    let platform = Platform::new();
    let wrong = instant("2099-03-01T09:00:00Z");
    block_on(async {
        let issued = platform.register("calendar app").await;
        let (client_id, secret) = (issued.client_id(), issued.client_secret());
        let client = platform.contoso.client(client_id);
        let _next = client.add_secret(NewSecret::lasting(Lifetime::OneYear)).await.unwrap();
        platform.clock.set_wall(wrong.to_datetime());
        assert_eq!(platform.reason(client_id, secret.expose()).await, Reason::Ended);
        platform.registry.flush_last_uses().await.unwrap();
        platform.clock.set_wall(START.parse().unwrap());

        // Here, and on a node that was started since, for an operator too.
        let restarted = Platform::over(platform.store.clone(), 2, Policy::default());
        let operator = restarted.registry.as_operator("ann").unwrap().client(client_id);
        for client in [&client, &restarted.contoso.client(client_id), &operator] {
            let plan = client.plan_deletion(issued.secret_id()).await.unwrap();
            assert_eq!((plan.last_used(), plan.use_ahead()), (None, Some(wrong)));
            assert_eq!(plan.obstacles(), []);
        }

        // The next use is noted, replaces it, and counts: on this node, which noted the other one, and on every node.
        platform.clock.advance(seconds(1));
        let used = instant("2026-03-01T09:00:01Z");
        platform.authenticate(client_id, secret).await;
        for written in [false, true] {
            if written {
                platform.registry.flush_last_uses().await.unwrap();
            }
            let client = if written { &operator } else { &client };
            let plan = client.plan_deletion(issued.secret_id()).await.unwrap();
            assert_eq!((plan.last_used(), plan.use_ahead()), (Some(used), None), "{written}");
            let until = used.saturating_add(Days::new(7).into());
            assert_eq!(plan.obstacles(), [Obstacle::UsedRecently { until }]);
        }
    });
}

/// The same where the use was not written before the clock was set right: it happened by then at the latest.
#[test]
fn rule_09_a_use_that_waits_while_the_clock_is_set_right_counts_as_of_then() {
    for flush in [false, true] {
        let platform = Platform::new();
        block_on(async {
            let issued = platform.register("calendar app").await;
            let client = platform.contoso.client(issued.client_id());
            platform.clock.set_wall(instant("2099-03-01T09:00:00Z").to_datetime());
            platform.reason(issued.client_id(), issued.client_secret().expose()).await;
            platform.clock.set_wall(START.parse().unwrap());
            if flush {
                platform.registry.flush_last_uses().await.unwrap();
            }
            let plan = client.plan_deletion(issued.secret_id()).await.unwrap();
            assert_eq!((plan.last_used(), plan.use_ahead()), (Some(instant(START)), None), "{flush}");
        });
    }
}

#[test]
fn rule_09_an_imported_secret_counts_as_used_at_its_import() {
    let platform = Platform::new();
    block_on(async {
        let issued = platform.register("calendar app").await;
        let client = platform.contoso.client(issued.client_id());
        let text = Seeded::new(3).text("abcdefghijklmnopqrstuvwxyz", 32);
        let validity = Validity::new(instant("2025-01-01T00:00:00Z"), Some(instant("2027-01-01T00:00:00Z")));
        let secret = ClientSecret::parse(&text).unwrap();
        let imported = ImportedSecret::new(secret, validity.unwrap(), KeyEncoding::Utf8);
        let id = client.import_secret(imported).await.unwrap();
        let plan = client.plan_deletion(id).await.unwrap();
        assert_eq!(plan.last_used(), Some(instant(START)));
        assert!(matches!(plan.obstacles(), [Obstacle::UsedRecently { .. }]));
    });
}

#[test]
fn rule_09_a_deleted_secret_is_never_used_again() {
    let platform = Platform::new();
    block_on(async {
        let issued = platform.register("calendar app").await;
        let client = platform.contoso.client(issued.client_id());
        let other = client.add_secret(NewSecret::lasting(Lifetime::OneYear)).await.unwrap();
        platform.authenticate(issued.client_id(), other.client_secret()).await;
        // Noted and not yet written when the secret goes.
        let _ = client.delete_in_emergency(other.secret_id(), None).await.unwrap();
        assert_eq!(platform.last_used(issued.client_id(), other.secret_id()).await, None);
        platform.reason(issued.client_id(), other.client_secret().expose()).await;
        assert_eq!(platform.last_used(issued.client_id(), other.secret_id()).await, None);
        platform
            .store
            .note_uses(
                &[Use {
                    client_id: issued.client_id().clone(),
                    secret: other.secret_id(),
                    at: instant(START),
                }],
                Timestamp::MAX,
            )
            .await
            .unwrap();
        assert_eq!(platform.last_used(issued.client_id(), other.secret_id()).await, None);
    });
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
            // Whoever authenticates meanwhile waits for nothing.
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
