//! `Registry::check` finds what is wrong with a store, and says where.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;

use client_registry::client::LastUses;
use client_registry::clock::Clock;
use client_registry::registry::upkeep::{Discrepancy, DiscrepancyKind, Lookup};
use client_registry::store::{EventText, RecordId, Store, StoreErrorKind, Use};
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
fn every_event_that_is_deleted_edited_or_reordered_is_found() {
    block_on(async {
        let (store, registry, contents) = hostile().await;
        let id = contents.clients[0].clone();
        let trail =
            registry.as_operator("ann").unwrap().client(&id).trail(Revision::ZERO, 100).await.unwrap();
        assert!(trail.len() > 8);
        for (position, event) in trail.iter().enumerate() {
            let hash = event.hash();
            store.edit_trail(move |events| events.into_iter().filter(|event| event.hash() != hash).collect());
            let found = faults(&registry, &id).await;
            assert!(names(&found, "trail"), "without event {position}: {found:?}");

            store.edit_trail(move |mut events| {
                for event in events.iter_mut().filter(|event| event.hash() == hash) {
                    let text =
                        str::from_utf8(event.as_bytes()).unwrap().replace("\"contoso\"", "\"fabrikam\"");
                    *event = EventText::from_bytes(text.into_bytes());
                }
                events
            });
            let found = faults(&registry, &id).await;
            assert!(names(&found, "trail"), "with event {position} of somebody else: {found:?}");
        }
        for position in 1..trail.len() {
            let hashes = [trail[position - 1].hash(), trail[position].hash()];
            store.edit_trail(move |mut events| {
                let at = |hash| events.iter().position(|event| event.hash() == hash);
                if let (Some(first), Some(second)) = (at(hashes[0]), at(hashes[1])) {
                    events.swap(first, second);
                }
                events
            });
            // Events of two revisions stand with their commits again; those of one are found reordered.
            let swapped = trail[position - 1].revision() == trail[position].revision();
            assert_eq!(names(&faults(&registry, &id).await, "trail"), swapped);
        }
        store.confess();
        // The feed by itself: one event less, one twice, two swapped.
        let last = trail[trail.len() - 1].hash();
        store.edit_feed(move |events| events.into_iter().filter(|event| event.hash() != last).collect());
        assert!(names(&faults(&registry, &id).await, "feed"));
        let first = trail[0].hash();
        store.edit_feed(move |events| {
            events
                .into_iter()
                .flat_map(|e| if e.hash() == first { vec![e.clone(), e] } else { vec![e] })
                .collect()
        });
        assert!(names(&faults(&registry, &id).await, "feed"));
        store.confess();
        assert!(registry.check().await.unwrap().is_clean());
    });
}

