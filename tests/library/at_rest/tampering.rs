//! A record that is not what was written yields an error, never a client.

mod sizes;

use std::io::Write;

use client_registry::client::{ImportedClient, ImportedSecret};
use client_registry::registry::upkeep::DiscrepancyKind;
use client_registry::secret::KeyEncoding;
use client_registry::store::{MemoryStore, Record, RecordId, RecordParts, Store, StoreError, StoreErrorKind};
use client_registry::*;
use pollster::block_on;

use crate::at_rest::hostile::Hostile;
use crate::at_rest::world::{Contents, builder, filled, key, keyring, open};
use crate::support::denied;

/// What the registry makes of a record in the place of a client's.
async fn opened(
    store: &Hostile,
    registry: &Registry<Hostile>,
    id: &ClientId,
    record: Record,
) -> Result<(), StoreErrorKind> {
    store.put(id.as_str(), Some(record));
    let snapshot = registry.as_operator("ann").unwrap().client(id).snapshot().await;
    let signed = registry.sign(id, b"message").await;
    let in_memory = registry.authenticate(id.as_str(), "no such client secret at all").await;
    match snapshot {
        Ok(_) => {
            denied(in_memory);
            Ok(())
        }
        Err(Error::Unavailable(error)) => {
            assert!(matches!(signed, Err(SignError::Unavailable(_))), "{signed:?}");
            assert!(matches!(in_memory, Err(AccessError::Unavailable(_))), "{in_memory:?}");
            Err(error.kind())
        }
        // What is left of a deleted client.
        Err(Error::Refused(Refusal::ClientDeleted)) => Ok(()),
        Err(other) => panic!("{other:?}"),
    }
}

async fn hostile() -> (Hostile, Registry<Hostile>, Contents) {
    let (memory, _, _, contents) = filled().await;
    let store = Hostile::over(memory);
    let (registry, clock) = open(store.clone(), &["2026"], 9).await;
    clock.advance(Days::new(1));
    (store, registry, contents)
}

#[test]
fn every_bit_flip_truncation_and_extension_is_refused() {
    block_on(async {
        let (store, registry, contents) = hostile().await;
        let mut counts = Vec::new();
        for id in &contents.clients {
            let record = store.memory.load(id.into()).await.unwrap().unwrap();
            let bytes = record.to_bytes().unwrap();
            opened(&store, &registry, id, record).await.unwrap();
            let mut tampered = 0;
            let refused = async |bytes: &[u8]| match Record::from_bytes(bytes) {
                Ok(record) => opened(&store, &registry, id, record).await.unwrap_err(),
                Err(error) => error.kind(),
            };
            for bit in 0..bytes.len() * 8 {
                let mut flipped = bytes.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                let kind = refused(&flipped).await;
                tampered += usize::from(kind == StoreErrorKind::Tampered);
                assert_ne!(kind, StoreErrorKind::Unavailable);
            }
            for len in 0..bytes.len() {
                refused(&bytes[..len]).await;
            }
            for more in 1..=64 {
                refused(&[&bytes[..], &vec![0; more]].concat()).await;
            }
            counts.push(format!(
                "{} bytes: {} flips, of which {tampered} reached the seal, {} truncations, 64 extensions",
                bytes.len(),
                bytes.len() * 8,
                bytes.len(),
            ));
        }
        for line in counts {
            let _ = writeln!(std::io::stdout(), "a record of {line}, all refused");
        }
    });
}

