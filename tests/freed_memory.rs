//! No freed memory holds a client secret (rule 8). This binary's allocator looks through every block that is given
//! back for the plaintexts in play: any 16 bytes of one, of the bytes it decodes to, or of one that was only presented.
//! A plain `String` that is dropped must be found by the same search, and so must what a growing one leaves behind.

// So that the linter knows the helpers for tests: they may fail loudly.
#![cfg(test)]
// A global allocator cannot be written without it, and nothing else sees what a freed block holds.
#![allow(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may fail loudly")]

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use client_registry::client::{ImportedClient, ImportedSecret};
use client_registry::clock::ManualClock;
use client_registry::entropy::{Entropy, EntropyError};
use client_registry::registry::Resolution;
use client_registry::ring::{CallError, SharedSecret};
use client_registry::secret::KeyEncoding;
use client_registry::store::{MemoryStore, Store};
use client_registry::value::{KeyId, Validity};
use client_registry::{
    Availability, ClientId, ClientSecret, Days, EmergencyDeletion, Error, Issued, Keyring, Lifetime,
    NewSecret, Policy, Registry, Rotation, SecretRing, SellerId,
};
use data_encoding::BASE64;
use pollster::block_on;
use sha2::block_api::compress256;
use sha2::{Digest, Sha256};
use support::{Platform, START, Seeded, Watched, details, instant, poll_once, secret_id};
use zeroize::{Zeroize, Zeroizing};

#[global_allocator]
static SEARCHED: Searched = Searched;

/// The system's allocator, which hands out zeroed blocks only, so that what is found in one was put there, and looks
/// through each before it gives it back.
struct Searched;

// SAFETY: every block comes from `System` and goes back to it with the layout that it was made with.
unsafe impl GlobalAlloc for Searched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those of `System`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block is the caller's to give back: `size` bytes, zeroed when they were handed out.
        unsafe {
            search(block, layout.size());
            System.dealloc(block, layout);
        }
    }

    /// Always moves, so that what stays behind is looked through too.
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller promises that `new_size` fits the alignment; both blocks have the bytes that are copied.
        unsafe {
            let moved = self.alloc(Layout::from_size_align_unchecked(new_size, layout.align()));
            if !moved.is_null() {
                std::ptr::copy_nonoverlapping(block, moved, layout.size().min(new_size));
                self.dealloc(block, layout);
            }
            moved
        }
    }
}

/// The pieces that are searched for: masked, so that the table is none of the places where they are, and in the order
/// of nothing but their hash.
static TABLE: [[AtomicU64; 2]; SLOTS] = [const { [const { AtomicU64::new(0) }; 2] }; SLOTS];
static SEARCHING: AtomicBool = AtomicBool::new(false);
/// How many slots of the table are taken.
static USED: AtomicUsize = AtomicUsize::new(0);
static FOUND: AtomicUsize = AtomicUsize::new(0);
/// How long the first block was that held something, and where in it.
static FIRST: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];

/// What SHA-256 begins with (FIPS 180-4 section 5.3.3).
const SHA_256: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];
const SLOTS: usize = 1 << 14;
const PIECE: usize = 16;
const MASK: u64 = 0x9e37_79b9_7f4a_7c15;

fn slot(head: u64) -> usize {
    (head.wrapping_mul(MASK) >> 50) as usize
}

/// Looks through a block. Allocates nothing.
///
/// # Safety
/// `block` points to `len` initialized bytes that nobody writes to.
unsafe fn search(block: *const u8, len: usize) {
    if len < PIECE || !SEARCHING.load(Ordering::Relaxed) {
        return;
    }
    for at in 0..=len - PIECE {
        // SAFETY: `at + 16 <= len`.
        let (head, tail) = unsafe {
            let place = block.add(at).cast::<u64>();
            (place.read_unaligned() ^ MASK, place.add(1).read_unaligned() ^ MASK)
        };
        let mut slot = slot(head);
        loop {
            let [first, second] = &TABLE[slot];
            let first = first.load(Ordering::Relaxed);
            if first == 0 {
                break;
            }
            if first == head && second.load(Ordering::Relaxed) == tail {
                if FOUND.fetch_add(1, Ordering::Relaxed) == 0 {
                    FIRST[0].store(len, Ordering::Relaxed);
                    FIRST[1].store(at, Ordering::Relaxed);
                }
                return;
            }
            slot = (slot + 1) % SLOTS;
        }
    }
}

