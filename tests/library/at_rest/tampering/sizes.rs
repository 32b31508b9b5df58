//! Records and clients that would be too large.

use std::io::Write;

use client_registry::client::MAX_ADD_INS;
use client_registry::store::{MAX_RECORD, MemoryStore, Record, RecordParts, Store, StoreErrorKind};
use client_registry::value::Label;
use client_registry::*;
use pollster::block_on;

use super::hostile;
use crate::at_rest::world::{builder, fill_up, keyring};
use crate::support::denied;

#[test]
fn a_record_has_at_most_64_kib() {
    block_on(async {
        let (store, _, contents) = hostile().await;
        let record = store.memory.load((&contents.clients[0]).into()).await.unwrap().unwrap();
        let parts = record.parts().unwrap();
        let room = MAX_RECORD - record.to_bytes().unwrap().len();
        let body = format!("{}{}", parts.body, " ".repeat(room));
        let largest = Record::from_parts(RecordParts { body: &body, ..parts }).unwrap();
        assert_eq!(largest.to_bytes().unwrap().len(), MAX_RECORD);
        assert!(Record::from_bytes(&largest.to_bytes().unwrap()).is_ok());
        let body = format!("{body} ");
        assert_eq!(
            Record::from_parts(RecordParts { body: &body, ..parts }).unwrap_err().kind(),
            StoreErrorKind::Corrupt
        );
        assert_eq!(Record::from_bytes(&vec![0; MAX_RECORD + 1]).unwrap_err().kind(), StoreErrorKind::Corrupt);
    });
}

/// The most of everything: the last commit that would be too large is refused, what is there stays whole, and the
/// emergency deletion still goes through.
#[test]
fn a_client_that_would_be_too_large_is_refused_and_nothing_is_lost() {
    block_on(async {
        let policy = Policy::default().with_max_secrets(32).unwrap();
        let (builder, _) = builder(5);
        let keyring = keyring(&["2026"]);
        let registry = builder.policy(policy).open(MemoryStore::new(), keyring).await.unwrap();
        let contoso = registry.as_seller("contoso").unwrap();
        let first =
            contoso.register(crate::support::details("calendar app"), Lifetime::OneYear).await.unwrap();
        let client = contoso.client(first.client_id());
        for number in 0..MAX_ADD_INS {
            let id = format!("{number:0128}");
            client.associate(&AddIn::new(&id, Availability::Worldwide).unwrap()).await.unwrap();
        }
        let label = Label::parse(&"\u{1F511}".repeat(100)).unwrap();
        let mut refused = None;
        for _ in 0..32 + 16 {
            let new = NewSecret::lasting(Lifetime::OneYear).labelled(label.clone());
            match client.add_secret(new).await {
                Ok(_) => {}
                Err(error) => refused = Some(error),
            }
        }
        let kept = client.snapshot().await.unwrap().client().secrets().len();
        match refused {
            Some(Error::TooLarge) => assert!(kept > 25, "{kept} secrets"),
            Some(Error::Refused(Refusal::TooManySecrets { limit: 32 })) => assert_eq!(kept, 32),
            other => panic!("{other:?} at {kept} secrets"),
        }
        let new = NewSecret::lasting(Lifetime::OneYear).labelled(label);
        let answer = client.delete_in_emergency(first.secret_id(), Some(new)).await.unwrap();
        assert!(!matches!(answer, EmergencyDeletion::Deleted { .. }), "{answer:?}");
        let size =
            registry.store().load(first.client_id().into()).await.unwrap().unwrap().to_bytes().unwrap().len();
        let _ = writeln!(
            std::io::stdout(),
            "{kept} secrets and {MAX_ADD_INS} add-ins of the longest: {size} bytes"
        );
        assert_eq!(
            denied(registry.authenticate(first.client_id().as_str(), first.client_secret().expose()).await)
                .reason(),
            Reason::Compromised
        );
    });
}

async fn filled_up(store: MemoryStore) -> (Registry, Issued) {
    let (one, _) = builder(1);
    let registry = one.open(store, keyring(&["2026"])).await.unwrap();
    let contoso = registry.as_seller("contoso").unwrap();
    let issued = contoso.register(crate::support::details("large"), Lifetime::OneYear).await.unwrap();
    fill_up(&contoso.client(issued.client_id())).await;
    (registry, issued)
}

#[test]
fn rule_09_emergency_deletion_with_a_replacement_is_refused_only_for_an_unknown_secret() {
    block_on(async {
        let (registry, issued) = filled_up(MemoryStore::new()).await;
        let client = registry.as_operator("ann").unwrap().client(issued.client_id());
        let answer =
            client.delete_in_emergency(issued.secret_id(), Some(NewSecret::lasting(Lifetime::OneYear))).await;
        let text = issued.client_secret().expose();
        println!(
            "{:?}",
            registry.authenticate(issued.client_id().as_str(), text).await.map(|who| who.secret_id())
        );
        assert!(answer.is_ok(), "{:?}", answer.map(drop));
    });
}
