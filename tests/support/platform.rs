//! A registry of one seller, under a clock set by hand, in a store that can be watched.

use client_registry::clock::ManualClock;
use client_registry::entropy::Entropy;
use client_registry::{
    AccessError, Authenticated, Availability, ClientId, ClientSecret, Denied, Issued, Lifetime, Policy,
    Reason, Registry, SecretId, Seller, Timestamp,
};

use super::entropy::Seeded;
use super::log::read_the_log;
use super::values::{START, details};
use super::watched::Watched;

/// A registry of one seller, `contoso`, in a watched store.
pub(crate) struct Platform {
    pub(crate) clock: ManualClock,
    pub(crate) store: Watched,
    pub(crate) registry: Registry<Watched>,
    pub(crate) contoso: Seller<Watched>,
}

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
        let issued = self.contoso.register(details(name), Lifetime::ThreeYears);
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