/// From here on no freed block may hold 16 bytes in a row of this. Allocates nothing.
fn guard(secret: &[u8]) {
    assert!(secret.len() >= PIECE);
    for piece in secret.windows(PIECE) {
        let [head, tail] = [0, 8].map(|from| {
            let mut word = 0u64.to_ne_bytes();
            word.copy_from_slice(&piece[from..from + 8]);
            u64::from_ne_bytes(word) ^ MASK
        });
        let mut slot = slot(head);
        for _ in 0..SLOTS {
            let [first, second] = &TABLE[slot];
            match first.load(Ordering::Relaxed) {
                0 => {
                    second.store(tail, Ordering::Relaxed);
                    first.store(head, Ordering::Relaxed);
                    let used = USED.fetch_add(1, Ordering::Relaxed);
                    assert!(used < SLOTS * 3 / 4, "a larger table");
                    break;
                }
                there if there == head && second.load(Ordering::Relaxed) == tail => break,
                _ => slot = (slot + 1) % SLOTS,
            }
        }
    }
}

/// Overwrites what this file's own calls left on the stack: whatever is moved later may take it along, where it has no
/// bytes of its own. What the library leaves there comes after.
#[inline(never)]
fn scrub() {
    let mut stack = [1u8; 1 << 16];
    stack.zeroize();
    std::hint::black_box(&stack);
}

/// One search at a time: blocks of other threads are looked through as well.
fn searching() -> Search {
    static ONE: Mutex<()> = Mutex::new(());
    let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    for [first, second] in &TABLE {
        first.store(0, Ordering::Relaxed);
        second.store(0, Ordering::Relaxed);
    }
    USED.store(0, Ordering::Relaxed);
    FOUND.store(0, Ordering::Relaxed);
    SEARCHING.store(true, Ordering::Relaxed);
    Search { _one: one }
}

struct Search {
    _one: MutexGuard<'static, ()>,
}

impl Search {
    /// Freed blocks that held something, since the last time.
    fn found(&self) -> usize {
        FOUND.swap(0, Ordering::Relaxed)
    }

    #[track_caller]
    fn nothing_found(&self, after: &str) {
        let [len, at] = FIRST.each_ref().map(|n| n.load(Ordering::Relaxed));
        assert_eq!(self.found(), 0, "after {after}: the first at {at} of a block of {len} bytes");
    }
}

impl Drop for Search {
    fn drop(&mut self) {
        SEARCHING.store(false, Ordering::Relaxed);
    }
}

/// Randomness that guards each client secret that is made of it before anybody else has it.
#[derive(Debug)]
struct Guarded(Seeded);

impl Entropy for Guarded {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        self.0.fill(buffer)?;
        if let Ok(bits) = <[u8; 32]>::try_from(&*buffer) {
            let secret = ClientSecret::generate(&Policy::default(), &Bits(Zeroizing::new(bits)))?;
            guard(secret.expose().as_bytes());
            drop(secret);
            scrub();
        }
        Ok(())
    }
}

#[derive(Debug)]
struct Bits(Zeroizing<[u8; 32]>);

impl Entropy for Bits {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        buffer.copy_from_slice(&*self.0);
        Ok(())
    }
}

fn platform(seed: u64) -> Platform {
    Platform::with(Watched::default(), Guarded(Seeded::new(seed)), Policy::default())
}

/// The plaintext of what was just issued, in a buffer of the test's own that is wiped.
fn keep(issued: &Issued) -> Zeroizing<Box<str>> {
    let text = issued.client_secret().expose();
    let used = USED.load(Ordering::Relaxed);
    guard(text.as_bytes());
    assert_eq!(USED.load(Ordering::Relaxed), used, "it was guarded when it was made");
    Zeroizing::new(Box::from(text))
}

/// The same text with one character more, in a buffer that never grows.
fn slip(text: &str) -> Zeroizing<String> {
    let mut slip = Zeroizing::new(String::with_capacity(text.len() + 1));
    slip.push_str(text);
    slip.push('x');
    slip
}

fn lasting() -> NewSecret {
    NewSecret::lasting(Lifetime::OneYear)
}

/// A text to be imported.
fn plain(texts: &Seeded, len: usize) -> Zeroizing<String> {
    let text = texts.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", len);
    guard(text.as_bytes());
    text
}

