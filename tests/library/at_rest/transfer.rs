//! A registry moves between stores with revisions, trails and keys intact; an interrupted import goes on.

mod pieces;

use std::io::Read;

use client_registry::clock::Clock;
use client_registry::registry::upkeep::{ExportError, ExportSummary, ImportError, ImportSummary};
use client_registry::store::{MemoryStore, RecordId, Store};
use client_registry::value::Revision;
use client_registry::*;
use pollster::block_on;

use crate::at_rest::dying::Dying;
use crate::at_rest::world::{builder, filled, keyring, open, portrait};

async fn exported() -> (Vec<u8>, ExportSummary) {
    let (_, registry, ..) = filled().await;
    let mut stream = Vec::new();
    let exported = registry.export(&mut stream).await.unwrap();
    (stream, exported)
}

async fn import<S: Store>(store: S, stream: &[u8]) -> Result<(Registry<S>, ImportSummary), ImportError> {
    let (builder, _) = builder(7);
    builder.import(store, keyring(&["2026"]), &mut &*stream).await
}

#[test]
fn a_registry_moves_with_everything_that_it_is() {
    block_on(async {
        let (from, registry, clock, contents) = filled().await;
        let mut stream = Vec::new();
        let exported = registry.export(&mut stream).await.unwrap();
        assert_eq!(exported.clients, 4);
        let to = MemoryStore::new();
        let (builder, later) = builder(7);
        later.set_wall(Clock::wall(&clock).to_datetime());
        let (moved, imported) = builder.import(to.clone(), keyring(&["2026"]), &mut &*stream).await.unwrap();
        assert_eq!((imported.clients, imported.found, imported.events), (4, 0, exported.events));
        // Exported again, it is the same stream.
        let mut again = Vec::new();
        moved.export(&mut again).await.unwrap();
        assert!(again == stream);
        assert_eq!(portrait(&moved, &contents).await, portrait(&registry, &contents).await);
        assert!(moved.check().await.unwrap().is_clean());
        for id in &contents.clients {
            let bytes =
                async |store: &MemoryStore| store.load(id.into()).await.unwrap().unwrap().to_bytes().unwrap();
            assert_eq!(bytes(&to).await, bytes(&from).await);
            let history = async |store: &MemoryStore| store.history(id, Revision::ZERO, 1000).await.unwrap();
            assert_eq!(history(&to).await, history(&from).await);
            assert_eq!(to.last_uses(id).await.unwrap(), from.last_uses(id).await.unwrap());
        }
        // Nothing of it is a secret.
        for known in &contents.valid {
            assert!(
                !stream.windows(16).any(|window| known
                    .text
                    .as_bytes()
                    .windows(16)
                    .any(|piece| piece == window))
            );
        }
        // The same import once more finds everything there.
        let (_, imported) = import(to, &stream).await.unwrap();
        assert_eq!((imported.clients, imported.found), (4, 4));
    });
}

#[test]
fn an_import_that_is_killed_at_every_step_goes_on_where_it_stopped() {
    block_on(async {
        let (stream, exported) = exported().await;
        let mut kills = 0;
        for done_first in [false, true] {
            for steps in 1.. {
                let memory = MemoryStore::new();
                let dying = Dying::after(memory.clone(), steps, done_first);
                let survived = import(dying, &stream).await.is_ok();
                // Half a registry is not taken for a whole one. Where nothing was written yet, there is none.
                let has_begun = memory.load(RecordId::REGISTRY).await.unwrap().is_some();
                if !survived && has_begun {
                    match Registry::open(memory.clone(), keyring(&["2026"])).await {
                        Err(OpenError::ImportUnfinished) => {}
                        // The last step was done, and nobody heard.
                        Ok(registry) => assert_eq!(registry.check().await.unwrap().clients, exported.clients),
                        Err(other) => panic!("{other}"),
                    }
                }
                let (moved, imported) = import(memory.clone(), &stream).await.unwrap();
                assert_eq!((imported.clients, imported.events), (exported.clients, exported.events));
                assert!(moved.check().await.unwrap().is_clean());
                let mut again = Vec::new();
                moved.export(&mut again).await.unwrap();
                assert!(again == stream);
                if survived {
                    break;
                }
                kills += 1;
            }
        }
        assert!(kills > 10, "{kills}");
    });
}

#[test]
fn an_export_that_is_killed_at_every_step_is_not_imported() {
    block_on(async {
        for steps in 1.. {
            let (memory, _, clock, _) = filled().await;
            let (builder, later) = builder(8);
            later.set_wall(Clock::wall(&clock).to_datetime());
            let dying = Dying::after(memory, steps, false);
            let Ok(registry) = builder.open(dying, keyring(&["2026"])).await else {
                continue;
            };
            let mut stream = Vec::new();
            match registry.export(&mut stream).await {
                Ok(_) => break,
                Err(error) => assert!(matches!(error, ExportError::Store(_)), "{error}"),
            }
            let error = import(MemoryStore::new(), &stream).await.unwrap_err();
            assert!(matches!(error, ImportError::Malformed(_)), "{error}");
        }
    });
}

