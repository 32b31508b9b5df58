//! How a registry is put together: clock, entropy and policy are injected, with the system's as defaults.

use std::sync::Arc;
use std::time::Duration;

use super::last_use::LastUseBuffer;
use super::{Inner, Registry};
use crate::clock::{Clock, SystemClock};
use crate::entropy::{Entropy, SystemEntropy};
use crate::policy::Policy;
use crate::store::{MemoryStore, Store};

/// Puts a [`Registry`] together.
///
/// ```
/// # use client_registry::{ManualClock, Policy, Registry};
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
    entropy: Arc<dyn Entropy>,
    last_use_interval: Duration,
}

impl RegistryBuilder {
    /// What the platform allows; [`Policy::default`], unless set.
    pub fn policy(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }

    /// What tells the time; [`SystemClock`], unless set.
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Where randomness comes from; [`SystemEntropy`], unless set.
    pub fn entropy(self, entropy: impl Entropy) -> Self {
        Self { entropy: Arc::new(entropy), ..self }
    }

    /// How often at most the use of one secret is noted: once a minute, unless set. A last use may lag behind by as
    /// much. Zero notes every use.
    pub fn last_use_interval(self, interval: impl Into<Duration>) -> Self {
        Self { last_use_interval: interval.into(), ..self }
    }

    /// A registry in this process's memory.
    #[must_use]
    pub fn in_memory(self) -> Registry {
        self.in_memory_behind(|memory| memory)
    }

    /// A registry in this process's memory, with something of one's own between it and the [`MemoryStore`]: gates or
    /// faults for a test, counters, a [`DynStore`](crate::store::DynStore).
    #[must_use]
    pub fn in_memory_behind<S: Store>(self, wrap: impl FnOnce(MemoryStore) -> S) -> Registry<S> {
        let Self { policy, clock, entropy, last_use_interval } = self;
        let uses = LastUseBuffer::new(last_use_interval);
        let store = wrap(MemoryStore::new());
        Registry { inner: Arc::new(Inner { store, policy, clock, entropy, uses }) }
    }
}

impl Default for RegistryBuilder {
    fn default() -> Self {
        Self {
            policy: Policy::default(),
            clock: Arc::new(SystemClock::new()),
            entropy: Arc::new(SystemEntropy),
            last_use_interval: Duration::from_secs(60),
        }
    }
}
