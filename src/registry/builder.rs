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
    /// Sets what the platform allows; [`Policy::default`], unless configured otherwise.
    pub fn policy(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }

    /// Sets the clock; [`SystemClock`], unless configured otherwise.
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Sets the random source; [`SystemEntropy`], unless configured otherwise.
    pub fn entropy(self, entropy: impl Entropy) -> Self {
        Self { entropy: Arc::new(entropy), ..self }
    }

    /// Sets the shortest time between two notes of the use of one secret: a minute, unless configured otherwise. A last use may lag
    /// behind by as much. Zero notes every use.
    pub fn last_use_interval(self, interval: impl Into<Duration>) -> Self {
        Self { last_use_interval: interval.into(), ..self }
    }

    /// Sets how long this registry may still write under a key after another node [retired](Registry::retire_key) it: 5 seconds,
    /// unless configured otherwise. A command asks the store for the state of the keys when the last answer is older than that.
    pub fn key_refresh(self, interval: impl Into<Duration>) -> Self {
        Self { key_refresh: interval.into(), ..self }
    }

    /// Sets how stale authenticating, signing and verifying can be; [`Freshness::default`], unless configured otherwise. In memory
    /// nothing is ever stale.
    pub fn freshness(self, freshness: Freshness) -> Self {
        Self { freshness, ..self }
    }

    /// Sets how long a client in memory is believed to be unchanged because the change feed says nothing of it: ten minutes, unless
    /// configured otherwise. Each client is loaded again after this time, or up to a quarter sooner, so that an
    /// attacker who can hide a change from the feed delays a revocation by that much at most. In whole seconds. It has no effect
    /// where the feed is not [followed](Registry::keep_fresh), or where it is below the [`freshness`](Self::freshness).
    pub fn reload_after(self, limit: impl Into<Duration>) -> Self {
        Self { reload_after: limit.into(), ..self }
    }

    /// Sets how many opened clients are kept in memory: 100,000, unless configured otherwise. One with two secrets takes about a
    /// kilobyte.
    pub fn cached_clients(self, clients: usize) -> Self {
        Self { cached_clients: clients, ..self }
    }

    /// Opens or imports the registry of this ID and no other. One keyring may open several registries; an application that states
    /// the ID of its own is refused another database, or an empty one, before anything is written.
    ///
    /// Without it any registry under the keyring is opened, and in an empty store a new one is made. [`Registry::id`] tells the
    /// ID.
    pub fn expect_registry(self, id: RegistryId) -> Self {
        Self { expected: Some(id), ..self }
    }

    /// Lets [`import`](Self::import) take exports of versions that wrote no proofs (before format 2).
    ///
    /// An attacker who could write to such an export may have edited it: left out a deleted client, put a client back to an older
    /// state. Accept one only if it was kept where no other could write. An attacker who can edit an export can also make it look
    /// like one of an older version: do not leave this on.
    pub fn accept_unauthenticated_exports(self) -> Self {
        Self { accepts_unauthenticated_exports: true, ..self }
    }

    /// Opens the registry that lives in a store. In an empty store a registry is made.
    ///
    /// # Errors
    /// As for [`Registry::open`]; and [`OpenError::OtherRegistry`] when the store does not hold the [expected
    /// registry](Self::expect_registry), [`OpenError::FreshnessTooShort`] when the [freshness](Self::freshness) is not zero and
    /// below 100 milliseconds.
    pub async fn open<S: Store>(self, store: S, keyring: Keyring) -> Result<Registry<S>, OpenError> {
        if self.freshness.is_too_short() {
            return Err(OpenError::FreshnessTooShort { freshness: self.freshness.limit() });
        }
        let record = open(&store, &keyring, self.expected.as_ref(), &*self.entropy).await?;
        let protection = Protection::new(keyring, record, &*self.clock, self.key_refresh);
        let cache = Cache::new(self.freshness, self.reload_after, self.cached_clients);
        Ok(self.build(store, Some(protection), Some(cache)))
    }

    /// Makes a registry in this process's memory. It ends with the process.
    #[must_use]
    pub fn in_memory(self) -> Registry {
        self.in_memory_behind(|memory| memory)
    }

    /// Makes a registry in this process's memory behind a store of your own that wraps the [`MemoryStore`]: gates or faults for a
    /// test, counters, a [`DynStore`](crate::store::DynStore).
    #[must_use]
    pub fn in_memory_behind<S: Store>(self, wrap: impl FnOnce(MemoryStore) -> S) -> Registry<S> {
        self.build(wrap(MemoryStore::new()), None, None)
    }

    fn build<S>(self, store: S, protection: Option<Protection>, cache: Option<Cache>) -> Registry<S> {
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
