//! A record that is full leaves room to take secrets away, and an emergency makes room.

use client_registry::clock::ManualClock;
use client_registry::store::{MAX_RECORD, MemoryStore, RecordId, Store};
use client_registry::value::Label;
use client_registry::*;

use crate::at_rest::world::{fill_up, open};
use crate::support::details;

fn labelled() -> NewSecret {
    // The longest there is, each character two bytes.
    NewSecret::lasting(Lifetime::OneYear).labelled(Label::parse(&"\u{e4}".repeat(100)).unwrap())
}

fn size(store: &MemoryStore, client_id: &ClientId) -> usize {
    let record = pollster::block_on(store.load(RecordId::from(client_id))).unwrap().unwrap();
    record.to_bytes().unwrap().len()
}

/// A client with secrets that have ended and one that has not, whose record is as full as ordinary commands make it.
async fn full(store: &MemoryStore) -> (Registry, ManualClock, ClientHandle<MemoryStore>, Vec<Issued>) {
    let (registry, clock) = open(store.clone(), &["2026"], 1).await;
    let contoso = registry.as_seller("contoso").unwrap();
    let issued = contoso.register(details("calendar app"), Lifetime::OneYear).await.unwrap();
    let client = contoso.client(issued.client_id());
    for _ in 0..3 {
        for _ in 0..4 {
            let _ = client.add_secret(labelled()).await.unwrap();
        }
        clock.advance(Days::new(366));
        // What had ended at the change before may be forgotten.
        client.change_details(details("calendar app")).await.unwrap();
        client.change_details(details("calendar")).await.unwrap();
    }
    let valid =
        vec![client.add_secret(labelled()).await.unwrap(), client.add_secret(labelled()).await.unwrap()];
    fill_up(&client).await;
    (registry, clock, client, valid)
}

#[pollster::test]
async fn a_full_record_leaves_room_to_take_secrets_away() {
    let store = MemoryStore::new();
    let (_, _, client, valid) = full(&store).await;
    let most = 60 * 1024;
    assert!((most - 200..=most).contains(&size(&store, client.id())), "{}", size(&store, client.id()));
    assert!(matches!(client.add_secret(labelled()).await, Err(Error::TooLarge)));
    let plan = client.plan_disabling(valid[0].secret_id()).await.unwrap();
    client.confirm(plan).await.unwrap();
    match client.delete_in_emergency(valid[0].secret_id(), Some(labelled())).await.unwrap() {
        EmergencyDeletion::Replaced(issued) => assert_ne!(issued.secret_id(), valid[0].secret_id()),
        other => panic!("{other:?}"),
    }
}

/// A suspension makes a record larger and takes everything away, and so does calling off a rotation.
#[pollster::test]
async fn a_full_record_leaves_room_to_suspend_and_to_call_a_rotation_off() {
    let store = MemoryStore::new();
    let (registry, clock, client, _) = full(&store).await;
    clock.advance(Days::new(1));
    client.suspend().await.unwrap();
    client.resume().await.unwrap();
    registry.as_operator("ann").unwrap().client(client.id()).suspend().await.unwrap();
    registry.as_operator("ann").unwrap().client(client.id()).resume().await.unwrap();

    let (registry, _) = open(MemoryStore::new(), &["2026"], 1).await;
    let contoso = registry.as_seller("contoso").unwrap();
    let issued = contoso.register(details("calendar app"), Lifetime::OneYear).await.unwrap();
    let client = contoso.client(issued.client_id());
    let rotated = client.rotate(Rotation::overlap(Days::new(9))).await.unwrap();
    fill_up(&client).await;
    assert!(matches!(client.add_secret(labelled()).await, Err(Error::TooLarge)));
    client.call_off(rotated.secret_id()).await.unwrap();
}

#[pollster::test]
async fn what_makes_a_record_no_larger_is_allowed_also_where_it_is_fuller_than_it_should_be() {
    let store = MemoryStore::new();
    let (_, _, client, valid) = full(&store).await;
    let mut last = valid[0].secret_id();
    while size(&store, client.id()) <= 61 * 1024 {
        match client.delete_in_emergency(last, Some(labelled())).await.unwrap() {
            EmergencyDeletion::Replaced(issued) => last = issued.secret_id(),
            other => panic!("{other:?}"),
        }
    }
    let snapshot = client.snapshot().await.unwrap();
    let add_in = snapshot.client().add_ins().first().unwrap().clone();
    client.dissociate(&add_in).await.unwrap();
    let again = AddIn::new(add_in.as_str(), Availability::Worldwide).unwrap();
    assert!(matches!(client.associate(&again).await, Err(Error::TooLarge)));
}

#[pollster::test]
async fn an_emergency_on_a_full_record_forgets_the_secrets_that_ended_longest_ago() {
    let store = MemoryStore::new();
    let (registry, _, client, valid) = full(&store).await;
    let ended: Vec<_> = client.snapshot().await.unwrap().client().secrets().map(Secret::id).collect();
    let mut last = valid[0].secret_id();
    // Each leaves something to be remembered.
    for number in 0..64 {
        match client.delete_in_emergency(last, Some(labelled())).await.unwrap() {
            EmergencyDeletion::Replaced(issued) => last = issued.secret_id(),
            other => panic!("{number}: {other:?}"),
        }
        assert!(size(&store, client.id()) <= MAX_RECORD);
    }
    let left: Vec<_> = client.snapshot().await.unwrap().client().secrets().map(Secret::id).collect();
    let gone: Vec<_> = ended.iter().filter(|id| !left.contains(id) && **id != valid[0].secret_id()).collect();
    assert!(!gone.is_empty() && gone.len() < 12, "{gone:?} of {ended:?}");
    assert!(ended.starts_with(&gone.into_iter().copied().collect::<Vec<_>>()), "the longest-ended first");
    assert!(left.contains(&valid[1].secret_id()));
    assert!(registry.check().await.unwrap().is_clean());
}
