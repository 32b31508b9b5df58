//! The state of a ring: what an operator sees of its client secrets.

use std::time::Duration;

use client_registry::clock::ManualClock;
use client_registry::ring::{RingState, Slot, SlotState};
use client_registry::secret::KeyEncoding;
use client_registry::{ClientSecret, Days, Lifetime, SecretRing, Timestamp};
use pollster::block_on;
use proptest::prelude::*;

use super::{Answer, Answers, Text, answers, call, id, ring_secret, sign, text};
use crate::support::{Platform, START, instant, later, start};

/// What happens to a ring. Client secrets are named by number.
#[derive(Debug, Clone)]
enum Step {
    Wait(u64),
    Call(Answers),
    /// A message that this client secret signed.
    Verify(u64),
    Add(u64, Option<u64>),
    Replace(u64, Option<u64>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let secret = 0u64..4;
    let step = prop_oneof![
        prop_oneof![Just(1u64), Just(1000), Just(3_599_999), Just(3_600_000), 0u64..4_000_000]
            .prop_map(Step::Wait),
        answers().prop_map(Step::Call),
        answers().prop_map(Step::Call),
        secret.clone().prop_map(Step::Verify),
        (secret.clone(), prop::option::of(1u64..3)).prop_map(|(one, end)| Step::Add(one, end)),
        (secret.clone(), prop::option::of(secret)).prop_map(|(one, other)| Step::Replace(one, other)),
    ];
    prop::collection::vec(step, 1..40)
}

/// What is known of a client secret, in the order of [`SlotState`].
#[derive(Debug, Clone, PartialEq)]
struct Known {
    secret: u64,
    held_since: Timestamp,
    works_since: Option<Timestamp>,
    last_accepted: Option<Timestamp>,
    last_refused: Option<Timestamp>,
    last_verified: Option<Timestamp>,
    until: Option<Timestamp>,
}

/// A ring that keeps everything in plain fields.
#[derive(Debug)]
struct Naive {
    held: Vec<Known>,
    /// When the primary one was refused and the secondary one accepted.
    fell_back: Option<Timestamp>,
}

impl Naive {
    fn known(&self, secret: u64, end: Option<u64>, now: Timestamp) -> Known {
        let until = end.map(end_of);
        match self.held.iter().find(|known| known.secret == secret) {
            Some(known) => Known { until: until.or(known.until), ..known.clone() },
            None => Known {
                secret,
                held_since: now,
                works_since: None,
                last_accepted: None,
                last_refused: None,
                last_verified: None,
                until,
            },
        }
    }

    fn hold(&mut self, held: Vec<Known>) {
        let secrets = |held: &[Known]| held.iter().map(|known| known.secret).collect::<Vec<_>>();
        if secrets(&self.held) != secrets(&held) {
            self.fell_back = None;
        }
        self.held = held;
    }

    fn prefers_secondary(&self, now: Timestamp) -> bool {
        self.fell_back.is_some_and(|at| now.saturating_since(at) < Duration::from_secs(3600))
    }

