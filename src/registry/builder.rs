//! `RegistryBuilder`: puts a registry together. Clock and entropy are injected, with the system's as defaults; nothing else in the
//! crate reads a clock or takes randomness.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, SystemClock};
use crate::entropy::{Entropy, SystemEntropy};
use crate::record::{Keyring, RegistryId};
use crate::registry::protection::Protection;
use crate::registry::serve::alarm::Alarms;
use crate::registry::serve::cache::{CLIENTS, Cache, Freshness, RELOAD_AFTER};
use crate::registry::serve::last_use::LastUseBuffer;
use crate::registry::upkeep::open::{OpenError, open};
use crate::registry::{Inner, Registry};
use crate::store::{MemoryStore, Store};
use crate::value::Policy;

/// Configures a [`Registry`], and opens or imports it. [`Registry::builder`] gives one.
///
/// ```
/// # use client_registry::clock::ManualClock;
/// # use client_registry::{Policy, Registry};
/// let clock = ManualClock::new("2026-03-01T09:00:00Z".parse()?);
/// let registry = Registry::builder()
///     .clock(clock.clone())
///     .policy(Policy::default().with_max_secrets(8)?)
///     .in_memory();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "a builder does nothing until a registry is made of it"]
pub struct RegistryBuilder {
    policy: Policy,
    clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    last_use_interval: Duration,
    key_refresh: Duration,
    freshness: Freshness,
    reload_after: Duration,
    cached_clients: usize,
    pub(super) expected: Option<RegistryId>,
    pub(super) accepts_unauthenticated_exports: bool,
}

impl RegistryBuilder {
    /// Sets the limits of the platform: [`Policy::default`] unless configured otherwise.
    pub fn policy(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }

    /// Sets the clock: [`SystemClock`] unless configured otherwise.
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Sets the source of randomness: [`SystemEntropy`] unless configured otherwise.
    pub fn entropy(self, entropy: impl Entropy) -> Self {
        Self { entropy: Arc::new(entropy), ..self }
    }

    /// Sets the shortest time between two notes of the use of one secret: one minute unless configured otherwise. A last use
    /// that is shown may be older than the true one by that much. With zero every use is noted.
    pub fn last_use_interval(self, interval: impl Into<Duration>) -> Self {
        Self { last_use_interval: interval.into(), ..self }
    }

    /// Sets how long this registry may still write under a key after another node [retired](Registry::retire_key) it: 5 seconds
    /// unless configured otherwise. A command asks the store for the state of the keys when the last answer is older than that.
    pub fn key_refresh(self, interval: impl Into<Duration>) -> Self {
        Self { key_refresh: interval.into(), ..self }
    }

    /// Sets how stale the clients may be that this node authenticates, signs and verifies with: at most 5 seconds
    /// ([`Freshness::default`]) unless configured otherwise. A registry in memory is never stale.
    pub fn freshness(self, freshness: Freshness) -> Self {
        Self { freshness, ..self }
    }

    /// Sets how long a client stays in memory if the change feed reports no change of it: ten minutes unless configured
    /// otherwise, rounded down to whole seconds. After this time, or up to a quarter of it earlier, the client is loaded again. So
    /// an attacker who hides a change from the feed delays a revocation by at most this time.
    ///
    /// It has no effect if this node does not [follow the feed](Registry::keep_fresh), or if it is shorter than the
    /// [`freshness`](Self::freshness).
    pub fn reload_after(self, limit: impl Into<Duration>) -> Self {
        Self { reload_after: limit.into(), ..self }
    }

    /// Sets how many clients of a store this node keeps opened in memory: 100,000 unless configured otherwise. A client with
    /// two secrets takes about a kilobyte.
    pub fn cached_clients(self, clients: usize) -> Self {
        Self { cached_clients: clients, ..self }
    }