#[test]
fn every_truncation_of_the_stream_is_refused_and_every_flipped_bit_found() {
    block_on(async {
        let (stream, _) = exported().await;
        for len in (0..stream.len()).step_by(7) {
            let error = import(MemoryStore::new(), &stream[..len]).await.unwrap_err();
            assert!(matches!(error, ImportError::Malformed(_)), "{len}: {error}");
        }
        for bit in (0..stream.len() * 8).step_by(37) {
            let mut flipped = stream.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let store = MemoryStore::new();
            assert!(import(store.clone(), &flipped).await.is_err(), "bit {bit}");
            not_opened(store).await;
        }
    });
}

#[test]
fn who_writes_meanwhile_spoils_the_export() {
    block_on(async {
        let (_, registry, _, contents) = filled().await;
        // The one that is exported first, changed when others are.
        let client = registry.as_operator("ann").unwrap().client(contents.clients.iter().min().unwrap());
        /// A stream whose reader changes a client in the middle.
        struct Meddling<'a, F: FnMut()>(&'a mut F, usize);
        impl<F: FnMut()> std::io::Write for Meddling<'_, F> {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.1 += 1;
                if self.1 == 100 {
                    (self.0)();
                }
                Ok(bytes.len())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let mut meddle = || {
            let add_in = AddIn::new("meddling", Availability::Worldwide).unwrap();
            block_on(client.associate(&add_in)).unwrap();
        };
        let error = registry.export(&mut Meddling(&mut meddle, 0)).await.unwrap_err();
        assert!(matches!(error, ExportError::Changed), "{error}");
    });
}

#[test]
fn an_import_into_another_registry_or_with_another_key_is_refused() {
    block_on(async {
        let (stream, _) = exported().await;
        let (other, _) = open(MemoryStore::new(), &["2026"], 99).await;
        let error = import(other.store().clone(), &stream).await.unwrap_err();
        assert!(matches!(error, ImportError::OtherRegistry), "{error}");
        let (builder, _) = builder(7);
        let error = builder.import(MemoryStore::new(), keyring(&["2027"]), &mut &*stream).await.unwrap_err();
        assert!(matches!(error, ImportError::Open(OpenError::MissingKey { .. })), "{error}");
        // A store that is in use already.
        let (store, registry, _, contents) = filled().await;
        let mut stream = Vec::new();
        registry.export(&mut stream).await.unwrap();
        let client = registry.as_operator("ann").unwrap().client(&contents.clients[0]);
        client.associate(&AddIn::new("later", Availability::Worldwide).unwrap()).await.unwrap();
        let error = import(store, &stream).await.unwrap_err();
        assert!(
            matches!(&error, ImportError::Differs { client_id } if *client_id == contents.clients[0]),
            "{error}"
        );
        // Nothing protects what a registry in memory would write.
        let error = Registry::in_memory().export(&mut Vec::new()).await.unwrap_err();
        assert!(matches!(error, ExportError::Store(_)), "{error}");
    });
}

/// What an import that was refused left behind is no registry.
async fn not_opened(store: MemoryStore) {
    if store.load(RecordId::REGISTRY).await.unwrap().is_some() {
        let error = Registry::open(store, keyring(&["2026"])).await.unwrap_err();
        assert!(matches!(error, OpenError::ImportUnfinished), "{error}");
    }
}

#[test]
fn nobody_makes_a_registry_where_one_is_being_imported() {
    block_on(async {
        let (stream, _) = exported().await;
        let store = MemoryStore::new();
        /// Somebody starts the application while the operator imports.
        struct Racing<'a>(&'a [u8], usize, MemoryStore);
        impl Read for Racing<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
                self.1 += 1;
                if self.1 >= 8 {
                    let error = block_on(Registry::open(self.2.clone(), keyring(&["2026"]))).unwrap_err();
                    assert!(matches!(error, OpenError::ImportUnfinished), "{error}");
                }
                self.0.read(buffer)
            }
        }
        let (builder, _) = builder(7);
        let mut racing = Racing(&stream, 0, store.clone());
        let (registry, _) = builder.import(store, keyring(&["2026"]), &mut racing).await.unwrap();
        assert!(registry.check().await.unwrap().is_clean());
    });
}

/// Nor is a store in which nothing but the beginning of an import is.
#[test]
fn an_unfinished_import_is_not_opened() {
    block_on(async {
        let (stream, _) = exported().await;
        let store = MemoryStore::new();
        let (first, _) = builder(7);
        let cut = &stream[..stream.len() / 3];
        first.import(store.clone(), keyring(&["2026"]), &mut &*cut).await.unwrap_err();
        let error = Registry::open(store.clone(), keyring(&["2026"])).await.unwrap_err();
        assert!(matches!(error, OpenError::ImportUnfinished), "{error}");
        let (again, _) = builder(8);
        let (moved, _) = again.import(store, keyring(&["2026"]), &mut &*stream).await.unwrap();
        assert!(moved.check().await.unwrap().is_clean());
    });
}