    fn call(&mut self, answers: Answers, now: Timestamp) {
        let answers = [answers.primary, answers.secondary];
        let mut order: Vec<_> = (0..self.held.len()).collect();
        if self.prefers_secondary(now) {
            order.reverse();
        }
        for (attempt, &place) in order.iter().enumerate() {
            let known = &mut self.held[place];
            match answers[place] {
                Answer::NoRoute => return,
                Answer::InvalidClient => {
                    known.last_refused = Some(now);
                    known.works_since = None;
                }
                Answer::Welcome => {
                    known.last_accepted = Some(now);
                    known.works_since = known.works_since.or(Some(now));
                    match (place, attempt) {
                        (0, _) => self.fell_back = None,
                        (_, 1) => self.fell_back = Some(now),
                        _ => {}
                    }
                    return;
                }
            }
        }
    }
}

fn end_of(end: u64) -> Timestamp {
    later(start(), i64::try_from(end).unwrap() * 1_000_000)
}

fn a_text(secret: u64) -> Text {
    text(secret, KeyEncoding::Utf8)
}

fn as_naive(state: &SlotState, secret: u64) -> Known {
    Known {
        secret,
        held_since: state.held_since,
        works_since: state.works_since,
        last_accepted: state.last_accepted,
        last_refused: state.last_refused,
        last_verified: state.last_verified,
        until: state.until,
    }
}

proptest! {
    #[test]
    fn rule_17_the_state_is_what_happened_to_each_client_secret(steps in steps()) {
        let clock = ManualClock::new(START.parse().unwrap());
        let ring = SecretRing::new(id(), ring_secret(&a_text(0)), None).with_clock(clock.clone());
        let mut naive = Naive { held: vec![], fell_back: None };
        naive.held = vec![naive.known(0, None, start())];
        let mut now = start();
        for step in steps {
            match step {
                Step::Wait(millis) => {
                    clock.advance(Duration::from_millis(millis));
                    now = now.saturating_add(Duration::from_millis(millis));
                }
                Step::Call(answers) => {
                    let _ = call(&ring, answers);
                    naive.call(answers, now);
                }
                Step::Verify(secret) => {
                    let slot = ring.verify_mac(&sign(&a_text(secret), b"message"), b"message").ok();
                    let place = naive.held.iter().position(|known| known.secret == secret);
                    prop_assert_eq!(slot.map(|slot| usize::from(slot == Slot::Secondary)), place);
                    if let Some(place) = place {
                        naive.held[place].last_verified = Some(now);
                    }
                }
                Step::Add(secret, end) => {
                    let shared = ring_secret(&a_text(secret));
                    ring.add(match end {
                        Some(end) => shared.ending(end_of(end)),
                        None => shared,
                    });
                    let known = naive.known(secret, end, now);
                    let mut held = naive.held.clone();
                    if held[0].secret == secret {
                        held[0] = known;
                    } else {
                        held = vec![known, held.swap_remove(0)];
                    }
                    naive.hold(held);
                }
                Step::Replace(one, other) => {
                    let other = other.filter(|other| *other != one);
                    ring.replace(ring_secret(&a_text(one)), other.map(|other| ring_secret(&a_text(other))));
                    let held = [Some(one), other].into_iter().flatten();
                    naive.hold(held.map(|secret| naive.known(secret, None, now)).collect());
                }
            }
            let state = ring.state();
            let held: Vec<_> = [Some(&state.primary), state.secondary.as_ref()].into_iter().flatten()
                .zip(&naive.held).map(|(state, known)| as_naive(state, known.secret)).collect();
            prop_assert_eq!(&held, &naive.held);
            prop_assert_eq!(state.secondary.is_some(), naive.held.len() == 2);
            let hour = Duration::from_secs(3600);
            let first = match naive.prefers_secondary(now) {
                true => (Slot::Secondary, naive.fell_back.map(|at| at.saturating_add(hour))),
                false => (Slot::Primary, None),
            };
            prop_assert_eq!((state.tried_first, state.tried_first_until), first);
            prop_assert_eq!((state.at, &state.client_id), (now, &id()));
        }
    }
}

/// A client secret tells its end when it is issued, and an operator sees it.
#[test]
fn rule_17_an_issued_client_secret_brings_its_end_along() {
    let platform = Platform::new();
    block_on(async {
        let issued = platform.register("calendar app").await;
        let client = platform.contoso.client(issued.client_id());
        let ends = issued.validity().until().unwrap();
        let ring = SecretRing::new(issued.client_id().clone(), issued, None);
        assert_eq!(ring.state().primary.until, Some(ends));
        let next = client_registry::NewSecret::lasting(Lifetime::TwoYears);
        let next = client.add_secret(next).await.unwrap();
        let [later, text] =
            [next.validity().until().unwrap().to_string(), next.client_secret().expose().to_owned()];
        ring.add(next);
        let state = ring.state();
        assert_eq!(state.primary.until.unwrap().to_string(), later);
        assert_eq!(state.secondary.unwrap().until, Some(ends));
        // What does not tell an end takes none away.
        ring.add(ClientSecret::parse(&text).unwrap());
        assert_eq!(ring.state().primary.until.unwrap().to_string(), later);
    });
}

/// The password is the same, so what the platform answered stays known.
#[test]
fn rule_17_another_key_encoding_has_the_same_history() {
    let base64 = text(1, KeyEncoding::Base64);
    let ring = SecretRing::new(id(), ring_secret(&text(2, KeyEncoding::Utf8)), None);
    ring.add(ring_secret(&(base64.0.clone(), KeyEncoding::Utf8)));
    let old_one_only = Answers { primary: Answer::InvalidClient, secondary: Answer::Welcome };
    call(&ring, old_one_only).1.unwrap();
    let before = ring.state();
    assert!(before.primary.last_refused.is_some());
    ring.add(ring_secret(&base64));
    assert!(ring.verify_mac(&sign(&base64, b"message"), b"message").is_ok(), "it was replaced");
    let after = ring.state();
    assert_eq!(
        (after.primary.last_refused, after.tried_first),
        (before.primary.last_refused, Slot::Secondary)
    );
}

/// A monotonic clock goes on where the wall clock was set back.
#[test]
fn the_state_says_until_when_whatever_the_wall_clock_does() {
    let clock = ManualClock::new(START.parse().unwrap());
    let [one, two] = [1, 2].map(a_text);
    let ring = SecretRing::new(id(), ring_secret(&two), Some(ring_secret(&one))).with_clock(clock.clone());
    call(&ring, Answers { primary: Answer::InvalidClient, secondary: Answer::Welcome }).1.unwrap();
    clock.advance(Duration::from_secs(1200));
    clock.set_wall(instant("2026-01-01T00:00:00Z").to_datetime());
    let RingState { at, tried_first, tried_first_until, .. } = ring.state();
    assert_eq!((at, tried_first), (instant("2026-01-01T00:00:00Z"), Slot::Secondary));
    assert_eq!(tried_first_until, Some(instant("2026-01-01T00:40:00Z")));
    clock.advance(Days::new(1));
    assert_eq!(ring.state().tried_first_until, None);
}
