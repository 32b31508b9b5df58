//! Rules 10 and 13: what stays dead, and what is left of a client.

use client_registry::client::{Client, ClientState, ConfirmError, LastUses, Revocation, Tombstone};
use client_registry::event::Fact;
use client_registry::{Event, Refusal, Secret, SecretId};
use proptest::prelude::*;

use crate::rules::history::{history, when};
use crate::rules::world::{Recognised, World, recognise};
use crate::support::{
    Desk, Seeded, add_in, changed, into_client, is_unchanged, lasting_days, registered, secret_id, start,
    two_secrets,
};

proptest! {
    /// "Presenting one is denied with a reason of its own; importing one is refused", and the others are recognised for
    /// what they are.
    #[test]
    fn rule_10_what_was_deleted_stays_dead(steps in history(20)) {
        let world = World::after(&steps);
        for (&secret, text) in &world.texts {
            let fate = world.client.remembered().find(|(id, _)| *id == secret);
            let expected = match (world.client.secret(secret), fate) {
                (Some(_), None) => Recognised::Here(secret),
                (None, Some((_, fate))) => Recognised::Dead(secret, fate),
                (None, None) => Recognised::Unknown,
                (Some(_), Some(_)) => panic!("secret {secret} is both here and dead"),
            };
            prop_assert_eq!(recognise(&world.client, text, &world.desk, world.now), expected);
        }
    }

    /// "Removes all its secrets and associations in one commit. What is left is a sealed tombstone: ID, owner,
    /// revision, last change, last event's hash, remembered verifiers."
    #[test]
    fn rule_13_a_tombstone_is_left(steps in history(14), wait in when()) {
        let mut world = World::after(&steps);
        world.now = world.resolve(wait);
        let (client, uses, context) = (&world.client, &world.uses, world.desk.at(world.now));
        let plan = client.plan_client_deletion(uses, &context).unwrap();
        prop_assert_eq!(plan.friendly_name(), client.details().friendly_name());
        prop_assert_eq!(plan.add_ins(), client.add_ins());
        let mut valid_now = world.facts.valid_at(world.now);
        valid_now.sort_unstable();
        prop_assert_eq!(plan.valid_secrets(), &valid_now[..]);
        prop_assert!(plan.obstacles().is_empty());

        let (state, events) = changed(client.confirm(&plan, uses, &context).unwrap());
        let deleted: Vec<_> = events.iter().filter_map(deleted_secret).collect();
        let mut in_order: Vec<_> = client.secrets().map(Secret::id).collect();
        in_order.sort_by_key(|id| !client.secret(*id).unwrap().validity().has_ended(world.now));
        prop_assert_eq!(deleted, in_order, "ended ones first, so that they are the first to be forgotten");
        let last = events.last().unwrap();
        let friendly_name = client.details().friendly_name().clone();
        prop_assert_eq!(last.fact(), &Fact::ClientDeleted { friendly_name, add_ins: client.add_ins().to_vec() });
        prop_assert!(state.active().is_none());
        let tombstone = left_of(state);
        prop_assert_eq!((tombstone.id(), tombstone.owner()), (client.id(), client.owner()));
        prop_assert_eq!(tombstone.revision(), client.revision().next());
        prop_assert_eq!((tombstone.changed_at(), tombstone.head()), (world.now, last.hash()));
        let mut memory = Memory::of(client);
        memory.hear(&events);
        let mut found: Vec<_> = tombstone.remembered().collect();
        found.sort_unstable_by_key(|(secret, _)| *secret);
        prop_assert_eq!(found, memory.told());
    }
}

proptest! {
    // Long histories, so fewer of them.
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// "A client remembers the verifiers of its 16 latest deleted and 64 latest compromised secrets (a deleted one can
    /// be marked compromised later)": whichever way each of them went.
    #[test]
    fn rule_10_the_latest_are_remembered(ways in prop::collection::vec(way(), 60..120)) {
        let (entropy, desk) = (Seeded::new(10), Desk::owner());
        let mut client = registered(&lasting_days(900), &entropy, &desk, start());
        let mut memory = Memory::default();
        for way in ways {
            let (next, events) = go(&client, way, &entropy, &desk, &memory);
            memory.hear(&events);
            client = next;
            let mut found: Vec<_> = client.remembered().collect();
            found.sort_unstable_by_key(|(secret, _)| *secret);
            prop_assert_eq!(found, memory.told());
        }
    }
}

/// An emergency does not push a secret out of memory that was deleted in calm.
#[test]
fn rule_10_an_emergency_forgets_no_calm_deletion() {
    let (entropy, desk) = (Seeded::new(10), Desk::owner());
    let mut client = registered(&lasting_days(900), &entropy, &desk, start());
    let mut memory = Memory::default();
    for way in std::iter::repeat_n(Way::Calm, 16).chain([Way::Emergency]) {
        let (next, events) = go(&client, way, &entropy, &desk, &memory);
        memory.hear(&events);
        client = next;
    }
    let calm: Vec<_> = client.remembered().filter(|(_, fate)| *fate == Revocation::Deleted).collect();
    assert_eq!(calm.len(), 16);
}

