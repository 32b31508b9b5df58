//! What the registry keeps of a client secret: verifiers, keys, the states of hashers, sealed records.

use client_registry::clock::ManualClock;
use client_registry::entropy::Entropy;
use client_registry::secret::KeyEncoding;
use client_registry::store::{MemoryStore, Store};
use client_registry::value::KeyId;
use client_registry::{ClientId, Keyring, Lifetime, Registry};
use data_encoding::BASE64;
use pollster::block_on;
use sha2::block_api::compress256;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::search::{Search, guard, scrub, searching};
use super::{Guarded, importable, keep, lasting, plain, platform, slip};
use crate::support::{START, Seeded, details};

/// What SHA-256 begins with (FIPS 180-4 section 5.3.3).
const SHA_256: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// Guards what is kept of a client secret, as it lies in memory: the words of its verifier and of its MAC key.
fn guard_what_is_kept(client_id: &ClientId, text: &str) {
    let mut hasher = Sha256::new();
    for part in ["client-registry/verifier/1", "\0", client_id.as_str(), "\0", text] {
        hasher.update(part);
    }
    let digest: [u8; 32] = hasher.finalize().into();
    let mut verifier = Zeroizing::new([0; 32]);
    for (word, bytes) in verifier.chunks_exact_mut(8).zip(digest.as_chunks().0) {
        word.copy_from_slice(&u64::from_be_bytes(*bytes).to_ne_bytes());
    }
    guard(&*verifier);
    // As it is sealed.
    guard(&digest);
    // A text of at most 64 bytes is the key as it is (RFC 2104 section 2).
    for pad in [0x36, 0x5c] {
        let mut block = Zeroizing::new([pad; 64]);
        block.iter_mut().zip(text.bytes()).for_each(|(padded, byte)| *padded ^= byte);
        let mut state = SHA_256;
        compress256(&mut state, std::slice::from_ref(&*block));
        let mut chained = Zeroizing::new([0; 32]);
        for (bytes, word) in chained.chunks_exact_mut(4).zip(state) {
            bytes.copy_from_slice(&word.to_ne_bytes());
        }
        guard(&*chained);
        for (bytes, word) in chained.chunks_exact_mut(4).zip(state) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
        guard(&*chained);
    }
}

/// "Nothing it could be computed from is in memory that we have freed": what is kept of a secret goes from one value of
/// its client to the next, and is wiped where it was.
#[test]
fn rule_08_no_freed_memory_holds_what_is_kept_of_a_client_secret() {
    let search = searching();
    let platform = platform(16);
    block_on(live_with_what_is_kept(&search, &platform.registry));
    drop(platform);
    search.nothing_found("dropping the registry");
}

/// The same where every step seals and opens records, and of the keys that do so.
#[test]
fn rule_08_no_freed_memory_holds_what_is_sealed_nor_a_key() {
    let search = searching();
    let keys = [1, 2].map(|seed| {
        let mut key = Zeroizing::new([0; 32]);
        Seeded::new(seed).fill(&mut *key).unwrap();
        guard(&*key);
        // The text of a keyring holds its keys in this form.
        guard(Zeroizing::new(BASE64.encode(&*key)).as_bytes());
        key
    });
    scrub();
    let [old, new] = ["2025", "2026"].map(|id| KeyId::parse(id).unwrap());
    block_on(async {
        let builder =
            || Registry::builder().clock(ManualClock::new(START.parse().unwrap())).entropy(Seeded::new(17));
        let keyring = Keyring::new(old.clone(), &keys[0]).unwrap();
        let registry = builder().open(MemoryStore::new(), keyring).await.unwrap();
        search.nothing_found("opening");
        live_with_what_is_kept(&search, &registry).await;
        let both = Keyring::new(new, &keys[1]).unwrap().with(old, &keys[0]).unwrap();
        let parsed = both.expose(|text| Keyring::parse(text).unwrap());
        drop(both);
        search.nothing_found("exposing and parsing a keyring");
        let after = builder().open(registry.store().clone(), parsed).await.unwrap();
        let mut resealing = after.reseal().await.unwrap();
        while resealing.step(1).await.unwrap().is_some() {}
        let mut stream = Vec::new();
        after.export(&mut stream).await.unwrap();
        assert!(after.check().await.unwrap().is_clean());
        search.nothing_found("resealing, exporting and checking");
    });
    search.nothing_found("dropping the registry and its keyring");
}

/// The two are swapped by the caller: what is denied is remembered nowhere, and no cache keeps it as an ID.
#[test]
fn rule_08_a_client_secret_in_place_of_the_client_id_is_not_kept() {
    let search = searching();
    let mut key = Zeroizing::new([0; 32]);
    Seeded::new(21).fill(&mut *key).unwrap();
    block_on(async {
        let keyring = Keyring::new(KeyId::parse("2026").unwrap(), &key).unwrap();
        let entropy = Guarded(Seeded::new(22));
        let registry = Registry::builder().entropy(entropy).open(MemoryStore::new(), keyring).await.unwrap();
        let contoso = registry.as_seller("contoso").unwrap();
        let registered = contoso.register(details("calendar app"), Lifetime::OneYear);
        let issued = registered.await.unwrap();
        let (secret, id) = (keep(&issued), issued.client_id().clone());
        drop(issued);
        for swapped in [&**secret, &*slip(&secret), &secret[..40]] {
            registry.authenticate(swapped, id.as_str()).await.unwrap_err();
            registry.authenticate(swapped, &secret).await.unwrap_err();
            ClientId::parse(swapped).unwrap_err();
        }
        let signature = registry.sign(&id, b"message").await.unwrap();
        registry.verify(&signature, b"message").await.unwrap();
        search.nothing_found("presenting a client secret as the client ID");
        drop((contoso, registry));
        search.nothing_found("dropping the registry and its cache");
    });
}

/// The guarded lives of some client secrets.
async fn live_with_what_is_kept<S: Store>(search: &Search, registry: &Registry<S>) {
    let contoso = registry.as_seller("contoso").unwrap();
    let texts = Seeded::new(12);
    let registered = contoso.register(details("calendar app"), Lifetime::ThreeYears);
    let issued = registered.await.unwrap();
    let (client_id, first) = (issued.client_id().clone(), issued.secret_id());
    guard_what_is_kept(&client_id, issued.client_secret().expose());
    let client = contoso.client(&client_id);
    let text = plain(&texts, 40);
    guard_what_is_kept(&client_id, &text);
    let imported = client.import_secret(importable(&text, KeyEncoding::Utf8)).await.unwrap();
    for _ in 0..3 {
        let issued = client.add_secret(lasting()).await.unwrap();
        guard_what_is_kept(&client_id, issued.client_secret().expose());
    }
    search.nothing_found("adding");
    client.promote(imported).await.unwrap();
    let _ = registry.sign(&client_id, b"message").await.unwrap();
    registry.authenticate(client_id.as_str(), &text).await.unwrap();
    search.nothing_found("promoting, signing and authenticating");
    let _ = client.delete_in_emergency(first, None).await.unwrap();
    let _ = client.delete_in_emergency(imported, Some(lasting())).await.unwrap();
    search.nothing_found("deleting");
    client.confirm(client.plan_client_deletion().await.unwrap()).await.unwrap();
    search.nothing_found("deleting the client");
}
