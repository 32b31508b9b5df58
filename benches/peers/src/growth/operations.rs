//! The operations, each measured at one size of a registry.

use std::time::{Duration, Instant};

use client_registry::store::Store;
use client_registry::{Lifetime, NewSecret, Registry, Timestamp};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::{Curves, Over, Unit};
use crate::clients::{Presented, seller_of};
use crate::fill::add_in_id;
use crate::measure::{By, Started};

/// A registry with clients that were made by number, and what they present, in the order of the numbers.
pub struct Grown<'a, S> {
    pub over: Over,
    pub store: &'static str,
    /// What it is measured by: a store in memory never waits.
    pub by: By,
    pub size: usize,
    pub registry: &'a Registry<S>,
    pub presented: &'a Presented,
}

impl<S: Store> Grown<'_, S> {
    /// Measures everything that is asked of a registry.
    pub async fn measure(&self, curves: &mut Curves) {
        let Self { registry, presented, .. } = self;
        let mut random = StdRng::seed_from_u64(self.size as u64);
        let mut any = || random.random_range(0..presented.len());
        let ids = presented.ids();

        let authenticate = typical(self.by, async || {
            let (id, secret) = presented.at(any());
            registry.authenticate(id, secret).await.unwrap();
        });
        self.add(curves, "authenticate", authenticate.await);
        let sign = typical(self.by, async || {
            registry.sign(&ids[any()], MESSAGE).await.unwrap();
        });
        self.add(curves, "sign 256 bytes", sign.await);
        let lookup = typical(self.by, async || {
            let number = any();
            let seller = registry.as_seller(seller_of(number)).unwrap();
            let found = seller.client_of(&add_in_id(number)).await.unwrap();
            assert_eq!(found.unwrap().client().id(), &ids[number]);
        });
        self.add(curves, "look up by add-in", lookup.await);
        let operator = registry.as_operator("ann").unwrap();
        let page = typical(self.by, async || {
            let all = Timestamp::MIN..Timestamp::MAX;
            let page = operator.expiry_report(&all, None, 100).await.unwrap();
            assert!(!page.items().is_empty());
        });
        self.add(curves, "a page of 100 endings", page.await);
        self.add(curves, "a pass of the leak intake", self.leak_intake().await);

        // Last, since it changes what is there. The client gets the secret that it then loses again.
        let mut took = Vec::new();
        let until = Instant::now() + LONGEST;
        while took.len() < ADDITIONS && Instant::now() < until {
            let client = operator.client(&ids[any()]);
            let started = Started::now(self.by);
            let added = client.add_secret(NewSecret::lasting(Lifetime::OneYear)).await;
            let nanoseconds = started.elapsed();
            // A client that has as many secrets as it may have is passed over.
            if let Ok(issued) = added {
                took.push(nanoseconds);
                let _ = client.delete_in_emergency(issued.secret_id(), None).await.unwrap();
            } else if self.over == Over::SecretsOfEach {
                break;
            }
        }
        if !took.is_empty() {
            self.add(curves, "add a secret", median(took));
        }
    }

    /// One pass over all clients for ten texts, of which one is found.
    async fn leak_intake(&self) -> f64 {
        let operator = self.registry.as_operator("ann").unwrap();
        let (_, leaked) = self.presented.at(self.presented.len() - 1);
        let mut texts = vec!["no client secret of anybody"; 9];
        texts.push(leaked);
        let started = Started::now(self.by);
        let mut search = operator.find_leaked(texts).unwrap();
        while search.next_page(1_000).await.unwrap() {}
        let took = started.elapsed();
        assert_eq!((search.looked_at(), search.found().count()), (self.presented.len(), 1));
        took
    }

    fn add(&self, curves: &mut Curves, operation: &'static str, nanoseconds: f64) {
        curves.add(self.over, self.store, operation, Unit::Nanoseconds, (self.size, nanoseconds));
    }
}

/// The median nanoseconds of an operation, over turns of a millisecond or more, for two seconds at most.
async fn typical(by: By, mut operation: impl AsyncFnMut()) -> f64 {
    let mut times = 1;
    let mut turns = Vec::new();
    let until = Instant::now() + LONGEST;
    while turns.len() < TURNS && (turns.is_empty() || Instant::now() < until) {
        let started = Started::now(by);
        for _ in 0..times {
            operation().await;
        }
        let took = started.elapsed();
        if took < TURN && turns.is_empty() && times < 1 << 20 {
            times *= 2;
        } else {
            turns.push(took / f64::from(times));
        }
    }
    median(turns)
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

const MESSAGE: &[u8] = &[b'x'; 256];
/// Nanoseconds of a turn.
const TURN: f64 = 1e6;
const TURNS: usize = 201;
const LONGEST: Duration = Duration::from_secs(2);
const ADDITIONS: usize = 501;
