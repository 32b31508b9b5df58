//! A page of what ends within 30 days, of two million secrets, from the ordered index and beside the bare query; and beside an
//! ordered index in memory, which is the least.

use std::collections::BTreeSet;
use std::time::Instant;

use client_registry::Timestamp;
use client_registry::store::{PostgresStore, Store};
use tokio::runtime::Runtime;

use super::{run, schema};
use crate::report::Aim::None as NoAim;
use crate::report::{Measured, Report, Unit};
use crate::server;

pub(super) const NAME: &str = "PostgreSQL: a page of 100 endings, of 2 million";

pub(super) fn measure(runtime: &Runtime, url: &str, report: &mut Report) {
    if !report.wants(NAME) {
        return;
    }
    let (schema, options) = schema(1);
    let secrets = 2 * report.scaled(1_000_000, 10_000) as i64;
    let ends = |number: i64| START + (number * 7919 % secrets) * SPAN / secrets;
    let least: BTreeSet<(i64, i64)> = (0..secrets).map(|number| (ends(number), number)).collect();
    let [bare, ours, least] = runtime.block_on(async {
        let store = PostgresStore::connect_with(url, options).await.unwrap();
        let client = server::client(url).await.expect("a server");
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
        let mut figures = [const { Vec::new() }; 3];
        for _ in 0..if report.is_quick() { 20 } else { 200 } {
            let started = Instant::now();
            let rows = client.query(&select, &[&START, &before]).await.unwrap();
            figures[0].push(started.elapsed().as_nanos() as f64);
            let started = Instant::now();
            let page = store.ending(until, None, 100).await.unwrap();
            figures[1].push(started.elapsed().as_nanos() as f64);
            let started = Instant::now();
            let first: Vec<_> = least.range(..(before, 0)).take(100).copied().collect();
            figures[2].push(started.elapsed().as_nanos() as f64);
            assert_eq!([rows.len(), first.len()], [page.len(); 2]);
        }
        figures
    });
    run(runtime, url, &format!("DROP SCHEMA {schema} CASCADE"));
    let peers = vec![("the bare query", bare, NoAim)];
    report.add(Measured { name: NAME.into(), unit: Unit::Time, ours, floor: Some((least, NoAim)), peers });
}

/// The first of the ends, and how long after it the last one is, in milliseconds.
const START: i64 = 1_767_225_600_000;
const SPAN: i64 = 3 * 365 * 86_400_000;
