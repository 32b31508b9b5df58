//! `Registry::check` finds what is wrong with a store, and says where.

mod events;
mod uses;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;

use client_registry::clock::Clock;
use client_registry::registry::upkeep::{Discrepancy, DiscrepancyKind, Lookup};
use client_registry::store::{RecordId, StoreErrorKind};
use client_registry::value::Revision;
use client_registry::*;
use pollster::block_on;

use crate::at_rest::hostile::Hostile;
use crate::at_rest::odd::Odd;
use crate::at_rest::world::{Contents, filled, open};

async fn hostile() -> (Hostile, Registry<Hostile>, Contents) {
    let (memory, _, _, contents) = filled().await;
    let store = Hostile::over(memory);
    let (registry, _) = open(store.clone(), &["2026"], 2).await;
    let checked = registry.check().await.unwrap();
    assert!(checked.is_clean(), "{:?}", checked.discrepancies);
    assert!(checked.clients == 4 && checked.events > 15, "{checked:?}");
    (store, registry, contents)
}

/// What the check says of one client, in words.
async fn faults(registry: &Registry<Hostile>, id: &ClientId) -> Vec<String> {
    let checked = registry.check().await.unwrap();
    let (of_it, of_others): (Vec<_>, Vec<_>) =
        checked.discrepancies.iter().partition(|fault| fault.client_id() == Some(id));
    assert!(of_others.is_empty(), "{of_others:?}");
    assert_eq!(checked.is_clean(), of_it.is_empty());
    of_it.iter().map(|fault| fault.to_string()).collect()
}

fn names(discrepancies: &[String], what: &str) -> bool {
    discrepancies.iter().any(|fault| fault.contains(what))
}

#[test]
fn a_record_that_is_gone_or_changed_is_found() {
    block_on(async {
        let (store, registry, contents) = hostile().await;
        let id = &contents.clients[1];
        store.put(id.as_str(), None);
        // Gone from where it was seen.
        assert!(names(&faults(&registry, id).await, "older than one seen before"));
        let (newcomer, _) = open(store.clone(), &["2026"], 3).await;
        assert!(names(&faults(&newcomer, id).await, "no record"));
        store.put(RecordId::REGISTRY.as_str(), None);
        let checked = newcomer.check().await.unwrap();
        assert!(checked.discrepancies.iter().any(|fault| fault.client_id().is_none()), "{checked:?}");
        assert!(!checked.is_clean());
    });
}

#[test]
fn an_index_that_leads_elsewhere_is_found() {
    block_on(async {
        let (store, registry, contents) = hostile().await;
        let (id, other) = (contents.clients[0].clone(), contents.clients[1].clone());
        let hidden = id.clone();
        store.edit_clients(move |clients| clients.into_iter().filter(|client| *client != hidden).collect());
        let found = faults(&registry, &id).await;
        for lookup in ["name", "seller", "key"] {
            assert!(names(&found, lookup), "{lookup}: {found:?}");
        }
        store.confess();
        let hidden = id.clone();
        store.edit_ending(move |ending| ending.into_iter().filter(|one| one.client_id != hidden).collect());
        assert!(names(&faults(&registry, &id).await, "not found by its secret's end"));
        store.confess();
        store.edit_client_of(move |found| found.map(|_| other.clone()));
        assert!(names(&faults(&registry, &id).await, "not found by its add-in"));
        store.confess();
        assert!(registry.check().await.unwrap().is_clean());
    });
}

#[test]
fn a_client_that_changes_all_the_time_is_no_fault() {
    block_on(async {
        let (memory, registry, clock, contents) = filled().await;
        let odd = Odd::over(memory);
        let (node, hands) = open(odd.clone(), &["2026"], 3).await;
        hands.set_wall(Clock::wall(&clock).to_datetime());
        let client_id = contents.clients[2].clone();
        let busy = registry.as_operator("ann").unwrap().client(&client_id);
        *odd.state.at_ending.lock().unwrap() = Some(Arc::new(move || {
            let _ = block_on(busy.add_secret(NewSecret::lasting(Lifetime::OneYear))).unwrap();
        }));
        let checked = node.check().await.unwrap();
        assert!(checked.is_clean(), "{:?}", checked.discrepancies);
    });
}

/// The trail is read after the record, and may be ahead of it.
#[test]
fn a_change_between_a_record_and_its_trail_is_no_fault() {
    block_on(async {
        let (memory, registry, clock, contents) = filled().await;
        let odd = Odd::over(memory);
        let (node, hands) = open(odd.clone(), &["2026"], 3).await;
        hands.set_wall(Clock::wall(&clock).to_datetime());
        let busy = registry.as_operator("ann").unwrap().client(&contents.clients[0]);
        let is_changed = AtomicBool::new(false);
        *odd.state.at_history.lock().unwrap() = Some(Arc::new(move |id| {
            if id == busy.id() && !is_changed.swap(true, SeqCst) {
                let _ = block_on(busy.add_secret(NewSecret::lasting(Lifetime::OneYear))).unwrap();
            }
        }));
        let checked = node.check().await.unwrap();
        assert!(checked.is_clean(), "{:?}", checked.discrepancies);
        let trail = registry.as_operator("ann").unwrap().client(&contents.clients[0]);
        let trail = trail.trail(Revision::ZERO, 100).await.unwrap();
        assert_eq!(trail.last().unwrap().revision(), Revision::new(8), "it was changed in between");
    });
}

/// An add-in that a client once had, and that still leads to it.
#[test]
fn a_row_that_was_not_taken_away_is_found() {
    block_on(async {
        let (memory, _, clock, contents) = filled().await;
        let store = Hostile::over(memory);
        let (node, hands) = open(store.clone(), &["2026"], 3).await;
        hands.set_wall(Clock::wall(&clock).to_datetime());
        let id = contents.clients[0].clone();
        let client = node.as_operator("ann").unwrap().client(&id);
        client.dissociate(&AddInId::parse("calendar").unwrap()).await.unwrap();
        assert!(node.check().await.unwrap().is_clean());
        let leads_to = id.clone();
        store.edit_client_of(move |_| Some(leads_to.clone()));
        let checked = node.check().await.unwrap();
        let is_it = |fault: &Discrepancy| {
            fault.client_id() == Some(&id) && matches!(fault.what(), DiscrepancyKind::FoundBy(Lookup::AddIn))
        };
        assert!(checked.discrepancies.iter().any(is_it), "{:?}", checked.discrepancies);
        assert!(!checked.is_clean());
    });
}

/// That a store does not answer says nothing of what it holds.
#[test]
fn a_store_that_does_not_answer_is_not_found_faulty() {
    block_on(async {
        let (memory, _, clock, contents) = filled().await;
        let odd = Odd::over(memory);
        let (node, hands) = open(odd.clone(), &["2026"], 3).await;
        hands.set_wall(Clock::wall(&clock).to_datetime());
        odd.state.down.store(true, SeqCst);
        assert_eq!(node.check().await.unwrap_err().kind(), StoreErrorKind::Unavailable);
        odd.state.down.store(false, SeqCst);
        assert_eq!(node.check().await.unwrap().clients, contents.clients.len() as u64);
    });
}
