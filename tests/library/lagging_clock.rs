//! Rule 19 at the registry: a node whose clock is behind never judges or changes a client earlier than its last change,
//! as long as it is behind by a minute at most; if by more, its clock is taken as it is, a seller's commands are
//! refused and an operator's go through.

use std::time::Duration;

use crate::support::{Platform, START, Watched, details, instant, logged, secret_id};
use client_registry::clock::{Clock, ManualClock};
use client_registry::event::{EventHash, check_trail};
use client_registry::value::Revision;
use client_registry::{
    AccessError, AddIn, Availability, ClientHandle, Days, EmergencyDeletion, Error, ErrorKind, Event,
    Lifetime, NewSecret, Policy, Reason, Refusal, Registry, Rotation, Timestamp,
};
use pollster::block_on;
use proptest::prelude::*;

fn before(at: Timestamp, lag: u64) -> Timestamp {
    Timestamp::from_millis(at.as_millis() - i64::try_from(lag).unwrap()).unwrap()
}

/// Two nodes over one store; the second one's clock is behind.
fn nodes(lag_millis: u64) -> (Platform, Platform) {
    let store = Watched::default();
    let ahead = Platform::over(store.clone(), 1, Policy::default());
    let behind = Platform::over(store, 2, Policy::default());
    behind.clock.set_wall(before(instant(START), lag_millis).to_datetime());
    (ahead, behind)
}

async fn trail_holds(client: &ClientHandle<Watched>) -> Vec<Event> {
    let events = client.trail(Revision::ZERO, usize::MAX).await.unwrap();
    let head = client.snapshot().await.unwrap().client().head();
    check_trail(&events, EventHash::START, head).unwrap();
    events
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn rule_19_a_client_is_judged_no_earlier_than_its_last_change_within_a_minute(
        lag in prop_oneof![Just(0u64), Just(1), Just(59_999), Just(60_000), Just(60_001), 0u64..200_000],
    ) {
        let (ahead, behind) = nodes(lag);
        let start = instant(START);
        let judged_at = if lag <= 60_000 { start } else { before(start, lag) };
        let issued = block_on(ahead.register("calendar app"));
        let secret = issued.client_secret();
        let client_id = issued.client_id();

        let (answer, lines) = logged(|| block_on(behind.registry.authenticate(client_id.as_str(), secret.expose())));
        let warned = lines.iter().any(|line| line.starts_with("WARN") && line.contains("clock"));
        prop_assert_eq!(warned, lag > 60_000, "{:?}", lines);
        match answer {
            Ok(who) => prop_assert!(lag <= 60_000 && who.at() == start),
            Err(_) => {
                prop_assert!(lag > 60_000);
                let reason = block_on(behind.reason(client_id, secret.expose()));
                prop_assert_eq!(reason, Reason::NotYetStarted);
            }
        }
        block_on(async {
            let client = behind.contoso.client(client_id);
            prop_assert_eq!(client.snapshot().await.unwrap().at(), judged_at);
            let signature = behind.registry.sign(client_id, b"message").await;
            prop_assert_eq!(signature.is_ok(), lag <= 60_000);

            let new = || NewSecret::lasting(Lifetime::OneYear);
            match client.add_secret(new()).await {
                Ok(added) => {
                    prop_assert!(lag <= 60_000);
                    prop_assert_eq!(added.validity().from(), start);
                }
                Err(error) => {
                    prop_assert_eq!(error.kind(), ErrorKind::Unavailable);
                    let by = Duration::from_millis(lag);
                    prop_assert!(lag > 60_000);
                    let Error::Refused(refusal) = error else { panic!("{error}") };
                    prop_assert_eq!(refusal, Refusal::ClockBehind { by });
                }
            }
            let operator = behind.registry.as_operator("ann").unwrap().client(client_id);
            let added = operator.add_secret(new()).await.unwrap();
            prop_assert_eq!(added.validity().from(), judged_at);
            trail_holds(&client).await;
            Ok(())
        })?;
    }

    /// One node, whose clock is set to and fro: what it says of a client never goes back by up to a minute.
    #[test]
    fn rule_19_a_clock_that_steps_back_changes_nothing_for_a_minute(
        steps in prop::collection::vec((0u64..100_000, any::<bool>()), 1..12),
    ) {
        let platform = Platform::seeded(1, Policy::default().with_max_secrets(32).unwrap());
        block_on(async {
            let issued = platform.register("calendar app").await;
            let client = platform.contoso.client(issued.client_id());
            let mut changed_at = instant(START);
            for (offset, change) in steps {
                let clock = instant(START).checked_add(Duration::from_millis(offset)).unwrap();
                platform.clock.set_wall(clock.to_datetime());
                let too_far = changed_at.saturating_since(clock) > Duration::from_secs(60);
                let judged_at = if too_far { clock } else { clock.max(changed_at) };
                let who = platform.authenticate(issued.client_id(), issued.client_secret()).await;
                prop_assert_eq!(who.at(), judged_at);
                if change {
                    let added = client.add_secret(NewSecret::lasting(Lifetime::OneYear)).await;
                    prop_assert_eq!(added.is_err(), too_far);
                    if let Ok(added) = added {
                        changed_at = judged_at;
                        // Valid in the very instant in which it was made.
                        platform.authenticate(added.client_id(), added.client_secret()).await;
                    }
                }
                let snapshot = client.snapshot().await.unwrap();
                prop_assert_eq!(snapshot.client().changed_at(), changed_at);
            }
            let events = trail_holds(&client).await;
            prop_assert!(events.is_sorted_by_key(Event::at));
            Ok(())
        })?;
    }
}

