//! Bytes in memory for each of a million clients with two secrets and their details, as the resident memory that the operating
//! system reports: the clients alone, as the core makes them; with the look-up; and everything that a registry in
//! memory keeps.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench that cannot go on may stop")]

#[path = "support/bare.rs"]
mod bare;
mod support;

use std::hint::black_box;

use bare::Bare;
use client_registry::client::{Client, ClientState, CommandContext, Decision};
use client_registry::store::{Store, Use};
use client_registry::value::Actor;
use client_registry::{
    Availability, ClientId, ClientSecret, Lifetime, NewSecret, Policy, Registry, SellerId,
};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use support::platform::{Seeded, details, seller_of};
use support::ratios::{Bound, Ratios};
use support::{measuring, ready, scaled};

fn main() {
    let clients = scaled(1_000_000);
    if resident().is_none() {
        println!("memory: nothing is measured, since this system does not tell what is resident");
        return;
    }
    // What is measured first is kept, so that the second does not live in what it left behind.
    let (alone, records) = grown(clients, records);
    let (looked_up, bare) = grown(clients, |clients| {
        let bare = Registry::builder().entropy(Seeded::default()).in_memory_behind(|_| Bare::default());
        fill(&bare, clients);
        bare
    });
    let (whole, registry) = grown(clients, |clients| {
        let registry = Registry::builder().entropy(Seeded::default()).in_memory();
        fill(&registry, clients);
        registry
    });
    let (used, ()) = grown(clients, |_| use_all(&registry));
    black_box((records, bare, registry));
    if !measuring() {
        return;
    }
    let mut ratios = Ratios::new();
    for (case, bytes, bound) in [
        ("the clients alone", alone, None),
        ("with the look-up that authenticating needs", looked_up, Some(Bound::AtMost(1.0))),
        ("with indexes, trails and feed as well", whole, None),
        ("and the last uses of both secrets", whole + used, None),
    ] {
        ratios.add(case, format!("{BOUND:.0}"), format!("{bytes:.0}"), bytes / BOUND, bound);
    }
    ratios.print(["bytes for a client with 2 secrets", "bound", "ours", "ratio"]);
}

/// The clients as values, in one vector.
fn records(clients: usize) -> Vec<Client> {
    let (entropy, policy) = (Seeded::default(), Policy::default());
    let mut random = StdRng::seed_from_u64(2);
    let new = NewSecret::lasting(Lifetime::OneYear);
    let client_secret = || ClientSecret::generate(&Policy::default(), &entropy).unwrap();
    let mut records = Vec::with_capacity(clients);
    let mut owner = None;
    for number in 0..clients {
        // As in the registry, the clients of one seller were registered through one handle.
        let owner = match owner.take() {
            Some(owner) if number % 100 != 0 => owner,
            _ => SellerId::parse(&seller_of(number)).unwrap(),
        };
        let actor = Actor::Seller(owner.clone());
        let context =
            CommandContext { actor: &actor, policy: &policy, now: "2026-01-01T00:00:00Z".parse().unwrap() };
        let registered = Client::register(
            ClientId::parse(&guid(&mut random)).unwrap(),
            owner,
            details(number),
            Availability::Worldwide,
            &new,
            &client_secret(),
            &context,
        );
        let client = next(registered.unwrap());
        records.push(next(client.add_secret(&new, &client_secret(), &context).unwrap()));
    }
    records
}

/// Registers the clients and gives each its second secret.
fn fill<S: Store>(registry: &Registry<S>, clients: usize) {
    for number in 0..clients {
        let seller = registry.as_seller(seller_of(number)).unwrap();
        let first = seller.register(details(number), Lifetime::OneYear);
        let issued = ready(first).unwrap();
        let client = seller.client(issued.client_id());
        drop(ready(client.add_secret(NewSecret::lasting(Lifetime::OneYear))).unwrap());
    }
}

fn next(transition: Decision) -> Client {
    match transition.change().unwrap().into_parts() {
        (ClientState::Active(client), _) => client,
        (ClientState::Deleted(_), _) => unreachable!("nothing was deleted"),
    }
}

/// Everybody presents both secrets once, and it is written down.
fn use_all(registry: &Registry) {
    let operator = registry.as_operator("ann").unwrap();
    let mut after = None;
    loop {
        let page = ready(operator.clients(after.as_ref(), 1_000)).unwrap();
        let uses: Vec<_> = page
            .items()
            .iter()
            .flat_map(|client| {
                let ids = client.client().secrets().map(|secret| secret.id());
                ids.map(|secret| Use { client_id: client.client().id().clone(), secret, at: client.at() })
            })
            .collect();
        ready(registry.store().note_uses(&uses, client_registry::Timestamp::MAX)).unwrap();
        match page.next() {
            Some(next) => after = Some(next.clone()),
            None => return,
        }
    }
}

/// By how many bytes a client what is resident grew while `make` was at it, and what it made.
fn grown<T>(clients: usize, make: impl FnOnce(usize) -> T) -> (f64, T) {
    let before = resident().unwrap();
    let made = make(clients);
    let grown = resident().unwrap().saturating_sub(before);
    (grown as f64 / clients as f64, made)
}

/// The bytes of this process that are in memory; `None` where there is no `/proc`.
fn resident() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: usize = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}

fn guid(random: &mut StdRng) -> String {
    let mut bytes = [0; 16];
    random.fill_bytes(&mut bytes);
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}

/// Bytes that may be resident for a client with two secrets and its details.
const BOUND: f64 = 600.0;
