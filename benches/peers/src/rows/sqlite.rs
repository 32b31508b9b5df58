//! A registry in a file, with 1,000 and with 100,000 clients: changes in a second beside the bare engine's for the same rows,
//! authenticating without a cache and searching for leaks beside the bare look-up, and a page of endings.

use std::hint::black_box;
use std::thread;
use std::time::Duration;

use client_registry::clock::{Clock, SystemClock};
use client_registry::store::{SqliteStore, Store};
use client_registry::{ClientId, Days, Freshness, Lifetime, Registry, SecretId};
use pollster::block_on;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::clients::{Presented, Seeded, details, guid, keyring, seller_of};
use crate::fill::Fill;
use crate::floor::sqlite::{Bare, Rows};
use crate::report::Aim::{AtLeast, AtMost, None as NoAim};
use crate::report::Report;
use crate::scratch::Scratch;
use crate::stores::Tap;

pub fn measure(report: &mut Report) {
    for (clients, quick, words) in [(1_000, 1_000, "1,000"), (100_000, 5_000, "100,000")] {
        let names = [
            "promote",
            "promote, 4 callers",
            "register",
            "authenticate, no cache",
            "100 clients searched for a leaked text",
            "100 clients searched for 101 texts",
            "a page of 100 endings",
        ]
        .map(|name| format!("SQLite, {words} clients: {name}"));
        if !report.wants_any(&names.each_ref().map(String::as_str)) {
            continue;
        }
        if report.is_listing() {
            names.iter().for_each(|name| println!("{name}"));
            continue;
        }
        let file = File::new(report.scaled(clients, quick));
        let [promote, together, register, authenticate, leaked, more_leaked, page] = &names;
        file.promote(report, promote);
        file.together(report, together);
        file.register(report, register);
        file.authenticate(report, authenticate);
        file.leaked(report, leaked);
        file.more_leaked(report, more_leaked);
        file.page(report, page);
    }
}

/// A registry in a file, the same file once more for the engine alone, and what its clients present.
struct File {
    registry: Registry<Tap<SqliteStore>>,
    bare: Bare,
    presented: Presented,
    _scratch: Scratch,
}

impl File {
    fn new(clients: usize) -> Self {
        let scratch = Scratch::new();
        let store = SqliteStore::open(scratch.file("ours.db")).unwrap();
        let (mut fill, mut presented) = (Fill::new(2), Presented::default());
        block_on(store.commit(fill.founding())).unwrap();
        block_on(fill.up_to(clients, &store, &mut presented));
        block_on(store.backup_to(scratch.file("floor.db"))).unwrap();
        // Every look-up goes to the file.
        let builder =
            Registry::builder().entropy(Seeded::with(u64::MAX)).freshness(Freshness::within(Duration::ZERO));
        let registry =
            block_on(builder.last_use_interval(Days::new(1)).open(Tap::new(store), keyring())).unwrap();
        Self { registry, bare: Bare::open(&scratch.file("floor.db")), presented, _scratch: scratch }
    }

    /// Replaces a record and tells of it. Round and round, one time with the one secret and one time with the other.
    fn promote(&self, report: &mut Report, name: &str) {
        if !report.wants(name) {
            return;
        }
        let operator = self.registry.as_operator("ann").unwrap();
        let ids = self.presented.ids();
        let mut turns = (0..).flat_map(|round| ids.iter().map(move |id| (id, 1 + round % 2)));
        let mut promote = || {
            let (id, secret) = turns.next().unwrap();
            block_on(operator.client(id).promote(SecretId::new(secret).unwrap())).unwrap()
        };
        // The first promotion makes the first secret sign that signs already.
        while self.registry.store().take().is_empty() {
            promote();
        }
        promote();
        let mut rows = Rows::of(&self.registry.store().last());
        let mut walk = self.presented.walk();
        let update = || {
            rows.rename(0, walk.next().unwrap().0);
            self.bare.update(&rows);
        };
        let promote = || {
            promote();
            self.registry.store().take()
        };
        report.measure(report.row(name).waiting().rate(1).ours(promote).floor(AtLeast(0.9), update));
    }

