//! Lists and trails of a store that cannot be trusted: what cannot be read stands beside the rest, and no answer is longer than what
//! was asked for.

use std::sync::atomic::Ordering::SeqCst;

use client_registry::store::{EventText, MAX_EVENTS, MemoryStore, Store, StoreErrorKind};
use client_registry::value::Revision;
use client_registry::*;
use pollster::block_on;

use crate::at_rest::hostile::Hostile;
use crate::at_rest::odd::Odd;
use crate::at_rest::world::{fill, filled, open};
use crate::support::details;

/// Contoso's clients "calendar app", "mail app" and "notes app", in a store that can be told to lie.
async fn hostile() -> (Hostile, Registry<Hostile>, [ClientId; 3]) {
    let store = Hostile::over(MemoryStore::new());
    let (registry, clock) = open(store.clone(), &["2026"], 1).await;
    let [calendar, mail, notes, _] = fill(&registry, &clock).await.clients.try_into().unwrap();
    (store, registry, [calendar, mail, notes])
}

fn kind_of<T: std::fmt::Debug>(answer: Result<T, Error>) -> StoreErrorKind {
    match answer {
        Err(Error::Unavailable(error)) => error.kind(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_client_that_cannot_be_read_stands_beside_the_others() {
    block_on(async {
        let (store, _, [calendar, mail, notes]) = hostile().await;
        store.put(calendar.as_str(), store.memory.load((&mail).into()).await.unwrap());
        let (registry, _) = open(store.clone(), &["2026"], 2).await;
        let contoso = registry.as_seller("contoso").unwrap();
        let page = contoso.clients(None, 100).await.unwrap();
        let mut found: Vec<_> = page.items().iter().map(|found| found.client().id().clone()).collect();
        found.sort();
        let mut others = vec![mail.clone(), notes];
        others.sort();
        assert_eq!(found, others);
        let unreadable: Vec<_> = page.unreadable().iter().map(|one| (one.client_id(), one.kind())).collect();
        assert_eq!(unreadable, [(&calendar, StoreErrorKind::Tampered)]);

        // It may be the one that has a name.
        assert_eq!(kind_of(contoso.client_named("calendar app").await), StoreErrorKind::Tampered);
        let both = [calendar, mail.clone()];
        store.edit_clients(move |_| both.to_vec());
        let named = contoso.client_named("mail app").await.unwrap().unwrap();
        assert_eq!(named.client().id(), &mail);
    });
}

#[test]
fn a_store_that_does_not_answer_has_no_list() {
    block_on(async {
        let (memory, ..) = filled().await;
        let odd = Odd::over(memory);
        let (registry, _) = open(odd.clone(), &["2026"], 2).await;
        odd.state.down.store(true, SeqCst);
        let contoso = registry.as_seller("contoso").unwrap();
        assert_eq!(kind_of(contoso.clients(None, 100).await), StoreErrorKind::Unavailable);
        assert_eq!(kind_of(contoso.client_named("mail app").await), StoreErrorKind::Unavailable);
    });
}

#[test]
fn the_pages_of_a_list_are_the_whole() {
    block_on(async {
        let (_, registry, clients) = hostile().await;
        let contoso = registry.as_seller("contoso").unwrap();
        let whole = contoso.clients(None, 100).await.unwrap();
        assert!(whole.items().len() == clients.len() && whole.next().is_none());
        for limit in 1..=4 {
            let (mut read, mut after, mut pages) = (0, None, 0);
            loop {
                let page = contoso.clients(after.as_ref(), limit).await.unwrap();
                (read, pages) = (read + page.items().len(), pages + 1);
                after = page.next().cloned();
                if after.is_none() {
                    break;
                }
            }
            // A full page does not tell whether it is the last one.
            assert_eq!((read, pages), (3, 3 / limit + 1), "{limit} at a time");
        }
    });
}

#[test]
fn rule_15_an_operator_who_looks_at_one_seller_sees_only_that_one() {
    block_on(async {
        let (_, registry, [calendar, ..]) = hostile().await;
        let fabrikam = registry.as_seller("fabrikam").unwrap();
        let theirs = fabrikam.register(details("ledger"), Lifetime::OneYear).await.unwrap();
        let ann = registry.as_operator("ann").unwrap();
        let contoso = ann.seller("contoso").unwrap();
        assert!(contoso.client(&calendar).snapshot().await.is_ok());
        let unknown = contoso.client(theirs.client_id()).snapshot().await.unwrap_err();
        assert!(matches!(unknown, Error::Refused(Refusal::UnknownClient)), "{unknown}");
        assert!(ann.client(theirs.client_id()).snapshot().await.is_ok());
    });
}

#[test]
fn a_trail_that_is_longer_than_it_can_be_is_refused() {
    block_on(async {
        let (store, registry, [calendar, ..]) = hostile().await;
        let client = registry.as_seller("contoso").unwrap().client(&calendar);
        assert_eq!(
            client.trail(Revision::ZERO, 2).await.unwrap().last().unwrap().revision(),
            Revision::new(2)
        );
        store.read_more(1);
        assert_eq!(kind_of(client.trail(Revision::ZERO, 2).await), StoreErrorKind::Tampered);
        // No more commits are there.
        assert!(client.trail(Revision::ZERO, 100).await.is_ok());
        store.confess();
        let repeated = |count: usize| move |events: Vec<EventText>| vec![events[0].clone(); count];
        store.edit_trail(repeated(MAX_EVENTS));
        assert_eq!(client.trail(Revision::ZERO, 1).await.unwrap().len(), MAX_EVENTS);
        store.edit_trail(repeated(MAX_EVENTS + 1));
        assert_eq!(kind_of(client.trail(Revision::ZERO, 1).await), StoreErrorKind::Tampered);
    });
}
