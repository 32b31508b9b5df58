//! Signing 256 bytes from memory, beside its floor: HMAC-SHA-256 with a prepared key, and one look-up.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench that cannot go on may stop")]

mod floor;
mod support;

use client_registry::ClientId;
use floor::mac::MacKeys;
use support::platform::Platform;
use support::ratios::{Bound, Ratios};
use support::{criterion, ready, scaled};

fn main() {
    let mut criterion = criterion();
    let mut ratios = Ratios::new();
    for secrets in [1, 5] {
        let floor = MacKeys::default();
        let ours = Platform::new(scaled(1_000), secrets, |id, texts| {
            floor.insert(id, texts.iter().copied());
        });
        let ids: Vec<_> =
            ours.walk().take(scaled(1_000)).map(|(id, _)| ClientId::parse(id).unwrap()).collect();
        let message = [0x5a; 256];

        let mut walk = ids.iter().cycle();
        let mut at_floor = || floor.sign(walk.next().unwrap().as_str(), &message).unwrap();
        let mut walk = ids.iter().cycle();
        let mut at_ours = || ready(ours.registry.sign(walk.next().unwrap(), &message)).unwrap();
        assert_eq!(at_floor().0, *at_ours().mac());

        let case = format!("256 bytes, 1,000 clients, {secrets} secrets each");
        let mut group = criterion.benchmark_group(format!("sign/{case}"));
        group.bench_function("floor", |bencher| bencher.iter(&mut at_floor));
        group.bench_function("ours", |bencher| bencher.iter(&mut at_ours));
        group.finish();
        ratios.compare(case, Some(Bound::AtMost(1.15)), at_floor, at_ours);
    }
    criterion.final_summary();
    ratios.print(["sign", "floor", "ours", "ratio"]);
}