/// A store keeps the pieces apart: each of them is changed by itself.
#[test]
fn every_piece_is_authenticated() {
    block_on(async {
        let (store, registry, contents) = hostile().await;
        let id = &contents.clients[0];
        let record = store.memory.load(id.into()).await.unwrap().unwrap();
        let parts = record.parts().unwrap();
        let refused = async |parts: RecordParts<'_>| {
            let record = Record::from_parts(parts).unwrap();
            assert_eq!(opened(&store, &registry, id, record).await, Err(StoreErrorKind::Tampered));
        };
        refused(RecordParts { registry_id: [7; 16], ..parts }).await;
        refused(RecordParts { revision: parts.revision.next(), ..parts }).await;
        // The bytes stay the same, one of them stands in the other piece.
        let (last, body) = (parts.body.len() - 1, parts.body);
        let longer = [&body.as_bytes()[last..], parts.sealed].concat();
        refused(RecordParts { body: &body[..last], sealed: &longer, ..parts }).await;
        // A secret that has ended would end later; a deleted one would be only deleted, not compromised.
        for (from, to) in
            [("2027-", "2029-"), ("compromised", "deleted"), ("contoso", "fabrikam"), ("{", " {")]
        {
            let edited = body.replacen(from, to, 1);
            assert_ne!(edited, body, "{from}");
            refused(RecordParts { body: &edited, ..parts }).await;
        }
        let other = key("2027").0;
        let record = Record::from_parts(RecordParts { key_id: &other, ..parts }).unwrap();
        assert_eq!(opened(&store, &registry, id, record).await, Err(StoreErrorKind::MissingKey));
    });
}

#[test]
fn records_are_not_swapped_between_clients_registries_and_revisions() {
    block_on(async {
        let (store, registry, contents) = hostile().await;
        let mut swaps = 0;
        for id in &contents.clients {
            for other in contents.clients.iter().filter(|other| *other != id) {
                let theirs = store.memory.load(other.into()).await.unwrap().unwrap();
                assert_eq!(
                    opened(&store, &registry, id, theirs.clone()).await,
                    Err(StoreErrorKind::Tampered)
                );
                let parts = RecordParts { id: id.into(), ..theirs.parts().unwrap() };
                let renamed = Record::from_parts(parts).unwrap();
                assert_eq!(opened(&store, &registry, id, renamed).await, Err(StoreErrorKind::Tampered));
                swaps += 2;
            }
            let registrys = store.memory.load(RecordId::REGISTRY).await.unwrap().unwrap();
            assert_eq!(opened(&store, &registry, id, registrys).await, Err(StoreErrorKind::Tampered));
        }
        // Another registry of the same keyring, in which the same client was imported.
        let (elsewhere, _) = open(MemoryStore::new(), &["2026"], 77).await;
        let id = &contents.clients[0];
        let secret = ClientSecret::parse("correct horse battery staple").unwrap();
        let validity = Lifetime::OneYear.starting(crate::support::instant(crate::support::START)).unwrap();
        let imported = ImportedClient::new(
            id.clone(),
            SellerId::parse("contoso").unwrap(),
            crate::support::details("calendar app"),
            Availability::Worldwide,
        )
        .with_secret(ImportedSecret::new(secret, validity, KeyEncoding::Utf8));
        elsewhere.as_operator("ann").unwrap().import(imported).await.unwrap();
        let theirs = elsewhere.store().load(id.into()).await.unwrap().unwrap();
        assert_eq!(opened(&store, &registry, id, theirs).await, Err(StoreErrorKind::Tampered));
        let _ = writeln!(std::io::stdout(), "{swaps} swaps between clients, all refused");
    });
}

#[test]
fn an_old_record_put_back_is_refused_by_who_saw_the_newer_one_and_found_by_check() {
    block_on(async {
        let (store, registry, contents) = hostile().await;
        let id = &contents.clients[2];
        let old = store.memory.load(id.into()).await.unwrap().unwrap();
        let client = registry.as_operator("ann").unwrap().client(id);
        let known = contents.valid.iter().find(|known| known.client_id == *id).unwrap();
        // Somebody who was let in before, and whose secret is then deleted.
        registry.authenticate(id.as_str(), &known.text).await.unwrap();
        let _ = client
            .delete_in_emergency(known.secret, Some(NewSecret::lasting(Lifetime::OneYear)))
            .await
            .unwrap();
        assert_eq!(
            denied(registry.authenticate(id.as_str(), &known.text).await).reason(),
            Reason::Compromised
        );

        store.put(id.as_str(), Some(old.clone()));
        let rolled_back = registry.authenticate(id.as_str(), &known.text).await.unwrap_err();
        assert_eq!(store_error(rolled_back).kind(), StoreErrorKind::RolledBack);
        store.put(id.as_str(), None);
        assert!(matches!(
            registry.authenticate(id.as_str(), &known.text).await,
            Err(AccessError::Unavailable(_))
        ));

        // A node that never saw the newer one is taken in, as the threat model says; the check is not.
        store.put(id.as_str(), Some(old));
        let (newcomer, clock) = open(store.clone(), &["2026"], 10).await;
        clock.advance(Days::new(1));
        newcomer.authenticate(id.as_str(), &known.text).await.unwrap();
        let checked = newcomer.check().await.unwrap();
        let found: Vec<_> =
            checked.discrepancies.iter().filter(|fault| fault.client_id() == Some(id)).collect();
        assert!(
            found.iter().any(|fault| matches!(fault.what(), DiscrepancyKind::OlderThanTrail)),
            "{found:?}"
        );
        assert!(!checked.is_clean());
        store.confess();
        assert!(newcomer.check().await.unwrap().is_clean());
    });
}

