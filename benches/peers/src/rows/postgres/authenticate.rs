//! Authenticating without a cache: one SELECT beside loading the record, and beside the whole.

use std::sync::Arc;
use std::time::{Duration, Instant};

use client_registry::store::{PostgresOptions, PostgresStore, Store};
use client_registry::{ClientId, ClientSecret, Days, Freshness, Lifetime, Registry};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use super::{WRITERS, run, schema};
use crate::clients::{details, keyring};
use crate::floor::server::Bare;
use crate::report::Aim::{AtMost, None as NoAim};
use crate::report::{Measured, Report, Unit};
use crate::stores::Tap;

pub(super) const NAME: &str = "PostgreSQL: authenticate, no cache";
pub(super) const LOAD: &str = "PostgreSQL: load a record";

/// One SELECT, and what is made of its row, by eight connections that are always busy. One alone would measure where the two
/// ends of it happen to run: on one core or on two they answer each other in 30 or in 120 us.
pub(super) fn measure(runtime: &Runtime, url: &str, report: &mut Report) {
    let wanted = [NAME, LOAD].map(|name| report.wants(name));
    if wanted == [false; 2] {
        return;
    }
    let (name, options) = schema(WRITERS);
    let clients = runtime.block_on(async {
        let store = Tap::new(PostgresStore::connect_with(url, options.clone()).await.unwrap());
        let registry = Registry::open(store, keyring()).await.unwrap();
        let seller = registry.as_seller("contoso").unwrap();
        let mut clients: Vec<(ClientId, ClientSecret)> = Vec::new();
        for number in 0..report.scaled(1_000, 200) {
            let (id, _, secret) =
                seller.register(details(number), Lifetime::OneYear).await.unwrap().into_parts();
            clients.push((id, secret));
        }
        let commits = registry.store().take();
        let commits: Vec<_> =
            commits.iter().filter(|commit| !commit.changes()[0].id().is_reserved()).collect();
        Bare::set_up(url, &commits).await;
        Arc::new(clients)
    });
    let mut figures = [const { Vec::new() }; 3];
    for _ in 0..if report.is_quick() { 3 } else { 15 } {
        let turn = runtime.block_on(select_load_authenticate(url, &options, &clients));
        for (figures, figure) in figures.iter_mut().zip(turn) {
            figures.push(figure);
        }
    }
    let [bare, load, authenticate] = figures;
    for (wanted, name, ours, aim) in
        [(wanted[1], LOAD, load, NoAim), (wanted[0], NAME, authenticate, AtMost(1.2))]
    {
        if wanted {
            let floor = Some((bare.clone(), aim));
            report.add(Measured { name: name.into(), unit: Unit::Time, ours, floor, peers: vec![] });
        }
    }
    run(runtime, url, &format!("DROP SCHEMA {name} CASCADE; DROP TABLE bare"));
}

/// The nanoseconds from one answer to the next, of each.
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
    [time(selecting, all).await, time(loading, all).await, time(authenticating, all).await]
}

async fn time<T: Future<Output = ()> + Send + 'static>(tasks: impl Iterator<Item = T>, work: usize) -> f64 {
    let started = Instant::now();
    tasks.collect::<JoinSet<_>>().join_all().await;
    started.elapsed().as_nanos() as f64 / work as f64
}
