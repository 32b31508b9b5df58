//! The list of secrets that end soon, from the ordered index and beside the bare query.

use std::time::Instant;

use client_registry::Timestamp;
use client_registry::store::{PostgresOptions, PostgresStore, Store};
use tokio::runtime::Runtime;

use crate::now;
use crate::support::ratios::{Ratios, median};
use crate::support::{self, measuring};

/// A page of what ends within 30 days, of two million secrets, from the ordered index and beside the bare query.
pub(crate) fn measure(runtime: &Runtime, url: &str, ratios: &mut Ratios) {
    let schema = format!("bench_{}", std::process::id());
    let options = PostgresOptions::new().schema(&schema).unwrap().max_connections(1).hints(false);
    let secrets = 2 * support::scaled(1_000_000);
    let (bare, ours): (Vec<_>, Vec<_>) = runtime.block_on(async {
        let store = PostgresStore::connect_with(url, options).await.unwrap();
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        // Spread over three years, as lifetimes are.
        let fill = format!(
            "INSERT INTO {schema}.secrets SELECT 'client-' || g / 2, 1 + g % 2, \
             {START} + (g * 7919::bigint % {secrets}) * {SPAN} / {secrets} \
             FROM generate_series(0, {secrets} - 1) g; ANALYZE {schema}.secrets"
        );
        client.batch_execute(&fill).await.unwrap();
        let select = format!(
            "SELECT ends, client_id, secret FROM {schema}.secrets WHERE ends >= $1 AND ends < $2 \
             ORDER BY ends, client_id, secret LIMIT 100"
        );
        let select = client.prepare(&select).await.unwrap();
        let before = START + 30 * 86_400_000;
        let until = Timestamp::from_millis(before).unwrap();
        let mut turns = Vec::new();
        for _ in 0..if measuring() { 200 } else { 1 } {
            let started = now();
            let rows = client.query(&select, &[&START, &before]).await.unwrap();
            let bare = micros(started);
            let started = now();
            let page = store.ending(until, None, 100).await.unwrap();
            turns.push((bare, micros(started)));
            assert_eq!(rows.len(), page.len());
        }
        client.batch_execute(&format!("DROP SCHEMA {schema} CASCADE")).await.unwrap();
        turns.into_iter().unzip()
    });
    if measuring() {
        let (bare, ours) = (median(bare), median(ours));
        let case = format!("a page of 100 endings, of {secrets}");
        ratios.add(case, format!("{bare:.0} us"), format!("{ours:.0} us"), ours / bare, None);
    }
}

fn micros(started: Instant) -> f64 {
    started.elapsed().as_secs_f64() * 1e6
}

/// The first of the ends, and how long after it the last one is, in milliseconds.
const START: i64 = 1_767_225_600_000;
const SPAN: i64 = 3 * 365 * 86_400_000;
