//! Last uses at the registry (rule 9): noted when a secret authenticates or is refused as ended or disabled, and at no
//! other time; coalesced; the later time wins; never for a deleted secret, and never in the way of authenticating.

mod written;

use std::time::Duration;

use client_registry::client::{ImportedSecret, Obstacle};
use client_registry::secret::KeyEncoding;
use client_registry::store::{Store, Use};
use client_registry::value::Validity;
use client_registry::{ClientSecret, Days, Lifetime, NewSecret, Policy, Reason, Timestamp};
use pollster::block_on;

use crate::support::{Platform, START, Seeded, instant};

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
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
