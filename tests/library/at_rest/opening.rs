//! Whose registry it is, and whether the keyring is the right one, before anything is written.

use client_registry::clock::Clock;
use client_registry::record::{KeyState, RegistryId};
use client_registry::registry::upkeep::ImportError;
use client_registry::secret::KeyEncoding;
use client_registry::store::{MemoryStore, Record, RecordId, RecordParts, Store, StoreErrorKind};
use client_registry::*;
use pollster::block_on;

use crate::at_rest::hostile::Hostile;
use crate::at_rest::world::{builder, filled, key, keyring, open, portrait};
use crate::support::mac;

async fn refused(store: &MemoryStore, keyring: Keyring) -> OpenError {
    let before = store.load(RecordId::REGISTRY).await.unwrap().map(|record| record.to_bytes().unwrap());
    let error = Registry::open(store.clone(), keyring).await.unwrap_err();
    let after = store.load(RecordId::REGISTRY).await.unwrap().map(|record| record.to_bytes().unwrap());
    assert_eq!(before, after, "nothing was written");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    error
}

#[test]
fn what_was_closed_is_opened_again_the_same() {
    block_on(async {
        let (store, registry, clock, contents) = filled().await;
        let before = portrait(&registry, &contents).await;
        drop(registry);
        let (again, later) = open(store, &["2026"], 2).await;
        later.set_wall(Clock::wall(&clock).to_datetime());
        assert_eq!(portrait(&again, &contents).await, before);
        assert!(before.contains("Authenticated") && before.contains("Compromised"), "or it shows nothing");
    });
}

/// What was sealed and opened again signs with the client secrets as keys, by the reckoning of another implementation.
#[test]
fn rule_06_what_is_opened_signs_with_the_client_secret_as_key() {
    block_on(async {
        let (_, registry, _, contents) = filled().await;
        let mut seen = 0;
        for known in &contents.valid {
            for signature in registry.sign_all(&known.client_id, b"message").await.unwrap() {
                if signature.secret_id() == known.secret {
                    let is_base64 = known.text.ends_with("==");
                    let encoding = if is_base64 { KeyEncoding::Base64 } else { KeyEncoding::Utf8 };
                    assert_eq!(*signature.mac(), mac::hmac(&mac::key(&known.text, encoding), b"message"));
                    seen += 1;
                }
            }
        }
        assert_eq!(seen, contents.valid.len());
    });
}

#[test]
fn with_a_second_key_it_is_the_same_registry() {
    block_on(async {
        let (store, registry, clock, contents) = filled().await;
        let before = portrait(&registry, &contents).await;
        let (both, later) = open(store.clone(), &["2027", "2026"], 2).await;
        later.set_wall(Clock::wall(&clock).to_datetime());
        assert_eq!(portrait(&both, &contents).await, before);
        let keys = both.keys().await.unwrap();
        let seen: Vec<_> = keys.iter().map(|key| (key.id.as_str(), key.state, key.is_primary)).collect();
        assert_eq!(seen, [("2026", KeyState::Active, false), ("2027", KeyState::Active, true)]);

        // From now on the new key is in use, and a node that lacks it is told.
        let error = refused(&store, keyring(&["2026"])).await;
        assert!(matches!(&error, OpenError::MissingKey { key_id } if key_id.as_str() == "2027"), "{error}");
        // In whatever order.
        let _ = open(store, &["2026", "2027"], 3).await;
    });
}

#[test]
fn a_wrong_key_or_another_registrys_key_is_refused_before_anything_is_written() {
    block_on(async {
        let (store, ..) = filled().await;
        let (id, _) = key("2026");
        let wrong = refused(&store, Keyring::new(id, &key("2027").1).unwrap()).await;
        assert!(matches!(&wrong, OpenError::WrongKey { key_id } if key_id.as_str() == "2026"), "{wrong}");
        let other = refused(&store, keyring(&["2028"])).await;
        assert!(matches!(&other, OpenError::MissingKey { key_id } if key_id.as_str() == "2026"), "{other}");
        // One of two is wrong.
        let (id, _) = key("2026");
        let mixed = keyring(&["2027"]).with(id, &key("2025").1).unwrap();
        assert!(matches!(refused(&store, mixed).await, OpenError::WrongKey { .. }));
    });
}

