//! Records of format 1 as they were first written. They must open for ever.
//!
//! `CLIENT_REGISTRY_WRITE_GOLDEN=1 cargo test --test library golden` writes them anew, which is for a new format alone.

use std::path::PathBuf;

use client_registry::store::{Record, RecordId, Store};
use client_registry::*;
use pollster::block_on;

use crate::at_rest::hostile::Hostile;
use crate::at_rest::world::{filled, open};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/format-1")
}

/// What is known of the records: a line each, words separated by tabs.
const FACTS: &str = "facts.txt";

fn write() {
    block_on(async {
        let (store, registry, _, contents) = filled().await;
        std::fs::create_dir_all(folder()).unwrap();
        let mut facts = Vec::new();
        let ids = contents.clients.iter().map(RecordId::from).chain([RecordId::REGISTRY]);
        for id in ids {
            let record = store.load(id).await.unwrap().unwrap();
            std::fs::write(folder().join(format!("{id}.record")), record.to_bytes().unwrap()).unwrap();
        }
        for known in contents.valid.iter().chain(&contents.compromised) {
            facts.push(format!("secret\t{}\t{}\t{}", known.client_id, known.secret, &*known.text));
        }
        for id in &contents.clients {
            let signature = registry.sign(id, b"golden").await.map_or("none".to_owned(), |s| s.to_string());
            facts.push(format!("signature\t{id}\t{signature}"));
        }
        std::fs::write(folder().join(FACTS), facts.join("\n") + "\n").unwrap();
    });
}

#[test]
fn golden_records_of_format_1_open() {
    if std::env::var_os("CLIENT_REGISTRY_WRITE_GOLDEN").is_some() {
        write();
    }
    block_on(async {
        let store = Hostile::default();
        let mut read = 0;
        for entry in std::fs::read_dir(folder()).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "record") {
                let bytes = std::fs::read(&path).unwrap();
                let record = Record::from_bytes(&bytes).unwrap();
                assert_eq!(record.to_bytes().unwrap(), bytes);
                store.put(path.file_stem().unwrap().to_str().unwrap(), Some(record));
                read += 1;
            }
        }
        assert_eq!(read, 5, "three clients, what is left of one, and the record of the registry");
        let (registry, clock) = open(store, &["2026"], 2).await;
        clock.advance(Days::new(1));
        let facts = std::fs::read_to_string(folder().join(FACTS)).unwrap();
        let (mut secrets, mut signatures) = (0, 0);
        for line in facts.lines() {
            match line.split('\t').collect::<Vec<_>>()[..] {
                ["secret", id, secret, text] => {
                    secrets += 1;
                    match registry.authenticate(id, text).await {
                        Ok(who) => assert_eq!(who.secret_id().to_string(), secret),
                        Err(error) => {
                            let denied = crate::support::denied::<()>(Err(error));
                            assert_eq!(denied.reason(), Reason::Compromised);
                        }
                    }
                }
                ["signature", id, expected] => {
                    signatures += 1;
                    let id = ClientId::parse(id).unwrap();
                    let made =
                        registry.sign(&id, b"golden").await.map_or("none".to_owned(), |s| s.to_string());
                    assert_eq!(made, expected);
                }
                _ => panic!("{line}"),
            }
        }
        assert_eq!((secrets, signatures), (7, 4));
    });
}

/// What a rotation took was not kept in format 1, so it cannot be called off, and the refusal says so. A rotation that is made on
/// such a record can: the record is written in the newer format then.
#[test]
fn rule_11_a_rotation_of_format_1_cannot_be_called_off() {
    block_on(async {
        let store = Hostile::default();
        for entry in std::fs::read_dir(folder()).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "record") {
                let record = Record::from_bytes(&std::fs::read(&path).unwrap()).unwrap();
                store.put(path.file_stem().unwrap().to_str().unwrap(), Some(record));
            }
        }
        let (registry, clock) = open(store, &["2026"], 2).await;
        clock.advance(Days::new(1));
        let facts = std::fs::read_to_string(folder().join(FACTS)).unwrap();
        let ids = facts.lines().filter_map(|line| line.strip_prefix("signature\t")?.split('\t').next());
        let mut refused = 0;
        for id in ids {
            let client = registry.as_operator("ann").unwrap().client(&ClientId::parse(id).unwrap());
            let Ok(snapshot) = client.snapshot().await else { continue };
            for secret in snapshot.client().secrets() {
                assert_eq!(
                    secret.issued_until(),
                    secret.validity().until(),
                    "the end that it has is the one it had"
                );
                let by = secret.replaced_by().filter(|by| snapshot.client().secret(*by).is_some());
                if let Some(by) = by.filter(|_| secret.validity().runs(snapshot.at())) {
                    match client.call_off(by).await {
                        Err(client::ConfirmError::Failed(Error::Refused(Refusal::CannotCallOff {
                            secret: of,
                        }))) => {
                            assert_eq!(snapshot.client().secret(of).unwrap().replaced_by(), Some(by));
                        }
                        other => panic!("{other:?}"),
                    }
                    // It can be closed, but not at the instant at which what it replaces began.
                    if secret.validity().from() < snapshot.at() {
                        assert!(client.plan_closing(by).await.unwrap().ends().contains(&secret.id()));
                    }
                    refused += 1;
                }
            }
        }
        assert!(refused > 0, "no rotation is under way");
    });
}
