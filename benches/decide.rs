//! Deciding on a client with five secrets: the core alone, beside its floor, a copy of the data and for each event its
//! JSON and the hash of that.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench that cannot go on may stop")]

mod floor;
mod support;

use client_registry::client::{Client, ClientState, CommandContext, Decision, LastUses};
use client_registry::value::Actor;
use client_registry::{
    Availability, ClientId, ClientSecret, Days, Lifetime, NewSecret, Policy, Rotation, SecretId, SellerId,
    Timestamp,
};
use criterion::Criterion;
use floor::aggregate::Plain;
use support::criterion;
use support::platform::{Seeded, details};
use support::ratios::Ratios;

fn main() {
    let (mut criterion, mut ratios) = (criterion(), Ratios::new());
    let policy = Policy::default().with_max_secrets(8).unwrap();
    let seller = SellerId::parse("contoso").unwrap();
    let actor = Actor::Seller(seller.clone());
    let entropy = Seeded::default();
    let client_secret = || ClientSecret::generate(&Policy::default(), &entropy).unwrap();
    let new = NewSecret::lasting(Lifetime::OneYear);
    let [first_day, today] =
        ["2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z"].map(|day| day.parse::<Timestamp>().unwrap());
    let context = CommandContext { actor: &actor, policy: &policy, now: first_day };
    let id = ClientId::parse("0d0e2c5c-5c39-4d5b-9f3a-3c1b1f1d2a10").unwrap();
    let registered =
        Client::register(id, seller, details(1), Availability::Worldwide, &new, &client_secret(), &context);
    let mut client = next(registered.unwrap());
    for _ in 1..5 {
        client = next(client.add_secret(&new, &client_secret(), &context).unwrap());
    }

    let context = CommandContext { now: today, ..context };
    let (fresh, rotation) = (client_secret(), Rotation::overlap(Days::new(30)));
    let third = SecretId::new(3).unwrap();
    let mut measure = |case, command: &dyn Fn() -> Decision| {
        compare(case, &client, command, &mut criterion, &mut ratios);
    };
    measure("add_secret", &|| client.add_secret(&new, &fresh, &context).unwrap());
    measure("rotate", &|| client.rotate(&rotation, &fresh, &LastUses::default(), &context).unwrap());
    measure("promote", &|| client.promote(third, &context).unwrap());

    // A plan has no events: its floor is the copy alone.
    let (plain, uses) = (Plain::of(&client), LastUses::default());
    let at_floor = || plain.change(&[]);
    let at_ours = || client.plan_deletion(third, &uses, &context).unwrap();
    let mut group = criterion.benchmark_group("decide/plan deletion");
    group.bench_function("floor", |bencher| bencher.iter(at_floor));
    group.bench_function("ours", |bencher| bencher.iter(at_ours));
    group.finish();
    ratios.compare("plan deletion", None, at_floor, at_ours);

    criterion.final_summary();
    ratios.print(["decide on a client with 5 secrets", "floor", "ours", "ratio"]);
}

/// A command beside a copy and the same events.
fn compare(
    case: &str,
    client: &Client,
    command: &dyn Fn() -> Decision,
    criterion: &mut Criterion,
    ratios: &mut Ratios,
) {
    let plain = Plain::of(client);
    let (_, events) = command().change().unwrap().into_parts();
    let at_floor = || plain.change(&events);
    let mut group = criterion.benchmark_group(format!("decide/{case}"));
    group.bench_function("floor", |bencher| bencher.iter(at_floor));
    group.bench_function("ours", |bencher| bencher.iter(command));
    group.finish();
    ratios.compare(format!("{case}, events: {}", events.len()), None, at_floor, command);
}

fn next(transition: Decision) -> Client {
    match transition.change().unwrap().into_parts() {
        (ClientState::Active(client), _) => client,
        (ClientState::Deleted(_), _) => unreachable!("nothing was deleted"),
    }
}