/// A store sees every record that a node tries to write, also those that it then refuses.
#[test]
fn a_record_that_was_never_committed_is_refused_in_place_of_the_one_of_the_same_revision() {
    block_on(async {
        let (store, registry, contents) = hostile().await;
        let id = &contents.clients[2];
        let known = contents.valid.iter().find(|known| known.client_id == *id).unwrap();
        let mut export = Vec::new();
        registry.export(&mut export).await.unwrap();
        let (mut stream, (builder, _)) = (export.as_slice(), builder(3));
        let import = builder.import(MemoryStore::new(), keyring(&["2026"]), &mut stream).await;
        let (elsewhere, _) = import.unwrap();
        let refused = elsewhere.as_operator("ann").unwrap().client(id);
        drop(refused.add_secret(NewSecret::lasting(Lifetime::OneYear)).await.unwrap());
        let refused = elsewhere.store().load(id.into()).await.unwrap().unwrap();

        let client = registry.as_operator("ann").unwrap().client(id);
        let _ = client.delete_in_emergency(known.secret, None).await.unwrap();
        let written = store.memory.load(id.into()).await.unwrap().unwrap();
        assert_eq!(refused.revision(), written.revision());
        let who = registry.authenticate(id.as_str(), &known.text).await;
        assert_eq!(denied(who).reason(), Reason::Compromised);
        let (other, _) = open(store.clone(), &["2026"], 11).await;
        let head = other.as_operator("ann").unwrap().client(id).head().await.unwrap();

        store.put(id.as_str(), Some(refused));
        for node in [&registry, &other] {
            let refusal = node.authenticate(id.as_str(), &known.text).await.unwrap_err();
            assert_eq!(store_error(refusal).kind(), StoreErrorKind::RolledBack);
            let unknown = node.as_operator("ann").unwrap().client(id).head().await;
            assert!(matches!(unknown, Err(Error::Unavailable(_))), "{unknown:?}");
        }
        store.confess();
        assert_eq!(other.as_operator("ann").unwrap().client(id).head().await.unwrap(), head);
    });
}

#[test]
fn a_newer_format_is_refused_and_not_mangled() {
    block_on(async {
        let (store, _, contents) = hostile().await;
        let record = store.memory.load((&contents.clients[0]).into()).await.unwrap().unwrap();
        let mut bytes = record.to_bytes().unwrap();
        bytes[1] = 3;
        assert_eq!(Record::from_bytes(&bytes).unwrap_err().kind(), StoreErrorKind::NewerFormat);
        let parts = RecordParts { format: 3, ..record.parts().unwrap() };
        assert_eq!(Record::from_parts(parts).unwrap_err().kind(), StoreErrorKind::NewerFormat);
        bytes[1] = 0;
        assert_eq!(Record::from_bytes(&bytes).unwrap_err().kind(), StoreErrorKind::Corrupt);
    });
}

/// The error of the store behind a refusal to say who it is.
fn store_error(error: AccessError) -> StoreError {
    match error {
        AccessError::Unavailable(error) => error,
        other => panic!("{other}"),
    }
}