/// Events that are missing at the end are another fault than events that were edited.
#[test]
fn a_trail_that_ends_too_early_is_not_called_broken() {
    block_on(async {
        let (store, registry, contents) = hostile().await;
        let id = contents.clients[0].clone();
        let trail =
            registry.as_operator("ann").unwrap().client(&id).trail(Revision::ZERO, 100).await.unwrap();
        let last = trail.last().unwrap().revision();
        for cut in [last.number(), last.number() - 1] {
            let whose = id.clone();
            store.edit_trail(move |events| {
                let is_kept = |event: &EventText| {
                    let event = Event::parse(event).unwrap();
                    event.client_id() != &whose || event.revision().number() < cut
                };
                events.into_iter().filter(is_kept).collect()
            });
            let checked = registry.check().await.unwrap();
            let found: Vec<_> =
                checked.discrepancies.iter().map(|fault| (fault.client_id(), fault.what())).collect();
            assert!(
                matches!(found[..], [(Some(whose), DiscrepancyKind::TrailCutShort)] if *whose == id),
                "{found:?}"
            );
        }
        // One that is edited at its end is as long as it was.
        let (whose, edited) = (id.clone(), last);
        store.edit_trail(move |mut events| {
            for text in &mut events {
                let event = Event::parse(text).unwrap();
                if event.client_id() == &whose && event.revision() == edited {
                    let other =
                        str::from_utf8(text.as_bytes()).unwrap().replace("\"contoso\"", "\"fabrikam\"");
                    *text = EventText::from_bytes(other.into_bytes());
                }
            }
            events
        });
        let checked = registry.check().await.unwrap();
        let found: Vec<_> =
            checked.discrepancies.iter().map(|fault| (fault.client_id(), fault.what())).collect();
        let is_broken = |found: &(Option<&ClientId>, &DiscrepancyKind)| {
            found.0 == Some(&id) && matches!(found.1, DiscrepancyKind::BrokenTrail { at } if *at == last)
        };
        assert!(found.len() == 1 && is_broken(&found[0]), "{found:?}");
    });
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

#[test]
fn an_event_that_cannot_be_read_is_named() {
    block_on(async {
        let (memory, _, clock, contents) = filled().await;
        let odd = Odd::over(memory);
        let (node, hands) = open(odd.clone(), &["2026"], 3).await;
        hands.set_wall(Clock::wall(&clock).to_datetime());
        *odd.state.spoilt.lock().unwrap() = Some(contents.clients[1].clone());
        let checked = node.check().await.unwrap();
        assert!(checked.discrepancies.iter().any(|fault| fault.client_id() == Some(&contents.clients[1])));
        assert!(!checked.is_clean());
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

/// Nothing vouches for last uses. The check names those that cannot be.
#[test]
fn a_last_use_that_cannot_be_is_named() {
    block_on(async {
        let (memory, registry, clock, contents) = filled().await;
        let known = &contents.valid[0];
        let (client_id, secret) = (known.client_id.clone(), known.secret);
        let now = Clock::wall(&clock);
        let minutes = |count: u64| std::time::Duration::from_secs(60 * count);
        let note = async |at: Timestamp| {
            let used = Use { client_id: client_id.clone(), secret, at };
            memory.note_uses(&[used], now).await.unwrap();
        };
        let told = async || {
            let checked = registry.check().await.unwrap();
            checked.discrepancies.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert!(told().await.is_empty());
        // The secret was added a day ago.
        note(now.checked_sub(minutes(2 * 24 * 60)).unwrap()).await;
        let found = told().await;
        assert!(found.len() == 1 && found[0].contains(&format!("last use of secret {secret}")), "{found:?}");
        note(now).await;
        assert!(told().await.is_empty());
        note(now.saturating_add(minutes(1))).await;
        assert!(told().await.is_empty(), "another clock may be a minute ahead");
        let far = "2099-01-01T00:00:00Z".parse().unwrap();
        note(far).await;
        let found = told().await;
        assert!(found.len() == 1 && found[0].contains("2099") && found[0].contains("clock"), "{found:?}");
        // It stops no list.
        let page = registry.as_operator("ann").unwrap().clients(None, 100).await.unwrap();
        assert_eq!((page.items().len(), page.unreadable().len()), (3, 0));
        note(now).await;
        assert!(told().await.is_empty());
    });
}

/// It may have been added between two look-ups. If it was not, the client does not have it.
#[test]
fn a_last_use_of_a_secret_that_the_client_does_not_have_is_named() {
    block_on(async {
        let (store, registry, contents) = hostile().await;
        let id = contents.clients[2].clone();
        let (whose, at) = (id.clone(), crate::support::start());
        let noted = move |client_id: &ClientId, mut uses: LastUses, secret| {
            if *client_id == whose {
                uses.note(secret, at);
            }
            uses
        };
        let stranger = SecretId::new(77).unwrap();
        let note = noted.clone();
        store.edit_last_uses(move |client_id, uses| note(client_id, uses, stranger));
        let found = faults(&registry, &id).await;
        assert!(found.len() == 1 && found[0].contains("last use of secret 77"), "{found:?}");

        let busy = registry.as_operator("ann").unwrap().client(&id);
        let whose = id.clone();
        store.edit_last_uses(move |client_id, uses| {
            if *client_id != whose {
                return uses;
            }
            let added = block_on(busy.add_secret(NewSecret::lasting(Lifetime::OneYear))).unwrap();
            noted(client_id, uses, added.secret_id())
        });
        assert_eq!(faults(&registry, &id).await, [""; 0]);
    });
}

/// A node that is older than the one that wrote an event does not say that somebody edited it.
#[test]
fn an_event_of_a_newer_version_is_called_newer() {
    block_on(async {
        let (store, registry, contents) = hostile().await;
        let id = contents.clients[1].clone();
        let whose = id.clone();
        store.edit_text(move |text| {
            let words = str::from_utf8(text.as_bytes()).unwrap();
            match words.contains(whose.as_str()) {
                true => EventText::from_bytes(words.replace("secret_added", "secret_lent").into_bytes()),
                false => text,
            }
        });
        let checked = registry.check().await.unwrap();
        let of_trail: Vec<_> =
            checked.discrepancies.iter().filter(|one| !matches!(one.what(), DiscrepancyKind::Feed)).collect();
        let is_newer = |what: &DiscrepancyKind| matches!(what, DiscrepancyKind::Trail(error) if error.kind() == StoreErrorKind::NewerFormat);
        assert!(
            matches!(of_trail[..], [one] if one.client_id() == Some(&id) && is_newer(one.what())),
            "{:?}",
            checked.discrepancies
        );
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