#[test]
fn a_retired_key_is_no_primary_key() {
    block_on(async {
        let (store, ..) = filled().await;
        let (both, _) = open(store.clone(), &["2027", "2026"], 2).await;
        both.retire_key(&key("2026").0).await.unwrap();
        let error = refused(&store, keyring(&["2026", "2027"])).await;
        assert!(matches!(&error, OpenError::RetiredKey { key_id } if key_id.as_str() == "2026"), "{error}");
        // The retired one may be missing.
        let _ = open(store, &["2027"], 3).await;
    });
}

#[test]
fn clients_without_a_registry_are_refused() {
    block_on(async {
        let (memory, ..) = filled().await;
        let store = Hostile::over(memory);
        store.put(RecordId::REGISTRY.as_str(), None);
        let (builder, _) = builder(2);
        let error = builder.open(store, keyring(&["2026"])).await.unwrap_err();
        assert!(matches!(error, OpenError::NoRegistry), "{error}");
    });
}

#[test]
fn every_change_to_the_record_of_the_registry_is_refused() {
    block_on(async {
        let (memory, ..) = filled().await;
        let record = memory.load(RecordId::REGISTRY).await.unwrap().unwrap();
        let parts = record.parts().unwrap();
        let store = Hostile::over(memory.clone());
        let open = async |record: Record| {
            store.put(RecordId::REGISTRY.as_str(), Some(record));
            Registry::open(store.clone(), keyring(&["2026"])).await.map(drop)
        };
        let put = async |parts: RecordParts<'_>| open(Record::from_parts(parts).unwrap()).await.unwrap_err();
        open(record.clone()).await.unwrap();

        let retired = parts.body.replace("active", "retired");
        let revived = parts.body.replace("\"state\"", "\"State\"");
        let unknown = parts.body.replace("2026", "2027");
        assert!([&retired, &revived, &unknown].iter().all(|body| **body != parts.body));
        for body in [&*retired, &*revived, &*unknown, "", "{}", "{\"keys\":{}}"] {
            put(RecordParts { body, ..parts }).await;
        }
        put(RecordParts { revision: parts.revision.next(), ..parts }).await;
        put(RecordParts { registry_id: [7; 16], ..parts }).await;
        put(RecordParts { sealed: &parts.sealed[1..], ..parts }).await;
        put(RecordParts { key_id: &key("2027").0, ..parts }).await;
        let bytes = record.to_bytes().unwrap();
        for at in 0..bytes.len() * 8 {
            let mut bytes = bytes.clone();
            bytes[at / 8] ^= 1 << (at % 8);
            if let Ok(record) = Record::from_bytes(&bytes) {
                open(record).await.unwrap_err();
            }
        }
    });
}

#[test]
fn a_registry_in_memory_and_one_with_a_keyring_do_not_read_each_other() {
    block_on(async {
        let (store, _, _, contents) = filled().await;
        let without = Registry::builder().in_memory_behind(|_| store);
        let id = contents.clients[0].as_str();
        let error = without.authenticate(id, "anything").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        let AccessError::Unavailable(error) = error else { panic!("{error}") };
        assert_eq!(error.kind(), StoreErrorKind::MissingKey);

        let live = Registry::builder().in_memory_behind(|memory| memory);
        let contoso = live.as_seller("contoso").unwrap();
        let _ = contoso.register(crate::support::details("calendar app"), Lifetime::OneYear).await.unwrap();
        let error = Registry::open(live.store().clone(), keyring(&["2026"])).await.unwrap_err();
        assert!(matches!(error, OpenError::NoRegistry), "{error}");
    });
}

