//! What these tests share: randomness from a seed, a platform under a clock set by hand, a store that can be watched
//! and made to fail, and a reader of the log.
#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may fail loudly")]

#[path = "../forward/mod.rs"]
pub(crate) mod forward;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Once};
use std::task::{Context, Poll, Waker};

use client_registry::store::{
    Commit, CommitError, MemoryStore, Record, RecordId, Store, StoreError, StoreErrorKind, Use,
};
use client_registry::{
    AccessError, Authenticated, Availability, ClientDetails, ClientId, ClientSecret, Denied, Entropy,
    EntropyError, Issued, KeyEncoding, LastUses, Lifetime, ManualClock, Policy, Reason, Registry, SecretId,
    Seller, Timestamp,
};
use forward::forward;
use hmac::{Hmac, KeyInit, Mac};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Randomness that comes again with its seed.
#[derive(Debug)]
pub(crate) struct Seeded(Mutex<StdRng>);

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }

    /// A text of characters from an alphabet.
    pub(crate) fn text(&self, alphabet: &str, len: usize) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new(vec![0; len]);
        self.fill(&mut bytes).unwrap();
        let mut text = Zeroizing::new(String::with_capacity(len));
        let letters = alphabet.as_bytes();
        for byte in bytes.iter() {
            text.push(char::from(letters[usize::from(*byte) % letters.len()]));
        }
        text
    }
}

impl Entropy for Seeded {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        self.0.lock().unwrap().fill_bytes(buffer);
        Ok(())
    }
}

/// A registry of one seller, `contoso`, in a watched store.
pub(crate) struct Platform {
    pub(crate) clock: ManualClock,
    pub(crate) store: Watched,
    pub(crate) registry: Registry<Watched>,
    pub(crate) contoso: Seller<Watched>,
}

pub(crate) const START: &str = "2026-03-01T09:00:00Z";

impl Platform {
    pub(crate) fn new() -> Self {
        Self::seeded(1, Policy::default())
    }

    pub(crate) fn seeded(seed: u64, policy: Policy) -> Self {
        Self::over(Watched::default(), seed, policy)
    }

    /// One more node over the same store, with a clock of its own.
    pub(crate) fn over(store: Watched, seed: u64, policy: Policy) -> Self {
        Self::with(store, Seeded::new(seed), policy)
    }

    pub(crate) fn with(store: Watched, entropy: impl Entropy, policy: Policy) -> Self {
        read_the_log();
        let clock = ManualClock::new(START.parse().unwrap());
        let registry = Registry::builder()
            .clock(clock.clone())
            .entropy(entropy)
            .policy(policy)
            .in_memory_behind(|_| store.clone());
        let contoso = registry.as_seller("contoso").unwrap();
        Self { clock, store, registry, contoso }
    }

    pub(crate) async fn register(&self, name: &str) -> Issued {
        let issued = self.contoso.register(details(name), Availability::Worldwide, Lifetime::ThreeYears);
        issued.await.unwrap()
    }

    pub(crate) async fn authenticate(&self, client_id: &ClientId, secret: &ClientSecret) -> Authenticated {
        let authenticated = self.registry.authenticate(client_id.as_str(), secret.expose()).await;
        authenticated.unwrap()
    }

    pub(crate) async fn denied(&self, client_id: &str, secret: &str) -> Denied {
        denied(self.registry.authenticate(client_id, secret).await)
    }

    pub(crate) async fn reason(&self, client_id: &ClientId, secret: &str) -> Reason {
        self.denied(client_id.as_str(), secret).await.reason()
    }

    pub(crate) async fn last_used(&self, client_id: &ClientId, secret: SecretId) -> Option<Timestamp> {
        let snapshot = self.contoso.client(client_id).snapshot().await.unwrap();
        snapshot.last_used(secret)
    }
}

pub(crate) fn denied<T>(answer: Result<T, AccessError>) -> Denied {
    match answer {
        Err(AccessError::Denied(denied)) => denied,
        Err(other) => panic!("not a denial: {other}"),
        Ok(_) => panic!("let in"),
    }
}

pub(crate) fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn details(name: &str) -> ClientDetails {
    ClientDetails::new(name, "app.contoso.com", "https://app.contoso.com/done").unwrap()
}

pub(crate) fn number(number: u32) -> SecretId {
    SecretId::new(number).unwrap()
}

/// What is kept to recognise a client secret, computed by the book.
pub(crate) fn verifier(client_id: &ClientId, secret: &str) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(b"client-registry/verifier/1\0");
    hasher.update(client_id.as_str());
    hasher.update([0]);
    hasher.update(secret);
    hasher.finalize().into()
}

/// The bytes that a client secret signs with.
pub(crate) fn key(secret: &str, encoding: KeyEncoding) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(match encoding {
        KeyEncoding::Base64 => data_encoding::BASE64.decode(secret.as_bytes()).unwrap(),
        _ => secret.as_bytes().to_vec(),
    })
}

/// HMAC-SHA-256 by another implementation.
pub(crate) fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut hmac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    hmac.update(message);
    hmac.finalize().into_bytes().into()
}

/// Runs a future until it waits for something.
pub(crate) fn poll_once<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// A future that is pending when it is polled for the first time.
pub(crate) async fn once_pending() {
    let mut is_pending = true;
    std::future::poll_fn(|_| match std::mem::take(&mut is_pending) {
        true => Poll::Pending,
        false => Poll::Ready(()),
    })
    .await;
}