/// "Both outlive the client's deletion", and a deleted one can be marked compromised even then.
#[test]
fn rule_10_the_memory_outlives_the_client() {
    let (client, desk) = two_secrets();
    let (uses, now) = (LastUses::default(), desk.at(start()));
    let (client, _) = client.delete_in_emergency(secret_id(1), None, &now).unwrap();
    let client = into_client(client);
    let plan = client.plan_client_deletion(&uses, &now).unwrap();
    let tombstone = left_of(changed(client.confirm(&plan, &uses, &now).unwrap()).0);
    let dead: Vec<_> = tombstone.remembered().collect();
    assert_eq!(dead, [(secret_id(1), Revocation::Compromised), (secret_id(2), Revocation::Deleted)]);

    let (marked, events) = changed(tombstone.mark_compromised(secret_id(2), &now).unwrap());
    assert_eq!(events[0].fact(), &Fact::SecretCompromised { secret: secret_id(2) });
    assert_eq!((events[0].previous(), marked.head()), (tombstone.head(), events[0].hash()));
    assert_eq!(marked.revision(), tombstone.revision().next());
    let marked = left_of(marked);
    assert!(marked.remembered().all(|(_, fate)| fate == Revocation::Compromised));
    assert!(is_unchanged(&marked.mark_compromised(secret_id(2), &now).unwrap()));
    let unknown = marked.mark_compromised(secret_id(3), &now).unwrap_err();
    assert_eq!(unknown, Refusal::UnknownSecret { secret: secret_id(3) });
    let stranger = Desk::stranger();
    assert_eq!(
        marked.mark_compromised(secret_id(2), &stranger.at(start())).unwrap_err(),
        Refusal::UnknownClient
    );
}

#[test]
fn rule_10_only_a_deleted_one_is_marked() {
    let (client, desk) = two_secrets();
    let now = desk.at(start());
    let refusal = client.mark_compromised(secret_id(1), &now).unwrap_err();
    assert_eq!(refusal, Refusal::NotDeleted { secret: secret_id(1) });
    let refusal = client.mark_compromised(secret_id(3), &now).unwrap_err();
    assert_eq!(refusal, Refusal::UnknownSecret { secret: secret_id(3) });
}

/// The plan of a client's deletion does not outlive a change either.
#[test]
fn rule_13_a_plan_does_not_outlive_a_change() {
    let (client, desk) = two_secrets();
    let (uses, now) = (LastUses::default(), desk.at(start()));
    let plan = client.plan_client_deletion(&uses, &now).unwrap();
    let client = into_client(client.associate(&add_in(1), &now).unwrap());
    let Err(ConfirmError::Changed(plan)) = client.confirm(&plan, &uses, &now) else {
        panic!("an add-in has come");
    };
    assert_eq!(plan.add_ins().len(), 1);
    assert!(client.confirm(&plan, &uses, &now).is_ok());
}

/// How a secret goes.
#[derive(Debug, Clone, Copy)]
enum Way {
    Calm,
    Emergency,
    /// One that was deleted in calm turns out to be compromised.
    Later(prop::sample::Index),
}

/// What rule 10 says is remembered.
#[derive(Debug, Default)]
struct Memory {
    deleted: Vec<SecretId>,
    compromised: Vec<SecretId>,
}

impl Memory {
    /// What the client remembers, in its order.
    fn of(client: &Client) -> Self {
        let of_fate =
            |fate| client.remembered().filter(move |dead| dead.1 == fate).map(|(id, _)| id).collect();
        Self { deleted: of_fate(Revocation::Deleted), compromised: of_fate(Revocation::Compromised) }
    }

    /// Hears the events of one commit.
    fn hear(&mut self, events: &[Event]) {
        for event in events {
            match *event.fact() {
                Fact::SecretDeleted { secret } => self.deleted.push(secret),
                Fact::SecretCompromised { secret } => {
                    self.deleted.retain(|&other| other != secret);
                    self.compromised.push(secret);
                }
                _ => {}
            }
        }
        self.deleted.drain(..self.deleted.len().saturating_sub(16));
        self.compromised.drain(..self.compromised.len().saturating_sub(64));
    }

    fn told(&self) -> Vec<(SecretId, Revocation)> {
        let deleted = self.deleted.iter().map(|&secret| (secret, Revocation::Deleted));
        let compromised = self.compromised.iter().map(|&secret| (secret, Revocation::Compromised));
        let mut told: Vec<_> = deleted.chain(compromised).collect();
        told.sort_unstable_by_key(|(secret, _)| *secret);
        told
    }
}

fn way() -> impl Strategy<Value = Way> {
    prop_oneof![
        2 => Just(Way::Calm),
        4 => Just(Way::Emergency),
        1 => any::<prop::sample::Index>().prop_map(Way::Later),
    ]
}

/// Lets a secret go that was added for it.
fn go(client: &Client, way: Way, entropy: &Seeded, desk: &Desk, memory: &Memory) -> (Client, Vec<Event>) {
    let (uses, now) = (LastUses::default(), desk.at(start()));
    let added = into_client(client.add_secret(&lasting_days(9), &entropy.client_secret(), &now).unwrap());
    let secret = added.secrets().last().unwrap().id();
    let transition = match way {
        Way::Later(index) if !memory.deleted.is_empty() => {
            client.mark_compromised(*index.get(&memory.deleted), &now).unwrap()
        }
        Way::Calm | Way::Later(_) => {
            let plan = added.plan_deletion(secret, &uses, &now).unwrap();
            added.confirm(&plan, &uses, &now).unwrap()
        }
        Way::Emergency => added.delete_in_emergency(secret, None, &now).unwrap().0,
    };
    match changed(transition) {
        (ClientState::Active(client), events) => (client, events),
        (ClientState::Deleted(_), _) => panic!("the client is still there"),
    }
}

fn deleted_secret(event: &Event) -> Option<SecretId> {
    match *event.fact() {
        Fact::SecretDeleted { secret } => Some(secret),
        _ => None,
    }
}

fn left_of(state: ClientState) -> Tombstone {
    match state {
        ClientState::Deleted(tombstone) => tombstone,
        ClientState::Active(_) => panic!("the client is still there"),
    }
}