#[test]
fn two_that_open_an_empty_store_at_once_are_one_registry() {
    block_on(async {
        let store = MemoryStore::new();
        let (one, clock) = open(store.clone(), &["2026"], 1).await;
        let (other, _) = open(store, &["2026"], 2).await;
        let contents = crate::at_rest::world::fill(&one, &clock).await;
        let known = &contents.valid[0];
        other.authenticate(known.client_id.as_str(), &known.text).await.unwrap();
    });
}

#[test]
fn a_key_that_was_known_once_and_that_nothing_is_under_may_be_gone() {
    block_on(async {
        let (store, ..) = filled().await;
        let _ = open(store.clone(), &["2026", "2027"], 2).await;
        let (again, _) = open(store.clone(), &["2026"], 3).await;
        assert_eq!(again.keys().await.unwrap().len(), 2);
        // What is under it makes it needed.
        let (both, clock) = open(store.clone(), &["2027", "2026"], 4).await;
        clock.advance(Days::new(1));
        let contoso = both.as_seller("contoso").unwrap();
        let details = crate::support::details("another app");
        let _ = contoso.register(details, Lifetime::OneYear).await.unwrap();
        let error = refused(&store, keyring(&["2026"])).await;
        assert!(matches!(&error, OpenError::MissingKey { key_id } if key_id.as_str() == "2027"), "{error}");
    });
}

/// Two registries under one keyring: the one that is expected opens, no other does, and nothing is written.
#[test]
fn a_registry_that_was_not_expected_is_not_opened() {
    block_on(async {
        let (_, ours, ..) = filled().await;
        let id = ours.id().unwrap();
        assert_eq!(RegistryId::parse(&id.to_string()).unwrap(), id);
        assert!(Registry::in_memory().id().is_none());
        let theirs = MemoryStore::new();
        let (other, _) = open(theirs.clone(), &["2026"], 99).await;
        let other_id = other.id().unwrap();
        assert_ne!(id, other_id);

        let expecting = |id: &RegistryId| builder(5).0.expect_registry(id.clone());
        let error = expecting(&id).open(theirs.clone(), keyring(&["2027", "2026"])).await.unwrap_err();
        assert!(
            matches!(&error, OpenError::OtherRegistry { expected, found: Some(found) } if *expected == id && *found == other_id),
            "{error}"
        );
        assert!(error.to_string().contains(&id.to_string()), "{error}");
        let known: Vec<_> = other.keys().await.unwrap().into_iter().map(|key| key.id.to_string()).collect();
        assert_eq!(known, ["2026"], "the new key was not written");
        // Nor is one made where it is not.
        let empty = MemoryStore::new();
        let error = expecting(&id).open(empty.clone(), keyring(&["2026"])).await.unwrap_err();
        assert!(matches!(error, OpenError::OtherRegistry { found: None, .. }), "{error}");
        assert!(empty.load(RecordId::REGISTRY).await.unwrap().is_none());

        let opened = expecting(&id).open(ours.store().clone(), keyring(&["2026"])).await.unwrap();
        assert_eq!(opened.id(), Some(id.clone()));
        // It goes with the registry from store to store, and an import is held to it as well.
        let mut stream = Vec::new();
        ours.export(&mut stream).await.unwrap();
        let (moved, _) =
            expecting(&id).import(MemoryStore::new(), keyring(&["2026"]), &mut &*stream).await.unwrap();
        assert_eq!(moved.id(), Some(id));
        let refused = MemoryStore::new();
        let error = expecting(&other_id)
            .import(refused.clone(), keyring(&["2026"]), &mut &*stream)
            .await
            .unwrap_err();
        assert!(matches!(error, ImportError::Open(OpenError::OtherRegistry { .. })), "{error}");
        assert!(refused.load(RecordId::REGISTRY).await.unwrap().is_none());
    });
}
