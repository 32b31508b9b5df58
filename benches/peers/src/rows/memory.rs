//! Bytes in memory for each of a million clients with two secrets and their details, as the resident memory that the operating
//! system reports. Each is measured in a process of its own, so that none lives in what another has left.

use std::hint::black_box;
use std::process::Command;

use client_registry::client::{Client, CommandContext};
use client_registry::store::{Store, Use};
use client_registry::value::Actor;
use client_registry::{
    Availability, ClientId, ClientSecret, Lifetime, NewSecret, Policy, Registry, SellerId, Timestamp,
};
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::clients::{Seeded, details, guid, next, ready, register, seller_of};
use crate::floor::memory::{Least, Looked, least};
use crate::machine::resident;
use crate::peers::strings::{Naive, NaiveClients, NaiveSecret};
use crate::report::Aim::{AtMost, None as NoAim};
use crate::report::{Measured, Report, Unit};

pub fn measure(report: &mut Report) {
    let clients = report.scaled(1_000_000, 50_000);
    let weigh = |what: &str| vec![weighed(what, clients)];
    for (name, what, floor, bound) in [
        ("memory, a client with 2 secrets", "alone", "floor", 500.0),
        ("memory, with its look-up", "looked-up", "floor-looked-up", 600.0),
    ] {
        if report.wants(name) {
            let floor = Some((weigh(floor), NoAim));
            let peers = vec![
                ("a string for everything", weigh("naive"), NoAim),
                ("the bound", vec![bound], AtMost(1.0)),
            ];
            report.add(Measured { name: name.into(), unit: Unit::Bytes, ours: weigh(what), floor, peers });
        }
    }
    for (name, what) in [
        ("memory, with indexes, trail and feed", "whole"),
        ("memory, with the last uses of both secrets too", "used"),
    ] {
        if report.wants(name) {
            report.add(Measured {
                name: name.into(),
                unit: Unit::Bytes,
                ours: weigh(what),
                floor: None,
                peers: vec![],
            });
        }
    }
}

/// Asks another process of this program.
fn weighed(what: &str, clients: usize) -> f64 {
    let program = std::env::current_exe().unwrap();
    let output = Command::new(program).args([WEIGH, what, &clients.to_string()]).output().unwrap();
    assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

/// The other process: makes so many clients and prints by how many bytes a client what is resident has grown.
pub fn weigh(what: &str, clients: usize) {
    let before = resident();
    match what {
        "alone" => grown(before, clients, alone(clients)),
        "floor" => grown(before, clients, (0..clients).map(least_of).collect::<Vec<_>>()),
        "floor-looked-up" => {
            let (looked, mut random) = (Looked::default(), StdRng::seed_from_u64(2));
            for number in 0..clients {
                let id = guid(&mut random);
                looked.insert(id.as_bytes().try_into().unwrap(), least_of(number));
            }
            grown(before, clients, looked);
        }
        "naive" => {
            let mut random = StdRng::seed_from_u64(2);
            grown(
                before,
                clients,
                (0..clients).map(|n| (guid(&mut random), naive(n))).collect::<NaiveClients>(),
            );
        }
        "looked-up" => {
            let bare = Registry::builder().entropy(Seeded::default());
            let bare = bare.in_memory_behind(|_| crate::stores::Bare::default());
            fill(&bare, clients);
            grown(before, clients, bare);
        }
        "whole" | "used" => {
            let registry = Registry::builder().entropy(Seeded::default()).in_memory();
            fill(&registry, clients);
            if what == "used" {
                use_all(&registry);
            }
            grown(before, clients, registry);
        }
        _ => panic!("nothing is called {what}"),
    }
}

fn grown<T>(before: usize, clients: usize, made: T) {
    println!("{}", resident().saturating_sub(before) as f64 / clients as f64);
    black_box(made);
}

/// The clients as values, in one vector.
fn alone(clients: usize) -> Vec<Client> {
    let (entropy, policy) = (Seeded::default(), Policy::default());
    let mut random = StdRng::seed_from_u64(2);
    let new = NewSecret::lasting(Lifetime::OneYear);
    let client_secret = || ClientSecret::generate(&Policy::default(), &entropy).unwrap();
    let mut made: Vec<Client> = Vec::with_capacity(clients);
    for number in 0..clients {
        // As in the registry, the clients of one seller were registered through one handle.
        let owner = match made.last() {
            Some(last) if number % 100 != 0 => last.owner().clone(),
            _ => SellerId::parse(&seller_of(number)).unwrap(),
        };
        let actor = Actor::Seller(owner.clone());
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        let context = CommandContext { actor: &actor, policy: &policy, now };
        let id = ClientId::parse(&guid(&mut random)).unwrap();
        let secret = client_secret();
        let registered =
            Client::register(id, owner, details(number), Availability::Worldwide, &new, &secret, &context);
        let client = next(registered.unwrap());
        made.push(next(client.add_secret(&new, &client_secret(), &context).unwrap()));
    }
    made
}

/// The texts of a client's details and owner.
fn texts_of(number: usize) -> [String; 4] {
    let (details, owner) = (details(number), seller_of(number));
    [
        owner,
        details.friendly_name().as_str().into(),
        details.app_domain().as_str().into(),
        details.redirect_url().as_str().into(),
    ]
}

fn least_of(number: usize) -> Least {
    least(&texts_of(number).each_ref().map(String::as_str))
}

fn naive(number: usize) -> Naive {
    let [owner, name, app_domain, redirect_url] = texts_of(number);
    let secret = |of: usize| NaiveSecret {
        hash: format!("{:064x}", 2 * number + of),
        key: format!("crs_{:049}", 2 * number + of),
        label: None,
        from: 0,
        until: 31_536_000_000,
        is_enabled: true,
    };
    Naive { owner, name, app_domain, redirect_url, secrets: vec![secret(0), secret(1)] }
}

fn fill<S: Store>(registry: &Registry<S>, clients: usize) {
    for number in 0..clients {
        register(registry, number, 2);
    }
}

/// Every client has presented both secrets once, and it is written down.
fn use_all(registry: &Registry) {
    let operator = registry.as_operator("ann").unwrap();
    let mut after = None;
    loop {
        let page = ready(operator.clients(after.as_ref(), 1_000)).unwrap();
        let uses = page.items().iter().flat_map(|client| {
            let ids = client.client().secrets().map(|secret| secret.id());
            ids.map(|secret| Use { client_id: client.client().id().clone(), secret, at: client.at() })
        });
        let uses: Vec<_> = uses.collect();
        ready(registry.store().note_uses(&uses, Timestamp::MAX)).unwrap();
        match page.next() {
            Some(next) => after = Some(next.clone()),
            None => return,
        }
    }
}

/// The argument by which this program is asked to weigh.
pub const WEIGH: &str = "--weigh";