/// One that stands for other bytes.
fn base64(texts: &Seeded, len: usize) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new(vec![0; len]);
    texts.fill(&mut bytes).unwrap();
    guard(&bytes);
    let mut text = Zeroizing::new(String::with_capacity(BASE64.encode_len(len)));
    BASE64.encode_append(&bytes, &mut text);
    guard(text.as_bytes());
    text
}

fn importable(text: &str, encoding: KeyEncoding) -> ImportedSecret {
    let until = instant("2027-01-01T00:00:00Z");
    let validity = Validity::new(instant(START), Some(until)).unwrap();
    ImportedSecret::new(ClientSecret::parse(text).unwrap(), validity, encoding)
}

/// Would everything else in this file find anything?
#[test]
fn a_plain_string_is_found() {
    let search = searching();
    let texts = Seeded::new(1);
    let secret = plain(&texts, 53);
    search.nothing_found("making a text in a buffer that is wiped");

    let copy = secret.to_string();
    drop(copy);
    assert_eq!(search.found(), 1, "a copy");
    let message = format!("the client secret is {}", &secret[10..26]);
    drop(message);
    assert_eq!(search.found(), 1, "a piece");
    let mut growing = Zeroizing::new(String::new());
    for character in secret.chars() {
        growing.push(character);
    }
    drop(growing);
    assert!(search.found() > 0, "what a growing buffer leaves behind");
    let mut short = secret.to_string();
    short.truncate(3);
    drop(short);
    assert_eq!(search.found(), 1, "what was shortened is still there");
    let boxed: Box<[u8]> = Box::from(secret.as_bytes());
    drop(boxed);
    assert_eq!(search.found(), 1, "bytes");
    drop(secret);
    search.nothing_found("dropping a text in a buffer that is wiped");
}

#[test]
fn rule_08_no_freed_memory_holds_a_client_secret() {
    let search = searching();
    let platform = platform(6);
    block_on(async {
        let texts = Seeded::new(2);
        let issued = platform.register("calendar app").await;
        let first = keep(&issued);
        let (client_id, first_id) = (issued.client_id().clone(), issued.secret_id());
        drop(issued);
        search.nothing_found("issuing the first one");
        let client = platform.contoso.client(&client_id);
        let second = client.add_secret(lasting()).await.unwrap();
        let second_text = keep(&second);
        let owned = second.into_client_secret();
        drop(owned);
        search.nothing_found("adding one");

        for (text, right) in [(&first, true), (&second_text, true)] {
            let answer = platform.registry.authenticate(client_id.as_str(), text).await;
            assert_eq!(answer.is_ok(), right);
        }
        let wrong = [slip(&first), plain(&texts, 53), plain(&texts, 3000)];
        for text in &wrong {
            guard(text.as_bytes());
            let answer = platform.registry.authenticate(client_id.as_str(), text).await;
            answer.unwrap_err();
            // In the wrong place, too.
            let answer = platform.registry.authenticate(text, &first).await;
            answer.unwrap_err();
            let _ = ClientSecret::parse(text).map(drop);
        }
        search.nothing_found("authenticating");

        let rotated = client.rotate(Rotation::overlap(Days::new(3))).await.unwrap();
        let _rotated_text = keep(&rotated);
        drop(rotated);
        let refused = client.rotate(Rotation::overlap(Days::new(3))).await;
        assert!(matches!(refused, Err(Error::Refused(_))));
        search.nothing_found("rotating");

        for (text, encoding) in
            [(plain(&texts, 24), KeyEncoding::Utf8), (base64(&texts, 48), KeyEncoding::Base64)]
        {
            client.import_secret(importable(&text, encoding)).await.unwrap();
            search.nothing_found("importing");
            client.import_secret(importable(&text, encoding)).await.unwrap();
            let other = match encoding {
                KeyEncoding::Base64 => KeyEncoding::Utf8,
                _ => KeyEncoding::Base64,
            };
            let refused = client.import_secret(importable(&text, other)).await;
            assert!(matches!(refused, Err(Error::Refused(_))));
            search.nothing_found("importing once more, and otherwise");
            platform.registry.authenticate(client_id.as_str(), &text).await.unwrap();
        }
        for (text, encoding) in [
            (plain(&texts, 500), KeyEncoding::Utf8),
            (base64(&texts, 384), KeyEncoding::Base64),
            (base64(&texts, 20), KeyEncoding::Base64),
            (plain(&texts, 63), KeyEncoding::Base64),
        ] {
            let refused = client.import_secret(importable(&text, encoding)).await;
            assert!(matches!(refused, Err(Error::Refused(_))), "too many, or not a key");
        }
        search.nothing_found("importing what is refused");

        let operator = platform.registry.as_operator("ann").unwrap();
        let imported = || {
            let (id, owner) = (ClientId::parse("legacy-calendar"), SellerId::parse("contoso"));
            ImportedClient::new(id.unwrap(), owner.unwrap(), details("legacy"), Availability::Worldwide)
        };
        let (long, key, other) = (plain(&texts, 512), base64(&texts, 384), plain(&texts, 54));
        let whole = || {
            imported()
                .with_secret(importable(&long, KeyEncoding::Utf8))
                .with_secret(importable(&key, KeyEncoding::Base64))
                .with_secret(importable(&other, KeyEncoding::Utf8))
        };
        operator.import(whole()).await.unwrap();
        operator.import(whole()).await.unwrap();
        operator.import(whole().with_secret(importable(&long, KeyEncoding::Utf8))).await.unwrap_err();
        search.nothing_found("importing a client");

        let signature = platform.registry.sign(&client_id, b"message").await.unwrap();
        platform.registry.verify(&signature, b"message").await.unwrap();
        search.nothing_found("signing");

        let deleted = client.delete_in_emergency(first_id, Some(lasting())).await.unwrap();
        let EmergencyDeletion::Replaced(replacement) = deleted else { panic!("not replaced") };
        let _replacement_text = keep(&replacement);
        drop(replacement);
        let refused = client.delete_in_emergency(secret_id(99), Some(lasting())).await;
        assert!(refused.is_err());
        search.nothing_found("deleting in an emergency");
        let plan = client.plan_client_deletion().await.unwrap();
        client.confirm(plan).await.unwrap();
        let refused = client.add_secret(lasting()).await;
        assert!(matches!(refused, Err(Error::Refused(_))));
        search.nothing_found("deleting the client");
    });
    drop(platform);
    search.nothing_found("dropping the registry");
}

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

