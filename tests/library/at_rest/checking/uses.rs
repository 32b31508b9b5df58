//! Last uses that cannot be.

use client_registry::client::LastUses;
use client_registry::clock::Clock;
use client_registry::store::{Store, Use};
use client_registry::*;
use pollster::block_on;

use super::{faults, hostile};
use crate::at_rest::world::filled;

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
