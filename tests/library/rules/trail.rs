//! Rule 16: every change is told, in an order that nobody can edit unnoticed.

use client_registry::Event;
use client_registry::client::{ClientState, LastUses};
use client_registry::event::{BrokenTrail, EventHash, Fact, Handover, check_trail};
use client_registry::value::Revision;
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use crate::rules::history::history;
use crate::rules::world::World;
use crate::support::changed;

proptest! {
    /// "A command commits its events with its change, or neither": what, who, when, which client and revision.
    #[test]
    fn rule_16_a_change_and_its_events_belong_together(steps in history(16)) {
        let mut world = World::new();
        for step in &steps {
            let outcome = world.step(step);
            let (before, after) = (&outcome.before, &outcome.after);
            let events = outcome.result.unwrap_or_default();
            let has_changed = before.revision() != after.revision();
            prop_assert_eq!(has_changed, !events.is_empty());
            if !has_changed {
                prop_assert_eq!(before.head(), after.head());
                prop_assert_eq!(format!("{before:?}"), format!("{after:?}"));
                continue;
            }
            prop_assert_eq!(after.revision(), before.revision().next());
            prop_assert_eq!(after.changed_at(), outcome.now);
            for event in &events {
                prop_assert_eq!(event.client_id(), before.id());
                prop_assert_eq!((event.revision(), event.at()), (after.revision(), outcome.now));
                prop_assert_eq!(event.actor(), &world.desk.actor);
            }
            prop_assert!(check_trail(&events, before.head(), after.head()).is_ok());
        }
        prop_assert!(check_trail(&world.trail, EventHash::START, world.client.head()).is_ok());
    }

    /// "Where it moved, which secret signed before and after": each event continues where the one before it was, and
    /// what is not said did not move.
    #[test]
    fn rule_16_events_tell_who_signed_before_and_after(steps in history(16)) {
        let mut world = World::new();
        for step in &steps {
            let outcome = world.step(step);
            let mut signing = outcome.before.signing_at(outcome.now).secret();
            for event in outcome.result.unwrap_or_default() {
                if let Some(Handover { before, after }) = event.signing() {
                    prop_assert_eq!(before, signing);
                    prop_assert_ne!(before, after);
                    signing = after;
                }
            }
            prop_assert_eq!(signing, outcome.after.signing_at(outcome.now).secret());
        }
    }

    /// Every change that can be seen of the secrets and add-ins is told: from the events alone they can be rebuilt.
    #[test]
    fn rule_16_the_trail_tells_everything(steps in history(20)) {
        let world = World::after(&steps);
        let told = Told::by(&world.trail);
        let secrets: Vec<_> = world
            .client
            .secrets()
            .map(|secret| (secret.id(), secret.validity(), secret.disabled_since().is_some(), secret.replaced_by()))
            .collect();
        prop_assert_eq!(told.secrets, secrets);
        let mut add_ins = told.add_ins;
        add_ins.sort();
        prop_assert_eq!(&add_ins[..], world.client.add_ins());
    }

    /// "Each holds the hash of its client's event before, the record the hash of the latest": removing, editing,
    /// swapping or repeating any event breaks the trail, and so does cutting it short.
    #[test]
    fn rule_16_a_trail_cannot_be_edited(
        steps in history(12),
        one in any::<prop::sample::Index>(),
        other in any::<prop::sample::Index>(),
        edit in 0usize..5,
    ) {
        let world = World::after(&steps);
        let head = world.client.head();
        let mut trail = world.trail.clone();
        let (one, other) = (one.index(trail.len()), other.index(trail.len()));
        match edit {
            0 => drop(trail.remove(one)),
            1 => trail[one] = edited(&trail[one], other),
            2 if one != other => trail.swap(one, other),
            3 => trail.insert(other, trail[one].clone()),
            _ => trail.truncate(one),
        }
        prop_assert!(check_trail(&trail, EventHash::START, head).is_err());
        prop_assert!(check_trail(&world.trail, head, head).is_err());
        prop_assert!(check_trail(&world.trail, EventHash::START, EventHash::START).is_err());
    }

    /// The hash is the documented one, and survives being written and read.
    #[test]
    fn rule_16_the_hash_is_the_documented_one(steps in history(8)) {
        for event in &World::after(&steps).trail {
            let json = serde_json::to_string(event).unwrap();
            let digest = Sha256::digest([b"client-registry/event/1\0", event.text().as_bytes()].concat());
            let hash = event.hash();
            prop_assert_eq!(hash.as_bytes(), &*digest);
            let read: Event = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(&read, event);
            prop_assert_eq!(hash.to_string().parse::<EventHash>().unwrap(), hash);
        }
    }

    /// The trail goes on over the client's deletion.
    #[test]
    fn rule_16_the_trail_ends_with_the_deletion(steps in history(10)) {
        let world = World::after(&steps);
        let (uses, context) = (LastUses::default(), world.desk.at(world.now));
        let plan = world.client.plan_client_deletion(&uses, &context).unwrap();
        let (state, events) = changed(world.client.confirm(&plan, &uses, &context).unwrap());
        let mut signing = world.client.signing_at(world.now).secret();
        for event in &events {
            if let Some(Handover { before, after }) = event.signing() {
                prop_assert_eq!(before, signing);
                signing = after;
            }
        }
        prop_assert_eq!(signing, None);
        let whole: Vec<_> = world.trail.iter().chain(&events).cloned().collect();
        prop_assert!(check_trail(&whole, EventHash::START, state.head()).is_ok());
        prop_assert!(matches!(state, ClientState::Deleted(_)));
    }
}

