//! Authenticating without a cache: one SELECT beside loading the record, and beside the whole.

use std::sync::Arc;
use std::time::Duration;

use client_registry::store::{PostgresOptions, PostgresStore, Store};
use client_registry::{ClientId, ClientSecret, Days, Freshness, Lifetime, Registry};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::floor::server::Bare;
use crate::support::platform::details;
use crate::support::ratios::{Bound, Ratios, median};
use crate::support::{self, measuring};
use crate::tap::Tap;
use crate::{WRITERS, keyring, now};

/// One SELECT, and what is made of its row, by eight connections that are always busy. One alone would measure where the two
/// ends of it happen to run: on one core or on two they answer each other in 30 or in 120 us.
pub(crate) fn measure(runtime: &Runtime, url: &str, ratios: &mut Ratios) {
    let schema = format!("bench_{}", std::process::id());
    let options = PostgresOptions::new().schema(&schema).unwrap().max_connections(WRITERS).hints(false);
    let clients = runtime.block_on(async {
        let store = Tap::new(PostgresStore::connect_with(url, options.clone()).await.unwrap());
        let registry = Registry::open(store, keyring()).await.unwrap();
        let seller = registry.as_seller("contoso").unwrap();
        let mut clients: Vec<(ClientId, ClientSecret)> = Vec::new();
        for number in 0..support::scaled(1_000) {
            let registering = seller.register(details(number), Lifetime::OneYear);
            let (id, _, secret) = registering.await.unwrap().into_parts();
            clients.push((id, secret));
        }
        let commits = registry.store().sent.lock().unwrap().clone();
        let commits: Vec<_> =
            commits.iter().filter(|commit| !commit.changes()[0].id().is_reserved()).collect();
        Bare::set_up(url, &commits).await;
        Arc::new(clients)
    });
    let turns: Vec<_> = (0..if measuring() { 15 } else { 1 })
        .map(|_| runtime.block_on(select_load_authenticate(url, &options, &clients)))
        .collect();
    let of = |part: usize| median(turns.iter().map(|turn| turn[part]).collect());
    let ratio = |part: usize| median(turns.iter().map(|turn| turn[0] / turn[part]).collect());
    if measuring() {
        for (part, case, bound) in
            [(1, "load a record", None), (2, "authenticate, not cached", Some(Bound::AtMost(1.2)))]
        {
            ratios.add(case, format!("{:.0} /s", of(0)), format!("{:.0} /s", of(part)), ratio(part), bound);
        }
    }
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute(&format!("DROP SCHEMA {schema} CASCADE; DROP TABLE bare")).await.unwrap();
    });
}

/// How many of each in a second.
async fn select_load_authenticate(
    url: &str,
    options: &PostgresOptions,
    clients: &Arc<Vec<(ClientId, ClientSecret)>>,
) -> [f64; 3] {
    let mut bare = Vec::new();
    for _ in 0..WRITERS {
        bare.push(Bare::connect(url).await);
    }
    let store = PostgresStore::connect_with(url, options.clone()).await.unwrap();
    let builder =
        Registry::builder().last_use_interval(Days::new(1)).freshness(Freshness::within(Duration::ZERO));
    let registry = Arc::new(builder.open(store, keyring()).await.unwrap());
    let selecting = bare.into_iter().map(|bare| {
        let clients = Arc::clone(clients);
        async move {
            for (id, _) in clients.iter() {
                bare.select(id.as_str()).await;
            }
        }
    });
    let loading = (0..WRITERS).map(|_| {
        let (registry, clients) = (Arc::clone(&registry), Arc::clone(clients));
        async move {
            for (id, _) in clients.iter() {
                registry.store().load(id.into()).await.unwrap().unwrap();
            }
        }
    });
    let authenticating = (0..WRITERS).map(|_| {
        let (registry, clients) = (Arc::clone(&registry), Arc::clone(clients));
        async move {
            for (id, secret) in clients.iter() {
                registry.authenticate(id.as_str(), secret.expose()).await.unwrap();
            }
        }
    });
    let all = WRITERS * clients.len();
    [rate(selecting, all).await, rate(loading, all).await, rate(authenticating, all).await]
}

async fn rate<T: Future<Output = ()> + Send + 'static>(tasks: impl Iterator<Item = T>, work: usize) -> f64 {
    let started = now();
    tasks.collect::<JoinSet<_>>().join_all().await;
    work as f64 / started.elapsed().as_secs_f64()
}