#[test]
fn rule_19_every_command_of_a_seller_is_refused_under_a_clock_that_is_far_behind() {
    let (ahead, behind) = nodes(60_001);
    block_on(async {
        let issued = ahead.register("calendar app").await;
        let plan = ahead.contoso.client(issued.client_id()).plan_client_deletion().await.unwrap();
        let client = behind.contoso.client(issued.client_id());
        let one = secret_id(1);
        let rotation = Rotation::overlap(Days::new(1));
        let answers = [
            client.change_details(details("another name")).await.map(drop),
            client.rotate(rotation.clone()).await.map(drop),
            client.promote(one).await.map(drop),
            client.enable(one).await.map(drop),
            client.plan_disabling(one).await.map(drop),
            client.plan_deletion(one).await.map(drop),
            client.plan_client_deletion().await.map(drop),
            client.mark_compromised(one).await.map(drop),
        ];
        for (position, answer) in answers.into_iter().enumerate() {
            let refused = matches!(answer, Err(Error::Refused(Refusal::ClockBehind { .. })));
            assert!(refused, "command {position}: {answer:?}");
        }
        let refused = client.confirm(plan).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Unavailable);
        // A client ID of its own does not depend on that one's clock.
        let _ = behind.register("another app").await;
    });
}

#[test]
fn rule_09_an_emergency_does_not_wait_for_a_clock_to_be_set() {
    let (ahead, behind) = nodes(3_600_000);
    block_on(async {
        let issued = ahead.register("calendar app").await;
        let client = behind.contoso.client(issued.client_id());
        let new = NewSecret::lasting(Lifetime::OneYear);
        let deleted = client.delete_in_emergency(issued.secret_id(), Some(new)).await;
        let EmergencyDeletion::Replaced(next) = deleted.unwrap() else { panic!("not replaced") };
        for node in [&ahead, &behind] {
            let reason = node.reason(issued.client_id(), issued.client_secret().expose()).await;
            assert_eq!(reason, Reason::Compromised);
            node.authenticate(next.client_id(), next.client_secret()).await;
        }
        trail_holds(&client).await;
    });
}

/// One change under a clock that is two years ahead, and then set right: what is valid can still sign.
#[test]
fn rule_19_a_change_under_a_clock_far_ahead_takes_no_signing_key() {
    let platform = Platform::new();
    block_on(async {
        let issued = platform.register("calendar app").await;
        let (client_id, secret) = (issued.client_id(), issued.secret_id());
        let client = platform.contoso.client(client_id);
        let second = client.add_secret(NewSecret::lasting(Lifetime::OneYear)).await.unwrap();
        client.promote(second.secret_id()).await.unwrap();
        let signature = platform.registry.sign(client_id, b"message").await.unwrap();

        platform.clock.advance(Days::new(2 * 366));
        client.associate(&AddIn::new("calendar", Availability::Worldwide).unwrap()).await.unwrap();
        let ended = platform.registry.verify(&signature, b"message").await.unwrap_err();
        assert!(matches!(ended, AccessError::Denied(denied) if denied.reason() == Reason::Ended));
        platform.clock.set_wall(instant(START).to_datetime());

        let again = platform.registry.sign(client_id, b"message").await.unwrap();
        assert_eq!(again.secret_id(), second.secret_id());
        platform.registry.verify(&signature, b"message").await.unwrap();
        let operator = platform.registry.as_operator("ann").unwrap().client(client_id);
        operator.promote(secret).await.unwrap();
        let signature = platform.registry.sign(client_id, b"message").await.unwrap();
        assert_eq!(signature.secret_id(), secret);
        trail_holds(&client).await;
    });
}