#[test]
fn rule_08_a_call_that_fails_leaves_no_plaintext_behind() {
    let search = searching();
    let platform = platform(7);
    let knobs = std::sync::Arc::clone(&platform.store.knobs);
    block_on(async {
        let issued = platform.register("calendar app").await;
        let client = platform.contoso.client(issued.client_id());
        drop(issued);

        knobs.load_fails.on();
        drop(client.add_secret(lasting()).await.unwrap_err());
        knobs.load_fails.off();
        search.nothing_found("a store that does not answer");

        // The plaintext goes with the error, and when that is dropped it is gone.
        knobs.commit_fails.on();
        let error = client.add_secret(lasting()).await.unwrap_err();
        let Error::Unresolved(unresolved) = error else { panic!("resolved: {error}") };
        let unresolved = platform.registry.resolve(*unresolved).await.unwrap_err();
        knobs.commit_fails.off();
        let resolution = platform.registry.resolve(unresolved).await.unwrap();
        assert!(matches!(&resolution, Resolution::Made(Some(_))));
        drop(resolution);
        search.nothing_found("an unknown outcome that was settled");

        knobs.commit_fails.on();
        drop(client.rotate(Rotation::overlap(Days::new(1))).await.unwrap_err());
        knobs.commit_fails.off();
        search.nothing_found("an unknown outcome that nobody settled");

        knobs.commit_fails.on();
        let error = client.add_secret(lasting()).await.unwrap_err();
        knobs.commit_fails.off();
        client.change_details(details("overtaken")).await.unwrap();
        let Error::Unresolved(unresolved) = error else { panic!("resolved: {error}") };
        let resolution = platform.registry.resolve(*unresolved).await.unwrap();
        assert!(matches!(resolution, Resolution::NotMade));
        search.nothing_found("a change that was not made");
    });
}