/// The answer says where the trail breaks.
#[test]
fn rule_16_the_break_is_named() {
    let world = World::new();
    let [registered, added] = &world.trail[..] else { panic!("two events register a client") };
    let head = world.client.head();
    assert_eq!(check_trail([added], EventHash::START, head), Err(BrokenTrail::At { position: 0 }));
    assert_eq!(check_trail([registered], EventHash::START, head), Err(BrokenTrail::Head));
    assert_eq!(
        check_trail([registered, registered], EventHash::START, head),
        Err(BrokenTrail::At { position: 1 })
    );
    assert!(check_trail([added], registered.hash(), head).is_ok());
    assert!(matches!(registered.fact(), Fact::ClientRegistered { .. }));
    assert_eq!((registered.revision(), registered.previous()), (Revision::new(1), EventHash::START));
    assert_eq!(
        added.signing(),
        Some(Handover { before: None, after: world.client.signing_at(world.now).secret() })
    );
}

/// The event with one of its texts or numbers changed.
fn edited(event: &Event, which: usize) -> Event {
    let mut json = serde_json::to_value(event).unwrap();
    match which % 4 {
        0 => json["revision"] = serde_json::json!(event.revision().number() + 1),
        1 => json["at"] = serde_json::json!("2001-01-01T00:00:00Z"),
        2 => json["actor"] = serde_json::json!({ "type": "operator", "id": "mallory" }),
        _ => json["client_id"] = serde_json::json!("another-app"),
    }
    serde_json::from_value(json).unwrap()
}

/// What the events say that there is.
#[derive(Default)]
struct Told {
    secrets: Vec<ToldSecret>,
    add_ins: Vec<client_registry::AddInId>,
}

type ToldSecret =
    (client_registry::SecretId, client_registry::value::Validity, bool, Option<client_registry::SecretId>);

impl Told {
    fn by(trail: &[Event]) -> Self {
        let mut told = Self::default();
        for event in trail {
            told.hear(event.fact());
        }
        told
    }

    fn hear(&mut self, fact: &Fact) {
        match fact.clone() {
            Fact::SecretAdded { secret, validity, .. } => self.secrets.push((secret, validity, false, None)),
            Fact::SecretReplaced { secret, by, validity } => {
                let told = self.secret(secret);
                (told.1, told.3) = (validity, Some(by));
            }
            Fact::SecretDisabled { secret } => self.secret(secret).2 = true,
            Fact::SecretEnabled { secret } => self.secret(secret).2 = false,
            Fact::SecretDeleted { secret } | Fact::SecretForgotten { secret } => {
                self.secrets.retain(|told| told.0 != secret);
            }
            Fact::AddInAssociated { add_in } => self.add_ins.push(add_in),
            Fact::AddInDissociated { add_in } => self.add_ins.retain(|told| *told != add_in),
            _ => {}
        }
    }

    fn secret(&mut self, id: client_registry::SecretId) -> &mut ToldSecret {
        self.secrets.iter_mut().find(|told| told.0 == id).expect("it was added")
    }
}