/// A clock that was set a year ahead by mistake and then put right: an operator heals what was changed meanwhile.
#[test]
fn rule_19_an_operator_heals_a_client_that_was_changed_under_a_clock_far_ahead() {
    let platform = Platform::new();
    block_on(async {
        let issued = platform.register("calendar app").await;
        let client = platform.contoso.client(issued.client_id());
        platform.clock.advance(Days::new(365));
        let _ = client.add_secret(NewSecret::lasting(Lifetime::OneYear)).await.unwrap();
        platform.clock.set_wall(instant(START).to_datetime());
        platform.authenticate(issued.client_id(), issued.client_secret()).await;
        let new = || NewSecret::lasting(Lifetime::OneYear);
        let refused = client.add_secret(new()).await.unwrap_err();
        assert_eq!(refused.kind().http_status(), 503);

        let operator = platform.registry.as_operator("ann").unwrap();
        let healed = operator.client(issued.client_id()).add_secret(new()).await.unwrap();
        assert_eq!(healed.validity().from(), instant(START));
        let snapshot = client.snapshot().await.unwrap();
        assert_eq!(snapshot.client().changed_at(), instant(START));
        assert_eq!(snapshot.signing().secret(), Some(issued.secret_id()));
        let _ = client.add_secret(new()).await.unwrap();
        trail_holds(&client).await;
    });
}

/// A clock whose reading for requests is older than its reading for commands, as the kernel's coarse clock is.
#[derive(Debug)]
struct Coarse {
    exact: ManualClock,
    lag: Duration,
}

impl Clock for Coarse {
    fn wall(&self) -> Timestamp {
        self.exact.wall()
    }

    fn monotonic(&self) -> Duration {
        self.exact.monotonic()
    }

    fn recent_wall(&self) -> Timestamp {
        self.wall().checked_sub(self.lag).unwrap()
    }
}

proptest! {
    /// Requests are judged by the older reading, but never earlier than the last change of their client. Commands are judged by the exact
    /// one.
    #[test]
    fn rule_19_requests_read_the_clock_that_costs_less(lag in 0u64..20, after in 0u64..40) {
        let exact = ManualClock::new(instant(START).to_datetime());
        let clock = Coarse { exact: exact.clone(), lag: Duration::from_millis(lag) };
        let registry = Registry::builder().clock(clock).in_memory();
        block_on(async {
            let contoso = registry.as_seller("contoso").unwrap();
            let year = Lifetime::OneYear;
            let issued = contoso.register(details("calendar app"), year).await.unwrap();
            let (id, secret) = (issued.client_id(), issued.client_secret().expose());
            let registered = registry.now();
            exact.advance(Duration::from_millis(after));
            let judged = registered.max(before(registry.now(), lag));
            let who = registry.authenticate(id.as_str(), secret).await.unwrap();
            prop_assert_eq!(who.at(), judged);
            let loaded = registry.load_client(id.as_str()).await.unwrap();
            prop_assert_eq!(loaded.authenticate(secret).unwrap().at(), judged);

            // What ends is refused as soon as that reading shows its end, and not before.
            let ends = who.ends().unwrap();
            let signature = registry.sign(id, b"a message").await.unwrap();
            exact.set_wall(ends.to_datetime());
            prop_assert_eq!(registry.authenticate(id.as_str(), secret).await.is_ok(), lag > 0);
            prop_assert_eq!(registry.is_alive(id, issued.secret_id()).await.unwrap(), lag > 0);
            prop_assert_eq!(registry.sign(id, b"a message").await.is_ok(), lag > 0);
            prop_assert_eq!(registry.sign_all(id, b"a message").await.is_ok(), lag > 0);
            prop_assert_eq!(registry.verify(&signature, b"a message").await.is_ok(), lag > 0);
            prop_assert_eq!(registry.verify_any(id, signature.mac(), b"a message").await.is_ok(), lag > 0);
            exact.advance(Duration::from_millis(lag));
            prop_assert!(registry.authenticate(id.as_str(), secret).await.is_err());
            prop_assert!(registry.sign(id, b"a message").await.is_err());
            let snapshot = contoso.client(id).snapshot().await.unwrap();
            prop_assert_eq!(snapshot.at(), registry.now());

            // A command.
            let added = contoso.client(id).add_secret(NewSecret::lasting(year)).await.unwrap();
            let snapshot = contoso.client(id).snapshot().await.unwrap();
            let added = snapshot.client().secret(added.secret_id()).unwrap();
            prop_assert_eq!(added.added_at(), registry.now());
            Ok(())
        })?;
    }
}
