//! Verifying a signature over 256 bytes that names its secret, of one, three and five, beside its floor: HMAC-SHA-256
//! with a prepared key, compared in constant time, and one look-up.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench that cannot go on may stop")]

mod floor;
mod support;

use client_registry::{ClientId, SecretId, Signature};
use criterion::Criterion;
use floor::mac::MacKeys;
use support::platform::Platform;
use support::ratios::{Bound, Ratios};
use support::{criterion, ready, scaled};

fn main() {
    let mut criterion = criterion();
    let mut ratios = Ratios::new();
    let [one, three, five] = [1, 3, 5].map(Pair::new);
    one.measure("of 1", &mut criterion, &mut ratios);
    three.measure("of 3", &mut criterion, &mut ratios);
    five.measure("of 5", &mut criterion, &mut ratios);
    let (one, five) = (one.at_ours(), five.at_ours());
    ratios.compare("of 5, the floor being 1", Some(Bound::AtMost(1.05)), one, five);
    criterion.final_summary();
    ratios.print(["verify 256 bytes, 1,000 clients", "floor", "ours", "ratio"]);
}

/// The floor and the registry with the same clients, and a signature of each client's last secret.
struct Pair {
    floor: MacKeys,
    ours: Platform,
    signatures: Vec<Signature>,
}

impl Pair {
    fn new(secrets: usize) -> Self {
        let floor = MacKeys::default();
        let signer = MacKeys::default();
        let mut signatures = Vec::new();
        let ours = Platform::new(scaled(1_000), secrets, |id, texts| {
            floor.insert(id, texts.iter().copied());
            signer.insert(id, texts.last().copied());
            let (mac, _) = signer.sign(id, &MESSAGE).unwrap();
            let last = SecretId::new(u32::try_from(texts.len()).unwrap()).unwrap();
            signatures.push(Signature::new(ClientId::parse(id).unwrap(), last, mac));
        });
        Self { floor, ours, signatures }
    }

    fn measure(&self, case: &str, criterion: &mut Criterion, ratios: &mut Ratios) {
        let (mut at_floor, mut at_ours) = (self.at_floor(), self.at_ours());
        let mut group = criterion.benchmark_group(format!("verify/{case}"));
        group.bench_function("floor", |bencher| bencher.iter(&mut at_floor));
        group.bench_function("ours", |bencher| bencher.iter(&mut at_ours));
        group.finish();
        ratios.compare(case, Some(Bound::AtMost(1.15)), at_floor, at_ours);
    }

    fn at_floor(&self) -> impl FnMut() -> u128 {
        let mut walk = self.signatures.iter().cycle();
        move || {
            let signature = walk.next().unwrap();
            let (id, number) = (signature.client_id().as_str(), signature.secret_id().number());
            self.floor.verify(id, number, &MESSAGE, signature.mac()).unwrap()
        }
    }

    fn at_ours(&self) -> impl FnMut() -> client_registry::Verified {
        let mut walk = self.signatures.iter().cycle();
        move || ready(self.ours.registry.verify(walk.next().unwrap(), &MESSAGE)).unwrap()
    }
}

const MESSAGE: [u8; 256] = [0x5a; 256];
