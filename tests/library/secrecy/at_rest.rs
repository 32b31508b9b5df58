//! Records at rest, keyrings, exports and imports, and what a check finds. What surrounds a registry comes last.

use client_registry::clock::ManualClock;
use client_registry::entropy::Entropy;
use client_registry::event::BrokenTrail;
use client_registry::record::KeyState;
use client_registry::registry::upkeep::Lookup;
use client_registry::secret::KeyEncoding;
use client_registry::store::{Adopted, Index, MemoryStore, RecordId, Store};
use client_registry::value::{KeyId, OperatorId};
use client_registry::*;
use data_encoding::HEXLOWER;
use zeroize::Zeroizing;

use super::Life;
use super::faces::see;
use super::needles::PIECE;
use crate::support::{START, details, instant};

impl Life {
    /// What protects records, and what a store is given of a registry that has a keyring.
    pub(super) async fn at_rest(&mut self) {
        // A list of random numbers has a piece of any other sooner or later; random digits do not.
        let hex = |bytes: &[u8]| HEXLOWER.encode(bytes);
        let mut keys = [[0; 32]; 2];
        for key in &mut keys {
            self.texts.fill(key).unwrap();
            self.keys.push(Zeroizing::new(key.to_vec()));
        }
        let [old, new] = ["2025", "2026"].map(|id| KeyId::parse(id).unwrap());
        let keyring = Keyring::new(old.clone(), &keys[0]).unwrap();
        let store = MemoryStore::new();
        let before = Registry::open(store.clone(), keyring.clone()).await.unwrap();
        let contoso = before.as_seller("contoso").unwrap();
        let lifetime = Lifetime::OneYear;
        let issued = contoso.register(details("sealed app"), lifetime).await.unwrap();
        self.keep(issued.client_id(), issued.client_secret().expose(), KeyEncoding::Utf8, PIECE);
        let record = store.load(issued.client_id().into()).await.unwrap().unwrap();
        let parts = record.parts().unwrap();
        see!(
            self.walker,
            record,
            parts,
            parts.body,
            hex(parts.sealed),
            hex(&record.to_bytes().unwrap()),
            issued
        );
        let about_itself = store.load(RecordId::REGISTRY).await.unwrap().unwrap();
        see!(
            self.walker,
            about_itself,
            about_itself.parts().unwrap().body,
            hex(&about_itself.to_bytes().unwrap())
        );

        let both = Keyring::new(new.clone(), &keys[1]).unwrap().with(old.clone(), &keys[0]).unwrap();
        let after = Registry::open(store.clone(), both.clone()).await.unwrap();
        let wrong = Keyring::new(old.clone(), &keys[1]).unwrap();
        see!(self.walker, keyring, both, old, after);
        see!(self.walker, Registry::open(store.clone(), wrong).await.unwrap_err());
        see!(self.walker, Keyring::parse("2026:no key").unwrap_err());
        see!(self.walker, after.keys().await.unwrap()[0], KeyState::Active);
        see!(self.walker, after.retire_key(&new).await.unwrap_err());
        let mut resealing = after.reseal().await.unwrap();
        see!(self.walker, resealing, resealing.step(10).await.unwrap().unwrap());
        let resealed = store.load(issued.client_id().into()).await.unwrap().unwrap();
        see!(self.walker, resealed, hex(resealed.parts().unwrap().sealed));
        let _ = after.retire_key(&old).await.unwrap();
        see!(self.walker, before.authenticate("no such client", "no such secret").await.unwrap_err());

        let checked = after.check().await.unwrap();
        assert!(checked.is_clean());
        see!(self.walker, checked, Lookup::Name, after.follow(None), Freshness::default());
        let stray = Registry::open(MemoryStore::new(), both.clone()).await.unwrap();
        let mut stream = Vec::new();
        let exported = after.export(&mut stream).await.unwrap();
        see!(self.walker, exported, hex(&stream), String::from_utf8_lossy(&stream));
        see!(self.walker, Registry::in_memory().export(&mut Vec::new()).await.unwrap_err());
        let import = async |store: MemoryStore, stream: &[u8]| {
            Registry::builder().import(store, both.clone(), &mut &*stream).await
        };
        see!(self.walker, import(stray.store().clone(), &stream).await.unwrap_err());
        see!(self.walker, import(MemoryStore::new(), &stream[..stream.len() / 2]).await.unwrap_err());
        // What a check finds: the record of one registry among those of another.
        let (moved, imported) = import(MemoryStore::new(), &stream).await.unwrap();
        see!(self.walker, moved, imported);
        let theirs = stray.as_seller("contoso").unwrap();
        let theirs = theirs.register(details("stray app"), lifetime).await.unwrap();
        let record = stray.store().load(theirs.client_id().into()).await.unwrap().unwrap();
        store.adopt(&[Adopted::new(record, Index::default(), vec![])]).await.unwrap();
        let checked = after.check().await.unwrap();
        assert!(!checked.is_clean());
        let faults = checked.discrepancies;
        see!(self.walker, faults[0], *faults[0].what());
    }

    pub(super) fn surroundings(&mut self) {
        see!(self.walker, OperatorId::parse("ann").unwrap());
        let clock = ManualClock::new(instant(START).to_datetime());
        let builder = Registry::builder().clock(clock);
        see!(self.walker, builder, BrokenTrail::Head);
        see!(self.walker, builder.in_memory(), Registry::in_memory());
    }
}