    /// Accepts only the registry with this ID. [`open`](Self::open) refuses a store that holds another registry or none, and
    /// [`import`](Self::import) an export of another registry, before anything is written ([`OpenError::OtherRegistry`]).
    ///
    /// Set it on each node in production: open the registry once without it, keep [`Registry::id`] in the configuration, and
    /// pass it here at each later start. Then a wrong address or a deleted file does not lead to a new, empty registry, and the
    /// database of a test is refused. It has no effect in memory.
    ///
    /// ```
    /// # use client_registry::{Keyring, Registry, store::MemoryStore, value::KeyId};
    /// # pollster::block_on(async {
    /// # let keyring = Keyring::generate(KeyId::parse("2026")?)?;
    /// # let store = MemoryStore::new();
    /// let id = Registry::open(store.clone(), keyring.clone()).await?.id().ok_or("it lives in a store")?; // once: keep the ID
    /// let registry = Registry::builder().expect_registry(id.clone()).open(store, keyring.clone()).await?; // from then on
    ///
    /// let empty = Registry::builder().expect_registry(id).open(MemoryStore::new(), keyring).await;
    /// assert_eq!(empty.unwrap_err().code(), "other_registry");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// Without it, any registry whose keys are in the keyring is opened, and in an empty store a new registry is made.
    pub fn expect_registry(self, id: RegistryId) -> Self {
        Self { expected: Some(id), ..self }
    }

    /// Lets [`import`](Self::import) accept an export that carries no proof that it was not edited (export format 1).
    ///
    /// An attacker who could write to such an export may have edited it, for example put a client back to an older state.
    /// Accept one only if nobody else could write to the place where it was kept. An attacker who can edit a newer export can
    /// also make it look like one of format 1: do not leave this on.
    pub fn accept_unauthenticated_exports(self) -> Self {
        Self { accepts_unauthenticated_exports: true, ..self }
    }

    /// Opens the registry that lives in a store. In an empty store a new registry is made, unless another one is
    /// [expected](Self::expect_registry).
    ///
    /// # Errors
    /// Those of [`Registry::open`], and:
    /// - [`OpenError::OtherRegistry`]: the store does not hold the [expected registry](Self::expect_registry).
    /// - [`OpenError::FreshnessTooShort`]: the [freshness](Self::freshness) is between zero and 100 milliseconds.
    pub async fn open<S: Store>(self, store: S, keyring: Keyring) -> Result<Registry<S>, OpenError> {
        if self.freshness.is_too_short() {
            return Err(OpenError::FreshnessTooShort { freshness: self.freshness.limit() });
        }
        let record = open(&store, &keyring, self.expected.as_ref(), &*self.entropy).await?;
        let protection = Protection::new(keyring, record, &*self.clock, self.key_refresh);
        let cache = Cache::new(self.freshness, self.reload_after, self.cached_clients);
        Ok(self.build(store, Some(protection), Some(cache), None))
    }

    /// Makes a registry in this process's memory. It ends with the process.
    #[must_use]
    pub fn in_memory(self) -> Registry {
        let store = MemoryStore::new();
        let memory = store.clone();
        self.build(store, None, None, Some(memory))
    }

    /// Makes a registry in this process's memory behind a store of your own that wraps the [`MemoryStore`]: for example to make
    /// calls wait or fail in a test, to count them, or to use a [`DynStore`](crate::store::DynStore).
    #[must_use]
    pub fn in_memory_behind<S: Store>(self, wrap: impl FnOnce(MemoryStore) -> S) -> Registry<S> {
        self.build(wrap(MemoryStore::new()), None, None, None)
    }

    fn build<S>(
        self,
        store: S,
        protection: Option<Protection>,
        cache: Option<Cache>,
        memory: Option<MemoryStore>,
    ) -> Registry<S> {
        let Self { policy, clock, entropy, last_use_interval, .. } = self;
        let uses = LastUseBuffer::new(last_use_interval);
        Registry {
            inner: Arc::new(Inner {
                store,
                policy: Arc::new(policy),
                clock,
                entropy,
                uses,
                alarms: Alarms::default(),
                protection,
                cache,
                memory,
            }),
        }
    }
}

impl Default for RegistryBuilder {
    fn default() -> Self {
        Self {
            policy: Policy::default(),
            clock: Arc::new(SystemClock::new()),
            entropy: Arc::new(SystemEntropy),
            last_use_interval: Duration::from_secs(60),
            key_refresh: Duration::from_secs(5),
            freshness: Freshness::default(),
            reload_after: RELOAD_AFTER,
            cached_clients: CLIENTS,
            expected: None,
            accepts_unauthenticated_exports: false,
        }
    }
}
