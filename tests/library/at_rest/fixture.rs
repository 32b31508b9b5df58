//! An export of an earlier version is imported with everything in it.

use client_registry::registry::upkeep::ImportError;
use client_registry::store::MemoryStore;
use pollster::block_on;

use crate::support::registries;

#[test]
fn exports_of_earlier_versions_are_imported() {
    for month in registries::MONTHS {
        let facts = registries::facts(month, "export");
        let stream = std::fs::read(registries::folder(month, "export").join("registry.export")).unwrap();
        block_on(async {
            let builder = registries::builder(&registries::clock_of(&facts), 3);
            let store = MemoryStore::new();
            let imported = match month {
                // It proves nothing.
                "2026-11" => {
                    let refused = builder.import(store.clone(), registries::keyring(), &mut &*stream).await;
                    assert!(matches!(refused, Err(ImportError::Unauthenticated)));
                    let builder = registries::builder(&registries::clock_of(&facts), 3);
                    let builder = builder.accept_unauthenticated_exports();
                    builder.import(store, registries::keyring(), &mut &*stream).await
                }
                _ => builder.import(store, registries::keyring(), &mut &*stream).await,
            };
            let (registry, imported) = imported.unwrap();
            assert_eq!((imported.clients, imported.found), (4, 0));
            registries::examine(&registry, &facts).await;
        });
    }
}

#[test]
#[ignore = "writes the export that later versions must import: for a new format, see tests/README.md"]
fn write_fixture() {
    block_on(async {
        let store = MemoryStore::new();
        let mut filling = registries::Filling::new();
        filling.begin(store.clone()).await;
        filling.go_on(store.clone()).await;
        let facts = filling.end(store.clone()).await;
        let builder = registries::builder(&registries::clock_of(&facts), 4);
        let registry = builder.open(store, registries::keyring()).await.unwrap();
        let mut stream = Vec::new();
        registry.export(&mut stream).await.unwrap();
        std::fs::write(registries::write_facts("export", &facts).join("registry.export"), stream).unwrap();
    });
}
