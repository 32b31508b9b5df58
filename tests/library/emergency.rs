//! A secret that is to be dead at once is, whatever else goes on (rule 9).

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::support::forward;
use client_registry::clock::ManualClock;
use client_registry::store::{Commit, CommitError, Expected, MemoryStore, Store};
use client_registry::{
    ClientDetails, EmergencyDeletion, Error, ErrorKind, Issued, Lifetime, NewSecret, Registry, Seller,
};
use pollster::block_on;

/// A store on which others are faster so many times, each time a while later.
#[derive(Debug)]
struct Contended {
    store: MemoryStore,
    faster: AtomicUsize,
    clock: ManualClock,
    takes: Duration,
    /// Whether each commit that was sent was an emergency.
    urgent: Mutex<Vec<bool>>,
}

impl Store for Contended {
    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        self.urgent.lock().unwrap().push(commit.is_urgent());
        let is_overtaken =
            self.faster.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        if is_overtaken.is_err() {
            return self.store.commit(commit).await;
        }
        self.clock.advance(self.takes);
        let change = &commit.changes()[0];
        let found = match change.expected() {
            Expected::Exactly(revision) => Some(*revision),
            other => panic!("{other:?}"),
        };
        Err(CommitError::Conflict { record_id: change.id().as_str().into(), found })
    }

    forward!(store: load history clients client_of ending changes latest adopt note_uses last_uses);
}

fn world(takes: Duration) -> (Registry<Contended>, Seller<Contended>, Issued) {
    let clock = ManualClock::new("2026-03-01T09:00:00Z".parse().unwrap());
    let registry = Registry::builder().clock(clock.clone()).in_memory_behind(|store| Contended {
        store,
        faster: AtomicUsize::new(0),
        clock,
        takes,
        urgent: Mutex::default(),
    });
    let contoso = registry.as_seller("contoso").unwrap();
    let details =
        ClientDetails::new("calendar app", "app.contoso.com", "https://app.contoso.com/done").unwrap();
    let issued = block_on(contoso.register(details, Lifetime::OneYear)).unwrap();
    (registry, contoso, issued)
}

#[test]
fn rule_9_an_emergency_goes_on_while_others_change_the_client() {
    let (registry, contoso, issued) = world(Duration::ZERO);
    let client = contoso.client(issued.client_id());
    registry.store().faster.store(200, Ordering::Relaxed);
    let another = client.add_secret(NewSecret::lasting(Lifetime::OneYear));
    let error = block_on(another).unwrap_err();
    assert!(matches!(error, Error::Contention { attempts: 16 }), "what is no emergency gives up: {error}");
    assert_eq!(error.to_string(), "the client was changed by others 16 times in a row: try again");
    assert_eq!(registry.store().faster.load(Ordering::Relaxed), 184, "it was sent 16 times");
    registry.store().faster.store(200, Ordering::Relaxed);
    let deleted = client.delete_in_emergency(issued.secret_id(), Some(NewSecret::lasting(Lifetime::OneYear)));
    assert!(matches!(block_on(deleted).unwrap(), EmergencyDeletion::Replaced(_)));
}

#[test]
fn rule_9_an_emergency_ends_at_its_deadline_and_says_that_the_store_is_not_available() {
    let (registry, contoso, issued) = world(Duration::from_secs(1));
    let client = contoso.client(issued.client_id());
    registry.store().faster.store(usize::MAX, Ordering::Relaxed);
    let error = block_on(client.delete_in_emergency(issued.secret_id(), None)).unwrap_err();
    assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    // Ten seconds, one for each attempt, after the one that registered.
    assert_eq!(registry.store().urgent.lock().unwrap().len(), 11);
    registry.store().faster.store(0, Ordering::Relaxed);
    assert_eq!(block_on(client.snapshot()).unwrap().client().secrets().len(), 1);
}

/// So that a store that lets commits wait can make them first.
#[test]
fn rule_9_emergencies_are_told_from_other_commits() {
    let (registry, contoso, issued) = world(Duration::ZERO);
    let client = contoso.client(issued.client_id());
    let another = block_on(client.add_secret(NewSecret::lasting(Lifetime::OneYear))).unwrap();
    let _ = block_on(client.delete_in_emergency(issued.secret_id(), None)).unwrap();
    block_on(client.promote(another.secret_id())).unwrap();
    assert_eq!(*registry.store().urgent.lock().unwrap(), [false, false, true, false]);
}
