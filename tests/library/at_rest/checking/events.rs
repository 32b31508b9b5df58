//! Trails: events that are missing, changed, out of order, or cannot be read.

use client_registry::clock::Clock;
use client_registry::registry::upkeep::DiscrepancyKind;
use client_registry::store::{EventText, StoreErrorKind};
use client_registry::value::Revision;
use client_registry::*;
use pollster::block_on;

use super::{faults, hostile, names};
use crate::at_rest::odd::Odd;
use crate::at_rest::world::{filled, open};

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
            assert!(names(&found, "trail"), "with event {position} of another client: {found:?}");
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

/// A node of an older version does not report an event of a newer one as edited.
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