    /// Several callers at once: while one change is being written, others are decided and sealed.
    fn together(&self, report: &mut Report, name: &str) {
        if !report.wants(name) {
            return;
        }
        let operator = self.registry.as_operator("ann").unwrap();
        let ids = self.presented.ids();
        let shares: Vec<_> = ids.chunks(ids.len() / CALLERS).take(CALLERS).collect();
        let promote = |id: &_| {
            let client = operator.client(id);
            let signing = block_on(client.snapshot()).unwrap().signing().secret().unwrap();
            block_on(client.promote(SecretId::new(3 - signing.number()).unwrap())).unwrap();
        };
        promote(&ids[0]);
        let mut rows = Rows::of(&self.registry.store().last());
        let mut rounds = vec![0; CALLERS];
        let together = || {
            thread::scope(|scope| {
                for (share, round) in shares.iter().zip(&mut rounds) {
                    scope.spawn(move || {
                        for _ in 0..EACH {
                            promote(&share[*round % share.len()]);
                            *round += 1;
                        }
                    });
                }
            });
            self.registry.store().take()
        };
        let mut walk = self.presented.walk();
        let updates = || {
            for _ in 0..CALLERS * EACH {
                rows.rename(0, walk.next().unwrap().0);
                self.bare.update(&rows);
            }
        };
        let row = report
            .row(name)
            .waiting()
            .rounds(51)
            .rate(CALLERS * EACH)
            .ours(together)
            .floor(AtLeast(0.9), updates);
        report.measure(row);
    }

    /// Adds rows everywhere.
    fn register(&self, report: &mut Report, name: &str) {
        if !report.wants(name) {
            return;
        }
        let mut number = 1_000_000;
        let mut register = || {
            number += 1;
            let seller = self.registry.as_seller(seller_of(number)).unwrap();
            let _ = block_on(seller.register(details(number), Lifetime::OneYear)).unwrap();
            self.registry.store().last()
        };
        let mut rows = Rows::of(&register());
        let (mut random, mut other) = (StdRng::seed_from_u64(u64::MAX), 0);
        let insert = || {
            other += 1;
            rows.rename(other, &guid(&mut random));
            self.bare.insert(&rows);
        };
        report.measure(report.row(name).waiting().rate(1).ours(register).floor(AtLeast(0.9), insert));
    }

    fn authenticate(&self, report: &mut Report, name: &str) {
        if !report.wants(name) {
            return;
        }
        let any = |seed| {
            let mut random = StdRng::seed_from_u64(seed);
            move || self.presented.at(random.random_range(0..self.presented.len()))
        };
        let (mut for_floor, mut for_ours) = (any(2), any(3));
        let authenticate = || {
            let (id, secret) = for_ours();
            block_on(self.registry.authenticate(id, secret)).unwrap()
        };
        let select = || self.bare.select(for_floor().0);
        report.measure(report.row(name).waiting().ours(authenticate).floor(AtMost(2.0), select));
    }

    /// A hundred clients in the order of their IDs, from one at random on. The aim is ten microseconds for a client where a bare look-up
    /// takes 2.6.
    fn leaked(&self, report: &mut Report, name: &str) {
        if !report.wants(name) {
            return;
        }
        let (mut for_ours, mut for_floor) = (self.hundreds(4), self.hundreds(5));
        let search = || self.search(&for_ours()[0], 1);
        let select = || for_floor().iter().for_each(|id| drop(black_box(self.bare.select(id.as_str()))));
        report.measure(report.row(name).waiting().ours(search).floor(AtMost(10.0 / 2.6), select));
    }

    /// A hundred texts more. The aim is a tenth of a microsecond for each.
    fn more_leaked(&self, report: &mut Report, name: &str) {
        if !report.wants(name) {
            return;
        }
        let (mut for_ours, mut for_one) = (self.hundreds(6), self.hundreds(7));
        let more = || self.search(&for_ours()[0], 101);
        let one = || self.search(&for_one()[0], 1);
        report.measure(report.row(name).waiting().ours(more).peer("ours, one text", AtMost(2.0), one));
    }

    /// A hundred client IDs that follow one another, from a random place on.
    fn hundreds(&self, seed: u64) -> impl FnMut() -> Vec<ClientId> {
        let mut ids = self.presented.ids();
        ids.sort_unstable();
        let mut random = StdRng::seed_from_u64(seed);
        move || {
            let first = random.random_range(0..ids.len() - 100);
            ids[first..first + 100].to_vec()
        }
    }

    /// Searches a hundred clients for so many texts, none of which is theirs.
    fn search(&self, after: &ClientId, texts: usize) {
        let operator = self.registry.as_operator("ann").unwrap();
        let texts: Vec<_> = (0..texts).map(|text| format!("crs_{text:049}")).collect();
        let mut search = operator.find_leaked(&texts).unwrap().after(after.clone());
        block_on(search.next_page(100)).unwrap();
        assert_eq!((search.looked_at(), search.found().count()), (100, 0));
    }

    fn page(&self, report: &mut Report, name: &str) {
        if !report.wants(name) {
            return;
        }
        let before = SystemClock::new().wall().saturating_add(Days::new(800).into());
        let page = || {
            let page = block_on(self.registry.store().ending(before, None, 100)).unwrap();
            assert_eq!(page.len(), 100);
            page
        };
        let rows = || self.bare.page(before.as_millis());
        report.measure(report.row(name).waiting().ours(page).floor(NoAim, rows));
    }
}

/// How many ask at once, and how often each.
const CALLERS: usize = 4;
const EACH: usize = 16;