#[test]
fn rule_08_a_call_that_is_dropped_half_way_leaves_no_plaintext_behind() {
    let search = searching();
    let platform = platform(8);
    let knobs = std::sync::Arc::clone(&platform.store.knobs);
    let texts = Seeded::new(9);
    block_on(async {
        let issued = platform.register("calendar app").await;
        let client_id = issued.client_id().clone();
        let client = platform.contoso.client(&client_id);
        let (text, key) = (plain(&texts, 53), base64(&texts, 48));
        // While it looks, before it decides; and while it commits.
        for waits in [&knobs.load_waits, &knobs.commit_waits] {
            waits.on();
            let guarded = USED.load(Ordering::Relaxed);
            let mut calls: Vec<std::pin::Pin<Box<dyn Future<Output = ()>>>> = vec![
                Box::pin(async { drop(client.add_secret(lasting()).await) }),
                Box::pin(async { drop(client.rotate(Rotation::overlap(Days::new(1))).await) }),
                Box::pin(async { drop(client.delete_in_emergency(secret_id(1), Some(lasting())).await) }),
                Box::pin(async { drop(client.import_secret(importable(&text, KeyEncoding::Utf8)).await) }),
                Box::pin(async { drop(client.import_secret(importable(&key, KeyEncoding::Base64)).await) }),
            ];
            for call in &mut calls {
                assert!(poll_once(call.as_mut()).is_pending());
            }
            assert!(USED.load(Ordering::Relaxed) > guarded, "secrets were made");
            drop(calls);
            search.nothing_found("dropping calls half-way");
            waits.off();
        }
        // Never begun.
        drop(Box::pin(client.import_secret(importable(&text, KeyEncoding::Utf8))));
        drop(Box::pin(platform.registry.authenticate(client_id.as_str(), &text)));
        knobs.load_waits.on();
        let mut authenticate = Box::pin(platform.registry.authenticate(client_id.as_str(), &text));
        assert!(poll_once(authenticate.as_mut()).is_pending());
        drop(authenticate);
        search.nothing_found("dropping a call that authenticates");
    });
}

/// A source of randomness that fills the buffer and then says that it failed, from some call on.
#[derive(Debug)]
struct Drying {
    source: Guarded,
    left: AtomicUsize,
}

impl Entropy for Drying {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        self.source.fill(buffer)?;
        let left = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        left.map(drop).map_err(|_| EntropyError::new("the source is dry"))
    }
}

#[test]
fn rule_08_without_randomness_nothing_is_left_behind_either() {
    let search = searching();
    // Registering asks for a secret, a client ID and a commit ID; each of the three may be one too many.
    for left in 0..3 {
        let entropy = Drying { source: Guarded(Seeded::new(10)), left: AtomicUsize::new(left) };
        let registry = Registry::builder().entropy(entropy).in_memory();
        let contoso = registry.as_seller("contoso").unwrap();
        let call = contoso.register(details("calendar app"), Lifetime::OneYear);
        let error = block_on(call).unwrap_err();
        assert!(matches!(error, Error::Entropy(_)));
        assert!(USED.load(Ordering::Relaxed) > 0, "a secret was made");
        search.nothing_found("running out of randomness");
    }
}

#[test]
fn rule_17_a_ring_leaves_no_plaintext_behind() {
    let search = searching();
    let texts = Seeded::new(12);
    let id = ClientId::parse("calendar-app").unwrap();
    let ring_secret = |text: &str, encoding| SharedSecret::new(ClientSecret::parse(text).unwrap(), encoding);
    let (one, two, three) = (plain(&texts, 40), base64(&texts, 64), plain(&texts, 511));
    let ring = SecretRing::new(
        id,
        ring_secret(&one, KeyEncoding::Utf8).unwrap(),
        Some(ring_secret(&two, KeyEncoding::Base64).unwrap()),
    );
    assert!(
        ring.verify_mac(&support::hmac(&support::key(&two, KeyEncoding::Base64), b"message"), b"message")
            .is_ok()
    );
    ring.verify_mac(&[7; 32], b"message").unwrap_err();
    ring_secret(&three, KeyEncoding::Base64).unwrap_err();
    search.nothing_found("making a ring and verifying");

    block_on(async {
        let answer = ring
            .call(async |credentials| {
                let presented = Zeroizing::new(Box::<str>::from(credentials.client_secret().expose()));
                // Others take their place while the call is under way.
                ring.replace(ClientSecret::parse(&three).unwrap(), None);
                match **presented == **one {
                    true => Err(CallError::InvalidClient("invalid client")),
                    false => Ok(()),
                }
            })
            .await;
        answer.unwrap();
    });
    search.nothing_found("calling and replacing");
    drop(ring);
    search.nothing_found("dropping the ring");
}

/// The test's own buffers, or nothing that it says is worth anything.
#[test]
fn the_buffers_of_this_test_are_wiped() {
    let search = searching();
    let texts = Seeded::new(13);
    drop((plain(&texts, 100), base64(&texts, 100)));
    drop(slip(&plain(&texts, 60)));
    let mut key = support::key(&base64(&texts, 60), KeyEncoding::Base64);
    key.zeroize();
    drop(key);
    search.nothing_found("using the helpers");
}