/// A memory store that counts, remembers what it was told to commit, fails and dawdles when told to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watched {
    memory: MemoryStore,
    pub(crate) knobs: Arc<Knobs>,
}

#[derive(Debug, Default)]
pub(crate) struct Knobs {
    /// No record can be loaded.
    pub(crate) load_fails: Switch,
    /// Commits fail and are not applied.
    pub(crate) commit_fails: Switch,
    /// Commits fail although they are applied.
    pub(crate) answer_is_lost: Switch,
    /// Last uses can be neither written nor read.
    pub(crate) uses_fail: Switch,
    /// Loads wait before they do anything.
    pub(crate) load_waits: Switch,
    /// Commits wait before they do anything.
    pub(crate) commit_waits: Switch,
    /// The writing of last uses waits before it does anything.
    pub(crate) note_waits: Switch,
    commits: Mutex<Vec<Commit>>,
    loads: AtomicUsize,
    notes: AtomicUsize,
    /// The last uses of this client cannot be written.
    pub(crate) uses_fail_of: Mutex<Option<ClientId>>,
    /// The clients whose last uses were to be written.
    pub(crate) noted: Mutex<BTreeSet<ClientId>>,
}

#[derive(Debug, Default)]
pub(crate) struct Switch(AtomicBool);

impl Switch {
    pub(crate) fn on(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    pub(crate) fn off(&self) {
        self.0.store(false, Ordering::SeqCst);
    }

    fn is_on(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    async fn wait(&self) {
        std::future::poll_fn(|_| if self.is_on() { Poll::Pending } else { Poll::Ready(()) }).await;
    }

    fn check(&self) -> Result<(), StoreError> {
        if self.is_on() { Err(StoreError::new(StoreErrorKind::Unavailable)) } else { Ok(()) }
    }
}

impl Watched {
    /// Everything that was to be committed so far.
    pub(crate) fn commits(&self) -> Vec<Commit> {
        self.knobs.commits.lock().unwrap().clone()
    }

    /// How often a record was asked for since the last call.
    pub(crate) fn loads(&self) -> usize {
        self.knobs.loads.swap(0, Ordering::SeqCst)
    }

    /// How often last uses were written.
    pub(crate) fn notes(&self) -> usize {
        self.knobs.notes.load(Ordering::SeqCst)
    }
}

impl Store for Watched {
    async fn load(&self, id: RecordId<'_>) -> Result<Option<Record>, StoreError> {
        self.knobs.loads.fetch_add(1, Ordering::SeqCst);
        self.knobs.load_waits.wait().await;
        self.knobs.load_fails.check()?;
        self.memory.load(id).await
    }

    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        self.knobs.commits.lock().unwrap().push(commit.clone());
        self.knobs.commit_waits.wait().await;
        self.knobs.commit_fails.check()?;
        self.memory.commit(commit).await?;
        Ok(self.knobs.answer_is_lost.check()?)
    }

    async fn note_uses(&self, uses: &[Use], believable_until: Timestamp) -> Result<(), StoreError> {
        self.knobs.notes.fetch_add(1, Ordering::SeqCst);
        self.knobs.note_waits.wait().await;
        self.knobs.noted.lock().unwrap().extend(uses.iter().map(|used| used.client_id.clone()));
        self.knobs.uses_fail.check()?;
        let failing = self.knobs.uses_fail_of.lock().unwrap().clone();
        if uses.iter().any(|used| Some(&used.client_id) == failing.as_ref()) {
            return Err(StoreError::new(StoreErrorKind::Unavailable));
        }
        self.memory.note_uses(uses, believable_until).await
    }

    async fn last_uses(&self, client_id: &ClientId) -> Result<LastUses, StoreError> {
        self.knobs.uses_fail.check()?;
        self.memory.last_uses(client_id).await
    }

    forward!(memory: history clients client_of ending changes latest adopt);
}

thread_local! {
    /// What this thread writes to the log, while somebody wants to know.
    static LINES: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Everything that a piece of code writes to the log on this thread, at every level.
pub(crate) fn logged<T>(run: impl FnOnce() -> T) -> (T, Vec<String>) {
    read_the_log();
    LINES.set(Some(vec![]));
    let answer = run();
    (answer, LINES.take().unwrap_or_default())
}

/// One reader for all threads, there before anybody writes: a reader that comes while another thread is writing its
/// first line may miss such lines for ever.
fn read_the_log() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing::subscriber::set_global_default(Log).unwrap());
}

struct Log;

impl Log {
    fn write(head: impl Display, record: impl FnOnce(&mut Line)) {
        LINES.with_borrow_mut(|lines| {
            if let Some(lines) = lines {
                let mut line = Line(head.to_string());
                record(&mut line);
                lines.push(line.0);
            }
        });
    }
}

impl tracing::Subscriber for Log {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        Self::write(span.metadata().name(), |line| span.record(line));
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, values: &tracing::span::Record<'_>) {
        Self::write("", |line| values.record(line));
    }

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let metadata = event.metadata();
        let head = format_args!("{} {}", metadata.level(), metadata.target());
        Self::write(head, |line| event.record(line));
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

struct Line(String);

impl tracing::field::Visit for Line {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        self.0.push_str(&format!(" {}={value:?}", field.name()));
    }
}
